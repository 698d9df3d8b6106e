package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"duyet/comments"
)

const formPath = "/s/" + testSite + "/comments?lang=vi"

// sameOrigin is what a browser sends along with our own form.
var sameOrigin = []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://comments.example"}

// form is a right form as the thread page hands it out, filled in.
func (h *house) form(more ...string) url.Values {
	h.t.Helper()
	w := h.get(threadPath(append([]string{"lang=vi"}, more...)...))
	if w.Code != http.StatusOK {
		h.t.Fatalf("thread page: %d %s", w.Code, w.Body)
	}
	f := url.Values{}
	for name, value := range parse(h.t, w.Body).values() {
		f.Set(name, value)
	}
	f.Set("name", "Vũ Thu Hà")
	f.Set("title", "Xin thêm ghế đá")
	f.Set("content", "Mẹ tôi 78 tuổi, đi được nửa đường là phải quay về.")
	f.Set("code", h.solve(f.Get("ticket")))
	return f
}

func TestFormIsWholeAndLabelled(t *testing.T) {
	h := newHouse(t, "", "rules_url=https://news.example/quy-dinh")
	for lang, want := range map[string][]string{
		"vi": {"Họ tên", "Tiêu đề", "Nội dung", "Mã kiểm tra"},
		"en": {"Name", "Title", "Content", "Verification code"},
	} {
		w := h.get(threadPath("lang=" + lang))
		d := parse(t, w.Body)
		d.sound()
		if attr(d.one("html"), "lang") != lang {
			t.Errorf("%s: the page is %s", lang, attr(d.one("html"), "lang"))
		}
		var labels []string
		for _, n := range d.all("form label[for]") {
			labels = append(labels, strings.TrimSpace(strings.ReplaceAll(words(n), "*", "")))
		}
		if strings.Join(labels, "|") != strings.Join(want, "|") {
			t.Errorf("%s: labels %q", lang, labels)
		}
		if _, ok := find(d.one("form"), "novalidate"); !ok {
			t.Error("the browser would judge before us")
		}
		// Enter posts: the first submit button in tree order is the real one.
		buttons := slices.DeleteFunc(d.all("form button"), func(n *html.Node) bool { return attr(n, "type") == "button" })
		if len(buttons) != 2 || attr(buttons[0], "name") != "" || attr(buttons[1], "name") != "another" {
			t.Errorf("%s: buttons", lang)
		}
		if _, ok := find(buttons[1], "formnovalidate"); !ok {
			t.Error("another image is validated")
		}
		img := d.one("form img")
		if attr(img, "width") != "240" || attr(img, "height") != "80" || attr(img, "alt") == "" {
			t.Errorf("image %v", img.Attr)
		}
		if code := d.one("input[name=code]"); attr(code, "inputmode") != "numeric" || attr(code, "type") != "" {
			t.Errorf("code %v", code.Attr)
		}
		if attr(d.one("form a[href=https://news.example/quy-dinh]"), "href") == "" || !strings.Contains(words(d.one("form .dy-privacy")), "90") {
			t.Error("no rules or no privacy line")
		}
		if !strings.Contains(attr(d.one("textarea"), "aria-describedby"), "dem") {
			t.Error("the counter is not tied to its field")
		}
	}
}

func TestFormFollowsTheTitleSetting(t *testing.T) {
	h := newHouse(t, "", "title=off")
	if parse(t, h.get(threadPath()).Body).has("input[name=title]") {
		t.Error("a title is asked for though it is off")
	}
	h.set("title=optional")
	if _, required := find(parse(t, h.get(threadPath()).Body).one("input[name=title]"), "required"); required {
		t.Error("an optional title is required")
	}
	f := h.form()
	f.Set("title", "")
	if w := h.postForm(formPath, f, sameOrigin...); w.Code != http.StatusSeeOther {
		t.Errorf("without a title: %d", w.Code)
	}
}

// cookies is a Cookie header of what an answer sets.
func cookies(w *httptest.ResponseRecorder) string {
	var list []string
	for _, c := range w.Result().Cookies() {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

func TestPostRedirectsAndShowsTheAuthorTheirOwn(t *testing.T) {
	h := newHouse(t, "")
	w := h.postForm(formPath, h.form(), sameOrigin...)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	u := must(url.Parse(w.Header().Get("Location")))(t)
	if u.Path != "/s/"+testSite+"/thread" || u.Query().Get("page") != testPage || u.Query().Get("lang") != "vi" || u.Query().Get("sent") != "1" || u.Fragment == "" {
		t.Errorf("sent to %s", u)
	}
	jar := cookies(w)
	w = h.get(u.RequestURI(), "Cookie", jar)
	if cc := w.Header().Get("Cache-Control"); !strings.Contains(cc, "no-store") || !strings.Contains(cc, "private") {
		t.Errorf("a personal page is %s", cc)
	}
	d := parse(t, w.Body)
	d.sound()
	if !strings.Contains(words(d.one("div.dy-good")), "Bình luận của bạn đang chờ duyệt") || attr(d.one("div.dy-good"), "id") != u.Fragment {
		t.Error("no notice")
	}
	own := d.one("div.dy-own")
	if !strings.Contains(words(own), "chỉ mình bạn thấy") || !strings.Contains(words(own), "Xin thêm ghế đá") {
		t.Errorf("own: %s", words(own))
	}
	// Nobody else sees it, on the page or in what readers share.
	for _, path := range []string{threadPath(), strings.Replace(threadPath(), "/thread?", "/fragment?", 1)} {
		if w := h.get(path); w.Code != 200 || strings.Contains(w.Body.String(), "ghế đá") {
			t.Errorf("%s shows it to all", path)
		}
	}
	if w := h.get(strings.Replace(threadPath(), "/thread?", "/fragment?", 1), "Cookie", jar); strings.Contains(w.Body.String(), "ghế đá") {
		t.Error("the fragment reads a cookie")
	}
}

func TestPostModeratedSiteSaysPublished(t *testing.T) {
	h := newHouse(t, "", "mode=post")
	w := h.postForm(formPath, h.form(), sameOrigin...)
	d := parse(t, h.get(w.Header().Get("Location"), "Cookie", cookies(w)).Body)
	if !strings.Contains(words(d.one("div.dy-good")), "đã được đăng") || !d.has("div.dy-own") || !d.has("ol.dy-thread") {
		t.Error("does not say that it is published")
	}
	f := h.form()
	f.Set("content", "hold me")
	if w := h.postForm(formPath, f, sameOrigin...); !strings.Contains(w.Header().Get("Location"), "sent=1") {
		t.Errorf("a held comment: %s", w.Header().Get("Location"))
	}
}

func TestReceiptsCookie(t *testing.T) {
	for _, c := range []struct {
		name, base, host, path string
		secure                 bool
	}{
		{"plain http", "", "comments.example", "/s/" + testSite, false},
		{"this machine", "", "127.0.0.1:8080", "/s/" + testSite, true},
		{"this machine by name", "", "localhost:8080", "/s/" + testSite, true},
		{"https below a path", "https://news.example/comments/", "inner:8080", "/comments/s/" + testSite, true},
		{"http by its address", "http://news.example", "127.0.0.1:8080", "/s/" + testSite, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, c.base)
			r := request(http.MethodPost, formPath, h.form().Encode(), "Content-Type", "application/x-www-form-urlencoded")
			r.Host = c.host
			w := h.do(r)
			if w.Code != http.StatusSeeOther {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			got := receiptsOf(t, w)
			if got.Path != c.path || !got.HttpOnly || got.MaxAge <= 0 {
				t.Errorf("%+v", got)
			}
			if framed := got.SameSite == http.SameSiteNoneMode && got.Secure && got.Partitioned; framed != c.secure {
				t.Errorf("%+v", got)
			}
			if !c.secure && got.SameSite != http.SameSiteLaxMode {
				t.Errorf("%+v", got)
			}
		})
	}
}

func receiptsOf(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == receiptsCookie {
			return c
		}
	}
	t.Fatal("no receipts are set")
	return nil
}

func TestReceiptsAreBounded(t *testing.T) {
	h := newHouse(t, "")
	jar := receiptsCookie + "=" + strings.Repeat("x.", 99) + "x"
	f := h.form()
	w := h.postForm(formPath, f, append([]string{"Cookie", jar}, sameOrigin...)...)
	if n := len(strings.Split(receiptsOf(t, w).Value, ".")); n != receiptsMost {
		t.Errorf("%d receipts are kept", n)
	}
	again := h.postForm(formPath, f, append([]string{"Cookie", cookies(w)}, sameOrigin...)...)
	if again.Code != http.StatusSeeOther || cookies(again) != cookies(w) {
		t.Error("the same comment again has another cookie")
	}
}

// hard is words that a careless page would change.
var hard = map[string]string{
	"name":    ` Ngô "Đức" <b>&amp; Thắng' `,
	"title":   `</title><script>alert(1)</script> 👨‍👩‍👧‍👦`,
	"content": "\nDòng đầu trống, \tthụt vào\n\n</textarea><img src=x onerror=alert(1)> &lt; 😀  \n",
}

func TestWordsSurviveEveryError(t *testing.T) {
	long := strings.Repeat("dài ", 2000)
	for _, c := range []struct {
		name     string
		settings []string
		change   func(h *house, f url.Values)
		status   int
		keeps    bool // ticket and typed code
		field    string
	}{
		{"a field is empty", nil, func(_ *house, f url.Values) { f.Set("name", "") }, 422, true, "name"},
		{"a field is too long", nil, func(_ *house, f url.Values) { f.Set("content", long) }, 422, true, "content"},
		{"a character that can't be read", nil, func(_ *house, f url.Values) { f.Set("title", "a\u202eb") }, 422, true, "title"},
		{"a parent that is gone", nil, func(_ *house, f url.Values) { f.Set("parent", "x") }, 422, true, ""},
		{"another site's page", nil, func(_ *house, f url.Values) { f.Set("page", "https://elsewhere.example/") }, 422, false, ""},
		{"no page at all", nil, func(_ *house, f url.Values) { f.Set("page", "") }, 422, false, ""},
		{"a wrong code", nil, func(_ *house, f url.Values) { f.Set("code", "12") }, 422, false, "code"},
		{"a code that is none", nil, func(_ *house, f url.Values) { f.Set("ticket", "t1nonsense") }, 422, false, "code"},
		{"an expired code", nil, func(h *house, _ url.Values) { h.pass(31 * time.Minute) }, 422, false, "code"},
		{"a spent code", nil, func(h *house, f url.Values) {
			other := maps.Clone(f)
			other.Set("content", "lời khác")
			h.postForm(formPath, other, sameOrigin...)
		}, 422, false, "code"},
		{"a slip with an expired code", nil, func(h *house, f url.Values) { f.Set("name", ""); h.pass(31 * time.Minute) }, 422, false, "name"},
		{"the disk is full", nil, func(h *house, _ url.Values) { h.store.fail(comments.ErrUnavailable, nil) }, 503, true, ""},
		{"nothing can be read", nil, func(h *house, _ url.Values) {
			h.store.fail(comments.ErrUnavailable, comments.ErrUnavailable)
			h.set("title=required") // what was rendered before no longer stands
		}, 503, true, ""},
		{"a fault of ours", nil, func(h *house, _ url.Values) { h.store.fail(http.ErrBodyNotAllowed, nil) }, 500, true, ""},
		{"too fast", []string{"rate_limit=on"}, func(h *house, _ url.Values) {
			for range 5 {
				if w := h.postForm(formPath, h.form(), sameOrigin...); w.Code != http.StatusSeeOther {
					h.t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		}, 429, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, "", c.settings...)
			f := h.form()
			for name, text := range hard {
				f.Set(name, text)
			}
			c.change(h, f)
			w := h.postForm(formPath, f, sameOrigin...)
			if w.Code != c.status {
				t.Fatalf("%d", w.Code)
			}
			if waits := w.Code == 429 || w.Code == 503; waits != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			d := parse(t, w.Body)
			d.sound()
			checkKept(t, d, f)
			got := d.values()
			if kept := got["ticket"] == f.Get("ticket"); kept != c.keeps {
				t.Errorf("ticket kept: %v", kept)
			}
			if c.keeps && got["code"] != f.Get("code") || !c.keeps && got["code"] != "" {
				t.Errorf("code %q", got["code"])
			}
			if !strings.HasPrefix(words(d.one("title")), "Lỗi:") {
				t.Errorf("title %q", words(d.one("title")))
			}
			alert := d.one("div#thong-bao[role=alert]")
			if attr(alert, "tabindex") != "-1" || !strings.Contains(words(alert), "ài viết của bạn vẫn còn nguyên") {
				t.Errorf("alert: %s", words(alert))
			}
			if c.field != "" {
				checkTied(t, d, c.field)
			}
			if !c.keeps && c.field == "code" && strings.TrimSpace(words(d.one("p[data-dy-status]"))) == "" {
				t.Error("a new code comes without a word")
			}
		})
	}
}

// checkKept compares what the page holds with what was typed, byte for byte.
func checkKept(t *testing.T, d document, f url.Values) {
	t.Helper()
	got := d.values()
	for _, name := range []string{"name", "title", "content", "page"} {
		if name == "page" && f.Get("page") == "" {
			continue
		}
		if got[name] != f.Get(name) {
			t.Errorf("%s: %q, not %q", name, got[name], f.Get(name))
		}
	}
	if d.has("img[onerror]") || d.has("b bdi b") {
		t.Error("typed words became markup")
	}
}

// checkTied looks for the error at its field, and for the summary's link to it.
func checkTied(t *testing.T, d document, field string) {
	t.Helper()
	in := append(d.all("form input[name="+field+"]"), d.all("form textarea[name="+field+"]")...)[0]
	if attr(in, "aria-invalid") != "true" {
		t.Errorf("%s is not marked", field)
	}
	said := false
	for _, id := range strings.Fields(attr(in, "aria-describedby")) {
		said = said || strings.HasSuffix(id, "-loi") && strings.TrimSpace(words(d.one("p#"+id))) != ""
	}
	if !said {
		t.Errorf("%s has no error tied to it: %v", field, in.Attr)
	}
	if !d.has("div[role=alert] a[href=#" + attr(in, "id") + "]") {
		t.Errorf("the summary has no link to %s", field)
	}
}

func TestClosedPageKeepsTheWords(t *testing.T) {
	h := newHouse(t, "", "close_after=24h")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	f := h.form()
	for name, text := range hard {
		f.Set(name, text)
	}
	h.pass(25 * time.Hour)
	w := h.postForm(formPath, f, sameOrigin...)
	if w.Code != http.StatusForbidden {
		t.Fatalf("%d", w.Code)
	}
	d := parse(t, w.Body)
	d.sound()
	if d.has("section.dy-form form") || words(d.one("textarea")) != hard["content"] || attr(d.one("input#ten"), "value") != hard["name"] {
		t.Error("the words are gone, or there is a form")
	}
	// Closing by age needs no event: what was cached as open is open no more.
	d = parse(t, h.get(threadPath()).Body)
	if d.has("section.dy-form form") || d.has("a[href=#viet]") || !strings.Contains(words(d.one("main")), "đã đóng bình luận") {
		t.Error("a closed page has a form")
	}
}

func TestAnotherImageKeepsEveryWord(t *testing.T) {
	h := newHouse(t, "")
	f := h.form()
	for name, text := range hard {
		f.Set(name, text)
	}
	old := f.Get("ticket")
	f.Set("another", "1")
	w := h.postForm(formPath, f, sameOrigin...)
	d := parse(t, w.Body)
	d.sound()
	checkKept(t, d, f)
	if got := d.values(); w.Code != 200 || got["ticket"] == old || got["ticket"] == "" || got["code"] != "" || d.has("[aria-invalid]") {
		t.Errorf("%d %v", w.Code, got)
	}
	if h.tally.of("submission pending") != 0 {
		t.Error("asking for another image posted")
	}
}

func TestTicketLimitLeavesThreadAndWords(t *testing.T) {
	h := newHouse(t, "", "rate_limit=on")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	f := h.form()
	var w *httptest.ResponseRecorder
	for range 40 {
		w = h.get(threadPath("lang=vi"))
	}
	d := parse(t, w.Body)
	d.sound()
	if w.Code != 200 || !d.has("ol.dy-thread") || d.has("form img") || !strings.Contains(words(d.one("form .is-empty")), "Xin đợi") {
		t.Errorf("%d: no thread, or no word on why there is no code", w.Code)
	}
	f.Set("another", "1")
	w = h.postForm(formPath, f, sameOrigin...)
	d = parse(t, w.Body)
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || d.values()["ticket"] != f.Get("ticket") || d.values()["content"] != f.Get("content") {
		t.Errorf("%d %v", w.Code, d.values())
	}
}
