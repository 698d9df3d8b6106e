package outside_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"duyet/comments"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
)

// TestHook: what is asked is signed and holds what it says; what is answered becomes a signal.
func TestHook(t *testing.T) {
	var answer string
	ids := map[string]bool{}
	s, roots := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Error(err)
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Error(err)
		}
		if err := verifier.Verify(append(body, ' '), r.Header); err == nil {
			t.Error("another body has the same signature")
		}
		var q map[string]string
		if err := json.Unmarshal(body, &q); err != nil {
			t.Error(err)
		}
		if ids[q["id"]] || q["id"] != r.Header.Get("Webhook-Id") {
			t.Errorf("id %q", q["id"])
		}
		ids[q["id"]] = true
		delete(q, "id")
		if want := map[string]string{
			"site": "bao", "page": "https://bao.example/pho", "name": "Hạnh", "title": "Cảm ơn", "content": "Bài rất hữu ích.", "lang": "vi",
			"created_at": "2026-03-14T12:00:00Z",
		}; !maps.Equal(q, want) {
			t.Errorf("asked %v", q)
		}
		if len(r.Cookies()) != 0 || r.Method != http.MethodPost {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		w.Header().Set("Set-Cookie", "a=b")
		fmt.Fprint(w, answer)
	})
	h := newHouse(t, roots)
	h.says(candidate()) // nobody has chosen anything
	h.hook(s.URL)
	for _, tt := range []struct{ answer, want string }{
		{`{"verdict":"ok"}`, ""},
		{`{"verdict":"hold"}`, "hook.hold.hold"},
		{`{"verdict":"spam","reason":"","more":[1]}`, "hook.spam.spam"},
		{`{"verdict":"hold","reason":" Tên người nổi tiếng "}`, "hook.hold_why.hold"},
		{`{"verdict":"spam","reason":"quảng cáo"}`, "hook.spam_why.spam"},
	} {
		answer = tt.answer
		if got := strings.Join(h.screen(candidate()), " "); got != tt.want {
			t.Errorf("%s: %s", tt.answer, got)
		}
	}
	answer = `{"verdict":"hold","reason":"` + strings.Repeat("đ", 300) + `","places":[{"field":"content","start":0,"end":4},{"field":"content","start":2,"end":4},{"field":"page","start":0,"end":1},{"field":"name","start":5,"end":99},{"field":"name","start":-1,"end":1}]}`
	got := h.signals(candidate())
	if len(got) != 1 || len(got[0].Args["reason"]) != screen.ReasonMost || !slices.Equal(got[0].Places, []comments.Place{{Field: "content", Start: 0, End: 4}}) {
		t.Errorf("%+v", got)
	}
	other := candidate()
	other.Site.ID = "khac"
	h.says(other) // which has chosen nothing
	tried, err := h.out.TryHook(t.Context(), owner, "khac", "vi")
	if err != nil || tried.Trouble != outside.TroubleSettings {
		t.Errorf("%+v, %v", tried, err)
	}
}

// TestHookTrouble: whatever keeps it from answering holds the comment, and is told at the desk.
func TestHookTrouble(t *testing.T) {
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		trouble outside.Trouble
	}{
		"status":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, outside.TroubleStatus},
		"empty":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, outside.TroubleStatus},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, outside.TroubleRedirect},
		"no json":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }, outside.TroubleAnswer},
		"half":     {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"verdict":"ok"}{`) }, outside.TroubleAnswer},
		"unknown":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"verdict":"OK"}`) }, outside.TroubleAnswer},
		"long": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"verdict":"ok","reason":"%s"}`, strings.Repeat("a", 16<<10))
		}, outside.TroubleSize},
		"headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("a", 64<<10))
			fmt.Fprint(w, `{"verdict":"ok"}`)
		}, outside.TroubleConnect},
		"late": {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, outside.TroubleTime},
		"late body": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, `{"verdict":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, outside.TroubleTime},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, outside.TroubleConnect},
	} {
		t.Run(name, func(t *testing.T) {
			s, roots := service(t, tt.answer)
			h := newHouse(t, roots)
			h.must(h.out.SetHook(t.Context(), boss, "bao", outside.HookChange{On: true, URL: s.URL, Within: outside.HookLeast, Secret: secret}))
			h.says(candidate(), "hook.not_checked.hold")
			got, err := h.out.Settings(t.Context(), boss, "bao")
			if err != nil || got.Hook.Standing.Trouble != tt.trouble || got.Hook.Standing.Failed.IsZero() {
				t.Errorf("%+v, %v", got.Hook.Standing, err)
			}
		})
	}
	t.Run("certificate", func(t *testing.T) {
		s, _ := service(t, func(http.ResponseWriter, *http.Request) { t.Error("asked in spite of the certificate") })
		s.Config.ErrorLog = quiet
		h := newHouse(t)
		h.hook(s.URL)
		h.says(candidate(), "hook.not_checked.hold")
		tried, err := h.out.TryHook(t.Context(), boss, "bao", "vi")
		if err != nil || tried.Trouble != outside.TroubleTLS {
			t.Errorf("%+v, %v", tried, err)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		s, roots := service(t, nil)
		s.Close()
		h := newHouse(t, roots)
		h.hook(s.URL)
		h.says(candidate(), "hook.not_checked.hold")
	})
}

// TestRest: a service that fails isn't asked by every submission; one that answers again is.
func TestRest(t *testing.T) {
	var asked, broken atomic.Int64
	broken.Store(1)
	s, roots := service(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if broken.Load() != 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"verdict":"ok"}`)
	})
	resting := func(h *house) bool {
		t.Helper()
		got, err := h.out.Settings(t.Context(), boss, "bao")
		h.must(err)
		return got.Hook.Standing.Resting
	}
	h := newHouse(t, roots, func(c *outside.Config) { c.RestFor = time.Hour })
	h.hook(s.URL)
	for range 9 {
		h.says(candidate(), "hook.not_checked.hold")
	}
	if asked.Load() != 5 || !resting(h) {
		t.Errorf("asked %d times, resting %t", asked.Load(), resting(h))
	}
	broken.Store(0)
	h.says(candidate(), "hook.not_checked.hold")
	if tried, err := h.out.TryHook(t.Context(), boss, "bao", "en"); err != nil || tried.Verdict != "ok" {
		t.Errorf("a try waits for the rest to end: %+v, %v", tried, err)
	}
	h.hook(s.URL) // chosen anew, it begins anew
	h.says(candidate())

	broken.Store(1)
	h = newHouse(t, roots, func(c *outside.Config) { c.RestFor = time.Nanosecond })
	h.hook(s.URL)
	for range 5 {
		h.says(candidate(), "hook.not_checked.hold")
	}
	broken.Store(0)
	before := asked.Load()
	h.says(candidate())
	h.says(candidate())
	if asked.Load() != before+2 || resting(h) {
		t.Errorf("asked %d times after the rest", asked.Load()-before)
	}
}

// TestGone: a reader who goes says nothing of the service.
func TestGone(t *testing.T) {
	s, roots := service(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"verdict":"ok"}`) })
	h := newHouse(t, roots)
	h.hook(s.URL)
	ctx, cancel := cancelled(t)
	defer cancel()
	for range 10 {
		found, err := screen.New(h.out.Checks()...).Screen(ctx, candidate())
		if err != nil || len(found.Signals) == 0 {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	h.says(candidate())
}

// TestChoosing: what can't be asked is refused, by its field.
func TestChoosing(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		change outside.HookChange
		want   string
	}{
		{outside.HookChange{On: true, Within: time.Second}, "url required secret required"},
		{outside.HookChange{On: true, URL: "ftp://hooks.example", Secret: secret, Within: time.Second}, "url no_url"},
		{outside.HookChange{On: true, URL: "https://a:b@hooks.example", Secret: secret, Within: time.Second}, "url no_url"},
		{outside.HookChange{On: true, URL: "https:///x", Secret: secret, Within: time.Second}, "url no_url"},
		{outside.HookChange{On: true, URL: "https://hooks.example", Secret: "ngắn", Within: time.Second}, "secret bad_secret"},
		{outside.HookChange{On: true, URL: "https://hooks.example", Secret: "c2hvcnQ=", Within: time.Second}, "secret bad_secret"},
		{outside.HookChange{On: true, URL: "https://hooks.example", Secret: secret, Within: 6 * time.Second}, "limit bad_limit"},
		{outside.HookChange{On: true, URL: "https://hooks.example", Secret: secret}, "limit bad_limit"},
		{outside.HookChange{On: true, URL: "https://hooks.example", Secret: secret, RemoveSecret: true, Within: time.Second}, "secret required"},
	} {
		if got := wrong(h.out.SetHook(t.Context(), boss, "bao", tt.change)); got != tt.want {
			t.Errorf("%+v: %s", tt.change, got)
		}
	}
	for _, tt := range []struct {
		change outside.AkismetChange
		want   string
	}{
		{outside.AkismetChange{On: true}, "key required blog required"},
		{outside.AkismetChange{On: true, Key: "a b", Blog: "bao.example"}, "key bad_key blog no_url"},
		{outside.AkismetChange{On: true, Key: strings.Repeat("a", 65), Blog: "https://bao.example"}, "key bad_key"},
	} {
		if got := wrong(h.out.SetAkismet(t.Context(), boss, "bao", tt.change)); got != tt.want {
			t.Errorf("%+v: %s", tt.change, got)
		}
	}
	h.akismet()
	if err := h.out.SetAkismet(t.Context(), boss, "bao", outside.AkismetChange{Version: 7}); !errors.Is(err, comments.ErrVersion) {
		t.Error(err)
	}
	h.must(h.out.SetAkismet(t.Context(), boss, "bao", outside.AkismetChange{Version: 1, RemoveKey: true}))
	s, err := h.out.Settings(t.Context(), boss, "bao")
	if err != nil || !s.Akismet.SecretAt.IsZero() || s.Akismet.On {
		t.Errorf("%+v, %v", s, err)
	}
	head, err := h.db.Head(t.Context(), "bao")
	h.must(err)
	events, err := h.db.Events(t.Context(), "bao", head.Seq-1, 10)
	if err != nil || events[0].Kind != outside.KindChanged || events[0].Subject != "outside/akismet" || events[0].Actor != boss.ID {
		t.Errorf("%+v, %v", events, err)
	}
}

// wrong is the fields and codes of an InvalidError.
func wrong(err error) string {
	var invalid *comments.InvalidError
	if !errors.As(err, &invalid) {
		return fmt.Sprint(err)
	}
	var all []string
	for _, f := range invalid.Fields {
		all = append(all, f.Field+" "+f.Code)
	}
	return strings.Join(all, " ")
}
