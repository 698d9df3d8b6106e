package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func TestBansAtTheDesk(t *testing.T) {
	h := screened(t)
	h.person("duyet@bao.example", moderation.Editor, "bao")
	b := h.signedIn("duyet@bao.example")
	h.must(b.get("/moderation/bans?site=bao").says("Chưa chặn ai", "Chặn thêm"))
	h.comment("bao", func(c *comments.Comment) { c.Name, c.Status = "Phòng vé 24h", comments.Approved })
	form := url.Values{"site": {"bao"}, "kind": {"name"}, "value": {"phòng vé *"}, "effect": {"spam"}, "for": {"30d"}, "reason": {"Quảng cáo <b>"}, "version": {"0"}}
	send := func(pairs ...string) answer {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return b.post("/moderation/bans", f)
	}
	h.must(send("do", "past").says("Trong 1 bình luận của 30 ngày qua, lệnh này sẽ gặp 1", "1 đã được duyệt"))
	for value, words := range map[string]string{"": "Xin cho biết chặn gì", "*": "Rộng quá"} {
		a := send("do", "ban", "value", value)
		if a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", value, a.Code)
		}
		h.must(a.says(words))
		if !strings.Contains(a.Body.String(), `value="Quảng cáo &lt;b&gt;"`) {
			t.Error("what was typed is gone")
		}
	}
	if a := send("do", "ban", "for", "a while"); a.Code != http.StatusBadRequest {
		t.Errorf("an odd span: %d", a.Code)
	}
	h.must(b.follow(send("do", "ban")).says("Đã chặn", "phong ve *", "Quảng cáo <b>", "duyet@bao.example", "Cho vào spam"))
	list, err := h.screening.Bans.All(t.Context(), moderation.Moderator{Role: moderation.Viewer}, "bao")
	h.must(err)
	if len(list) != 1 || !list[0].Expires.Equal(h.now.Add(30*24*time.Hour).Truncate(time.Second)) {
		t.Fatalf("%+v", list)
	}

	// What stands is changed in all but what it is of, and lifted with what it laid with the spam.
	h.must(b.get("/moderation/bans?site=bao&ban="+list[0].ID).says("Xem lại lệnh chặn", "giữ như đang đặt"))
	h.must(b.follow(send("do", "ban", "ban", list[0].ID, "version", "1", "for", "same", "value", "ai cũng", "reason", "Bán vé")).says("Bán vé", "phong ve *"))
	if a := send("do", "ban", "ban", list[0].ID, "version", "1"); a.Code != http.StatusConflict {
		t.Errorf("changed at an old version: %d", a.Code)
	}
	spam := h.comment("bao", func(c *comments.Comment) {
		c.Status = comments.Spam
		c.Signals = []comments.Signal{{Check: comments.CheckBan, Level: comments.LevelSpam, Code: "name", Args: map[string]string{"ban": list[0].ID}}}
	})
	h.must(b.follow(send("do", "lift", "ban", list[0].ID, "version", "2", "bring", "1")).says("Đã bỏ chặn. Đã đưa 1 bình luận về hàng chờ", "Chưa chặn ai"))
	if s := h.stands(spam.ID).Status; s != comments.Pending {
		t.Errorf("what it laid with the spam is %s", s)
	}
}

// TestBanFromComment: the desk's key opens the form with what the comment could be banned by.
func TestBanFromComment(t *testing.T) {
	h := screened(t)
	h.person("duyet@bao.example", moderation.Editor, "bao")
	b := h.signedIn("duyet@bao.example")
	id, err := comments.NewID("bao")
	h.must(err)
	page := "https://bao.example/vu-moi"
	c, _, err := h.db.Create(t.Context(), comments.Creation{
		Comment: comments.Comment{
			ID: id, Site: "bao", Page: page, Name: "Bán vé", Content: "Mua tại https://www.ban-ve.example.com/x hoặc a@thu.example.net nhé",
			Author: comments.AuthorKey{7}, Lang: "vi", Status: comments.Pending, CreatedAt: h.now,
		},
		Author: comments.Author{Addr: netip.MustParseAddr("203.0.113.9"), Expires: h.now.Add(time.Hour)},
		Page:   comments.Page{Site: "bao", Key: page, URL: page, Title: "Vụ mới", CreatedAt: h.now}, Actor: comments.ActorReader,
	})
	h.must(err)
	at := "/moderation/bans?site=bao&comment=" + url.QueryEscape(string(c.ID))
	h.must(b.get(at).says("203.0.113.9/32", "203.0.113.0/24", "07000000", "ban ve", "example.com", "example.net", "“Mua tại https://"))
	form := url.Values{"site": {"bao"}, "comment": {string(c.ID)}, "offer": {"1"}, "effect": {"hold"}, "for": {"1d"}, "version": {"0"}, "do": {"past"}}
	h.must(b.post("/moderation/bans", form).says("lệnh này sẽ gặp 1"))
	form.Set("do", "ban")
	h.must(b.follow(b.post("/moderation/bans", form)).says("203.0.113.0/24"))
	form.Set("offer", "99")
	if a := b.post("/moderation/bans", form); a.Code != http.StatusBadRequest {
		t.Errorf("an offer that is none: %d", a.Code)
	}

	// A comment of another site is not there, and who may not decide is told nothing of it.
	other := h.comment("khac", nil)
	h.person("xem@bao.example", moderation.Viewer, "bao")
	for path, want := range map[string]int{
		"/moderation/bans?site=bao&comment=" + url.QueryEscape(string(other.ID)): http.StatusNotFound,
		"/moderation/bans?site=bao&comment=khong":                                http.StatusNotFound,
	} {
		if a := b.get(path); a.Code != want {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
	if a := h.signedIn("xem@bao.example").get(at); a.Code != http.StatusForbidden {
		t.Errorf("a viewer is offered bans: %d", a.Code)
	}
}

func TestRulesAtTheDesk(t *testing.T) {
	h := screened(t)
	h.person("sep@bao.example", moderation.Admin, "bao")
	b := h.signedIn("sep@bao.example")
	h.must(b.get("/moderation/rules?site=bao").says("Chưa có quy tắc nào"))
	for i := range 3 {
		h.comment("bao", func(c *comments.Comment) {
			c.Content = "xem https://a.example và https://b.example"
			if i > 0 {
				c.Status = comments.Approved
			}
		})
	}
	form := url.Values{
		"site": {"bao"}, "version": {"0"}, "name": {"Nhiều liên kết"}, "then": {"hold"},
		"fact": {"links", "", "reply"}, "op": {"more", "more", "not"}, "value": {"1", "", ""},
	}
	send := func(do string) answer { form.Set("do", do); return b.post("/moderation/rules/rule", form) }
	h.must(send("past").says("Trong 3 bình luận của 30 ngày qua, quy tắc sẽ giữ lại 3", "2 đã được duyệt", "1 đang chờ"))
	form["value"][0] = "nhiều"
	a := send("save")
	if a.Code != http.StatusUnprocessableEntity {
		t.Errorf("no number: %d", a.Code)
	}
	h.must(a.says("Điều kiện 1: cần một con số"))
	if !strings.Contains(a.Body.String(), `value="Nhiều liên kết"`) || !strings.Contains(a.Body.String(), `value="nhiều"`) {
		t.Error("what was typed is gone")
	}
	form["value"][0] = "1"
	h.must(b.follow(send("save")).says("Đã lưu", "Nhiều liên kết", "số liên kết: nhiều hơn 1", "và là trả lời: không"))
	form.Set("name", "Ban đêm")
	h.must(b.follow(send("save")).says("Ban đêm"))
	order := func() (names []string) {
		list, err := h.screening.Rules.All(t.Context(), moderation.Moderator{Role: moderation.Viewer}, "bao")
		h.must(err)
		for _, r := range list {
			names = append(names, r.Name+" "+r.ID)
		}
		return names
	}
	before := order()
	if !strings.HasPrefix(before[0], "Nhiều") {
		t.Fatalf("a new rule is not the last: %v", before)
	}
	_, id, _ := strings.Cut(before[1], "đêm ")
	h.must(b.follow(b.post("/moderation/rules", url.Values{"site": {"bao"}, "rule": {id}, "do": {"up"}})).says("Đã lưu"))
	if after := order(); after[0] != before[1] || after[1] != before[0] {
		t.Errorf("moved up: %v", after)
	}
	if a := b.post("/moderation/rules", url.Values{"site": {"bao"}, "rule": {id}, "do": {"round"}}); a.Code != http.StatusBadRequest {
		t.Errorf("moved round: %d", a.Code)
	}
	list, err := h.screening.Rules.All(t.Context(), moderation.Moderator{Role: moderation.Viewer}, "bao")
	h.must(err)
	h.must(b.get("/moderation/rules/rule?site=bao&rule="+id).says("Sửa quy tắc", "Gỡ quy tắc"))
	form.Set("rule", id)
	form.Set("version", fmt.Sprint(list[0].Version))
	h.must(b.follow(send("remove")).says("Đã gỡ"))
	if left := order(); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

func TestBansAndRulesByRole(t *testing.T) {
	h := screened(t)
	h.people()
	const in = http.StatusSeeOther
	var browsers [len(visitors)]*browser
	for i, who := range visitors {
		if browsers[i] = h.browser(); who != "nobody" {
			browsers[i] = h.signedIn(who + "@bao.example")
		}
	}
	ban := url.Values{"site": {"bao"}, "version": {"0"}, "kind": {"name"}, "value": {"an"}, "effect": {"hold"}, "for": {"1d"}, "do": {"ban"}}
	rule := url.Values{"site": {"bao"}, "version": {"0"}, "name": {"x"}, "then": {"hold"}, "fact": {"links"}, "op": {"more"}, "value": {"1"}, "do": {"save"}}
	past := url.Values{}
	for k, v := range rule {
		past[k] = v
	}
	past["do"] = []string{"past"}
	for _, page := range []struct {
		path string
		form url.Values
		want [len(visitors)]int
	}{
		{"/moderation/bans?site=bao", nil, [...]int{in, 200, 200, 200, 403}},
		{"/moderation/bans?site=bao&new=1", nil, [...]int{in, 403, 200, 200, 403}},
		{"/moderation/bans", ban, [...]int{in, 403, 303, 303, 403}},
		{"/moderation/rules?site=bao", nil, [...]int{in, 200, 200, 200, 403}},
		{"/moderation/rules/rule?site=bao", nil, [...]int{in, 403, 403, 200, 403}},
		{"/moderation/rules/rule", past, [...]int{in, 200, 200, 200, 403}},
		{"/moderation/rules/rule", rule, [...]int{in, 403, 403, 303, 403}},
		{"/moderation/rules", url.Values{"site": {"bao"}, "rule": {"x"}, "do": {"up"}}, [...]int{in, 403, 403, 404, 403}},
	} {
		for i, who := range visitors {
			var a answer
			if page.form == nil {
				a = browsers[i].get(page.path)
			} else {
				a = browsers[i].post(page.path, page.form)
			}
			if a.Code != page.want[i] {
				t.Errorf("%s %v by %s: %d, not %d", page.path, page.form["do"], who, a.Code, page.want[i])
			}
		}
	}
}

func TestBansAndRulesByAPI(t *testing.T) {
	h := screened(t)
	h.people()
	tokens := map[string]string{}
	for _, who := range visitors[1:] {
		tokens[who] = h.token(who + "@bao.example")
	}
	ban := `{"site":"bao","kind":"link","value":"https://x.example/y","effect":"spam","expires":"2030-01-01T00:00:00Z"}`
	rule := `{"site":"bao","name":"x","when":[{"fact":"links","is":"more","value":"1"}],"then":"two"}`
	for _, op := range []struct {
		method, path, body string
		want               [len(visitors)]int
	}{
		{"GET", "/bans?site=bao", "", [...]int{401, 200, 200, 200, 403}},
		{"POST", "/bans", ban, [...]int{401, 403, 200, 200, 403}},
		{"POST", "/bans", `{"site":"bao","kind":"link","value":"x","effect":"spam"}`, [...]int{401, 403, 422, 422, 403}},
		{"POST", "/bans/preview", ban, [...]int{401, 200, 200, 200, 403}},
		{"DELETE", "/bans/bao/none?version=1", "", [...]int{401, 403, 404, 404, 403}},
		{"GET", "/rules?site=bao", "", [...]int{401, 200, 200, 200, 403}},
		{"POST", "/rules", rule, [...]int{401, 403, 403, 200, 403}},
		{"POST", "/rules/simulate", rule, [...]int{401, 200, 200, 200, 403}},
		{"DELETE", "/rules/bao/none?version=1", "", [...]int{401, 403, 403, 404, 403}},
	} {
		for i, who := range visitors {
			r := httptest.NewRequest(op.method, "/api/v1/moderation"+op.path, strings.NewReader(op.body))
			r.Header.Set("Content-Type", "application/json")
			if who != "nobody" {
				r.Header.Set("Authorization", "Bearer "+tokens[who])
			}
			if a := h.browser().do(r); a.Code != op.want[i] {
				t.Errorf("%s %s by %s: %d, not %d: %s", op.method, op.path, who, a.Code, op.want[i], a.Body)
			}
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/moderation/bans?site=bao", nil)
	r.Header.Set("Authorization", "Bearer "+tokens["viewer"])
	if a := h.browser().do(r); !strings.Contains(a.Body.String(), `"value":"x.example"`) || !strings.Contains(a.Body.String(), `"expires":"2030-01-01T00:00:00Z"`) {
		t.Errorf("%s", a.Body)
	}
}
