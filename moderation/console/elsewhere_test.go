package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"duyet/moderation"
)

const outsidePage = "/moderation/screening/outside"

// service is what the site's hook is, on plain HTTP, which the operator allows.
func (h *house) service(answer string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	h.Cleanup(s.Close)
	h.screening.Outside.Allow([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	return s
}

func TestServicesElsewhere(t *testing.T) {
	h := screened(t)
	s := h.service(`{"verdict":"hold","reason":"<b>tên lạ</b>"}`)
	h.person("sep@bao.example", moderation.Admin, "bao")
	b := h.signedIn("sep@bao.example")
	a := b.get(outsidePage + "?site=bao")
	h.must(a.says("Hỏi bên ngoài", "Automattic", "Đang tắt", "Không gửi địa chỉ mạng", "Trước khi bật"))
	if blog := a.find(func(n *html.Node) bool { return attr(n, "name") == "blog" }); attr(blog, "value") != "https://bao.example" {
		t.Errorf("the site's address is %q", attr(blog, "value"))
	}

	const key, secret = "c0ffee123456", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	hidden := func(a answer) answer {
		t.Helper()
		if body := a.Body.String(); strings.Contains(body, key) || strings.Contains(body, secret) || strings.Contains(body, secret[6:]) {
			t.Errorf("a secret is shown: %s", body)
		}
		return a
	}
	akismet := url.Values{"site": {"bao"}, "service": {"akismet"}, "version": {"0"}, "do": {"save"}, "on": {"1"}, "feedback": {"1"}, "blog": {"https://bao.example"}, "key": {key}}
	hook := url.Values{"site": {"bao"}, "service": {"hook"}, "version": {"0"}, "do": {"save"}, "on": {"1"}, "url": {s.URL}, "limit": {"1,5"}, "secret": {secret}}
	with := func(form url.Values, pairs ...string) url.Values {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}

	a = hidden(b.post(outsidePage, with(akismet, "blog", "bao.example")))
	if a.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.Code)
	}
	h.must(a.says("Đây không phải địa chỉ"))
	a = hidden(b.post(outsidePage, with(hook, "limit", "9", "url", "http://10.0.0.1/")))
	if a.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.Code)
	}
	h.must(a.says("từ 0,2 đến 5", "Ở đây chỉ hỏi được qua https://"))

	h.must(hidden(b.follow(b.post(outsidePage, akismet))).says("Đã lưu", "Đang bật", "Khóa được đặt"))
	a = hidden(b.follow(b.post(outsidePage, hook)))
	h.must(a.says("Khóa bí mật được đặt"))
	if limit := a.find(func(n *html.Node) bool { return attr(n, "name") == "limit" }); attr(limit, "value") != "1,5" {
		t.Errorf("the limit is %q", attr(limit, "value"))
	}
	if a := b.post(outsidePage, hook); a.Code != http.StatusConflict {
		t.Errorf("at an old version: %d", a.Code)
	}
	a = hidden(b.post(outsidePage, url.Values{"site": {"bao"}, "service": {"hook"}, "do": {"try"}}))
	h.must(a.says("Có trả lời sau", "nên đọc kỹ", "Lý do: <b>tên lạ</b>"))
	h.must(hidden(b.get(outsidePage + "?site=bao")).says("Trả lời lần cuối"))
	s.Close()
	a = b.post(outsidePage, url.Values{"site": {"bao"}, "service": {"hook"}, "do": {"try"}})
	h.must(a.says("Thử không được: không có ai ở địa chỉ ấy"))
	h.must(b.get(outsidePage + "?site=bao").says("Trục trặc lần cuối"))
	h.must(b.get("/moderation/audit?site=bao&group=settings").says("đổi việc hỏi dịch vụ bên ngoài"))
	h.must(b.follow(b.post(outsidePage, with(akismet, "version", "1", "do", "remove", "key", ""))).says("Đã gỡ", "Khóa được niêm lại"))
	for _, bad := range []url.Values{with(akismet, "version", "2", "do", "x"), with(akismet, "version", "2", "service", "x"), with(akismet, "do", "try", "service", "")} {
		if a := b.post(outsidePage, bad); a.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, a.Code)
		}
	}
	b.lang = "en"
	h.must(b.get(outsidePage+"?site=bao").says("Services elsewhere", "Automattic Inc. in the United States"))
}

// TestServicesElsewhereAreManaged by who manages the site, from pages of the desk.
func TestServicesElsewhereAreManaged(t *testing.T) {
	h := screened(t)
	form := url.Values{"site": {"bao"}, "service": {"hook"}, "version": {"0"}, "do": {"save"}, "limit": {"2"}}
	for email, role := range map[string]moderation.Role{"an@bao.example": moderation.Editor, "binh@bao.example": moderation.Viewer} {
		h.person(email, role, "bao")
		b := h.signedIn(email)
		if a := b.get("/moderation/words?site=bao"); strings.Contains(a.Body.String(), outsidePage) {
			t.Errorf("%s is shown the way there", role)
		}
		for _, a := range []answer{b.get(outsidePage + "?site=bao"), b.post(outsidePage, form), b.post(outsidePage, url.Values{"site": {"bao"}, "service": {"hook"}, "do": {"try"}})} {
			if a.Code != http.StatusForbidden {
				t.Errorf("%s: %d", role, a.Code)
			}
		}
	}
	h.person("sep@bao.example", moderation.Admin, "bao")
	b := h.signedIn("sep@bao.example")
	if a := b.get("/moderation/words?site=bao"); !strings.Contains(a.Body.String(), outsidePage) {
		t.Error("who manages the site isn't shown the way")
	}
	if a := b.get(outsidePage + "?site=khac"); a.Code != http.StatusForbidden && a.Code != http.StatusNotFound {
		t.Errorf("another site: %d", a.Code)
	}
	r := httptest.NewRequest(http.MethodPost, outsidePage, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := b.do(r); a.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", a.Code)
	}
	if a := h.browser().get(outsidePage + "?site=bao"); a.Code == http.StatusOK {
		t.Errorf("signed out: %d", a.Code)
	}
	if a := b.post(outsidePage, form); a.Code != http.StatusSeeOther {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
