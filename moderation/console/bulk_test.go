package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// carryOut has bulk decisions carried out until the test ends.
func (h *house) carryOut() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.Context()))
	ended := make(chan error, 1)
	h.db.Observe(h.svc.Observe)
	go func() { ended <- h.svc.RunBulk(ctx, func(err error) { h.Error(err) }) }()
	h.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Error(err)
		}
	})
}

// ended waits for the bulk decision at an address to end, and gives its page.
func (b *browser) ended(path string) answer {
	b.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := b.get(path)
		if !strings.Contains(a.Body.String(), "data-open") || time.Now().After(end) {
			return a
		}
	}
}

// fields are the hidden fields of the form that posts to an address.
func (a answer) fields(action string) url.Values {
	q := url.Values{}
	_, rest, _ := strings.Cut(a.Body.String(), `action="`+action+`"`)
	rest, _, _ = strings.Cut(rest, "</form>")
	for _, m := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(rest, -1) {
		q.Add(m[1], strings.NewReplacer("&#34;", `"`, "&amp;", "&").Replace(m[2]))
	}
	return q
}

func TestBulkAtTheDesk(t *testing.T) {
	h, an := newDesk(t)
	h.carryOut()
	var ads []comments.Comment
	for i := range 60 {
		ads = append(ads, h.comment("bao", func(c *comments.Comment) { c.Title = fmt.Sprintf("Bán sim số %d", i) }))
	}
	letter := h.comment("bao", func(c *comments.Comment) { c.Title = "Góp ý" })

	// Offered where the list says more than the page, or is narrowed; on one site.
	desk := an.get("/moderation/?site=bao")
	h.must(desk.says("Quyết định một lần cho cả 61 bình luận"))
	if a := h.signedIn("minh@bao.example").get("/moderation/?site=*"); strings.Contains(a.Body.String(), "Quyết định một lần") {
		t.Error("offered for all sites at once")
	}
	// A search is there before it is known how much it finds; the number comes behind it.
	words := url.Values{"site": {"bao"}, "queue": {"pending"}, "q": {"ban sim"}}
	narrowed := an.get("/moderation/?" + words.Encode())
	h.must(narrowed.says("Quyết định một lần cho hơn 50 bình luận", "50+"))
	if !strings.Contains(narrowed.Body.String(), `data-count-at="/moderation/?count=1&amp;`) {
		t.Error("nothing says where the number is")
	}
	words.Set("count", "1")
	counted := an.get("/moderation/?" + words.Encode())
	h.must(counted.says("Quyết định một lần cho cả 60 bình luận"))
	if strings.Contains(counted.Body.String(), "data-count-at") {
		t.Error("what is counted is to be counted again")
	}

	form := an.get("/moderation/bulk/new?" + url.Values{"site": {"bao"}, "queue": {"pending"}, "q": {"ban sim"}}.Encode())
	h.must(form.says("60 bình luận sẽ được quyết định", "Bán sim số 0", "ban", "sim", "Spam"))
	q := form.fields("/moderation/bulk")
	q.Set("action", "spam")
	q.Set("reason", "advertising")
	begun := an.post("/moderation/bulk", q)
	if begun.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", begun.Code, begun.Body)
	}
	if again := an.post("/moderation/bulk", q); again.Header().Get("Location") != begun.Header().Get("Location") {
		t.Errorf("sent twice: %s and %s", begun.Header().Get("Location"), again.Header().Get("Location"))
	}
	at := begun.Header().Get("Location")
	done := an.ended(at)
	h.must(done.says("Spam: Chờ duyệt", "Đã xong", "Đã quyết định 60", "Hoàn tác tất cả", "an@bao.example"))
	for _, c := range ads {
		if got := h.stands(c.ID).Status; got != comments.Spam {
			t.Fatalf("an advertisement is %s", got)
		}
	}
	if got := h.stands(letter.ID).Status; got != comments.Pending {
		t.Errorf("the letter is %s", got)
	}
	h.must(an.get("/moderation/bulk?site=bao").says("Các quyết định hàng loạt", "Spam: Chờ duyệt", "Đã xong", "60"))
	if a := an.get("/moderation/audit?site=bao"); !strings.Contains(a.Body.String(), strings.ReplaceAll(at, "&", "&amp;")) {
		t.Error("the journal doesn't lead to the decision")
	} else {
		h.must(a.says("xong việc hàng loạt"))
	}

	// One was approved since: it is named, the others come back.
	v := h.stands(ads[5].ID).Version
	minh := moderation.Moderator{ID: "minh", Role: moderation.Editor}
	if _, err := h.svc.Decide(t.Context(), minh, []moderation.Decision{{ID: string(ads[5].ID), Action: moderation.Approve, Version: &v}}); err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(at, "/moderation/bulk/"), "?")
	if a := an.post("/moderation/bulk/"+id, url.Values{"site": {"bao"}, "do": {"undo"}}); a.Code != http.StatusSeeOther {
		t.Fatalf("undo: %d", a.Code)
	}
	h.must(an.ended(at).says("Đã hoàn tác", "an@bao.example đã hoàn tác 59", "Không hoàn tác vì đã có người sửa 1", "Bán sim số 5", "Đã duyệt"))
	if a := an.post("/moderation/bulk/"+id, url.Values{"site": {"bao"}, "do": {"cancel"}}); a.Code != http.StatusConflict {
		t.Errorf("stopped after its end: %d", a.Code)
	} else {
		h.must(a.says("không làm được nữa"))
	}
	h.must(an.get(at+"&lang=en").says("Taken back", "Not taken back"))

	// Who may not decide, or not here, starts and turns nothing.
	h.person("xem@bao.example", moderation.Viewer, "bao")
	xem := h.signedIn("xem@bao.example")
	if strings.Contains(xem.get("/moderation/?site=bao").Body.String(), "Quyết định một lần") {
		t.Error("offered to a viewer")
	}
	h.must(xem.get(at).says("Đã hoàn tác"))
	q.Del("once")
	for name, got := range map[string]int{
		"a viewer's form":        xem.get("/moderation/bulk/new?site=bao").Code,
		"a viewer's start":       xem.post("/moderation/bulk", q).Code,
		"a viewer's undo":        xem.post("/moderation/bulk/"+id, url.Values{"site": {"bao"}, "do": {"undo"}}).Code,
		"another site's list":    an.get("/moderation/bulk?site=khac").Code,
		"another site's job":     an.get("/moderation/bulk/" + id + "?site=khac").Code,
		"another site's start":   an.post("/moderation/bulk", url.Values{"site": {"khac"}, "action": {"approve"}}).Code,
		"another site's turning": an.post("/moderation/bulk/"+id, url.Values{"site": {"khac"}, "do": {"undo"}}).Code,
	} {
		if got != http.StatusForbidden {
			t.Errorf("%s: %d", name, got)
		}
	}
	if a := an.post("/moderation/bulk", url.Values{"site": {"bao"}, "action": {"undo"}}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("undo of what was never done: %d", a.Code)
	}
	if a := an.get("/moderation/bulk/khong-co?site=bao"); a.Code != http.StatusNotFound {
		t.Errorf("none: %d", a.Code)
	}
}

func TestBulkByAPI(t *testing.T) {
	h, token := newAPI(t)
	h.carryOut()
	for range 3 {
		h.comment("bao", nil)
	}
	job := h.json(h.call("POST", api+"/bulk", token, `{"site":"bao","action":"approve","id":"mot"}`), http.StatusAccepted)
	if job["state"] != "running" || job["found"] != 3.0 || job["id"] != "mot" {
		t.Errorf("begun: %v", job)
	}
	state := func() map[string]any {
		for {
			job := h.json(h.call("GET", api+"/bulk/bao/mot", token, ""), http.StatusOK)
			if s := job["state"]; s != "running" && s != "undoing" {
				return job
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if job = state(); job["state"] != "done" || job["decided"] != 3.0 {
		t.Errorf("ended: %v", job)
	}
	h.json(h.call("POST", api+"/bulk/bao/mot/undo", token, ""), http.StatusAccepted)
	if job = state(); job["state"] != "undone" || job["restored"] != 3.0 {
		t.Errorf("undone: %v", job)
	}
	list := h.json(h.call("GET", api+"/bulk?site=bao", token, ""), http.StatusOK)
	if jobs, _ := list["bulks"].([]any); len(jobs) != 1 {
		t.Errorf("listed: %v", list)
	}
	for body, status := range map[string]int{
		`{"site":"nirgends","action":"approve"}`:                http.StatusForbidden,
		`{"site":"bao","action":"explode"}`:                     http.StatusUnprocessableEntity,
		`{"site":"bao","action":"approve","queue":"x"}`:         http.StatusBadRequest,
		`{"site":"bao","action":"approve","q":"before:x"}`:      http.StatusBadRequest,
		`{"site":"bao","action":"approve","q":"site:khac yes"}`: http.StatusUnprocessableEntity,
	} {
		if a := h.call("POST", api+"/bulk", token, body); a.Code != status {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
	}
	if a := h.call("POST", api+"/bulk/bao/mot/cancel", token, ""); a.Code != http.StatusConflict {
		t.Errorf("cancelled after its end: %d", a.Code)
	}
}
