package embedtest

import (
	"fmt"
	"testing"
)

// shifts adds up what the browser counts as layout shifts that no input excuses, and says
// what moved.
const shifts = `new Promise(done => {
	const seen = [];
	new PerformanceObserver(l => seen.push(...l.getEntries())).observe({type: 'layout-shift', buffered: true});
	setTimeout(() => done({
		sum: seen.filter(e => !e.hadRecentInput).reduce((s, e) => s + e.value, 0),
		what: seen.filter(e => !e.hadRecentInput).flatMap(e => e.sources.map(s => (s.node && (s.node.id || s.node.className || s.node.nodeName)) + ' ' + JSON.stringify(s.previousRect) + ' to ' + JSON.stringify(s.currentRect))),
	}), 100);
})`

type shifted struct {
	Sum  float64  `json:"sum"`
	What []string `json:"what"`
}

func TestNothingShifts(t *testing.T) {
	b := newBrowser(t)
	for _, c := range []struct {
		name string
		css  string
		lead int  // height of what stands above, in pixels
		jump bool // the reader jumps to the end before the thread is there
	}{
		{"reserved, in the first screen", "duyet-comments{display:block;min-height:100vh}", 200, false},
		{"little reserved, in the first screen", "duyet-comments{display:block;min-height:300px}", 200, false},
		{"nothing reserved, below the first screen", "", 1500, false},
		{"nothing reserved, far below", "", 6000, false},
		{"nothing reserved, and a jump to the end", "", 6000, true},
	} {
		for _, n := range []int{0, 5, 500} {
			t.Run(fmt.Sprintf("%s, %d comments", c.name, n), func(t *testing.T) {
				s := newService(t)
				s.add(article, letters(n)...)
				h := newHost(t, s, plainCSS+fmt.Sprintf("#lead{height:%dpx}footer{height:200px;background:#ccc}", c.lead)+c.css,
					map[string]string{"/": `<div id="lead">…</div>` + element(s, article, "") + `<footer id="foot">Chân trang</footer>`})
				b := b.with(t)
				b.open(h.origin + "/")
				b.wait(`customElements.get('duyet-comments') && root().children.length`)
				eval[bool](b, `new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
				if c.jump {
					eval[bool](b, `scrollTo(0, 1e6), true`)
				} else {
					for y := 0; y < c.lead; y += 300 {
						eval[bool](b, fmt.Sprintf(`scrollTo(0, %d), new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`, y))
					}
				}
				b.wait(`$('.dy-head')`)
				if got := eval[shifted](b, shifts); got.Sum != 0 {
					t.Errorf("a shift of %v: %q", got.Sum, got.What)
				}
				if eval[bool](b, `!!$('.dy-hold')`) {
					b.click(".dy-open")
					b.wait(`!$('.dy-hold')`)
				}
				b.wait(`document.querySelector('#foot').getBoundingClientRect().top >= $('.dy-form').getBoundingClientRect().bottom - 1`)
				b.quiet()
			})
		}
	}
}

// What the reader asks for takes its room while the press excuses it.
func TestNothingShiftsWhileReading(t *testing.T) {
	s, h := oneThread(t, 120)
	s.streams = true
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.click(".dy-more a")
	b.wait(`$$('.dy-thread .dy-c').length === 100`)
	b.click(`.dy-sort a[href*="newest"]`)
	b.wait(`$('.dy-title').textContent === 'Thư số 120'`)
	s.add(article, letters(1)...)
	b.wait(`seen('.dy-new')`)
	fillForm(b, "Hà", "Ghế đá", "Xin thêm.", rightCode)
	b.click(".dy-btn-main")
	b.wait(`seen('.dy-own')`)
	if got := eval[shifted](b, shifts); got.Sum != 0 {
		t.Errorf("a shift of %v: %q", got.Sum, got.What)
	}
}
