package outside_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/outside"
)

func flat(form url.Values) map[string]string {
	all := map[string]string{}
	for k, v := range form {
		all[k] = strings.Join(v, "|")
	}
	return all
}

func TestAkismet(t *testing.T) {
	var answer func(http.ResponseWriter)
	var got map[string]string
	_, roots := service(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.Path != "/1.1/comment-check" || r.URL.RawQuery != "" {
			t.Errorf("%s, %v", r.URL, err)
		}
		got = flat(r.PostForm)
		answer(w)
	})
	h := newHouse(t, roots)
	h.akismet()
	for _, tt := range []struct {
		header, body, want string
	}{
		{"", "false", ""},
		{"", "true", "akismet.spam.spam"},
		{"X-Akismet-Pro-Tip: discard", "true\n", "akismet.blatant.spam"},
		{"", "invalid", "akismet.not_checked.hold"},
		{"", "", "akismet.not_checked.hold"},
		{"", "maybe", "akismet.not_checked.hold"},
		{"X-Akismet-Alert-Code: 10009\nX-Akismet-Alert-Msg: Over the limit", "false", ""},
	} {
		answer = func(w http.ResponseWriter) {
			for line := range strings.Lines(tt.header) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				w.Header().Set(name, value)
			}
			fmt.Fprint(w, tt.body)
		}
		if said := strings.Join(h.screen(candidate()), " "); said != tt.want {
			t.Errorf("%q: %s", tt.body, said)
		}
	}
	want := map[string]string{
		"api_key": apiKey, "blog": "https://bao.example", "blog_charset": "UTF-8", "blog_lang": "vi", "user_ip": "203.0.113.9", "user_agent": "Mozilla/5.0",
		"referrer": "https://bao.example/pho", "permalink": "https://bao.example/pho", "comment_type": "comment", "comment_author": "Hạnh",
		"comment_content": "Cảm ơn\n\nBài rất hữu ích.", "comment_date_gmt": "2026-03-14T12:00:00Z",
	}
	if !maps.Equal(got, want) {
		t.Errorf("sent %v", got)
	}
	s, err := h.out.Settings(t.Context(), boss, "bao")
	if err != nil || s.Akismet.Standing.Alert != "10009 Over the limit" {
		t.Errorf("%+v, %v", s.Akismet.Standing, err)
	}
	c := candidate()
	c.Comment.Parent, c.Trap, c.Agent = "bao~x", "mua ngay", strings.Repeat("đ", 2000)
	h.says(c)
	if got["comment_type"] != "reply" || got["website"] != "mua ngay" || got["honeypot_field_name"] != "website" || len(got["user_agent"]) > 512 {
		t.Errorf("sent %v", got)
	}
	tried, err := h.out.TryAkismet(t.Context(), boss, "bao", "vi")
	if err != nil || tried.Verdict != "ok" || got["is_test"] != "1" || got["user_ip"] != "192.0.2.1" {
		t.Errorf("%+v, %v, %v", tried, got, err)
	}
}

// TestSecretsStaySealed: neither the store nor what the desk is told holds them, and what was
// sealed for one site opens for no other.
func TestSecretsStaySealed(t *testing.T) {
	h := newHouse(t)
	h.akismet()
	h.hook("https://hooks.example")
	file, err := os.ReadFile(h.path)
	h.must(err)
	s, err := h.out.Settings(t.Context(), boss, "bao")
	h.must(err)
	secrets := []string{apiKey, string(secretBytes), strings.TrimPrefix(secret, "whsec_")}
	if contains(string(file), secrets...) || !strings.Contains(string(file), "hooks.example") {
		t.Error("a secret stands in the store")
	}
	if contains(fmt.Sprintf("%+v", s), secrets...) {
		t.Errorf("told %+v", s)
	}
	for _, id := range []string{"akismet", "hook"} {
		d, err := h.store.Document(t.Context(), "bao", "outside", id)
		h.must(err)
		d.Site, d.Version = "khac", 0
		_, err = h.store.PutDocument(t.Context(), d, outside.KindChanged)
		h.must(err)
	}
	if s, err := h.out.Settings(t.Context(), owner, "khac"); err != nil || !s.Akismet.Broken || !s.Hook.Broken {
		t.Errorf("%+v, %v", s, err)
	}
	c := candidate()
	c.Site.ID = "khac"
	h.says(c, "akismet.not_checked.hold", "hook.not_checked.hold")
	for _, id := range []string{"akismet", "hook"} {
		d, err := h.store.Document(t.Context(), "khac", "outside", id)
		h.must(err)
		d.Data = []byte("{")
		_, err = h.store.PutDocument(t.Context(), d, outside.KindChanged)
		h.must(err)
	}
	h.says(c, "akismet.not_checked.hold", "hook.not_checked.hold")
}

func TestOnlyWhoManagesTheSite(t *testing.T) {
	h := newHouse(t)
	for _, who := range []moderation.Moderator{clerk, guest, {}} {
		_, err := h.out.Settings(t.Context(), who, "bao")
		_, tryA := h.out.TryAkismet(t.Context(), who, "bao", "vi")
		_, tryH := h.out.TryHook(t.Context(), who, "bao", "vi")
		for _, err := range []error{
			err, tryA, tryH, h.out.SetAkismet(t.Context(), who, "bao", outside.AkismetChange{}), h.out.SetHook(t.Context(), who, "bao", outside.HookChange{}),
		} {
			if !errors.Is(err, comments.ErrForbidden) {
				t.Errorf("%s: %v", who.Role, err)
			}
		}
	}
}

var (
	passed  []comments.Signal
	caught  = []comments.Signal{{Check: "akismet", Level: comments.LevelSpam, Code: "spam"}}
	unasked = []comments.Signal{{Check: "akismet", Level: comments.LevelHold, Code: "not_checked"}}
)

// heard is what Akismet was told, "method name", in order; status is what it answers.
type heard struct {
	all    chan string
	status atomic.Int64
}

func (a *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	status := int(a.status.Load())
	a.all <- fmt.Sprintf("%s %s %s %d", strings.TrimPrefix(r.URL.Path, "/1.1/"), r.PostForm.Get("comment_author"), r.PostForm.Get("user_ip"), status)
	w.WriteHeader(status)
	fmt.Fprint(w, "Thanks for making the web a better place.")
}

func (h *house) running(o *outside.Outside) (end func()) {
	ctx, cancel := context.WithCancel(h.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	return func() {
		h.Helper()
		cancel()
		if err := <-done; err != nil {
			h.Error(err)
		}
	}
}

func (a *heard) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for range want {
		select {
		case s := <-a.all:
			got = append(got, s)
		case <-time.After(10 * time.Second):
			t.Fatalf("heard %v, and then nothing; not %v", got, want)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("heard %v, not %v", got, want)
	}
}

func (a *heard) nothing(t *testing.T) {
	t.Helper()
	select {
	case s := <-a.all:
		t.Errorf("heard %s", s)
	default:
	}
}

func TestFeedback(t *testing.T) {
	a := &heard{all: make(chan string, 100)}
	a.status.Store(200)
	_, roots := service(t, a.ServeHTTP)
	h := newHouse(t, roots)
	early := h.post("early", passed...)
	h.now = h.now.Add(time.Minute)
	h.akismet()
	end := h.running(h.out)

	h.decide(early, moderation.Spam)                        // came before it was chosen
	h.decide(h.post("good", passed...), moderation.Approve) // as it said
	h.decide(h.post("bad", caught...), moderation.Spam)     // as it said
	h.decide(h.post("rude", caught...), moderation.Reject)  // says nothing of spam
	h.decide(h.post("unseen", unasked...), moderation.Spam) // it never saw that
	missed := h.post("missed", passed...)
	h.decide(missed, moderation.Spam)
	a.expect(t, spam("missed"))
	h.decide(missed, moderation.Undo)
	a.expect(t, ham("missed"))
	wronged := h.post("wronged", caught...)
	h.decide(wronged, moderation.Approve)
	a.expect(t, ham("wronged"))
	h.decide(wronged, moderation.Undo)
	a.expect(t, spam("wronged"))
	end()

	// After a restart nothing is told again, and what came meanwhile is.
	h.decide(wronged, moderation.Approve)
	end = h.running(h.restarted(roots))
	a.expect(t, ham("wronged"))
	h.decide(h.post("later", passed...), moderation.Spam)
	a.expect(t, spam("later"))
	end()
	a.nothing(t)

	// Switched off, nothing is told; on again, nothing of before.
	h.must(h.out.SetAkismet(t.Context(), boss, "bao", outside.AkismetChange{On: true, Blog: "https://bao.example", Version: 1}))
	old := h.post("old", passed...)
	h.decide(old, moderation.Spam)
	h.now = h.now.Add(time.Minute)
	h.must(h.out.SetAkismet(t.Context(), boss, "bao", outside.AkismetChange{On: true, Feedback: true, Blog: "https://bao.example", Version: 2}))
	end = h.running(h.restarted(roots))
	h.decide(old, moderation.Undo)
	h.decide(h.post("new", caught...), moderation.Approve)
	a.expect(t, ham("new"))
	end()
	a.nothing(t)
}

func spam(name string) string { return "submit-spam " + name + " 203.0.113.9 200" }
func ham(name string) string  { return "submit-ham " + name + " 203.0.113.9 200" }

// restarted is another one on the same store.
func (h *house) restarted(roots func(*outside.Config)) *outside.Outside {
	o := h.outside(roots)
	o.Allow(loopback)
	return o
}

// TestFeedbackTrouble: what fails is sent again, in order; what is refused, or too long ago, is
// let go.
func TestFeedbackTrouble(t *testing.T) {
	a := &heard{all: make(chan string)} // it answers once it was heard
	a.status.Store(503)
	_, roots := service(t, a.ServeHTTP)
	h := newHouse(t, roots)
	h.akismet()
	end := h.running(h.out)
	h.decide(h.post("an", passed...), moderation.Spam)
	const failed = "submit-spam an 203.0.113.9 503"
	a.expect(t, failed, failed, failed)
	h.decide(h.post("binh", caught...), moderation.Approve) // no decision waits for it
	a.status.Store(200)
	for s := ""; s != spam("an"); {
		if s = <-a.all; s != failed && s != spam("an") {
			t.Fatalf("heard %s", s)
		}
	}
	a.expect(t, ham("binh"))
	end()

	a.status.Store(400)
	h.decide(h.post("chi", caught...), moderation.Approve)
	end = h.running(h.restarted(roots))
	for range 5 {
		a.expect(t, "submit-ham chi 203.0.113.9 400")
	}
	a.status.Store(200)
	h.decide(h.post("dung", passed...), moderation.Spam)
	a.expect(t, spam("dung"))
	end()

	h.decide(h.post("late", passed...), moderation.Spam)
	h.now = h.now.Add(25 * time.Hour)
	h.decide(h.post("em", caught...), moderation.Approve)
	end = h.running(h.restarted(roots))
	a.expect(t, ham("em"))
	end()
}
