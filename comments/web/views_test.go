package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	viewsPath    = "/api/v1/sites/" + testSite + "/views"
	audiencePath = "/api/v1/sites/" + testSite + "/audience"
	phone        = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"
)

func (h *house) view(page string, headers ...string) int {
	h.t.Helper()
	return h.postJSON(viewsPath, map[string]string{"page": page}, append([]string{"User-Agent", phone}, headers...)...).Code
}

func TestViewsAndVisitors(t *testing.T) {
	h := newHouse(t, "")
	other := "https://news.example/khac"
	for range 3 {
		h.view(testPage)
	}
	h.view(testPage+"?utm_source=zalo#binh-luan", "User-Agent", phone+" 2")
	h.view(other)
	want := audienceBody{PageViews: 4, Online: 2, Today: 2, Week: 2, Total: 2}
	if got := read[audienceBody](h, audiencePath+"?page="+testPage); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if want.PageViews = 5; read[audienceBody](h, audiencePath) != want {
		t.Errorf("whole site: %+v", read[audienceBody](h, audiencePath))
	}
	if err := h.readers.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := read[viewsBody](h, viewsPath+"?page="+other+"&page=none&page="+testPage)
	if len(got.Views) != 3 || got.Views[0].Views != 1 || got.Views[1].Views != 0 || got.Views[2].Views != 4 {
		t.Errorf("%+v", got)
	}
	w := h.get(audiencePath)
	if cc := w.Header().Get("Cache-Control"); cc != "public, max-age=5" || w.Header().Get("Access-Control-Allow-Origin") != "*" || len(w.Result().Cookies()) > 0 {
		t.Errorf("headers %v", w.Header())
	}
	h.pass(6 * time.Minute)
	if got := read[audienceBody](h, audiencePath); got.Online != 0 || got.Today != 2 {
		t.Errorf("six minutes later: %+v", got)
	}
}

func TestWhoCountsAsAView(t *testing.T) {
	h := newHouse(t, "")
	for name, headers := range map[string][]string{
		"a crawler":  {"User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
		"a script":   {"User-Agent", "curl/8.9"},
		"a prefetch": {"Sec-Purpose", "prefetch;prerender"},
		"nobody":     {"User-Agent", ""},
	} {
		if code := h.view(testPage, headers...); code != http.StatusOK {
			t.Errorf("%s is answered %d", name, code)
		}
	}
	if got := read[audienceBody](h, audiencePath); got != (audienceBody{}) {
		t.Errorf("programs count: %+v", got)
	}
	if code := h.view(testPage, "Origin", "https://evil.example"); code != http.StatusForbidden {
		t.Errorf("another site's page: %d", code)
	}
	if code := h.view(testPage, "Origin", "https://news.example"); code != http.StatusOK {
		t.Errorf("the site's own page: %d", code)
	}
	if code := h.get(viewsPath + "?page=" + testPage).Code; code != http.StatusOK || read[audienceBody](h, audiencePath).PageViews != 1 {
		t.Error("a GET counts")
	}
}

func TestBadViews(t *testing.T) {
	h := newHouse(t, "")
	for body, want := range map[string]int{
		`{"page":"https://evil.example/"}`: 422,
		`{"page":""}`:                      422,
		`{"page":7}`:                       422,
		`{}`:                               422,
		`[]`:                               400,
		`{"page":"\ud800"}`:                400,
		"{\"page\":\"\xff\"}":              400,
	} {
		w := h.do(request(http.MethodPost, viewsPath, body, "Content-Type", "application/json", "User-Agent", phone))
		if w.Code != want {
			t.Errorf("%s: %d, not %d: %s", body, w.Code, want, w.Body)
		}
	}
	if w := h.do(request(http.MethodPost, viewsPath, "page=x", "Content-Type", "application/x-www-form-urlencoded")); w.Code != 415 {
		t.Errorf("a form: %d", w.Code)
	}
	if w := h.do(request(http.MethodPost, "/api/v1/sites/none/views", "{}", "Content-Type", "application/json")); w.Code != 404 {
		t.Errorf("an unknown site: %d", w.Code)
	}
	for _, path := range []string{
		audiencePath + "?page=https://evil.example/", audiencePath + "?page=", viewsPath,
		viewsPath + "?" + strings.Repeat("page=x&", 101),
	} {
		if code := h.get(path).Code; code != 400 {
			t.Errorf("%s: %d", path[:min(len(path), 80)], code)
		}
	}
	if got := read[audienceBody](h, audiencePath); got != (audienceBody{}) {
		t.Errorf("something was counted: %+v", got)
	}
}

func TestAFloodOfViewsIsToldToWait(t *testing.T) {
	h := newHouse(t, "", "rate_limit=on")
	refused := 0
	for range 3100 {
		w := h.postJSON(viewsPath, map[string]string{"page": testPage}, "User-Agent", phone)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			refused++
		}
	}
	if refused != 100 {
		t.Errorf("%d refused", refused)
	}
}
