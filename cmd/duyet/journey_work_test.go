package main

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestJourneyUnderAttack has a reader write while the site is in attack mode: with scripts
// the browser does its work beside the code, and a kind word comes first about what would
// be held; without them the code alone lets it in, and holds it.
func TestJourneyUnderAttack(t *testing.T) {
	d := startDemo(t)
	set := exec.Command(d.bin, "site", "set", "benthuong", "attack_mode=on", "proof=work", "--data", d.data)
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	service := strings.TrimSuffix(d.desk, "/moderation/")
	form := service + "/s/benthuong/thread?view=form&lang=vi&page=" + url.QueryEscape(d.article)

	t.Run("with scripts", func(t *testing.T) {
		tab := newTab(t, newBrowser(t, nil))
		do(t, tab, chromedp.Navigate(form), chromedp.WaitVisible(chromedp.CSS("#ten")),
			chromedp.SendKeys(chromedp.CSS("#ten"), "Vũ Thu Hà"), chromedp.SendKeys(chromedp.CSS("#tieude"), "Xin thêm ghế đá"),
			chromedp.SendKeys(chromedp.CSS("#noidung"), letter+" Xem a.com b.com c.com https://d.vn"))
		// Under attack the work comes beside the code, not in its place.
		code := d.solve(t, get(t, tab, chromedp.Value(chromedp.CSS("input[name=ticket]"))))
		do(t, tab, chromedp.SendKeys(chromedp.CSS("#ma"), code), chromedp.Click(chromedp.CSS(".dy-btn-main")), chromedp.WaitVisible(chromedp.CSS(".dy-nudge")))
		if said := get(t, tab, chromedp.Text(chromedp.CSS(".dy-nudge"))); !strings.Contains(said, "liên kết") {
			t.Errorf("the kind word is %q", said)
		}
		// That the work itself is done is held in TestEmbedded: it takes the browser long here.
	})
	t.Run("without scripts", func(t *testing.T) {
		tab := newTab(t, newBrowser(t, map[string]any{"blink-settings": "scriptEnabled=false"}))
		do(t, tab, chromedp.Navigate(form), chromedp.WaitVisible(chromedp.CSS("#ma")),
			chromedp.SendKeys(chromedp.CSS("#ten"), "Lê Văn Bách"), chromedp.SendKeys(chromedp.CSS("#tieude"), "Đèn đường hỏng"),
			chromedp.SendKeys(chromedp.CSS("#noidung"), letter))
		code := d.solve(t, get(t, tab, chromedp.Value(chromedp.CSS("input[name=ticket]"))))
		do(t, tab, chromedp.SendKeys(chromedp.CSS("#ma"), code), chromedp.Click(chromedp.CSS(".dy-btn-main")), chromedp.WaitVisible(chromedp.CSS(".dy-own")))
	})

	editor := newTab(t, newBrowser(t, nil))
	signIn(t, d, editor)
	if bar := get(t, editor, chromedp.Text(chromedp.CSS(".alarms"))); !strings.Contains(bar, "chống tấn công") {
		t.Errorf("the desk says %q", bar)
	}
	do(t, editor, chromedp.Navigate(d.desk+"?queue=suspect"), chromedp.WaitVisible(chromedp.CSS(".rows")))
	for title, held := range map[string]bool{"Đèn đường hỏng": true} {
		row := get(t, editor, chromedp.Evaluate[string](`Array.from(document.querySelectorAll('.rows li'), (li) => li.innerText).find((text) => text.includes("`+title+`")) || ''`))
		if row == "" || strings.Contains(row, "không kèm phép tính") != held {
			t.Errorf("%s: the desk says %q", title, row)
		}
	}
}
