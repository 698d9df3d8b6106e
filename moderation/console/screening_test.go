package console_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/console"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
)

// screened is a house whose desk shows the checks.
func screened(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, "", "bao", "khac")
	clock := func() time.Time { return h.now }
	store, err := modstore.New(t.Context(), h.db)
	h.must(err)
	desk := screen.Desk{Documents: store, Queues: store, Addresses: store, Transitions: store, Now: clock, Allowed: func(ctx context.Context, who moderation.Moderator, p moderation.Permission, site string) error {
		return h.svc.Allowed(ctx, who, p, site)
	}}
	s := &console.Screening{
		Lists: screen.NewLists(desk), Repeats: screen.NewRepeats(desk, h.db),
		Learner: screen.NewLearner(screen.LearnerConfig{Desk: desk, Journal: h.db, Comments: h.db, Log: slog.New(slog.DiscardHandler)}),
		Bans:    screen.NewBans(desk), Rules: screen.NewRules(desk, h.sites, h.db),
	}
	s.Outside, err = outside.New(outside.Config{
		Documents: store, Addresses: store, Comments: h.db, Allowed: desk.Allowed, Key: []byte("another key of the tests"), Now: clock, Log: slog.New(slog.DiscardHandler),
	})
	h.must(err)
	for _, o := range []comments.Observer{s.Outside.Observe, s.Lists.Observe, s.Repeats.Observe, s.Learner.Observe, s.Bans.Observe, s.Rules.Observe} {
		h.db.Observe(o)
	}
	h.screening, h.alarm = s, ringing{h}
	h.build(store, nil, clock)
	return h
}

func TestWordListsAtTheDesk(t *testing.T) {
	h := screened(t)
	h.person("sep@bao.example", moderation.Admin, "bao")
	h.comment("bao", func(c *comments.Comment) { c.Content = "đồ ngu" })
	b := h.signedIn("sep@bao.example")
	h.must(b.get("/moderation/words?site=bao").says("Chưa có danh sách nào"))
	form := url.Values{"site": {"bao"}, "name": {"Thô tục"}, "lang": {"vi"}, "action": {"hold"}, "entries": {"ngu\n~dit me"}}
	with := func(name, value string) url.Values {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		f.Set(name, value)
		return f
	}
	h.must(b.post("/moderation/words/list", with("do", "past")).says("Trong 1 bình luận", "sẽ gặp 1"))
	try := with("do", "try")
	try.Set("text", "Sao mà n.g.u thế <b>nhỉ</b>")
	h.must(b.post("/moderation/words/list", try).says("Gặp những từ sau", "viết trại đi"))
	bad := with("do", "save")
	bad.Set("entries", "ngu\n!!!")
	if a := b.post("/moderation/words/list", bad); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("a bad entry: %d", a.Code)
	} else {
		h.must(a.says("Mục thứ 2 không dùng được"))
		if !strings.Contains(a.Body.String(), `value="Thô tục"`) {
			t.Error("what was typed is gone")
		}
	}
	a := b.post("/moderation/words/list", with("do", "save"))
	h.must(b.follow(a).says("Đã lưu", "Thô tục"))
	h.must(b.post("/moderation/words", url.Values{"site": {"bao"}, "text": {"đồ ngu"}}).says("Gặp những từ sau"))
	h.must(b.follow(b.post("/moderation/words", url.Values{"site": {"bao"}, "starter": {"vi"}})).says("Đã thêm danh sách khởi đầu", "Khởi đầu (tiếng Việt)"))

	// Who may not manage the site sees, and changes nothing; other sites are nobody's.
	h.person("duyet@bao.example", moderation.Editor, "bao")
	viewer := h.signedIn("duyet@bao.example")
	h.must(viewer.get("/moderation/words?site=bao").says("Thô tục"))
	if a := viewer.post("/moderation/words/list", with("do", "save")); a.Code != http.StatusForbidden {
		t.Errorf("an editor saved a list: %d", a.Code)
	}
	for _, path := range []string{"/moderation/words?site=khac", "/moderation/learning?site=khac", "/moderation/words/list?site=khac"} {
		if a := viewer.get(path); a.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

func TestLearningAtTheDesk(t *testing.T) {
	h := screened(t)
	h.person("sep@bao.example", moderation.Admin, "bao")
	b := h.signedIn("sep@bao.example")
	h.must(b.get("/moderation/learning?site=bao").says("Đã học từ 0 quyết định", "Tỷ lệ đúng"))
	if a := b.post("/moderation/learning", url.Values{"site": {"bao"}, "hold": {"1000"}}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("a bad threshold: %d", a.Code)
	}
	a := b.post("/moderation/learning", url.Values{"site": {"bao"}, "hold": {"82,5 %"}})
	h.must(b.follow(a).says("Đã lưu", "đang giữ lại từ mức này"))
	if a := b.post("/moderation/learning", url.Values{"site": {"bao"}, "hold": {"90"}}); a.Code != http.StatusConflict {
		t.Errorf("thresholds changed since: %d", a.Code)
	}
}

func TestCampaignAtTheDesk(t *testing.T) {
	h := screened(t)
	h.person("duyet@bao.example", moderation.Editor, "bao")
	b := h.signedIn("duyet@bao.example")
	first := h.comment("bao", nil)
	other := h.comment("bao", func(c *comments.Comment) {
		c.Signals = []comments.Signal{{Check: "repeats", Level: comments.LevelInfo, Code: "near", Args: map[string]string{"count": "1", "campaign": string(first.ID)}}}
	})
	h.must(b.get("/moderation/comments/" + string(other.ID)).says("Xem cả đợt"))
	page := b.get("/moderation/campaign/" + string(first.ID))
	h.must(page.says("2 bình luận gần giống nhau", "Quyết định một lần cho những bình luận đã chọn"))
	q := page.fields("/moderation/decisions")
	for _, m := range regexp.MustCompile(`name="pick" value="([^"]+)" checked`).FindAllStringSubmatch(page.Body.String(), -1) {
		q.Add("pick", m[1])
	}
	q.Set("action", "spam")
	h.must(b.follow(b.post("/moderation/decisions", q)).says("Hoàn tác"))
	for _, c := range []comments.Comment{first, other} {
		if got := h.stands(c.ID).Status; got != comments.Spam {
			t.Errorf("of the campaign one is %s", got)
		}
	}
	if a := b.get("/moderation/campaign/" + strings.Replace(string(first.ID), "bao~", "khac~", 1)); a.Code != http.StatusNotFound {
		t.Errorf("another site's campaign: %d", a.Code)
	}
}

func TestWordListsByAPI(t *testing.T) {
	h := screened(t)
	h.person("sep@bao.example", moderation.Admin, "bao")
	token := h.token("sep@bao.example")
	call := func(method, path, body string) answer {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		return h.browser().do(r)
	}
	a := call(http.MethodPost, "/api/v1/moderation/words", `{"site":"bao","name":"Thô tục","lang":"vi","action":"hold","entries":[{"text":"ngu"}]}`)
	if a.Code != http.StatusOK || !strings.Contains(a.Body.String(), `"version":1`) {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	a = call(http.MethodGet, "/api/v1/moderation/words?site=bao", "")
	if !strings.Contains(a.Body.String(), `"text":"ngu"`) {
		t.Errorf("%s", a.Body)
	}
	a = call(http.MethodPost, "/api/v1/moderation/words/try", `{"site":"bao","text":"n g u"}`)
	if !strings.Contains(a.Body.String(), `"disguised":true`) {
		t.Errorf("%s", a.Body)
	}
	for path, want := range map[string]int{
		"/api/v1/moderation/words?site=khac":             http.StatusForbidden,
		"/api/v1/moderation/comments/khac~0197/campaign": http.StatusNotFound,
	} {
		if a := call(http.MethodGet, path, ""); a.Code != want {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
}
