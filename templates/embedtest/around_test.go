package embedtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"duyet/templates"
)

// surroundings answers for what stands around an article, in the contract's shapes and with
// the real templates.
type surroundings struct {
	*service
	mu    sync.Mutex
	views map[string]int64
	asked []string
	away  bool
}

func newSurroundings(t *testing.T) *surroundings {
	s := &surroundings{service: newService(t), views: map[string]int64{article: 12407}}
	s.stop()
	inner := s.routes()
	mux := http.NewServeMux()
	mux.Handle("GET /around.js", s.tpl.Around())
	for _, kind := range []string{"latest", "discussed", "visitors"} {
		mux.HandleFunc("GET /s/ben/"+kind, func(w http.ResponseWriter, r *http.Request) { s.part(w, r, kind) })
	}
	mux.HandleFunc("POST /api/v1/sites/ben/views", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Page string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.views[in.Page]++
		n := s.views[in.Page]
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, map[string]int64{"page_views": n, "online": 37, "today": 4218, "week": 31507, "total": 8942116})
	})
	mux.HandleFunc("GET /api/v1/sites/ben/audience", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		writeJSON(w, http.StatusOK, map[string]int64{"page_views": s.views[r.FormValue("page")]})
	})
	for path, name := range map[string]string{"counts": "count", "views": "views"} {
		mux.HandleFunc("GET /api/v1/sites/ben/"+path, func(w http.ResponseWriter, r *http.Request) {
			var list []map[string]any
			for i, page := range r.URL.Query()["page"] {
				list = append(list, map[string]any{"page": page, name: 1234 * i})
			}
			writeJSON(w, http.StatusOK, map[string]any{path: list})
		})
	}
	mux.Handle("/", inner)
	s.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		away := s.away
		s.mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		switch {
		case away && !strings.HasPrefix(r.URL.Path, "/static/") && !strings.HasSuffix(r.URL.Path, ".js"):
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		default:
			mux.ServeHTTP(w, r)
		}
	})}
	ln := listenAt(t, s.addr)
	go func(srv *http.Server) { _ = srv.Serve(ln) }(s.server)
	return s
}

func (s *surroundings) part(w http.ResponseWriter, r *http.Request, kind string) {
	lang := r.FormValue("lang")
	if !templates.Known(lang) {
		lang = "vi"
	}
	l := s.tpl.Locale(lang, time.UTC)
	at := time.Now().Add(-4 * time.Minute)
	one := map[string]any{
		"URL": article + "#bl-1", "Title": "Đường tránh thông rồi mà biển báo vẫn che kín", "Name": "Hoàng Gia Huy", "Lang": "vi",
		"ISO": l.ISO(at), "Time": l.Time(at), "Page": "Thông xe đường tránh phía đông", "Count": int64(1034),
	}
	data := map[string]any{
		"Heading": r.FormValue("heading") != "off", "Comments": []any{one, one}, "Pages": []any{one},
		"Online": 37, "Today": 4218, "Week": 31507, "Total": 8942116,
	}
	body, err := s.tpl.Execute("reader/around", kind, templates.View{L: l, D: data})
	if err != nil {
		s.t.Error(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

func (s *surroundings) times(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a == what {
			n++
		}
	}
	return n
}

// aroundCSS reserves room as the README says.
const aroundCSS = plainCSS + `
duyet-visitors{display:block;min-height:15rem} duyet-latest,duyet-discussed{display:block;min-height:18rem}
duyet-views{display:inline-block;min-width:9em} [data-duyet-count],[data-duyet-views]{display:inline-block;min-width:9em}
aside{max-width:22rem}`

func front(s *surroundings, lang string) string {
	o := s.origin()
	return `<div lang="` + lang + `" data-duyet-site="ben"><main><h1>Bến Thượng</h1><p><duyet-views page="` + article + `">Lượt xem …</duyet-views></p><ul>` +
		`<li><a href="#a">A</a> <span data-duyet-count="a">Bình luận</span></li>` +
		`<li><a href="#b">B</a> <span data-duyet-count="b">Bình luận</span> <span data-duyet-views="b" data-duyet-form="number">…</span></li></ul></main>` +
		`<aside aria-label="Quanh bài"><duyet-latest limit="2"><a href="` + o + `/s/ben/latest">Bình luận mới nhất</a></duyet-latest>` +
		`<duyet-discussed>…</duyet-discussed><duyet-visitors>…</duyet-visitors></aside></div>`
}

// inside is the text of an element's shadow, or its own.
const inside = `(s) => { const e = document.querySelector(s); const r = e.shadowRoot; return (r ? (r.querySelector('.dy') || {textContent: ''}) : e).textContent.replace(/\s+/g, ' ').trim(); }`

func (b *browser) says(selector, want string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("(%s)(%q) === %q || (%s)(%q).startsWith(%q)", inside, selector, want, inside, selector, want))
}

func newFront(t *testing.T) (*surroundings, *host) {
	s := newSurroundings(t)
	h := newHost(t, s.service, aroundCSS, map[string]string{"/vi": front(s, "vi"), "/en": front(s, "en")})
	h.script = `<script async src="` + s.origin() + `/around.js"></script>`
	return s, h
}

func TestAroundTheArticleUnderTheStrictestPolicy(t *testing.T) {
	s, h := newFront(t)
	b := newBrowser(t)
	b.open(h.origin + "/vi")
	b.says("duyet-views", "Lượt xem 12.408")
	b.says("[data-duyet-count=b]", "1.234 bình luận")
	b.says("[data-duyet-count=a]", "0 bình luận")
	b.says("[data-duyet-views]", "0")
	b.says("duyet-visitors", "Lượt truy cập Đang online37 Hôm nay4.218 Trong tuần31.507 Tất cả8.942.116")
	b.says("duyet-latest", "Bình luận mới nhất Đường tránh thông rồi mà biển báo vẫn che kín Hoàng Gia Huy, 4 phút trước, trong Thông xe")
	b.says("duyet-discussed", "Được bình luận nhiều Đường tránh thông rồi mà biển báo vẫn che kín 1.034 bình luận")
	if n := s.times("GET /api/v1/sites/ben/counts"); n != 1 {
		t.Errorf("%d requests for the counts of a list", n)
	}
	if got := eval[shifted](b, shifts); got.Sum != 0 {
		t.Errorf("a shift of %v: %q", got.Sum, got.What)
	}
	if got := eval[string](b, `document.cookie + performance.getEntriesByType('resource').map(e => new URL(e.name).hostname).filter(h => h !== 'localhost' && h !== '127.0.0.1').join()`); got != "" {
		t.Errorf("a cookie or a third party: %s", got)
	}
	b.picture("around-1280")
	b.size(320, 900)
	if w := eval[int](b, `document.documentElement.scrollWidth`); w > 320 {
		t.Errorf("%d px wide on a phone", w)
	}
	b.picture("around-320")
	b.size(1280, 800)
	b.media("dark")
	b.picture("around-dark")
	b.quiet()

	// An app that changes its page counts the new one once, and lists that come later too.
	eval[bool](b, `(() => { const v = document.querySelector('duyet-views'); v.setAttribute('page', 'other'); v.remove(); document.querySelector('h1').after(v);
		const c = document.createElement('span'); c.dataset.duyetCount = 'later'; document.querySelector('ul').append(c); return true; })()`)
	b.says("duyet-views", "Lượt xem 1")
	b.says("[data-duyet-count=later]", "0 bình luận")
	eval[bool](b, `document.querySelector('duyet-views').setAttribute('page', '`+article+`'), true`)
	b.says("duyet-views", "Lượt xem 12.408") // read again, not counted again
	if n := s.times("POST /api/v1/sites/ben/views"); n != 2 {
		t.Errorf("%d views counted", n)
	}
	b.quiet()
}

func TestAroundTheArticleInEnglish(t *testing.T) {
	_, h := newFront(t)
	b := newBrowser(t)
	b.open(h.origin + "/en")
	b.says("duyet-views", "Views 12,408")
	b.says("[data-duyet-count=b]", "1,234 comments")
	b.says("duyet-visitors", "Visitors Online now37 Today4,218")
	b.says("duyet-latest", "Latest comments")
	b.says("duyet-discussed", "Most discussed")
	b.quiet()
}

func TestAroundTheArticleAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "..", "cmd", "duyet", "testdata", "axe-4.14.1.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	_, h := newFront(t)
	h.css += "@media(prefers-color-scheme:dark){body{background:#1b1e1d;color:#eee}a{color:#9cf}}"
	b := newBrowser(t)
	for path, latest := range map[string]string{"/vi": "Bình luận mới nhất", "/en": "Latest comments"} {
		for _, scheme := range []string{"light", "dark"} {
			b.media(scheme)
			b.open(h.origin + path)
			b.says("duyet-latest", latest)
			b.says("duyet-visitors", map[string]string{"/vi": "Lượt truy cập", "/en": "Visitors"}[path])
			eval[bool](b, string(axe)+";true")
			found := eval[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + v.help + '\n' + n.html + '\n' + n.failureSummary)))`)
			for _, f := range found {
				t.Errorf("%s, %s: %s", path, scheme, f)
			}
		}
	}
}

// With the service away, what the page holds stays.
func TestAroundTheArticleWithoutTheService(t *testing.T) {
	s, h := newFront(t)
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	b := newBrowser(t)
	b.open(h.origin + "/vi")
	b.wait(`customElements.get('duyet-latest')`)
	eventually(t, "all to be asked for", func() bool {
		return s.times("GET /s/ben/latest") > 0 && s.times("GET /s/ben/visitors") > 0 && s.times("GET /api/v1/sites/ben/audience") > 0
	})
	if got := eval[string](b, `document.querySelector('[data-duyet-count=a]').textContent`); got != "Bình luận" {
		t.Errorf("the count says %q", got)
	}
	if !eval[bool](b, `document.querySelector('duyet-latest a').getClientRects().length > 0`) {
		t.Error("the link inside doesn't show")
	}
	b.quiet("Failed to load resource", "CORS policy")
}
