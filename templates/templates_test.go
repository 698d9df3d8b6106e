package templates

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

func newSet(t testing.TB) *Set {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLocaleWritesNumbersAndTimes(t *testing.T) {
	s := newSet(t)
	zone := time.FixedZone("+07", 7*3600)
	at := time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC)
	for _, c := range []struct{ lang, number, time, wait string }{
		{"vi", "12.408", "17:42, 21/11/2026", "2 phút"},
		{"en", "12,408", "21 November 2026, 17:42", "2 minutes"},
	} {
		l := s.Locale(c.lang, zone)
		if got := l.Number(12408); got != c.number {
			t.Errorf("%s number: %q", c.lang, got)
		}
		if got := l.Time(at); got != c.time {
			t.Errorf("%s time: %q", c.lang, got)
		}
		if got := l.Wait(61 * time.Second); got != c.wait {
			t.Errorf("%s wait: %q", c.lang, got)
		}
	}
	if got := s.Locale("en", nil).Wait(time.Second); got != "1 second" {
		t.Errorf("singular: %q", got)
	}
	for n, want := range map[int]string{0: "0 giờ", 1: "1 giờ", 2: "2 giờ"} {
		if got, err := s.Locale("vi", nil).N("wait.hours", n); got != want || err != nil {
			t.Errorf("%d hours: %q, %v", n, got, err)
		}
	}
	if got := s.Accepted("fr-FR, en-GB;q=0.8, vi;q=0.5"); got != "en" {
		t.Errorf("accepted: %q", got)
	}
	if got := s.Accepted("fr, de"); got != "" {
		t.Errorf("accepted none: %q", got)
	}
}

func TestHandlerAnswersErrorsAsPageOrProblem(t *testing.T) {
	s := newSet(t)
	h := s.Handler(func(http.ResponseWriter, *http.Request) error {
		return &comments.LimitedError{RetryAfter: 1500 * time.Millisecond}
	})
	for accept, want := range map[string]string{"text/html": "text/html; charset=utf-8", "application/json": "application/problem+json"} {
		r := httptest.NewRequest("GET", "/x?lang=en", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 429 || w.Header().Get("Content-Type") != want || w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: %d %v", accept, w.Code, w.Header())
		}
		if !strings.Contains(w.Body.String(), "2 seconds") {
			t.Errorf("%s: says nothing of the wait: %s", accept, w.Body)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	s := newSet(t)
	for _, lang := range Languages {
		l := s.Locale(lang, nil)
		for _, k := range statuses {
			for _, id := range []string{"problem." + k.code, "problem_help." + k.code} {
				if !l.Has(id) {
					t.Errorf("%s has no %s", lang, id)
				}
			}
		}
	}
	if Status(errors.New("x")) != 500 {
		t.Error("an unknown error is not a fault of ours")
	}
}

func TestTextMakesParagraphsAndLinks(t *testing.T) {
	for in, want := range map[string]string{
		"a":                     "<p>a</p>",
		"a\nb":                  "<p>a<br>\nb</p>",
		"a\n\n \n b":            "<p>a</p>\n<p>b</p>",
		"<b>&\"":                "<p>&lt;b&gt;&amp;&#34;</p>",
		"https://a.b/c.":        `<p><a href="https://a.b/c" rel="nofollow ugc noopener">https://a.b/c</a>.</p>`,
		"javascript:x":          "<p>javascript:x</p>",
		`http://a.b/"onclick=x`: `<p><a href="http://a.b/" rel="nofollow ugc noopener">http://a.b/</a>&#34;onclick=x</p>`,
	} {
		if got := string(Text(in)); got != want {
			t.Errorf("%q: %s, not %s", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\n\nb", "https://x.y/?a=1&b=<c>", "<script>", "http://\"'>", "\x00\xff", "https://ví.dụ/ạ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := string(Text(s))
		for _, tag := range []string{"<p>", "</p>", "<br>", "</a>"} {
			out = strings.ReplaceAll(out, tag, "")
		}
		for {
			i := strings.Index(out, `<a href="http`)
			if i < 0 {
				break
			}
			j := strings.Index(out[i:], `" rel="nofollow ugc noopener">`)
			if j < 0 || strings.ContainsAny(out[i+9:i+j], `"<>`) {
				t.Fatalf("a broken link in %q", out)
			}
			out = out[:i] + out[i+j+len(`" rel="nofollow ugc noopener">`):]
		}
		if strings.ContainsAny(out, "<>\"'") {
			t.Fatalf("%q lets %q through", s, out)
		}
	})
}
