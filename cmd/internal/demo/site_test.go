package demo

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"duyet/templates"
)

// newSite is the newspaper beside a service that answers with handler.
func newSite(t *testing.T, handler http.HandlerFunc) (*Site, *httptest.Server) {
	t.Helper()
	service := httptest.NewServer(handler)
	t.Cleanup(service.Close)
	set, err := templates.New(templates.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{
		Templates: set, Service: address, Origin: &url.URL{Scheme: "http", Host: "localhost:8081"},
		Client: service.Client(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}), service
}

func ask(s *Site, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// answers is the service.
func answers(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/fragment"):
		io.WriteString(w, `<section class="dy">thread of `+r.URL.Query().Get("page")+`</section>`)
	case strings.Contains(r.URL.Path, "/s/"):
		io.WriteString(w, `<section class="dy">`+path.Base(r.URL.Path)+` in `+r.URL.Query().Get("lang")+`</section>`)
	case strings.HasSuffix(r.URL.Path, "/counts"):
		io.WriteString(w, `{"counts":[`+strings.TrimSuffix(strings.Repeat(`{"count":7},`, len(r.URL.Query()["page"])), ",")+`]}`)
	case strings.HasSuffix(r.URL.Path, "/views"):
		io.WriteString(w, `{"views":[`+strings.TrimSuffix(strings.Repeat(`{"views":1234},`, len(r.URL.Query()["page"])), ",")+`]}`)
	default:
		http.NotFound(w, r)
	}
}

func TestEveryPage(t *testing.T) {
	s, service := newSite(t, answers)
	paths := []string{"/", "/en/"}
	for _, a := range s.articles {
		paths = append(paths, "/"+a.Slug)
	}
	for _, path := range paths {
		w := ask(s, path)
		body := strings.ReplaceAll(w.Body.String(), "/static/demo.", "/static/") // what is left of "demo." is a message that isn't there
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "trusted-types 'none'") || !strings.Contains(policy, "script-src "+service.URL+";") || !strings.Contains(policy, "frame-src "+service.URL+";") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for _, bad := range []string{"<esi:include", "<script>", " style=", "demo.", "ZgotmplZ"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
		if lang := w.Header().Get("Content-Language"); (lang == "en") != strings.HasPrefix(path, "/en/") || !strings.Contains(body, `<html lang="`+lang+`"`) {
			t.Errorf("%s is in %q", path, lang)
		}
	}
}

func TestAnArticleCarriesItsComments(t *testing.T) {
	s, service := newSite(t, answers)
	a := s.articles[0]
	body := ask(s, "/"+a.Slug).Body.String()
	for _, want := range []string{
		`<section class="dy">thread of ` + s.PageURL(a) + `</section>`,
		`<iframe class="host-form" src="` + service.URL + `/s/benthuong/thread?`,
		`<b>1.234</b>`, `7 bình luận`, `latest in vi`, `discussed in vi`, `visitors in vi`,
		`<duyet-comments page="` + s.PageURL(a) + `" site="benthuong"`, `src="` + service.URL + `/embed.js"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	included := ask(s, "/"+a.Slug+"?include").Body.String()
	if strings.Contains(included, "<script") || strings.Contains(included, "<duyet-comments") || !strings.Contains(included, "thread of "+s.PageURL(a)) {
		t.Errorf("without the elements: %s", included)
	}
}

func TestAnArticleStandsWithoutTheService(t *testing.T) {
	s, _ := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	for path, apology := range map[string]string{"/pho-di-bo-ven-song": "Lúc này chưa đọc được bình luận", "/en/tea-hill-class": "Comments can’t be read just now"} {
		if w := ask(s, path); w.Code != 200 || !strings.Contains(w.Body.String(), apology) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(s, "/nowhere"); w.Code != 404 {
		t.Errorf("nowhere is %d", w.Code)
	}
}

func TestSamplesFit(t *testing.T) {
	all := articles()
	seen := map[string]bool{}
	last := time.Duration(1<<63 - 1)
	for _, one := range samples() {
		a, ok := articleBySlug(all, one.slug)
		if !ok || one.ago > a.Age || one.ago > last {
			t.Errorf("%q is on no article, older than it, or out of order", one.title)
		}
		if one.parent != "" && !seen[one.parent] {
			t.Errorf("%q answers nothing", one.title)
		}
		seen[one.title], last = true, one.ago
	}
	for _, lang := range []string{"vi", "en"} {
		if !slices.ContainsFunc(all, func(a Article) bool { return a.Lang == lang }) {
			t.Errorf("no article in %s", lang)
		}
	}
}
