package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"duyet/comments/limit"
	"duyet/moderation"
)

const password = "ngựa đúng pin kẹp giấy"

func withPassword(h *house) {
	h.Helper()
	_, err := h.svc.AddPerson(h.Context(), "an@bao.example", moderation.Editor, nil, password)
	h.must(err)
}

func TestFirstRun(t *testing.T) {
	h := newHouse(t, "")
	b := h.browser()
	a := b.follow(b.get("/moderation/"))
	if err := a.says("Chưa có ai đăng nhập được", "duyet moderator add EMAIL --role owner --password-stdin", "duyet moderator link EMAIL"); err != nil || a.Code != http.StatusOK {
		t.Error(a.Code, err)
	}
	h.person("an@bao.example", moderation.Owner)
	if err := b.get("/moderation/login").says("Đăng nhập bàn duyệt", "Mật khẩu"); err != nil {
		t.Error(err)
	}
	if err := h.signedIn("an@bao.example").get("/moderation/").says("Chưa có trang nào", "duyet site add"); err != nil {
		t.Error(err)
	}
}

func TestSignInByPassword(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b := h.browser()
	a := b.get("/moderation/?queue=spam")
	if to := a.Header().Get("Location"); to != "/moderation/login?next=%2Fmoderation%2F%3Fqueue%3Dspam" {
		t.Fatalf("sent to %s", to)
	}
	form := b.follow(a)
	next := form.find(func(n *html.Node) bool { return attr(n, "name") == "next" })
	a = b.post("/moderation/login", url.Values{"email": {"AN@bao.example"}, "password": {password}, "next": {attr(next, "value")}})
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != "/moderation/?queue=spam" {
		t.Fatalf("%d to %s", a.Code, a.Header().Get("Location"))
	}
	cookie := a.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/moderation" || cookie.Secure ||
		cookie.MaxAge != int(moderation.SessionFor/time.Second) {
		t.Errorf("cookie: %s", cookie)
	}
	if b.get("/moderation/").Code != http.StatusOK {
		t.Error("not signed in")
	}
	if a := b.get("/moderation/login?next=/moderation/audit"); a.Header().Get("Location") != "/moderation/audit" {
		t.Errorf("signed in already, sent to %q", a.Header().Get("Location"))
	}
}

func TestSignInFailures(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b := h.browser()
	var answers []string
	for _, try := range [][2]string{{"an@bao.example", "sai mật khẩu"}, {"ai@bao.example", password}} {
		a := b.post("/moderation/login", url.Values{"email": {try[0]}, "password": {try[1]}, "next": {"/moderation/audit"}})
		if a.Code != http.StatusUnauthorized || a.role("alert") == "" || len(b.cookies) != 0 {
			t.Errorf("%s: %d %s", try[0], a.Code, a.role("alert"))
		}
		if email := a.find(func(n *html.Node) bool { return attr(n, "name") == "email" }); attr(email, "value") != try[0] {
			t.Errorf("the address typed is lost: %q", attr(email, "value"))
		}
		if strings.Contains(a.Body.String(), try[1]) {
			t.Error("the password is echoed")
		}
		answers = append(answers, strings.ReplaceAll(a.Body.String(), try[0], "X"))
	}
	if answers[0] != answers[1] {
		t.Error("the answer tells whether there is such an account")
	}
	empty := b.post("/moderation/login", url.Values{"email": {"an@bao.example"}})
	field := empty.find(func(n *html.Node) bool { return attr(n, "name") == "password" })
	told := empty.find(func(n *html.Node) bool { return attr(n, "id") == attr(field, "aria-describedby") })
	if empty.Code != http.StatusUnprocessableEntity || attr(field, "aria-invalid") != "true" || told == nil || text(told) != "Xin điền mật khẩu" {
		t.Errorf("no password: %d, %v", empty.Code, told)
	}
	for range limit.AccountFailures {
		_, _ = h.svc.SignIn(t.Context(), "an@bao.example", "sai", moderation.From{})
	}
	a := b.post("/moderation/login", url.Values{"email": {"an@bao.example"}, "password": {password}})
	if a.Code != http.StatusTooManyRequests || a.Header().Get("Retry-After") == "" {
		t.Errorf("slowed: %d %v", a.Code, a.Header())
	}
	if err := a.says("Xin thử lại sau", "phút"); err != nil {
		t.Error(err)
	}
}

func TestSignInFormsRefused(t *testing.T) {
	h := newHouse(t, "")
	for kind, want := range map[string]int{
		"application/json": http.StatusUnsupportedMediaType, "": http.StatusUnsupportedMediaType,
		"multipart/form-data": http.StatusUnsupportedMediaType,
	} {
		r := httptest.NewRequest(http.MethodPost, "/moderation/login", strings.NewReader("email=a&password=b"))
		r.Header.Set("Content-Type", kind)
		if a := h.browser().do(r); a.Code != want {
			t.Errorf("%q: %d", kind, a.Code)
		}
	}
	if a := h.browser().post("/moderation/login", url.Values{"email": {strings.Repeat("x", 65<<10)}}); a.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge form: %d", a.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "/moderation/login", strings.NewReader("email=%zz"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := h.browser().do(r); a.Code != http.StatusBadRequest {
		t.Errorf("a broken form: %d", a.Code)
	}
}

// Whoever signs in is sent on within the desk and nowhere else.
func TestNextStaysOnTheDesk(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("an@bao.example", moderation.Editor)
	b := h.signedIn("an@bao.example")
	for next, want := range map[string]string{
		"/moderation/audit?site=bao": "/moderation/audit?site=bao", "/moderation/": "/moderation/",
		"https://evil.example/moderation/": "/moderation/", "//evil.example/moderation/": "/moderation/",
		`/\evil.example`: "/moderation/", "/moderation/../s/bao": "/moderation/", "/moderation/%2e%2e/x": "/moderation/",
		"javascript:alert(1)": "/moderation/", "/moderationevil": "/moderation/", "/moderation//evil.example": "/moderation/",
		"/moderation/\r\nX: y": "/moderation/", "": "/moderation/", "/healthz": "/moderation/",
	} {
		if got := b.get("/moderation/login?next=" + url.QueryEscape(next)).Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func TestLinkPage(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("an@bao.example", moderation.Editor)
	secret, err := h.svc.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	b := h.browser()
	for range 3 { // previews and scanners spend nothing
		a := b.get("/moderation/link?token=" + secret)
		if err := a.says("an@bao.example", "dùng được một lần"); a.Code != http.StatusOK || err != nil || len(b.cookies) != 0 {
			t.Fatal(a.Code, err, b.cookies)
		}
	}
	if a := b.post("/moderation/link", url.Values{"token": {secret}}); a.Code != http.StatusSeeOther || b.get("/moderation/").Code != http.StatusOK {
		t.Fatalf("the button: %d", a.Code)
	}
	again := h.browser()
	for name, a := range map[string]answer{
		"looked at": again.get("/moderation/link?token=" + secret), "pressed": again.post("/moderation/link", url.Values{"token": {secret}}),
	} {
		if err := a.says("không còn dùng được", "duyet moderator link"); a.Code != http.StatusGone || err != nil || len(again.cookies) != 0 {
			t.Errorf("spent and %s: %d, %v", name, a.Code, err)
		}
	}
}

// A session's key is never one that the browser brought.
func TestSessionFixation(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("an@bao.example", moderation.Editor)
	h.person("evil@bao.example", moderation.Viewer)
	evil := h.signedIn("evil@bao.example")
	for name, planted := range map[string]string{"another's": evil.cookies["duyet_session"].Value, "made up": "0123456789"} {
		victim := h.browser()
		victim.cookies["duyet_session"] = &http.Cookie{Name: "duyet_session", Value: planted}
		link, err := h.svc.NewLink(t.Context(), "an@bao.example")
		h.must(err)
		if a := victim.post("/moderation/link", url.Values{"token": {link}}); a.Code != http.StatusSeeOther {
			t.Fatal(a.Code)
		}
		if victim.cookies["duyet_session"].Value == planted {
			t.Errorf("%s key was taken over", name)
		}
		thief := h.browser()
		thief.cookies["duyet_session"] = &http.Cookie{Name: "duyet_session", Value: planted}
		if a := thief.get("/moderation/"); a.Code != http.StatusSeeOther {
			t.Errorf("%s key opens the desk: %d", name, a.Code)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	h.person("binh@bao.example", moderation.Owner)
	in := func() *browser { return h.signedIn("an@bao.example") }
	out := func(name string, b *browser) {
		t.Helper()
		if a := b.get("/moderation/"); a.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	b := in()
	key := b.cookies["duyet_session"]
	a := b.follow(b.post("/moderation/logout", nil))
	if err := a.says("Bạn đã đăng xuất"); err != nil || b.cookies["duyet_session"] != nil {
		t.Error(err, b.cookies)
	}
	b.cookies["duyet_session"] = key
	out("signed out", b)
	if a := h.browser().post("/moderation/logout", nil); a.Code != http.StatusSeeOther {
		t.Errorf("signing out without being in: %d", a.Code)
	}

	late := in()
	h.now = h.now.Add(moderation.SessionFor)
	out("after its time", late)

	before := in()
	h.now = h.now.Add(time.Minute)
	secret := password + "!"
	_, err := h.svc.ChangePerson(t.Context(), "an@bao.example", moderation.PersonChange{Password: &secret})
	h.must(err)
	out("after a new password", before)

	disabled := in()
	yes := true
	_, err = h.svc.ChangePerson(t.Context(), "an@bao.example", moderation.PersonChange{Disabled: &yes})
	h.must(err)
	out("disabled", disabled)
	a = disabled.post("/moderation/decisions", url.Values{"action": {"approve"}})
	if err := disabled.follow(a).says("Phiên làm việc đã hết", "chưa được ghi"); err != nil {
		t.Error(err)
	}
}

func TestLanguage(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("an@bao.example", moderation.Editor)
	b := h.signedIn("an@bao.example")
	lang := func(a answer) string {
		return attr(a.find(func(n *html.Node) bool { return n.Data == "html" }), "lang")
	}
	if got := lang(b.get("/moderation/")); got != "vi" {
		t.Errorf("by Accept-Language: %s", got)
	}
	other := b.get("/moderation/?queue=spam").find(func(n *html.Node) bool { return attr(n, "hreflang") == "en" })
	if to := attr(other, "href"); to != "/moderation/?lang=en&queue=spam" {
		t.Fatalf("the other language is at %s", to)
	}
	if got := lang(b.get(attr(other, "href"))); got != "en" {
		t.Errorf("by parameter: %s", got)
	}
	if got := lang(b.get("/moderation/audit")); got != "en" {
		t.Errorf("remembered: %s", got)
	}
	if got := lang(b.get("/moderation/?queue=odd")); got != "en" {
		t.Errorf("an error: %s", got)
	}
	b.lang = "fr"
	b.get("/moderation/?lang=xx")
	if got := lang(b.get("/moderation/")); got != "en" {
		t.Errorf("an unknown language took its place: %s", got)
	}
	stranger := h.browser()
	stranger.lang = "fr"
	if got := lang(stranger.get("/moderation/login")); got != "vi" {
		t.Errorf("of last resort: %s", got)
	}
}
