package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

// Who asks, in the order of the columns of the tables below.
var visitors = [...]string{"nobody", "viewer", "editor", "admin", "other"}

func (h *house) people() {
	h.person("viewer@bao.example", moderation.Viewer, "bao")
	h.person("editor@bao.example", moderation.Editor, "bao")
	h.person("admin@bao.example", moderation.Admin)
	h.person("other@bao.example", moderation.Editor, "khac")
}

func TestPagesByRole(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.people()
	c := h.comment("bao", nil)
	id := url.PathEscape(string(c.ID))
	const in = http.StatusSeeOther // to sign in
	for _, page := range []struct {
		method, path string
		want         [len(visitors)]int
	}{
		{"GET", "/moderation", [...]int{303, 303, 303, 303, 303}},
		{"GET", "/moderation/", [...]int{in, 200, 200, 200, 200}},
		{"HEAD", "/moderation/", [...]int{in, 200, 200, 200, 200}},
		{"GET", "/moderation/?site=bao", [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/?site=khongco", [...]int{in, 403, 403, 403, 403}},
		{"GET", "/moderation/?site=bao&queue=odd", [...]int{in, 400, 400, 400, 400}},
		{"GET", "/moderation/?site=bao&order=odd", [...]int{in, 400, 400, 400, 400}},
		{"GET", "/moderation/?site=bao&after=odd", [...]int{in, 400, 400, 400, 403}},
		{"GET", "/moderation/?site=bao&comment=" + id, [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/?site=khac&comment=" + id, [...]int{in, 403, 403, 404, 404}},
		{"GET", "/moderation/?site=bao&queue=suspect", [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/?site=bao&queue=trashed&order=oldest", [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/comments/" + id, [...]int{in, 200, 200, 200, 404}},
		{"GET", "/moderation/comments/" + id + "/answer", [...]int{in, 403, 200, 200, 404}},
		{"GET", "/moderation/comments/" + id + "/edit", [...]int{in, 403, 200, 200, 404}},
		{"GET", "/moderation/comments/" + id + "/note", [...]int{in, 403, 200, 200, 404}},
		{"GET", "/moderation/comments/" + id + "/thread", [...]int{in, 200, 200, 200, 404}},
		{"GET", "/moderation/comments/" + id + "/author", [...]int{in, 404, 404, 404, 404}},
		{"GET", "/moderation/comments/" + id + "/mask", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/comments/" + id + "/pick", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/comments/nope", [...]int{in, 404, 404, 404, 404}},
		{"GET", "/moderation/audit?site=bao", [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/audit.csv?site=bao", [...]int{in, 200, 200, 200, 403}},
		{"GET", "/moderation/audit.jsonl?site=*", [...]int{in, 403, 403, 200, 403}},
		{"GET", "/moderation/audit/verify", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/audit?site=*", [...]int{in, 403, 403, 200, 403}},
		{"GET", "/moderation/audit?site=bao&before=x", [...]int{in, 400, 400, 400, 400}},
		{"GET", "/moderation/login", [...]int{200, 303, 303, 303, 303}},
		{"GET", "/moderation/link?token=x", [...]int{410, 410, 410, 410, 410}},
		{"GET", "/moderation/account", [...]int{in, 200, 200, 200, 200}},
		{"GET", "/moderation/account/qr.png?offer=x", [...]int{in, 410, 410, 410, 410}},
		{"GET", "/moderation/people", [...]int{in, 403, 403, 200, 403}},
		{"GET", "/moderation/people/m-nobody", [...]int{in, 403, 403, 404, 403}},
		{"GET", "/moderation/login/code", [...]int{in, in, in, in, in}},
		{"GET", "/moderation/login/passkey", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/settings?site=bao", [...]int{in, 403, 403, 200, 403}},
		{"GET", "/moderation/settings/reasons?site=bao", [...]int{in, 403, 403, 200, 403}},
		{"GET", "/moderation/settings/page", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/nope", [...]int{404, 404, 404, 404, 404}},
		{"GET", "/moderation/decisions", [...]int{405, 405, 405, 405, 405}},
		{"GET", "/moderation/logout", [...]int{405, 405, 405, 405, 405}},
		{"POST", "/moderation/", [...]int{405, 405, 405, 405, 405}},
	} {
		for i, who := range visitors {
			b := h.browser()
			if who != "nobody" {
				b = h.signedIn(who + "@bao.example")
			}
			a := b.do(sameOrigin(httptest.NewRequest(page.method, page.path, nil)))
			if a.Code != page.want[i] {
				t.Errorf("%s %s by %s: %d, not %d", page.method, page.path, who, a.Code, page.want[i])
			}
			checkHeaders(t, page.path, a.Header())
		}
	}
}

func sameOrigin(r *http.Request) *http.Request {
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func checkHeaders(t *testing.T, path string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %s is %q", path, name, h.Get(name))
		}
	}
	csp := h.Get("Content-Security-Policy")
	if strings.HasPrefix(path, "/moderation") && (!strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe")) {
		t.Errorf("%s: policy %q", path, csp)
	}
}

func TestDecisionsByRole(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.people()
	for i, want := range [...]int{303, 403, 303, 303, 404} {
		who := visitors[i]
		c := h.comment("bao", nil)
		b := h.browser()
		if who != "nobody" {
			b = h.signedIn(who + "@bao.example")
		}
		a := b.post("/moderation/decisions", url.Values{
			"site": {"bao"}, "action": {"approve"}, "pick": {fmt.Sprintf("1 %s", c.ID)},
		})
		if a.Code != want {
			t.Errorf("%s: %d, not %d: %s", who, a.Code, want, a.Body)
		}
		decided := who == "editor" || who == "admin"
		if status := h.stands(c.ID).Status; (status == comments.Approved) != decided {
			t.Errorf("%s left it %s", who, status)
		}
		if who == "nobody" || who == "other" {
			continue
		}
		h.comment("bao", nil)
		if page := b.get("/moderation/?site=bao").Body.String(); strings.Contains(page, `name="action"`) != decided ||
			strings.Contains(page, `name="pick"`) != decided {
			t.Errorf("%s sees buttons or boxes: %t", who, !decided)
		}
	}
}

func TestAPIByRole(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.people()
	c := h.comment("bao", nil)
	tokens := map[string]string{}
	for _, who := range visitors[1:] {
		tokens[who] = h.token(who + "@bao.example")
	}
	one := fmt.Sprintf(`{"decisions":[{"id":%q,"action":"undo"}]}`, c.ID)
	for _, op := range []struct {
		method, path, body string
		want               [len(visitors)]int
	}{
		{"GET", "/queue?site=bao", "", [...]int{401, 200, 200, 200, 403}},
		{"GET", "/queue?site=khongco", "", [...]int{401, 403, 403, 403, 403}},
		{"GET", "/queue", "", [...]int{401, 400, 400, 400, 400}},
		{"GET", "/comments/" + string(c.ID), "", [...]int{401, 200, 200, 200, 404}},
		{"GET", "/comments/nope", "", [...]int{401, 404, 404, 404, 404}},
		{"GET", "/events?site=bao", "", [...]int{401, 200, 200, 200, 403}},
		{"GET", "/events?site=*", "", [...]int{401, 403, 403, 200, 403}},
		{"POST", "/decisions", one, [...]int{401, 403, 200, 200, 200}},
		{"POST", "/pages", `{"site":"bao","action":"rename","page":"none","to":"x"}`, [...]int{401, 403, 403, 404, 403}},
		{"POST", "/pages", `{"site":"bao","action":"title","page":"none","title":"x"}`, [...]int{401, 403, 404, 404, 403}},
		{"POST", "/pages", `{"site":"bao","action":"odd"}`, [...]int{401, 422, 422, 422, 422}},
		{"GET", "/nope", "", [...]int{401, 404, 404, 404, 404}},
		{"DELETE", "/queue?site=bao", "", [...]int{401, 405, 405, 405, 405}},
	} {
		for i, who := range visitors {
			w := h.call(op.method, "/api/v1/moderation"+op.path, tokens[who], op.body)
			if w.Code != op.want[i] {
				t.Errorf("%s %s by %s: %d, not %d: %s", op.method, op.path, who, w.Code, op.want[i], w.Body)
			}
			if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s: 401 says nothing of Bearer", op.method, op.path)
			}
			checkHeaders(t, "/api"+op.path, w.Header())
		}
	}
	for _, header := range []string{"Bearer", "Bearer nope", "Basic " + tokens["admin"], tokens["admin"], "Bearer " + tokens["admin"] + "x"} {
		r := httptest.NewRequest("GET", "/api/v1/moderation/queue?site=bao", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		if h.door.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("Authorization %q: %d", header, w.Code)
		}
	}
	// A session is no key to the API.
	r := httptest.NewRequest("GET", "/api/v1/moderation/queue?site=bao", nil)
	if a := h.signedIn("admin@bao.example").do(r); a.Code != http.StatusUnauthorized {
		t.Errorf("a cookie opened the API: %d", a.Code)
	}
}

// Nothing that changes anything is taken from another site's page.
func TestOtherSitesPagesAreRefused(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("an@bao.example", moderation.Owner)
	c := h.comment("bao", nil)
	b := h.signedIn("an@bao.example")
	link, err := h.svc.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	forms := map[string]url.Values{
		"/moderation/decisions": {"site": {"bao"}, "action": {"approve"}, "pick": {"1 " + string(c.ID)}},
		"/moderation/login":     {"email": {"an@bao.example"}, "password": {"x"}},
		"/moderation/link":      {"token": {link}},
		"/moderation/logout":    {},
	}
	for path, form := range forms {
		for _, from := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
			{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://example.com.evil.example"},
			{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
		} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range from {
				r.Header.Set(name, value)
			}
			if a := b.do(r); a.Code != http.StatusForbidden {
				t.Errorf("%s from %v: %d", path, from, a.Code)
			} else if err := a.says("Yêu cầu này đến từ trang khác"); err != nil {
				t.Error(err)
			}
		}
	}
	if h.stands(c.ID).Version != 1 || b.get("/moderation/").Code != http.StatusOK {
		t.Error("a refused request changed something")
	}
	if _, _, err := h.svc.LinkStands(t.Context(), link); err != nil {
		t.Errorf("a refused request spent a link: %v", err)
	}
	// From the desk's own pages each of them is taken.
	if a := b.post("/moderation/decisions", forms["/moderation/decisions"]); a.Code != http.StatusSeeOther {
		t.Errorf("its own form: %d %s", a.Code, a.Body)
	}
}

// Behind a proxy that asks for another host, own is what the base URL says.
func TestOwnOriginIsTheBaseURL(t *testing.T) {
	h := newHouse(t, "https://news.example/comments/", "bao")
	h.person("an@bao.example", moderation.Owner)
	for origin, want := range map[string]int{
		"https://news.example": http.StatusSeeOther, "http://10.0.0.5:8080": http.StatusForbidden, "https://evil.example": http.StatusForbidden,
	} {
		link, err := h.svc.NewLink(t.Context(), "an@bao.example")
		h.must(err)
		r := httptest.NewRequest(http.MethodPost, "/moderation/link", strings.NewReader(url.Values{"token": {link}}.Encode()))
		r.Host = "10.0.0.5:8080"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		a := h.browser().do(r)
		if a.Code != want {
			t.Errorf("from %s: %d", origin, a.Code)
		}
		if want != http.StatusSeeOther {
			continue
		}
		cookie := a.Result().Cookies()[0]
		if cookie.Path != "/comments/moderation" || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie: %s", cookie)
		}
		if to := a.Header().Get("Location"); to != "/comments/moderation/" {
			t.Errorf("sent on to %s", to)
		}
	}
}
