package main

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAccessibility holds every kind of page to axe-core in both languages, light and dark.
func TestAccessibility(t *testing.T) {
	d := startDemo(t)
	browser := newBrowser(t, nil)
	tab := newTab(t, browser)
	service := strings.TrimSuffix(d.desk, "/moderation/")
	thread := service + "/s/benthuong/thread?page=" + url.QueryEscape(d.article)

	pages := []struct {
		name string
		open func(lang string)
	}{
		{"article", func(string) { do(t, tab, chromedp.Navigate(d.article)) }},
		{"thread", func(lang string) { do(t, tab, chromedp.Navigate(thread+"&lang="+lang)) }},
		{"thread, most liked first", func(lang string) { do(t, tab, chromedp.Navigate(thread+"&sort=liked&lang="+lang)) }},
		{"a reply's permalink", func(lang string) {
			do(t, tab, chromedp.Navigate(thread+"&lang="+lang), chromedp.Click(chromedp.CSS(".dy-replies .dy-replies .dy-acts [itemprop=url]")),
				chromedp.WaitVisible(chromedp.CSS(".dy-replies .dy-replies .dy-c:target")))
		}},
		{"permalink of nothing", func(lang string) {
			do(t, tab, chromedp.Navigate(thread+"&comment=benthuong~0&lang="+lang), chromedp.WaitVisible(chromedp.CSS("#thong-bao")))
		}},
		{"form alone", func(lang string) { do(t, tab, chromedp.Navigate(thread+"&view=form&lang="+lang)) }},
		{"form with errors", func(lang string) {
			do(t, tab, chromedp.Navigate(thread+"&lang="+lang), chromedp.Click(chromedp.CSS(".dy-btn-main")),
				chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
		}},
		{"not found", func(lang string) { do(t, tab, chromedp.Navigate(service+"/nowhere?lang="+lang)) }},
		{"sign-in", func(lang string) { do(t, tab, chromedp.Navigate(service+"/moderation/login?lang="+lang)) }},
	}
	each := func(name string, open func(lang string)) {
		for _, lang := range []string{"vi", "en"} {
			for _, scheme := range []string{"light", "dark"} {
				do(t, tab, media(scheme))
				open(lang)
				axe(t, tab, name+" "+lang+" "+scheme)
			}
		}
	}
	for _, p := range pages {
		each(p.name, p.open)
	}
	signIn(t, d, tab)
	for _, path := range []string{"?status=pending", "?status=approved", "audit", "words", "words/list", "learning", "bans", "bans?new=1", "rules", "rules/rule", "attack", "screening/outside", "account", "people", "audit?actor=reader", "settings", "stats?period=month", "report", "bulk", "bulk/new?queue=pending"} {
		each("desk "+path, func(lang string) {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			do(t, tab, chromedp.Navigate(d.desk+path+sep+"lang="+lang))
		})
	}
	each("proof", func(lang string) {
		do(t, tab, chromedp.Navigate(d.desk+"?lang="+lang), chromedp.Click(chromedp.CSS(".row-link")), chromedp.WaitVisible(chromedp.CSS("#cmt-t")))
	})
}

func signIn(t *testing.T, d *demoProcess, tab context.Context) {
	t.Helper()
	do(t, tab, chromedp.Navigate(d.link), chromedp.Click(chromedp.CSS("form .btn-main")), chromedp.WaitVisible(chromedp.CSS(".rows")))
}
