package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

// texts are the texts of the items that the API lists, in order.
func (h *house) texts(token, query string) string {
	h.Helper()
	m := h.json(h.call("GET", api+"/queue?"+query, token, ""), http.StatusOK)
	var list []string
	items, _ := m["items"].([]any)
	for _, item := range items {
		one, _ := item.(map[string]any)
		list = append(list, fmt.Sprint(one["text"]))
	}
	if total := fmt.Sprint(m["total"]); total != fmt.Sprint(len(list)) {
		h.Errorf("%s: %d items, %s in all", query, len(list), total)
	}
	return strings.Join(list, "|")
}

func TestSearchByAPI(t *testing.T) {
	h, token := newAPI(t)
	say := func(site, text string, status comments.Status) {
		h.comment(site, func(c *comments.Comment) { c.Content, c.Status = text, status })
	}
	say("bao", "Bến đò ngày xưa", comments.Pending)
	say("bao", "ben do bây giờ, xem shop.vn", comments.Rejected)
	say("khac", "Bến đò báo khác", comments.Pending)
	for query, want := range map[string]string{
		"site=bao&q=ben+do":                           "Bến đò ngày xưa|ben do bây giờ, xem shop.vn",
		"site=bao&q=ben+do&order=newest":              "ben do bây giờ, xem shop.vn|Bến đò ngày xưa",
		"site=bao&q=b%E1%BA%BFn":                      "Bến đò ngày xưa",
		"site=bao&q=ben&status=pending":               "Bến đò ngày xưa",
		"site=bao&q=ben+status:rejected":              "ben do bây giờ, xem shop.vn",
		"site=bao&q=has:link":                         "ben do bây giờ, xem shop.vn",
		"site=bao&status=rejected&has=link":           "ben do bây giờ, xem shop.vn",
		"site=bao&q=%22ben+do%22":                     "Bến đò ngày xưa|ben do bây giờ, xem shop.vn",
		"site=bao&q=%22do+ben%22":                     "",
		"site=bao&status=all":                         "Bến đò ngày xưa|ben do bây giờ, xem shop.vn",
		"site=*&q=ben":                                "Bến đò ngày xưa|ben do bây giờ, xem shop.vn|Bến đò báo khác",
		"site=*":                                      "Bến đò ngày xưa|Bến đò báo khác",
		"site=*&order=risk":                           "Bến đò ngày xưa|Bến đò báo khác",
		"site=bao&q=ben+site:khac":                    "Bến đò báo khác",
		"site=bao&page=https://bao.example/pho-di-bo": "Bến đò ngày xưa",
		"site=bao&reply=true":                         "",
		"site=bao&written=en":                         "",
	} {
		if got := h.texts(token, query); got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	m := h.json(h.call("GET", api+"/queue?site=*&limit=1&q=ben&order=newest", token, ""), http.StatusOK)
	next, _ := m["next"].(string)
	m = h.json(h.call("GET", api+"/queue?site=*&limit=1&q=ben&order=newest&after="+next, token, ""), http.StatusOK)
	if !strings.Contains(fmt.Sprint(m["items"]), "ben do bây giờ") {
		t.Errorf("second page of all sites: %v", m["items"])
	}
}

// TestSearchStaysAtHome: whoever has one site finds nothing of another, by whatever way, and
// only who decides may ask where comments came from.
func TestSearchStaysAtHome(t *testing.T) {
	h, _ := newAPI(t)
	h.comment("bao", func(c *comments.Comment) { c.Content = "bí mật của báo" })
	h.comment("khac", func(c *comments.Comment) { c.Content = "bí mật của khác" })
	h.person("lan@khac.example", moderation.Editor, "khac")
	h.person("xem@khac.example", moderation.Viewer, "khac")
	lan, viewer := h.token("lan@khac.example"), h.token("xem@khac.example")
	for _, query := range []string{"site=*&q=bi+mat", "site=khac&q=bi+mat", "site=*"} {
		if got := h.texts(lan, query); got != "bí mật của khác" {
			t.Errorf("%s: %q", query, got)
		}
	}
	for query, token := range map[string]string{
		"site=bao&q=bi+mat": lan, "site=khac&q=bi+site:bao": lan, "site=*&q=bi+site:bao": lan,
		"site=khac&q=ip:192.0.2.0/24": viewer, "site=*&q=ip:192.0.2.0/24": viewer,
	} {
		if w := h.call("GET", api+"/queue?"+query, token, ""); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if got := h.texts(lan, "site=khac&q="+url.QueryEscape("ip:192.0.2.0/24")); got != "" {
		t.Errorf("by network: %q", got)
	}
}

// TestSearchAtTheDesk: words are looked for in everything and marked, filters narrow a queue
// and can be taken off one by one, and both can be saved.
func TestSearchAtTheDesk(t *testing.T) {
	h, _ := newAPI(t)
	h.comment("bao", func(c *comments.Comment) { c.Title, c.Content = "Chuyện bến đò", "Xem shop.vn nhé" })
	h.comment("bao", func(c *comments.Comment) { c.Title, c.Status = "Bền đỗ", comments.Rejected })
	h.comment("khac", func(c *comments.Comment) { c.Title = "Bến của khác" })
	b := h.signedIn("an@bao.example")
	for path, says := range map[string][]string{
		"/moderation/?site=bao&q=ben":                     {"<mark>bến</mark>", "<mark>Bền</mark>", "Đã từ chối"},
		"/moderation/?site=bao&q=b%E1%BA%BFn":             {"<mark>bến</mark>", "khớp đúng như đã gõ"},
		"/moderation/?site=*&q=ben":                       {"Bến</mark> của khác", "Mọi trang của tôi"},
		"/moderation/?site=bao&has=link":                  {"Chuyện bến đò", "Có liên kết"},
		"/moderation/?site=bao&order=risk":                {"Rủi ro nhất"},
		"/moderation/?site=bao&q=khongco":                 {"Không tìm thấy bình luận nào", "Viết trong ô tìm"},
		"/moderation/?site=bao&q=status:odd":              {"Không đọc được “status:odd”"},
		"/moderation/?page=https://bao.example/pho-di-bo": {"Phố đi bộ ven sông"},
	} {
		a := b.get(path)
		for _, words := range says {
			if a.Code != http.StatusOK || !strings.Contains(a.Body.String(), words) {
				t.Errorf("%s: %d, without %s", path, a.Code, words)
			}
		}
	}
	a := b.post("/moderation/filters", url.Values{"site": {"bao"}, "queue": {"pending"}, "has": {"link"}, "name": {"Ca tối"}})
	if a.Code != http.StatusSeeOther {
		t.Fatalf("saving: %d %s", a.Code, a.Body)
	}
	page := b.get("/moderation/?site=khac").Body.String()
	if !strings.Contains(page, "Ca tối") || !strings.Contains(page, "has=link&amp;site=bao") {
		t.Error("a saved filter isn't in the rail")
	}
	h.person("lan@bao.example", moderation.Editor)
	if strings.Contains(h.signedIn("lan@bao.example").get("/moderation/").Body.String(), "Ca tối") {
		t.Error("another's filter is in the rail")
	}
	kept, err := h.svc.Filters(t.Context(), h.who("an@bao.example"))
	h.must(err)
	b.post("/moderation/filters", url.Values{"site": {"bao"}, "remove": {kept[0].ID}})
	if strings.Contains(b.get("/moderation/").Body.String(), "Ca tối") {
		t.Error("a filter that was removed is in the rail")
	}
}

func (h *house) who(email string) moderation.Moderator {
	h.Helper()
	all, err := h.svc.Names(h.Context())
	h.must(err)
	for id, name := range all {
		if name == email {
			return moderation.Moderator{ID: id}
		}
	}
	h.Fatalf("nobody is %s", email)
	return moderation.Moderator{}
}

// TestUnheld: in a flood, what no check holds is a list of its own.
func TestUnheld(t *testing.T) {
	h, an := newDesk(t)
	h.comment("bao", func(c *comments.Comment) { c.Title = "Thư bạn đọc" })
	h.comment("bao", func(c *comments.Comment) {
		c.Title, c.Signals = "Thư chỉ được lưu ý", []comments.Signal{{Check: "shouting", Level: comments.LevelInfo, Code: "capitals"}}
	})
	h.comment("bao", func(c *comments.Comment) {
		c.Title, c.Signals = "Bán sim", []comments.Signal{{Check: "trap", Level: comments.LevelHold, Code: "filled"}}
	})
	page := an.get("/moderation/?site=bao&queue=pending&signal=none")
	if err := page.says("Thư bạn đọc", "Thư chỉ được lưu ý", "Không bị giữ lại"); err != nil {
		t.Error(err)
	}
	if strings.Contains(page.Body.String(), "Bán sim") {
		t.Error("what a check holds is listed")
	}
}
