package main

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// newspaper is somebody else's site, on another origin than the service and under as strict
// a policy as there is, whose article carries the element.
type newspaper struct {
	origin string
}

const newspaperCSS = `body{margin:0 auto;max-width:720px;padding:0 16px;font:16px/1.5 sans-serif;background:#fff;color:#1b1d1c}
@media (prefers-color-scheme:dark){body{background:#1b1e1d;color:#e9ecea}a{color:#7fcdb4}}
footer{height:200px}`

// newNewspaper serves its articles, whose addresses' last part is their language, with the
// comments of service, which is asked for each time since it is started later.
func newNewspaper(t *testing.T, service func() string) *newspaper {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	n := &newspaper{origin: "http://localhost:" + port}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.serve(w, r, service())
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return n
}

func (n *newspaper) serve(w http.ResponseWriter, r *http.Request, o string) {
	h := w.Header()
	if r.URL.Path == "/style.css" {
		h.Set("Content-Type", "text/css")
		_, _ = w.Write([]byte(newspaperCSS))
		return
	}
	if r.URL.Path == "/favicon.ico" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src "+o+"; connect-src "+o+"; img-src "+o+
		" 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
	lang := filepath.Base(r.URL.Path)
	page := n.origin + r.URL.Path
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`+
		`<meta name="color-scheme" content="light dark"><title>Phố đi bộ ven sông</title><link rel="stylesheet" href="/style.css"><script async src="%s/embed.js"></script></head>`+
		`<body><main><h1>Phố đi bộ ven sông</h1><p>…</p><duyet-comments site="%s" page="%s" lang="%s"><a class="inner" href="%s/s/%s/thread?page=%s">Đọc bình luận</a></duyet-comments></main>`+
		`<footer>Chân trang</footer></body></html>`,
		lang, o, testSite, html.EscapeString(page), lang, o, testSite, url.QueryEscape(page))
}

// reader is a tab on an article with the element.
type reader struct {
	t   *testing.T
	tab context.Context

	mu      sync.Mutex
	console []string
}

func newReader(t *testing.T, browser context.Context) *reader {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	do(t, tab)
	r := &reader{t: t, tab: tab}
	messages := chromedp.Console(tab)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			r.mu.Lock()
			r.console = append(r.console, fmt.Sprintf("%s %s %s", m.Type, m.Text, m.URL))
			r.mu.Unlock()
		}
	}()
	r.do(chromedp.EmulateViewport(1280, 900))
	return r
}

func (r *reader) do(steps ...chromedp.Action[chromedp.Void]) {
	r.t.Helper()
	do(r.t, r.tab, steps...)
}

// inShadow lets an expression look into the element.
const inShadow = `var root = () => document.querySelector('duyet-comments').shadowRoot;
var $ = (s) => root() && root().querySelector(s);
var $$ = (s) => [...root().querySelectorAll(s)];
var seen = (s) => { const e = $(s); return !!e && e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden'; };
`

func eval[T any](r *reader, expression string) T {
	r.t.Helper()
	return get(r.t, r.tab, chromedp.Evaluate[T](inShadow+expression, chromedp.EvalAwaitPromise))
}

// wait waits for something to become true of the page. While the tab is between two pages, or
// a page still being read, the question may have no answer yet.
func (r *reader) wait(expression string) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithDeadline(r.tab, end)
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](inShadow+"!!("+expression+")"))
		cancel()
		if is && err == nil {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for %s (%v)\n%s\nconsole: %q", expression, err, r.text(".dy"), r.said())
		}
	}
}

// open goes to an article and its comments.
func (r *reader) open(article string) {
	r.t.Helper()
	r.do(chromedp.Navigate(article))
	r.ready()
}

func (r *reader) reload() {
	r.t.Helper()
	r.do(chromedp.Reload())
	r.ready()
}

func (r *reader) ready() {
	r.t.Helper()
	r.wait(`customElements.get('duyet-comments')`)
	eval[bool](r, `document.querySelector('duyet-comments').scrollIntoView(), true`)
	r.wait(`$('.dy-head')`)
	if eval[bool](r, `!!$('.dy-hold')`) { // it would push what is in view
		r.click(".dy-open")
	}
}

func (r *reader) click(selector string) {
	r.t.Helper()
	r.wait("seen(`" + selector + "`)")
	at := eval[[]float64](r, "(() => { const e = $(`"+selector+"`); e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
	r.do(chromedp.MouseClickXY(at[0], at[1]))
}

func (r *reader) fill(selector, text string) {
	r.t.Helper()
	r.click(selector)
	eval[bool](r, "$(`"+selector+"`).select(), true")
	r.do(chromedp.KeyEvent(text))
}

func (r *reader) text(selector string) string {
	r.t.Helper()
	return eval[string](r, "($(`"+selector+"`) || {textContent: ''}).textContent.trim().replace(/\\s+/g, ' ')")
}

func (r *reader) value(selector string) string {
	r.t.Helper()
	return eval[string](r, "$(`"+selector+"`).value")
}

func (r *reader) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.console)
}

// quiet fails when the console said anything since it was asked last, but for what is
// allowed.
func (r *reader) quiet(allowed ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.console {
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(m, a) }) {
			r.t.Errorf("console: %s", m)
		}
	}
	r.console = nil
}

// picture keeps a screenshot in the folder that EMBED_SHOTS names, for people to look at.
func (r *reader) picture(name string) {
	r.t.Helper()
	dir := os.Getenv("EMBED_SHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), get(r.t, r.tab, chromedp.FullScreenshot(100)), 0o600); err != nil {
		r.t.Error(err)
	}
}
