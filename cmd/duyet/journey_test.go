package main

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestJourney takes a comment the whole way as its people do: a reader writes below the
// article, mistypes the code, finds the words kept, sends; an editor signs in by the link,
// finds the comment, approves; the reader loads the article again. Once with scripts and
// once without.
func TestJourney(t *testing.T) {
	for name, flags := range map[string]map[string]any{
		"with scripts":    nil,
		"without scripts": {"blink-settings": "scriptEnabled=false"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDemo(t)
			browser := newBrowser(t, flags)
			reader, editor := newTab(t, browser), newTab(t, browser)
			const title = "Xin thêm ghế đá cho người lớn tuổi"
			post(t, d, reader, title)
			decide(t, d, editor, title)

			do(t, reader, chromedp.Navigate(d.article+"?include"), chromedp.WaitVisible(chromedp.CSS(".dy-thread")))
			if thread := get(t, reader, chromedp.Text(chromedp.CSS(".host-comments"))); !strings.Contains(thread, title) {
				t.Errorf("the approved comment is not on the article:\n%s", thread)
			}
		})
	}
}

const letter = "Đoạn từ cầu đến bến đò không có chỗ ngồi nào.\n\nMẹ tôi 78 tuổi, đi được nửa đường là phải quay về."

func post(t *testing.T, d *demoProcess, reader context.Context, title string) {
	t.Helper()
	do(t, reader, chromedp.Navigate(d.article+"?include"), chromedp.ScrollIntoView(chromedp.CSS("iframe.host-form")))
	form := frame(t, reader, "view=form")
	do(t, form,
		chromedp.WaitVisible(chromedp.CSS("#ten")),
		chromedp.SendKeys(chromedp.CSS("#ten"), "Vũ Thu Hà"),
		chromedp.SendKeys(chromedp.CSS("#tieude"), title),
		chromedp.SendKeys(chromedp.CSS("#noidung"), letter),
	)
	first := get(t, form, chromedp.Value(chromedp.CSS("input[name=ticket]")))
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, d.solve(t, first))
	do(t, form, chromedp.SendKeys(chromedp.CSS("#ma"), wrong), chromedp.Click(chromedp.CSS(".dy-btn-main")),
		chromedp.WaitVisible(chromedp.CSS("[role=alert]")))

	for field, want := range map[string]string{"#ten": "Vũ Thu Hà", "#tieude": title, "#noidung": letter} {
		if got := get(t, form, chromedp.Value(chromedp.CSS(field))); got != want {
			t.Errorf("after a wrong code %s holds %q, not %q", field, got, want)
		}
	}
	second := get(t, form, chromedp.Value(chromedp.CSS("input[name=ticket]")))
	if second == first {
		t.Fatal("a wrong code brought no fresh one")
	}
	do(t, form, chromedp.SendKeys(chromedp.CSS("#ma"), d.solve(t, second)), chromedp.Click(chromedp.CSS(".dy-btn-main")),
		chromedp.WaitVisible(chromedp.CSS(".dy-own")))
	mine := get(t, form, chromedp.Text(chromedp.CSS("main")))
	if !strings.Contains(mine, title) || !strings.Contains(mine, "chờ duyệt") {
		t.Errorf("the author doesn't see the comment waiting:\n%s", mine)
	}
	if now := get(t, reader, chromedp.Text(chromedp.CSS(".host-comments"))); strings.Contains(now, title) {
		t.Error("the comment is public before anybody approved it")
	}
}

func decide(t *testing.T, d *demoProcess, editor context.Context, title string) {
	t.Helper()
	do(t, editor, chromedp.Navigate(d.link), chromedp.Click(chromedp.CSS("form .btn-main")), chromedp.WaitVisible(chromedp.CSS(".rows")))
	row := `//a[contains(@class,"row-link")][contains(., "` + title + `")]`
	do(t, editor,
		chromedp.Click(chromedp.Search(row)),
		chromedp.WaitVisible(chromedp.Search(`//h2[@id="cmt-t"][contains(., "`+title+`")]`)),
		chromedp.Click(chromedp.CSS("#decide button[value=approve]")))
	approvalIsSaid(t, editor)
}

// approvalIsSaid waits for the desk to say so in a status, of which there may be several.
func approvalIsSaid(t *testing.T, editor context.Context) {
	t.Helper()
	eventually(t, "the desk to say that it is approved", func() bool {
		return get(t, editor, chromedp.Evaluate[bool](`Array.from(document.querySelectorAll("[role=status]")).some((s) => s.textContent.includes("Đã duyệt"))`))
	})
}
