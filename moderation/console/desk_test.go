package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"duyet/comments"
	"duyet/moderation"
)

func class(name string) func(*html.Node) bool {
	return func(n *html.Node) bool {
		for _, c := range strings.Fields(attr(n, "class")) {
			if c == name {
				return true
			}
		}
		return false
	}
}

// newDesk is a desk with one who decides, signed in.
func newDesk(t *testing.T) (*house, *browser) {
	t.Helper()
	h := newHouse(t, "", "bao", "khac")
	h.person("an@bao.example", moderation.Editor, "bao")
	h.person("minh@bao.example", moderation.Editor)
	return h, h.signedIn("an@bao.example")
}

func TestDeskShowsWhatStands(t *testing.T) {
	h, b := newDesk(t)
	first := h.comment("bao", func(c *comments.Comment) { c.Status, c.Title = comments.Approved, "Câu hỏi" })
	h.now = h.now.Add(20 * time.Minute)
	words := "Gọi tôi 0912 000 000 <b>nhé</b>.\n\nXem https://rut.example/x"
	at := strings.Index(words, "0912")
	h.comment("bao", func(c *comments.Comment) {
		c.Parent, c.Title, c.Name, c.Content = first.ID, `Đầu đề <i>"&`, "Bạn <script>", words
		c.CreatedAt = h.now.Add(-18 * time.Minute)
		c.Signals = []comments.Signal{
			{Check: "contacts", Level: comments.LevelHold, Code: "phone", Args: map[string]string{"count": "1"}, Places: []comments.Place{{Field: "content", Start: at, End: at + 12}}},
			{Check: "shouting", Level: comments.LevelInfo, Code: "capitals"},
		}
	})
	a := b.get("/moderation/")
	if err := a.says("Chờ duyệt 1", "Nghi ngờ 1", "Đã duyệt 1", "Thùng rác 0", `Đầu đề <i>"&`, "Bạn <script>", "18 phút", "Phố đi bộ ven sông",
		"<b>nhé</b>", "Số điện thoại", "Viết hoa gần hết", "Vừa", "Trả lời Nguyễn Thị Hạnh", "Lạc đề", "Thông tin cá nhân"); err != nil {
		t.Error(err)
	}
	if strings.Contains(a.Body.String(), "<b>nhé") || strings.Contains(a.Body.String(), "Bạn <script>") {
		t.Error("a reader's words are not escaped")
	}
	if m := a.find(func(n *html.Node) bool { return n.Data == "mark" }); m == nil || text(m) != "0912 000 000 1" {
		t.Errorf("marked: %v", m)
	}
	article := a.find(func(n *html.Node) bool { return attr(n, "href") == "https://bao.example/pho-di-bo" })
	if article == nil || !strings.Contains(attr(article, "rel"), "noopener") {
		t.Error("no link to the article")
	}
	if filled := strings.Count(a.Body.String(), `class="btn btn-main" name="action"`); filled != 2 { // one of them the selection's, plain until something is selected
		t.Errorf("%d filled buttons", filled)
	}
}

func TestListPagesAndOrders(t *testing.T) {
	h, b := newDesk(t)
	for i := range 60 {
		h.comment("bao", func(c *comments.Comment) { c.Title = fmt.Sprintf("Số %02d", i) })
	}
	a := b.get("/moderation/")
	if err := a.says("Chờ duyệt 60", "Số 00", "Số 49"); err != nil {
		t.Error(err)
	}
	more := a.find(func(n *html.Node) bool { return n.Data == "a" && text(n) == "Xem tiếp" })
	a = b.get(attr(more, "href"))
	if err := a.says("Số 50", "Số 59", "Đã đến cuối danh sách", "Về đầu danh sách"); err != nil {
		t.Error(err)
	}
	newest := a.find(func(n *html.Node) bool { return n.Data == "a" && text(n) == "Mới nhất" })
	a = b.get(attr(newest, "href"))
	if row := a.find(class("row-t")); text(row) != "Số 59" {
		t.Errorf("the newest is %s", text(row))
	}
	// A link to one comment keeps its place in the list, and leads on from there.
	row := a.find(class("row-link"))
	a = b.get(attr(row, "href"))
	if !strings.Contains(a.Body.String(), `class="desk at-proof"`) {
		t.Error("a comment has no address of its own")
	}
	if a = b.get(attr(a.find(func(n *html.Node) bool { return attr(n, "rel") == "next" }), "href")); text(a.find(func(n *html.Node) bool { return attr(n, "id") == "cmt-t" })) != "Số 58" {
		t.Error("next leads elsewhere")
	}
}

func TestDecideUndoAndSayIt(t *testing.T) {
	h, b := newDesk(t)
	one := h.comment("bao", func(c *comments.Comment) { c.Title = "Một" })
	two := h.comment("bao", func(c *comments.Comment) { c.Title = "Hai" })
	a := b.press(b.get("/moderation/?comment="+url.QueryEscape(string(one.ID))), "reject", url.Values{
		"reason": {"insult"}, "note": {"Xem lại người này"},
	})
	if stands := h.stands(one.ID); stands.Status != comments.Rejected || stands.History[1].Event.Reason != "insult" || stands.History[1].Note != "Xem lại người này" {
		t.Fatalf("%+v", stands.History)
	}
	to, err := url.Parse(a.Header().Get("Location"))
	h.must(err)
	if to.Query().Get("comment") != string(two.ID) {
		t.Errorf("it leads to %s, not to the next", to)
	}
	a = b.follow(a)
	if got := a.role("status"); got != "Đã từ chối Một Hoàn tác" {
		t.Errorf("notice: %q", got)
	}
	again := b.get(to.String())
	if again.role("status") != a.role("status") {
		t.Error("a reload tells otherwise")
	}
	a = b.follow(b.press(a, "undo", nil))
	if stands := h.stands(one.ID); stands.Status != comments.Pending || stands.Version != 3 {
		t.Errorf("undone: %s at %d", stands.Status, stands.Version)
	}
	if got := a.role("status"); got != "Đã đưa về chờ duyệt Một" {
		t.Errorf("notice: %q", got)
	}
	if got := b.get(to.String()).role("status"); got != "" {
		t.Errorf("a notice of what no longer stands: %q", got)
	}
	// A reason against a comment doesn't go with an approval.
	a = b.press(b.get("/moderation/"), "approve", url.Values{"reason": {"insult"}, "pick": {"1 " + string(two.ID)}})
	if stands := h.stands(two.ID); stands.Status != comments.Approved || stands.History[1].Event.Reason != "" {
		t.Errorf("approved with a reason: %+v", stands.History[1])
	}
	if to := a.Header().Get("Location"); strings.Contains(to, "comment=") {
		t.Errorf("from the list it leads to %s", to)
	}
}

func TestConflictTellsWhoAndOffersBothWays(t *testing.T) {
	h, b := newDesk(t)
	c := h.comment("bao", func(c *comments.Comment) { c.Title = "Một" })
	seen := b.get("/moderation/?comment=" + url.QueryEscape(string(c.ID)))
	minh := h.signedIn("minh@bao.example")
	minh.press(minh.get("/moderation/?site=bao"), "approve", nil)
	typed := url.Values{"reason": {"insult"}, "reason_text": {"Lời nặng"}, "note": {"ghi nhớ"}}
	a := b.press(seen, "reject", typed)
	alert := a.role("alert")
	if a.Code != http.StatusConflict || !strings.Contains(alert, "minh@bao.example đã duyệt bình luận này lúc") ||
		!strings.Contains(alert, "“Từ chối” của bạn chưa được ghi") {
		t.Fatalf("%d: %s", a.Code, alert)
	}
	if h.stands(c.ID).Version != 2 {
		t.Error("the slower decision was recorded")
	}
	see := a.find(func(n *html.Node) bool { return n.Data == "a" && text(n) == "Xem như hiện nay" })
	if asItStands := b.get(attr(see, "href")); asItStands.Code != http.StatusOK || asItStands.role("alert") != "" {
		t.Errorf("as it stands: %d %s", asItStands.Code, asItStands.role("alert"))
	}
	// The first reject button on the page is the one that decides anyway; its words are kept.
	if a := b.press(a, "reject", nil); a.Code != http.StatusSeeOther {
		t.Fatalf("anyway: %d", a.Code)
	}
	if stands := h.stands(c.ID); stands.Status != comments.Rejected || stands.History[2].Detail.Reason != "Lời nặng" || stands.History[2].Note != "ghi nhớ" {
		t.Errorf("anyway: %+v", stands.History[2])
	}
	// Where both wanted the same, there is nothing to insist on.
	d := h.comment("bao", nil)
	seen = b.get("/moderation/comments/" + url.PathEscape(string(d.ID)))
	minh.press(minh.get("/moderation/?site=bao"), "approve", nil)
	a = b.press(seen, "approve", nil)
	if a.Code != http.StatusConflict || !strings.Contains(a.role("alert"), "đã ở đúng chỗ bạn muốn") || strings.Contains(a.role("alert"), "Vẫn duyệt") {
		t.Errorf("the same decision: %d %s", a.Code, a.role("alert"))
	}
}

func TestManyAtOnce(t *testing.T) {
	h, b := newDesk(t)
	var picks []string
	var all []comments.Comment
	for i := range 4 {
		c := h.comment("bao", func(c *comments.Comment) { c.Title = fmt.Sprintf("Số %d", i) })
		all, picks = append(all, c), append(picks, "1 "+string(c.ID))
	}
	seen := b.get("/moderation/")
	minh := h.signedIn("minh@bao.example")
	minh.press(minh.get("/moderation/?site=bao"), "approve", nil) // decides on Số 0
	bulk := func(page answer, action string, picks []string, more url.Values) answer {
		form := url.Values{"site": {"bao"}, "action": {action}, "pick": picks}
		for name, values := range more {
			form[name] = values
		}
		return b.post("/moderation/decisions", form)
	}
	a := b.follow(bulk(seen, "spam", picks[:3], url.Values{"reason": {"advertising"}}))
	if got := a.role("status"); got != "Đã xếp 2 bình luận vào spam Hoàn tác" {
		t.Errorf("notice: %q", got)
	}
	if alert := a.role("alert"); !strings.Contains(alert, "1 bình luận đã có người khác quyết định trước, nên “Spam” của bạn chưa được ghi") ||
		!strings.Contains(alert, "Số 0 minh@bao.example đã duyệt bình luận này lúc") {
		t.Errorf("conflicts: %q", alert)
	}
	if stands := h.stands(all[1].ID); stands.Status != comments.Spam || stands.History[1].Event.Reason != "advertising" {
		t.Errorf("%+v", stands)
	}
	a = b.follow(b.press(a, "undo", nil))
	if got := a.role("status"); got != "Đã đưa 2 bình luận về chờ duyệt" {
		t.Errorf("undone: %q", got)
	}
	if a := bulk(seen, "spam", nil, nil); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.role("alert"), "Chưa chọn bình luận nào") {
		t.Errorf("nothing selected: %d %q", a.Code, a.role("alert"))
	}
	// In English the notice counts properly.
	a = b.follow(bulk(seen, "trash", []string{picks[3]}, nil))
	if got := b.get(a.path + "&lang=en").role("status"); got != "Put in the trash Số 3 Undo" {
		t.Errorf("in English: %q", got)
	}
}

func TestFormsRefusedKeepTheirWords(t *testing.T) {
	h, b := newDesk(t)
	c := h.comment("bao", nil)
	foreign := h.comment("khac", nil)
	long := strings.Repeat("dài ", 3000)
	for _, path := range []string{"/moderation/?comment=" + url.QueryEscape(string(c.ID)), "/moderation/comments/" + url.PathEscape(string(c.ID))} {
		a := b.press(b.get(path), "reject", url.Values{"reason": {"insult"}, "reason_text": {"Lời nặng"}, "note": {long}})
		note := a.find(func(n *html.Node) bool { return attr(n, "name") == "note" && n.Data == "textarea" })
		why := a.find(func(n *html.Node) bool { return attr(n, "id") == "why" })
		chosen := a.find(func(n *html.Node) bool { return attr(n, "type") == "radio" && has(n, "checked") })
		if a.Code != http.StatusUnprocessableEntity || note == nil || strings.TrimSpace(text(note)) != strings.TrimSpace(long) ||
			attr(why, "value") != "Lời nặng" || attr(chosen, "value") != "insult" || !strings.Contains(a.role("alert"), "Ghi chú quá dài") {
			t.Errorf("%s: %d, alert %q", path, a.Code, a.role("alert"))
		}
	}
	for name, form := range map[string]url.Values{
		"422 action": {"site": {"bao"}, "action": {"explode"}, "pick": {"1 " + string(c.ID)}},
		"400 pick":   {"site": {"bao"}, "action": {"approve"}, "pick": {"x"}},
		"400 queue":  {"site": {"bao"}, "queue": {"odd"}, "action": {"approve"}, "pick": {"1 " + string(c.ID)}},
		"404 site":   {"site": {"bao"}, "action": {"approve"}, "pick": {"1 " + string(foreign.ID)}},
		"404 id":     {"site": {"bao"}, "action": {"approve"}, "pick": {"1 bao~nope"}},
		"413 big":    {"site": {"bao"}, "action": {"approve"}, "note": {strings.Repeat("x", 300<<10)}},
		"413 many":   {"site": {"bao"}, "action": {"approve"}, "pick": make([]string, 0)},
	} {
		var want int
		_, err := fmt.Sscanf(name, "%d", &want)
		h.must(err)
		if name == "413 many" {
			for range moderation.PageMost + 1 {
				form.Add("pick", "1 "+string(c.ID))
			}
		}
		if a := b.post("/moderation/decisions", form); a.Code != want {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if h.stands(c.ID).Version != 1 || h.stands(foreign.ID).Version != 1 {
		t.Error("a refused form changed something")
	}
}

// An address alone can't make the desk say what isn't so.
func TestNoticesCannotBeForged(t *testing.T) {
	h, b := newDesk(t)
	mine, foreign := h.comment("bao", nil), h.comment("khac", nil)
	minh := h.signedIn("minh@bao.example")
	by := minh.press(minh.get("/moderation/?site=bao"), "approve", nil).Header().Get("Location")
	for _, path := range []string{
		by, "/moderation/?done=1." + comments.Cursor(mine.ID), "/moderation/?done=9." + comments.Cursor(mine.ID),
		"/moderation/?site=bao&done=1." + comments.Cursor(foreign.ID), "/moderation/?done=x&lost=y", "/moderation/?done=",
		"/moderation/?" + strings.Repeat("done=x&", 300),
	} {
		if a := b.get(path); a.Code != http.StatusOK || a.role("status") != "" || a.role("alert") != "" {
			t.Errorf("%s: %d %q %q", path, a.Code, a.role("status"), a.role("alert"))
		}
	}
}

func TestCommentPageAndJournal(t *testing.T) {
	h, b := newDesk(t)
	c := h.comment("bao", func(c *comments.Comment) { c.Title = "Một" })
	page := "/moderation/comments/" + url.PathEscape(string(c.ID))
	a := b.follow(b.press(b.get(page), "spam", url.Values{"reason_text": {"Dán lại nhiều lần"}, "note": {"xem ca trước"}}))
	if err := a.says("Đã xếp vào spam Một", "Người đọc gửi bình luận", "an@bao.example xếp vào spam", "Chờ duyệt → Spam", "Dán lại nhiều lần", "xem ca trước"); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(a.path, page) {
		t.Errorf("it led to %s", a.path)
	}
	journal := b.get("/moderation/audit")
	if err := journal.says("Nhật ký", "xếp vào spam", "Dán lại nhiều lần", "xem ca trước", "thêm trang", "Dòng lệnh", "Một"); err != nil {
		t.Error(err)
	}
	if rows := strings.Count(journal.Body.String(), "<tr>"); rows != 4 { // head, site, comment, decision
		t.Errorf("%d rows", rows)
	}
	if err := b.get("/moderation/audit?lang=en").says("Journal", "marked as spam", "Pending → Spam", "Command line"); err != nil {
		t.Error(err)
	}
	for range 60 {
		h.comment("bao", nil)
	}
	older := b.get("/moderation/audit").find(func(n *html.Node) bool { return text(n) == "Show older entries" && n.Data == "a" })
	if err := b.get(attr(older, "href")).says("added the site", "Back to the newest"); err != nil {
		t.Error(err)
	}
	h.person("chu@bao.example", moderation.Owner)
	if err := h.signedIn("chu@bao.example").get("/moderation/audit?site=*").says("thêm người duyệt", "đăng nhập", "minh@bao.example"); err != nil {
		t.Error(err)
	}
}

var idLike = regexp.MustCompile(`\b(desk|nav|role|queue|order|status|action|proof|comment|level|where|signal|reason|notices?|conflict|decision|field|rest|actor|event|journal|door|signin|link|first|nosite|problem)\.[a-z_]+`)

// Every page speaks in words, in both languages: no message is missing.
func TestNoMessageIsMissing(t *testing.T) {
	h, b := newDesk(t)
	c := h.comment("bao", func(c *comments.Comment) {
		c.Signals = []comments.Signal{{Check: "contacts", Level: comments.LevelHold, Code: "phone", Args: map[string]string{"count": "1"}, Places: []comments.Place{{Field: "name", End: 1}, {Field: "title", End: 1}}}}
	})
	for _, action := range []string{"approve", "reject", "spam", "trash", "restore", "undo"} {
		b.post("/moderation/decisions", url.Values{"site": {"bao"}, "action": {action}, "pick": {fmt.Sprintf("%d %s", h.stands(c.ID).Version, c.ID)}})
	}
	for _, lang := range []string{"vi", "en"} {
		for _, path := range []string{
			"/moderation/?", "/moderation/?queue=suspect&", "/moderation/?queue=rejected&", "/moderation/?queue=odd&", "/moderation/audit?",
			"/moderation/audit?site=bao&", "/moderation/comments/" + url.PathEscape(string(c.ID)) + "?", "/moderation/comments/x?", "/moderation/link?token=x&",
		} {
			if bad := idLike.FindString(text(b.get(path + "lang=" + lang).page)); bad != "" && !strings.HasSuffix(bad, ".example") {
				t.Errorf("%s in %s shows %q", path, lang, bad)
			}
		}
	}
}
