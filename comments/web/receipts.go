package web

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"duyet/comments"
)

// A reader's receipts stand in one cookie a site, newest first, and the author's key in
// another. What they prove is shown on pages
// alone, never in what readers share.
const (
	receiptsCookie = "duyet_receipts"
	receiptsMost   = 20
	receiptsFor    = 365 * 24 * time.Hour
)

// receipts are those a request brings, newest first.
func receipts(r *http.Request) []string {
	c, err := r.Cookie(receiptsCookie)
	if err != nil || c.Value == "" {
		return nil
	}
	list := strings.Split(c.Value, ".")
	return list[:min(len(list), receiptsMost)]
}

// keepReceipt adds a receipt to those the reader has.
func (d *Door) keepReceipt(w http.ResponseWriter, r *http.Request, site comments.Site, receipt string) {
	list := slices.DeleteFunc(receipts(r), func(old string) bool { return old == receipt })
	list = append([]string{receipt}, list[:min(len(list), receiptsMost-1)]...)
	d.keep(w, r, site, receiptsCookie, strings.Join(list, "."))
}

// keep sets a cookie for the site's pages; "" takes it away.
func (d *Door) keep(w http.ResponseWriter, r *http.Request, site comments.Site, name, value string) {
	c := &http.Cookie{
		Name: name, Value: value, Path: d.tpl.URL(pagesPrefix + site.ID),
		MaxAge: int(receiptsFor / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	// The page may stand in an article's frame, where only such a cookie comes back; a
	// browser takes it over a connection it trusts.
	if d.trusted(r) {
		c.SameSite, c.Secure, c.Partitioned = http.SameSiteNoneMode, true, true
	}
	http.SetCookie(w, c)
}

// authorCookie holds the author's key of readers without script: one a site, for as long as
// they write. Clients with script keep theirs in the article's own storage.
const authorCookie = "duyet_author"

// authorOf is the author's key that a request brings, "" for none.
func authorOf(r *http.Request) string {
	c, err := r.Cookie(authorCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// authorFor is the reader's author key, made anew where there is none that will do. A new
// one is kept once something was written under it.
func authorFor(r *http.Request, site comments.Site) string {
	key := authorOf(r)
	if k, err := comments.AuthorKeyOf(site.ID, key); err != nil || k.IsZero() {
		key = rand.Text()
	}
	return key
}

// keepAuthor is authorFor, and keeps the key at once.
func (d *Door) keepAuthor(w http.ResponseWriter, r *http.Request, site comments.Site) string {
	key := authorFor(r, site)
	d.keep(w, r, site, authorCookie, key)
	return key
}

// trusted reports whether the reader's browser takes the connection for a safe one: https,
// or this very machine.
func (d *Door) trusted(r *http.Request) bool {
	host := r.Host
	if d.cfg.BaseURL != nil {
		if d.cfg.BaseURL.Scheme == "https" {
			return true
		}
		host = d.cfg.BaseURL.Host
	}
	if r.TLS != nil {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
