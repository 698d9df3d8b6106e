package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTheNewspaperUsesItAll: the demo's pages, of another origin and under the strictest
// policy, with the thread and all that stands around it; by scripts, and by what its server
// includes for readers without.
func TestTheNewspaperUsesItAll(t *testing.T) {
	d := startDemo(t)
	r := newReader(t, newBrowser(t, nil))
	paper := d.article[:len(d.article)-len("pho-di-bo-ven-song")]
	inside := func(element string) string {
		return fmt.Sprintf(`((document.querySelector(%q).shadowRoot || {}).textContent || '').replace(/\s+/g, ' ').trim()`, element)
	}
	for path, want := range map[string]map[string]string{
		"pho-di-bo-ven-song": {
			"duyet-views": "Lượt xem 4.6", "duyet-latest": "Bình luận mới nhất", "duyet-discussed": "Được bình luận nhiều Phố đi bộ ven sông mở thêm hai tối mỗi tuần 7 bình luận",
			"duyet-visitors": "Lượt truy cập Đang online1 Hôm nay1 Trong tuần1 Tất cả1",
		},
		"video-ben-do-som-mai":  {"duyet-views": "Lượt xem 3.6", "duyet-latest": "Bình luận mới nhất"},
		"en/riverside-evenings": {"duyet-views": "Views 4,7", "duyet-visitors": "Visitors Online now1", "duyet-discussed": "Most discussed"},
		"":                      {"duyet-latest": "Bình luận mới nhất", "duyet-visitors": "Lượt truy cập"},
		"en/":                   {"duyet-latest": "Latest comments"},
	} {
		for _, scheme := range []string{"light", "dark"} {
			if scheme == "dark" && path != "" && path != "pho-di-bo-ven-song" {
				continue
			}
			r.do(media(scheme), chromedp.Navigate(paper+path))
			for element, text := range want {
				r.wait(fmt.Sprintf(`%s.startsWith(%q)`, inside(element), text))
			}
			if path != "" && path != "en/" {
				r.wait(`document.querySelector('duyet-comments').shadowRoot.querySelector('.dy-head')`)
			}
			r.shoot("demo-" + scheme + "-" + fmt.Sprint(len(path)))
			axe(t, r.tab, path+" "+scheme)
			r.quiet()
		}
	}
	if n := get(t, r.tab, chromedp.Evaluate[string](`document.cookie`)); n != "" {
		t.Errorf("a cookie: %s", n)
	}

	plain := newTab(t, newBrowser(t, map[string]any{"blink-settings": "scriptEnabled=false"}))
	do(t, plain, chromedp.Navigate(d.article), chromedp.WaitVisible(chromedp.CSS("duyet-comments .dy-thread")),
		chromedp.WaitVisible(chromedp.CSS("duyet-latest .dy-latest li")), chromedp.WaitVisible(chromedp.CSS("duyet-visitors dd")),
		chromedp.WaitVisible(chromedp.CSS("duyet-comments iframe")))
}

// TestTheLatestLeadToTheComment: from the list on the front page to the comment itself, on
// its article, in view, with the focus.
func TestTheLatestLeadToTheComment(t *testing.T) {
	d := startDemo(t)
	r := newReader(t, newBrowser(t, nil))
	paper := d.article[:len(d.article)-len("pho-di-bo-ven-song")]
	r.do(media("light"), chromedp.Navigate(paper))
	// Until the element has its own list, the page's stands in its place, and goes as it comes.
	const first = `document.querySelector('duyet-latest').shadowRoot?.querySelector('.dy-latest li a')`
	r.wait(first)
	to := get(t, r.tab, chromedp.Evaluate[string](first+`.href`))
	if !strings.HasPrefix(to, paper) || !strings.Contains(to, "#bl-") {
		t.Fatalf("the latest comment is to be read at %s", to)
	}
	eval[bool](r, first+`.click(), true`)
	r.wait(`location.href === ` + quote(to) + ` && (() => {
		const there = document.querySelector('duyet-comments').shadowRoot;
		const c = there && there.getElementById(location.hash.slice(1));
		const at = c && c.getBoundingClientRect();
		return c && there.activeElement === c && at.top >= 0 && at.top < innerHeight;
	})()`)
	r.shoot("latest")
	r.quiet()
}

// shoot keeps a screenshot in the folder that DEMO_SHOTS names, for people to look at.
func (r *reader) shoot(name string) {
	r.t.Helper()
	dir := os.Getenv("DEMO_SHOTS")
	if dir == "" {
		return
	}
	shot := get(r.t, r.tab, chromedp.FullScreenshot(100))
	if err := os.WriteFile(dir+"/"+name+".png", shot, 0o600); err != nil {
		r.t.Error(err)
	}
}
