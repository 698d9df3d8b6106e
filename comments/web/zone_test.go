package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// expect compares headers, given as names and values; a value of "-" means none.
func expect(t *testing.T, w *httptest.ResponseRecorder, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		got := strings.Join(w.Header().Values(pairs[i]), ", ")
		want := pairs[i+1]
		if want == "-" {
			want = ""
		}
		if got != want {
			t.Errorf("%s: %q, not %q", pairs[i], got, want)
		}
	}
}

func TestZoneOfPages(t *testing.T) {
	const own, site, evil = "http://comments.example", "https://news.example", "https://evil.example"
	for _, c := range []struct {
		name, base string
		headers    []string
		status     int
	}{
		{"our own form", "", []string{"Sec-Fetch-Site", "same-origin", "Origin", own}, 303},
		{"an old browser", "", []string{"Origin", own}, 303},
		{"no browser", "", nil, 303},
		{"the site's page may not post a form", "", []string{"Sec-Fetch-Site", "cross-site", "Origin", site}, 403},
		{"nor an old browser there", "", []string{"Origin", site}, 403},
		{"another page", "", []string{"Sec-Fetch-Site", "cross-site", "Origin", evil}, 403},
		{"a neighbour", "", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://other.example"}, 403},
		{"no origin to speak of", "", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403},
		{"own is the address we are told", "https://talk.example", []string{"Origin", "https://talk.example"}, 303},
		{"and not the Host", "https://talk.example", []string{"Origin", own}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, c.base)
			w := h.postForm(formPath, h.form(), c.headers...)
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			expect(t, w, "Access-Control-Allow-Origin", "-", "Access-Control-Allow-Credentials", "-")
			if c.status == 403 && h.tally.of("submission pending") != 0 {
				t.Error("it was let in")
			}
		})
	}
}

func TestPagesHeaders(t *testing.T) {
	h := newHouse(t, "", "origins=https://news.example,https://m.news.example")
	w := h.get(threadPath())
	expect(t, w, "Referrer-Policy", "strict-origin-when-cross-origin", "X-Content-Type-Options", "nosniff",
		"Content-Type", "text/html; charset=utf-8", "Cache-Control", "private, no-store", "X-Frame-Options", "-")
	policy := w.Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe-") || !strings.HasSuffix(policy, "frame-ancestors 'self' https://news.example https://m.news.example") {
		t.Errorf("policy %s", policy)
	}
	// An error's page may be framed by nobody but us, and has its style.
	w = h.get("/s/khongco/thread?page=a")
	if policy := w.Header().Get("Content-Security-Policy"); w.Code != 404 || !strings.Contains(policy, "style-src 'self'") || !strings.HasSuffix(policy, "frame-ancestors 'self'") {
		t.Errorf("%d %s", w.Code, policy)
	}
}

func TestZoneOfTheAPI(t *testing.T) {
	const site, evil = "https://news.example", "https://evil.example"
	for _, c := range []struct {
		name, base, origin, fetch string
		status                    int
		allow                     string
	}{
		{"no page", "", "", "", 201, "-"},
		{"the site's page", "", site, "cross-site", 201, site},
		{"our own page", "", "http://comments.example", "same-origin", 201, "http://comments.example"},
		{"our own page over TLS", "", "https://comments.example", "", 201, "https://comments.example"},
		{"another page", "", evil, "cross-site", 403, "-"},
		{"another page that lies", "", evil, "same-origin", 403, "-"},
		{"no origin to speak of", "", "null", "cross-site", 403, "-"},
		{"the site by another scheme", "", "http://news.example", "", 403, "-"},
		{"the site by another port", "", "https://news.example:8443", "", 403, "-"},
		{"the address we are told", "https://talk.example/c", "https://talk.example", "", 201, "https://talk.example"},
		{"not the Host then", "https://talk.example/c", "http://comments.example", "", 403, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, c.base)
			var headers []string
			if c.origin != "" {
				headers = append(headers, "Origin", c.origin)
			}
			if c.fetch != "" {
				headers = append(headers, "Sec-Fetch-Site", c.fetch)
			}
			w := h.postJSON(commentsPath, h.body(), headers...)
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			expect(t, w, "Access-Control-Allow-Origin", c.allow, "Vary", "Origin", "Access-Control-Allow-Credentials", "-", "Cache-Control", "no-store", "Set-Cookie", "-")
			if c.allow != "-" {
				expect(t, w, "Access-Control-Expose-Headers", "ETag, Retry-After")
			}
			if c.status == 403 {
				if p := problem(t, w); p.Code != "origin_not_allowed" {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	h := newHouse(t, "")
	ask := func(path, origin, method string) *httptest.ResponseRecorder {
		return h.do(request(http.MethodOptions, path, "", "Origin", origin, "Access-Control-Request-Method", method))
	}
	w := ask(commentsPath, "https://news.example", "POST")
	expect(t, w, "Access-Control-Allow-Origin", "https://news.example", "Access-Control-Allow-Headers", "Accept-Language, Content-Type", "Vary", "Origin")
	if w.Code != 204 || !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = ask(commentsPath, "https://evil.example", "POST")
	expect(t, w, "Access-Control-Allow-Origin", "-", "Access-Control-Allow-Methods", "-")
	if w.Code != 204 {
		t.Errorf("%d", w.Code)
	}
	for _, path := range []string{"/api/v1/sites/" + testSite + "/thread", "/captcha/x.png"} {
		if w = ask(path, "https://evil.example", "GET"); w.Code != 204 {
			t.Errorf("%s: %d", path, w.Code)
		}
		expect(t, w, "Access-Control-Allow-Origin", "*")
	}
	if w = ask("/api/v1/sites/khongco/comments", "https://news.example", "POST"); w.Code != 404 {
		t.Errorf("an unknown site: %d", w.Code)
	}
}

func TestPublicReadsAreEverybodys(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	api := "/api/v1/sites/" + testSite
	for _, path := range []string{
		api + "/thread?page=" + testPage, api + "/counts?page=" + testPage, api + "/latest",
		"/s/" + testSite + "/fragment?page=" + testPage, "/s/" + testSite + "/feed.atom", "/s/" + testSite + "/feed.json",
	} {
		for range 2 { // rendered, and from the cache
			w := h.get(path, "Origin", "https://evil.example", "Cookie", receiptsCookie+"=x")
			if w.Code != 200 {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
			expect(t, w, "Access-Control-Allow-Origin", "*", "Vary", "Accept-Encoding", "Cache-Control", "public, max-age=0, must-revalidate", "Set-Cookie", "-")
			etag := w.Header().Get("ETag")
			if !strings.HasPrefix(etag, `"`) {
				t.Errorf("%s: ETag %s", path, etag)
			}
			w = h.get(path, "If-None-Match", etag)
			if w.Code != 304 || w.Body.Len() != 0 {
				t.Errorf("%s: %d with its own ETag", path, w.Code)
			}
			expect(t, w, "ETag", etag, "Vary", "Accept-Encoding", "Content-Length", "-")
		}
		w := h.get(strings.Replace(path, testSite, "khongco", 1))
		if w.Code != 404 {
			t.Errorf("%s on an unknown site: %d", path, w.Code)
		}
		expect(t, w, "Access-Control-Allow-Origin", "*", "Cache-Control", "no-store")
	}
}

// TestOrderOfJudgement takes a request that is wrong in every way and mends one thing at a
// time, from the first judged to the last.
func TestOrderOfJudgement(t *testing.T) {
	h := newHouse(t, "", "rate_limit=on", "close_after=24h")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	spent := h.body()
	for range 5 { // use up what one network may post
		spent = h.body()
		if w := h.postJSON(commentsPath, spent); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	h.pass(25 * 3600e9) // closes the page and expires every ticket; the limits are as new
	expired := h.body()
	h.pass(31 * 60e9)
	long := strings.Repeat("x", jsonMost+1)
	wrongType := []string{"Content-Type", "text/plain", "Origin", "https://evil.example"}
	evil := wrongType[2:]

	steps := []struct {
		name, path, body string
		headers          []string
		status           int
		code             string
	}{
		{"site before origin", "/api/v1/sites/khongco/comments", long, wrongType, 404, "not_found"},
		{"origin before size", commentsPath, long, wrongType, 403, "origin_not_allowed"},
		{"size before type", commentsPath, long, wrongType[:2], 413, "too_large"},
		{"type before syntax", commentsPath, `{"name":`, wrongType[:2], 415, "unsupported_media_type"},
		{"syntax before all the rest", commentsPath, `{"name":"\ud800"}`, nil, 400, "malformed"},
	}
	for _, c := range steps {
		headers := append([]string{"Content-Type", "application/json"}, c.headers...)
		p := problem(t, h.do(request(http.MethodPost, c.path, c.body, headers...)))
		if p.Status != c.status || p.Code != c.code {
			t.Errorf("%s: %d %s", c.name, p.Status, p.Code)
		}
	}
	// A spent ticket: the same words, whatever the page's state or the ticket's age.
	if w := h.postJSON(commentsPath, spent, evil[:0]...); w.Code != 200 {
		t.Errorf("the same words on a closed page: %d %s", w.Code, w.Body)
	}
	spent["content"] = "lời khác"
	if p := problem(t, h.postJSON(commentsPath, spent)); p.Status != 422 || p.Errors[0].Code != "ticket_spent" {
		t.Errorf("other words: %+v", p)
	}
	// Closed before fields.
	expired["name"], expired["code"] = "", "x"
	if p := problem(t, h.postJSON(commentsPath, expired)); p.Status != 403 || p.Code != "page_closed" {
		t.Errorf("a closed page: %+v", p)
	}
	h.set("close_after=0s")
	// Fields before the ticket, the ticket before the code.
	if p := problem(t, h.postJSON(commentsPath, expired)); p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Location != "body.name" {
		t.Errorf("a field: %+v", p)
	}
	expired["name"] = "Hạnh"
	if p := problem(t, h.postJSON(commentsPath, expired)); p.Status != 422 || p.Errors[0].Code != "captcha_expired" {
		t.Errorf("the ticket: %+v", p)
	}
	fresh := h.body()
	fresh["code"] = "x"
	if p := problem(t, h.postJSON(commentsPath, fresh)); p.Status != 422 || p.Errors[0].Code != "captcha_wrong" || p.Errors[0].Location != "body.code" {
		t.Errorf("the code: %+v", p)
	}
	// Limits before the closed page.
	for range 5 {
		h.postJSON(commentsPath, h.body())
	}
	h.set("close_after=1h")
	w := h.postJSON(commentsPath, h.body())
	if p := problem(t, w); p.Status != 429 || p.Code != "limited" || w.Header().Get("Retry-After") == "" {
		t.Errorf("limits: %+v %v", p, w.Header())
	}
}

func TestOrderOfJudgementOfForms(t *testing.T) {
	h := newHouse(t, "")
	long := "content=" + strings.Repeat("x", formMost)
	evil := []string{"Origin", "https://evil.example", "Content-Type", "text/plain"}
	for _, c := range []struct {
		name, path, body string
		headers          []string
		status           int
	}{
		{"site before origin", "/s/khongco/comments", long, evil, 404},
		{"origin before size", formPath, long, evil, 403},
		{"size before type", formPath, long, evil[2:], 413},
		{"type before syntax", formPath, "content=%zz", evil[2:], 415},
		{"type again", formPath, "a", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		{"syntax", formPath, "content=%zz", nil, 400},
		{"not UTF-8", formPath, "content=%FF", nil, 400},
		{"not UTF-8 in a name", formPath, "%FF=a", nil, 400},
		{"another charset", formPath, "content=a", []string{"Content-Type", "application/x-www-form-urlencoded; charset=latin1"}, 415},
	} {
		headers := append([]string{"Content-Type", "application/x-www-form-urlencoded"}, c.headers...)
		w := h.do(request(http.MethodPost, c.path, c.body, headers...))
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Header().Get("Content-Type"))
		}
		r := request(http.MethodPost, c.path, c.body, append(headers, "Accept", "application/json")...)
		if p := problem(t, h.do(r)); p.Status != c.status {
			t.Errorf("%s as JSON: %+v", c.name, p)
		}
	}
}
