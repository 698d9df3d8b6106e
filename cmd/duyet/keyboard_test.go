package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardAlone writes, sends and approves without a pointer: Tab goes through the form
// in the order in which it reads, and Enter in a field sends.
func TestKeyboardAlone(t *testing.T) {
	d := startDemo(t)
	tab := newTab(t, newBrowser(t, nil))
	thread := strings.TrimSuffix(d.desk, "/moderation/") + "/s/benthuong/thread?view=form&page=" + url.QueryEscape(d.article)
	do(t, tab, chromedp.Navigate(thread), chromedp.WaitVisible(chromedp.CSS("#ten")))
	ticket := get(t, tab, chromedp.Value(chromedp.CSS("input[name=ticket]")))

	for _, step := range []struct{ field, text string }{
		{"ten", "Lê Hoàng Yến"}, {"tieude", "Gửi bằng bàn phím"}, {"noidung", "Không cần chuột."}, {"ma", d.solve(t, ticket)},
	} {
		tabTo(t, tab, `document.activeElement.id === `+quote(step.field), step.field)
		do(t, tab, chromedp.KeyEvent(step.text))
	}
	do(t, tab, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".dy-own")))

	do(t, tab, chromedp.Navigate(d.link), chromedp.WaitVisible(chromedp.CSS("form .btn-main")))
	tabTo(t, tab, `document.activeElement.matches("form .btn-main")`, "the sign-in button")
	do(t, tab, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".rows")))
	tabTo(t, tab, `document.activeElement.textContent.includes("Gửi bằng bàn phím")`, "the comment's row")
	do(t, tab, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS("#cmt-t")))
	tabTo(t, tab, `document.activeElement.matches("#decide button[value=approve]")`, "the approving button")
	do(t, tab, chromedp.KeyEvent(kb.Enter))
	approvalIsSaid(t, tab)
}

// tabTo presses Tab until the focus is where it should be, and sees that the focus shows.
func tabTo(t *testing.T, tab context.Context, there, what string) {
	t.Helper()
	for range 80 {
		do(t, tab, chromedp.KeyEvent(kb.Tab))
		if get(t, tab, chromedp.Evaluate[bool](there)) {
			if !get(t, tab, chromedp.Evaluate[bool](`getComputedStyle(document.activeElement).outlineStyle !== "none"`)) {
				t.Errorf("the focus on %s can't be seen", what)
			}
			return
		}
	}
	t.Fatalf("Tab never reaches %s", what)
}

// quote makes a JavaScript string.
func quote(s string) string {
	b, _ := json.Marshal(s) // of a string: can't fail
	return string(b)
}
