package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"duyet/comments"
)

// A reader's receipts stand in one cookie a site, newest first. It is the only cookie this
// door knows; what it proves is shown on pages alone, never in what readers share.
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
	c := &http.Cookie{
		Name: receiptsCookie, Value: strings.Join(list, "."), Path: d.tpl.URL(pagesPrefix + site.ID),
		MaxAge: int(receiptsFor / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	// The page may stand in an article's frame, where only such a cookie comes back; a
	// browser takes it over a connection it trusts.
	if d.trusted(r) {
		c.SameSite, c.Secure, c.Partitioned = http.SameSiteNoneMode, true, true
	}
	http.SetCookie(w, c)
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
