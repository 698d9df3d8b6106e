package console_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
)

// told is what a stream says of a site.
type told struct {
	Seq    uint64
	Counts map[string]int64
	Stale  bool
	Events []struct{ ID, From, To, Say string }
	Open   []struct{ ID, Who, Say string }
}

// listen opens the browser's stream of a site and returns what reads its next message: its
// event's name with what it tells.
func (b *browser) listen(query, lastID string) func() (string, told) {
	b.Helper()
	server := httptest.NewServer(b.door)
	b.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/moderation/live?"+query, nil)
	b.must(err)
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	r.Header.Set("Accept", "text/event-stream")
	answer, err := server.Client().Do(r)
	b.must(err)
	b.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		b.Fatalf("the stream answers %d", answer.StatusCode)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() (name string, n told) {
		b.Helper()
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = rest
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				b.must(json.Unmarshal([]byte(data), &n))
				return name, n
			}
		}
		return "end", n
	}
}

func TestLiveTellsWhatHappens(t *testing.T) {
	h, b := newDesk(t)
	minh := h.signedIn("minh@bao.example")
	first := h.comment("bao", nil)
	next := b.listen("site=bao", "")
	if name, n := next(); name != "news" || n.Counts["pending"] != 1 || len(n.Events) != 0 {
		t.Fatalf("%s %+v", name, n)
	}
	h.comment("khac", nil) // which is not An's
	minh.post("/moderation/decisions", url.Values{"site": {"bao"}, "action": {"approve"}, "pick": {"1 " + string(first.ID)}})
	name, n := next()
	if name != "news" || n.Counts["pending"] != 0 || n.Counts["approved"] != 1 || len(n.Events) != 1 ||
		n.Events[0].ID != string(first.ID) || n.Events[0].To != "approved" || !strings.Contains(n.Events[0].Say, "minh@bao.example") {
		t.Fatalf("%s %+v", name, n)
	}
	if a := minh.post("/moderation/presence", url.Values{"site": {"bao"}, "tab": {"t1"}, "comment": {string(first.ID)}}); a.Code != http.StatusNoContent {
		t.Fatalf("presence: %d %s", a.Code, a.Body)
	}
	if _, n := next(); len(n.Open) != 1 || n.Open[0].ID != string(first.ID) || n.Open[0].Say != "minh đang đọc bình luận này" {
		t.Errorf("open: %+v", n)
	}
	// Who comes back is told what came between.
	h.comment("bao", nil)
	if _, n := b.listen("site=bao", fmt.Sprint(n.Seq))(); len(n.Events) != 1 || n.Events[0].To != "pending" || n.Counts["pending"] != 1 {
		t.Errorf("resumed: %+v", n)
	}
	if _, n := b.listen("site=bao&after=999999", "")(); !n.Stale {
		t.Errorf("from nowhere: %+v", n)
	}
	next() // the comment that came
	b.post("/moderation/logout", nil)
	for name = "news"; name == "news"; {
		name, _ = next()
	}
	if name != "bye" {
		t.Errorf("signed out, the stream says %q", name)
	}
}

func TestLiveIsForOnesOwn(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.people()
	c := h.comment("bao", nil)
	for i, want := range [...]int{http.StatusUnauthorized, 200, 200, 200, 403} {
		b := h.browser()
		if i > 0 {
			b = h.signedIn(visitors[i] + "@bao.example")
		}
		r := httptest.NewRequest(http.MethodGet, "/moderation/live?site=bao", nil)
		r.Header.Set("Accept", "application/json")
		if a := b.do(r); a.Code != want {
			t.Errorf("%s is told with %d, not %d", visitors[i], a.Code, want)
		}
		if want == 200 {
			want = http.StatusNoContent
		} else if i == 0 {
			want = http.StatusSeeOther
		}
		for _, form := range []url.Values{{"site": {"bao"}, "tab": {"t"}, "comment": {string(c.ID)}}, {"site": {"bao"}, "tab": {"t"}}} {
			if a := b.post("/moderation/presence", form); a.Code != want {
				t.Errorf("%s is present with %d, not %d", visitors[i], a.Code, want)
			}
		}
	}
	b := h.signedIn("admin@bao.example")
	for _, form := range []url.Values{{"site": {"khac"}, "tab": {"t"}, "comment": {string(c.ID)}}, {"site": {"bao"}, "tab": {""}}, {"site": {"bao"}, "tab": {"t"}, "comment": {"x"}}} {
		if a := b.post("/moderation/presence", form); a.Code != http.StatusBadRequest && a.Code != http.StatusNotFound {
			t.Errorf("%v: %d", form, a.Code)
		}
	}
}

// TestDecisionsForTheScript: asked for JSON, a form of decisions is told comment by comment.
func TestDecisionsForTheScript(t *testing.T) {
	h, b := newDesk(t)
	minh := h.signedIn("minh@bao.example")
	one, two := h.comment("bao", nil), h.comment("bao", nil)
	minh.post("/moderation/decisions", url.Values{"site": {"bao"}, "action": {"approve"}, "pick": {"1 " + string(two.ID)}})
	form := url.Values{"site": {"bao"}, "action": {"reject"}, "pick": {"1 " + string(one.ID), "1 " + string(two.ID)}}
	r := httptest.NewRequest(http.MethodPost, "/moderation/decisions", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	a := b.do(sameOrigin(r))
	var said struct {
		Results []struct {
			ID, Pick, Status string
			Error            *struct{ Code, Title, Anyway string }
		}
		Counts map[string]int64
	}
	h.must(json.Unmarshal(a.Body.Bytes(), &said))
	if a.Code != http.StatusOK || len(said.Results) != 2 || said.Counts["pending"] != 0 || said.Counts["rejected"] != 1 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if r := said.Results[0]; r.Status != "rejected" || r.Pick != "2 "+string(one.ID) || r.Error != nil {
		t.Errorf("%+v", r)
	}
	if r := said.Results[1]; r.Error == nil || r.Error.Code != "conflict" || r.Pick != "2 "+string(two.ID) ||
		!strings.Contains(r.Error.Title, "minh@bao.example") || r.Error.Anyway == "" {
		t.Errorf("%+v", r)
	}
	if h.stands(two.ID).Status != comments.Approved || h.stands(one.ID).Status != comments.Rejected {
		t.Error("the store says otherwise")
	}
}

// TestLiveOfAllSites: who has several sites is told of all of them in one stream, and of no
// other.
func TestLiveOfAllSites(t *testing.T) {
	h, an := newDesk(t)
	minh := h.signedIn("minh@bao.example") // of both; An has bao alone
	first := h.comment("bao", nil)
	nextMinh, nextAn := minh.listen("site=*", ""), an.listen("site=*", "")
	if _, n := nextMinh(); n.Counts["pending"] != 1 || n.Stale || len(n.Events) != 0 {
		t.Fatalf("begun: %+v", n)
	}
	nextAn()
	foreign := h.comment("khac", nil)
	if _, n := nextMinh(); n.Counts["pending"] != 2 || len(n.Events) != 1 || n.Events[0].ID != string(foreign.ID) || n.Events[0].To != "pending" {
		t.Errorf("of another site: %+v", n)
	}
	an.post("/moderation/decisions", url.Values{"site": {"bao"}, "action": {"approve"}, "pick": {"1 " + string(first.ID)}})
	if _, n := nextMinh(); n.Counts["approved"] != 1 || len(n.Events) != 1 || !strings.Contains(n.Events[0].Say, "an@bao.example") {
		t.Errorf("decided: %+v", n)
	}
	if _, n := nextAn(); n.Counts["pending"] != 0 || len(n.Events) != 1 || n.Events[0].ID != string(first.ID) {
		t.Errorf("An is told %+v", n)
	}
	an.post("/moderation/presence", url.Values{"site": {"bao"}, "tab": {"t1"}, "comment": {string(first.ID)}})
	if _, n := nextMinh(); len(n.Open) != 1 || n.Open[0].ID != string(first.ID) {
		t.Errorf("open: %+v", n)
	}
	if _, n := minh.listen("site=*&after=1", "")(); !n.Stale {
		t.Errorf("from long ago: %+v", n)
	}
	h.must(minh.get("/moderation/?site=*&queue=approved").says("an đang đọc bình luận này"))
}
