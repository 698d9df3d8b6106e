package embedtest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const chromium = "/usr/bin/chromium"

// one is a browser that all tests share; each has a tab, and storage, of its own.
var one struct {
	sync.Once
	ctx context.Context
	end func()
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if one.end != nil {
		one.end()
	}
	os.Exit(code)
}

// browser is a tab.
type browser struct {
	t   *testing.T
	tab context.Context

	mu      sync.Mutex
	console []string
}

// launch starts a browser with a profile of its own.
func launch(parent context.Context, profile string, flags ...chromedp.ExecAllocatorOption) (context.Context, func(), error) {
	if _, err := os.Stat(chromium); err != nil {
		return nil, nil, fmt.Errorf("no Chromium: apt-get install chromium: %w", err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true))
	alloc, cancelAlloc := chromedp.NewExecAllocator(parent, append(opts, flags...)...)
	ctx, cancel := chromedp.NewContext(alloc)
	end := func() { cancel(); cancelAlloc() }
	if err := chromedp.Do(ctx); err != nil { // the first call owns the tab: it has no limit
		end()
		return nil, nil, err
	}
	return ctx, end, nil
}

func shared(t *testing.T) context.Context {
	t.Helper()
	one.Do(func() {
		var profile string
		if profile, one.err = os.MkdirTemp("", "duyet-embed-"); one.err != nil {
			return
		}
		var end func()
		one.ctx, end, one.err = launch(context.Background(), profile)
		one.end = func() {
			if end != nil {
				end()
			}
			_ = os.RemoveAll(profile)
		}
	})
	if one.err != nil {
		t.Fatal(one.err)
	}
	return one.ctx
}

func newBrowser(t *testing.T, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	if len(flags) > 0 {
		tab, end, err := launch(t.Context(), t.TempDir(), flags...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(end)
		return newTab(t, tab)
	}
	tab, cancel := chromedp.NewContext(shared(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	return newTab(t, tab)
}

func newTab(t *testing.T, tab context.Context) *browser {
	t.Helper()
	b := &browser{t: t, tab: tab}
	if err := chromedp.Do(tab); err != nil { // the first call owns the tab: it has no limit
		t.Fatal(err)
	}
	messages := chromedp.Console(tab)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.console = append(b.console, fmt.Sprintf("%s %s %s", m.Type, m.Text, m.URL))
			b.mu.Unlock()
		}
	}()
	b.size(1280, 800)
	return b
}

// with is the same tab in a test within the test.
func (b *browser) with(t *testing.T) *browser {
	b.t = t
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// helpers find elements in the (first, or nth) element's shadow and tell where they are.
const helpers = `var root = (n = 0) => document.querySelectorAll('duyet-comments')[n].shadowRoot;
var $ = (s, n) => root(n) && root(n).querySelector(s);
var $$ = (s, n) => [...root(n).querySelectorAll(s)];
var seen = (s, n) => { const e = $(s, n); return !!e && e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden'; };
`

// eval is the value of an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](helpers+expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !eval[bool](b, "!!("+expression+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s\npage: %s\nconsole: %s", expression,
				eval[string](b, `[...document.querySelectorAll('duyet-comments')].map(e => e.shadowRoot ? e.shadowRoot.textContent.trim() : 'no shadow').join('\n---\n').slice(0, 600)`), b.messages())
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// ready waits for the thread, which it scrolls to.
func (b *browser) ready() {
	b.t.Helper()
	b.wait(`customElements.get('duyet-comments')`)
	eval[bool](b, `document.querySelector('duyet-comments').scrollIntoView(), true`)
	b.wait(`$('.dy-head')`)
}

// click presses the mouse on an element of the shadow, wherever it is.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.wait("seen(`" + selector + "`)")
	at := eval[[]float64](b, "(() => { const e = $(`"+selector+"`); e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// keys types into whatever has the focus; text in a field is replaced.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.click(selector)
	eval[bool](b, "$(`"+selector+"`).select(), true")
	b.do(chromedp.KeyEvent(text))
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	return eval[string](b, "($(`"+selector+"`) || {textContent: ''}).textContent.trim()")
}

func (b *browser) value(selector string) string {
	b.t.Helper()
	return eval[string](b, "$(`"+selector+"`).value")
}

func (b *browser) messages() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console)
}

// quiet fails when the console said anything since it was asked last, but for what is
// allowed.
func (b *browser) quiet(allowed ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.console {
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(m, a) }) {
			b.t.Errorf("console: %s", m)
		}
	}
	b.console = nil
}

func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// media makes the tab light or dark.
func (b *browser) media(scheme string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := cdp.Call(ctx, tg, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// before runs a script in every page before its own.
func (b *browser) before(script string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := cdp.Call(ctx, tg, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// picture keeps a screenshot in the folder that EMBED_SHOTS names, for people to look at.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("EMBED_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", shot, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
