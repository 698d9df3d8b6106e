package embedtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestItLoadsUnderTheStrictestPolicy(t *testing.T) {
	_, h := oneThread(t, 5)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.wait(`$$('.dy-thread .dy-c').length === 5`)
	if got := eval[string](b, `getComputedStyle($('.dy-title')).fontFamily`); !strings.Contains(got, "serif") {
		t.Errorf("no styles: %s", got)
	}
	if got := b.text(".dy-c time"); got != "3 giờ trước" {
		t.Errorf("time: %q", got)
	}
	if got := eval[string](b, `document.cookie + performance.getEntriesByType('resource').map(e => new URL(e.name).hostname).filter(h => h !== 'localhost' && h !== '127.0.0.1').join()`); got != "" {
		t.Errorf("a cookie or a third party: %s", got)
	}
	if got := eval[bool](b, `$$('.dy-c').every(c => c.part.contains('comment'))`); !got {
		t.Error("comments are no part")
	}
	if seen := eval[bool](b, `document.querySelector('.inner').getClientRects().length > 0`); seen {
		t.Error("the inner link shows beside the thread")
	}
	b.picture("thread-1280")
	b.media("dark")
	b.picture("thread-1280-dark")
	b.quiet()
}

func TestItLoadsByItsIntegrity(t *testing.T) {
	s, h := oneThread(t, 5)
	url, integrity := s.tpl.EmbedScript()
	h.script = `<script type="module" src="` + s.origin() + url + `" integrity="` + integrity + `" crossorigin></script>`
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.wait(`$$('.dy-thread .dy-c').length === 5`)
	b.quiet()
}

func TestNarrowPhones(t *testing.T) {
	s, h := oneThread(t, 3)
	s.add(article, letter{Name: strings.Repeat("Nguyễn", 13), Title: strings.Repeat("W", 200), Content: "https://ben.example/" + strings.Repeat("a", 300)})
	b := newBrowser(t)
	b.size(320, 640)
	b.open(h.origin + "/")
	b.ready()
	b.fill("#ten", "Hà")
	b.wait(`$('.dy-code-img img')`)
	if got := eval[[]int](b, `[document.documentElement.scrollWidth, ...$$('*').filter(e => !e.closest('.dy-out,.dy-trap,svg') && e.getBoundingClientRect().right > 320.5).map(e => e.getBoundingClientRect().right)]`); len(got) != 1 || got[0] > 320 {
		t.Errorf("wider than the screen: %v", got)
	}
	b.picture("thread-320")
	b.quiet()
}

func TestOrderAndMore(t *testing.T) {
	_, h := oneThread(t, 120)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.click(".dy-more a")
	b.wait(`$$('.dy-thread .dy-c').length === 100`)
	if got := b.text(".dy-more span"); got != "Đang hiện 100 trong 120 bình luận" {
		t.Errorf("%q", got)
	}
	if got := eval[string](b, `root().activeElement.querySelector('.dy-title').textContent`); got != "Thư số 51" {
		t.Errorf("the focus is on %q", got)
	}
	b.click(".dy-more a")
	b.wait(`$$('.dy-thread .dy-c').length === 120 && !$('.dy-more')`)
	b.click(`.dy-sort a[href*="newest"]`)
	b.wait(`$('.dy-title').textContent === 'Thư số 120' && $('.dy-sort [aria-current]').href.includes('newest')`)
	b.click(".dy-more a")
	b.wait(`$$('.dy-thread .dy-c').length === 100 && $$('.dy-title')[99].textContent === 'Thư số 21'`)
	b.quiet()
}

func TestPermalinks(t *testing.T) {
	s, h := oneThread(t, 30)
	s.mu.Lock()
	id := "bl-" + strings.TrimPrefix(s.threads[article][19].ID, "ben~")
	s.mu.Unlock()
	b := newBrowser(t)
	b.open(h.origin + "/#" + id)
	b.wait(`$('.is-target')`)
	b.wait(`$('.is-target').id === '` + id + `' && Math.abs($('.is-target').getBoundingClientRect().top) < 100`)
	b.click(".dy-c time")
	b.wait(`$('.is-target').querySelector('.dy-title').textContent === 'Thư số 1'`)
	b.quiet()
}

func TestNewCommentsGatherLive(t *testing.T) {
	s, h := oneThread(t, 3)
	s.streams = true
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	eventually(t, "a listener", func() bool { return s.hub.Listeners() == 1 })
	top := eval[float64](b, `$('.dy-c').getBoundingClientRect().top`)
	s.add(article, letters(1)...)
	b.wait(`seen('.dy-new')`)
	if now := eval[float64](b, `$('.dy-c').getBoundingClientRect().top`); now != top {
		t.Errorf("the thread moved by %v", now-top)
	}
	b.picture("new")
	s.add(article, letter{Name: "Mới", Title: "Thư mới nhất", Content: "…"})
	b.click(".dy-new")
	b.wait(`$$('.dy-thread .dy-c').length === 5 && !$('.dy-new')`)
	if got := eval[string](b, `root().activeElement.querySelector('.dy-title').textContent`); got != "Thư số 1" { // the first of the new ones
		t.Errorf("the focus is on %q", got)
	}
	eval[bool](b, `document.querySelector('duyet-comments').remove(), true`)
	eventually(t, "the stream's end", func() bool { return s.hub.Listeners() == 0 })
	b.quiet()
}

func TestNewCommentsArePolledForWithoutAStream(t *testing.T) {
	for name, refuse := range map[string]bool{"no stream": false, "no room": true} {
		t.Run(name, func(t *testing.T) {
			s, h := oneThread(t, 3)
			s.streams = refuse
			if refuse {
				s.hub.Close()
			}
			b := newBrowser(t)
			b.before(`{ const later = setTimeout, every = setInterval, now = Date.now; let ahead = 0;
				window.setTimeout = (f, ms, ...a) => later(f, ms > 20000 ? 300 : ms, ...a);
				window.setInterval = (f, ms, ...a) => every(f, ms > 20000 ? 300 : ms, ...a); }`)
			b.open(h.origin + "/")
			b.ready()
			s.add(article, letters(2)...)
			b.wait(`$('.dy-new') && $('.dy-new').textContent === 'Xem 2 bình luận mới'`)
			b.quiet()
		})
	}
}

func TestSeveralElementsAndSinglePageApps(t *testing.T) {
	s := newService(t)
	const other = "https://ben.example/xe-buyt"
	s.add(article, letters(2)...)
	s.add(other, letters(4)...)
	h := newHost(t, s, plainCSS, map[string]string{"/": `<div id="a">` + element(s, article, "") + `</div><div id="b">` + element(s, other, `lang="en"`) + `</div>`})
	b := newBrowser(t)
	b.size(1280, 2400)
	b.open(h.origin + "/")
	b.wait(`customElements.get('duyet-comments')`)
	b.wait(`$$('.dy-thread .dy-c').length === 2 && $$('.dy-thread .dy-c', 1).length === 4`)
	if got := eval[string](b, `$('.dy-h', 1).textContent`); !strings.HasPrefix(got, "Comments") {
		t.Errorf("the second speaks %q", got)
	}
	// moved: nothing is asked again
	asked := s.requests("GET /s/ben/fragment")
	eval[bool](b, `document.querySelector('#b').append(document.querySelector('duyet-comments')), true`)
	b.wait(`$$('.dy-thread .dy-c', 1).length === 2`)
	// attributes changed, together
	eval[bool](b, `(() => { const e = document.querySelector('duyet-comments'); e.setAttribute('page', '`+article+`'); e.setAttribute('lang', 'vi'); return true; })()`)
	b.wait(`$$('.dy-thread .dy-c').length === 2 && $('.dy-h').textContent.startsWith('Bình luận')`)
	if n := s.requests("GET /s/ben/fragment") - asked; n != 1 {
		t.Errorf("%d fragments for one change", n)
	}
	// words of one page stay with it
	b.fill("#noidung", "Của bài phố đi bộ")
	eval[bool](b, `document.querySelector('duyet-comments').setAttribute('page', '`+other+`'), true`)
	b.wait(`$$('.dy-thread .dy-c').length === 4 && $('#noidung').value === ''`)
	eval[bool](b, `document.querySelector('duyet-comments').setAttribute('page', '`+article+`'), true`)
	b.wait(`$$('.dy-thread .dy-c').length === 2 && $('#noidung').value === 'Của bài phố đi bộ'`)
	eval[bool](b, `document.querySelector('duyet-comments').remove(), true`)
	b.wait(`$$('.dy-thread .dy-c').length === 2`)
	b.quiet()
}

func TestBelowTheFoldItWaits(t *testing.T) {
	s := newService(t)
	s.add(article, letters(2)...)
	h := newHost(t, s, plainCSS+"#lead{height:6000px}", map[string]string{"/": `<div id="lead">…</div>` + element(s, article, "")})
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.wait(`customElements.get('duyet-comments') && root().textContent.includes('Đang tải')`)
	eval[bool](b, `scrollTo(0, 2000), new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
	if n := s.requests("GET /s/ben/fragment"); n != 0 {
		t.Errorf("%d fragments far from the thread", n)
	}
	eval[bool](b, `scrollTo(0, 5000), true`) // one screen away
	b.wait(`$$('.dy-thread .dy-c').length === 2`)
	b.quiet()
}

func TestWithoutTheService(t *testing.T) {
	s, h := oneThread(t, 2)
	b := newBrowser(t)
	b.open(h.origin + "/") // the script is in the browser's cache from now on
	b.ready()
	b.quiet()
	s.stop()
	b.do(chromedp.Reload())
	b.wait(`seen('.dy-retry')`)
	if got := b.text(".dy-down"); !strings.Contains(got, "Chưa tải được bình luận") {
		t.Errorf("%q", got)
	}
	if !eval[bool](b, `document.querySelector('.inner').getClientRects().length > 0`) {
		t.Error("the inner link doesn't show")
	}
	b.picture("down")
	s.start()
	b.click(".dy-retry")
	b.wait(`$$('.dy-thread .dy-c').length === 2`)
	b.quiet("ERR_CONNECTION", "ERR_SOCKET", "Failed to load resource")
}

func TestWithScriptsOffTheLinkStands(t *testing.T) {
	_, h := oneThread(t, 2)
	b := newBrowser(t, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	b.open(h.origin + "/")
	ctx := b.tab
	got, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("duyet-comments")))
	if err != nil || !strings.Contains(got, "Đọc bình luận") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "..", "cmd", "duyet", "testdata", "axe-4.14.1.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t)
	s.add(article, letters(60)...)
	h := newHost(t, s, plainCSS+"@media(prefers-color-scheme:dark){body{background:#1b1e1d;color:#eee}}", map[string]string{
		"/vi": "<main><h1>Phố đi bộ</h1>" + element(s, article, "") + "</main>",
		"/en": "<main><h1>Promenade</h1>" + element(s, article, `lang="en"`) + "</main>",
	})
	b := newBrowser(t)
	for _, path := range []string{"/vi", "/en"} {
		for _, scheme := range []string{"light", "dark"} {
			b.media(scheme)
			b.open(h.origin + path)
			b.ready()
			b.click(".dy-btn-main") // nothing is filled in
			b.wait(`$('.dy-bad') && $('.dy-code-img img') && $('.dy-code-img img').complete`)
			eval[bool](b, string(axe)+";true")
			found := eval[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + v.help + '\n' + n.html + '\n' + n.failureSummary)))`)
			for _, f := range found {
				t.Errorf("%s, %s: %s", path, scheme, f)
			}
		}
	}
}
