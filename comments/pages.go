package comments

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kinds of events about pages. Their subject is the page's key, or for one that moved both
// keys with " → " between.
const (
	KindPageMerged  Kind = "page.merged"
	KindPageRenamed Kind = "page.renamed"
	KindPageTitled  Kind = "page.titled"
)

const arrow = " → "

// Gate is whom a page lets in, as a moderator sets it.
type Gate string

// Gates.
const (
	GateOpen   Gate = "open"   // by the site's mode
	GateHeld   Gate = "held"   // nothing is published before it is approved
	GateClosed Gate = "closed" // nothing comes in
)

// Kinds of events about a page's gate; their subject is the page's key.
const (
	KindPageOpened Kind = "page.opened"
	KindPageHeld   Kind = "page.held"
	KindPageClosed Kind = "page.closed"
)

// Valid reports whether g is a gate.
func (g Gate) Valid() bool { return g == GateOpen || g == GateHeld || g == GateClosed }

// Kind is the kind of the event that tells of it.
func (g Gate) Kind() Kind {
	switch g {
	case GateHeld:
		return KindPageHeld
	case GateClosed:
		return KindPageClosed
	}
	return KindPageOpened
}

// Set puts it on a page.
func (g Gate) Set(p *Page) { p.Closed, p.Held = g == GateClosed, g == GateHeld }

// Gate is how a moderator has set the page.
func (p Page) Gate() Gate {
	switch {
	case p.Closed:
		return GateClosed
	case p.Held:
		return GateHeld
	}
	return GateOpen
}

// PageMove takes a page with all that is its own to another key.
type PageMove struct {
	Site, From, To string // canonical keys
	URL            string // of To; "" when it is none
	Merge          bool   // into the page that To is; otherwise To is to be no page
	Actor          string
}

// Subject is how the journal names a move.
func (m PageMove) Subject() string { return m.From + arrow + m.To }

// MovesOf are the moves that a subject may name: one, but for keys of a site's own that
// hold the arrow themselves.
func MovesOf(subject string) (moves []PageMove) {
	for at := 0; ; {
		n := strings.Index(subject[at:], arrow)
		if n < 0 {
			return moves
		}
		at += n + len(arrow)
		moves = append(moves, PageMove{From: subject[:at-len(arrow)], To: subject[at:]})
	}
}

// Kind is the kind of its event.
func (m PageMove) Kind() Kind {
	if m.Merge {
		return KindPageMerged
	}
	return KindPageRenamed
}

// PageKeeper changes pages.
type PageKeeper interface {
	// MovePage takes, in one transaction, every comment of the page From to the page To,
	// with counts, indexes and views, and one event of the site's journal; the comments keep
	// their ids, versions and history, and so their order by time. From is then an alias of
	// To, and so is whatever was one of From. With Merge, To is a page (or an alias of one,
	// which is then meant) whose title and address stand; otherwise To is no page, and no
	// alias but of From itself, and becomes one with what From had. Errors: ErrNotFound for a
	// page that isn't there, ErrExists for a To that is taken, ErrConflict when both are one
	// page. It costs what the page has, and others of the site wait to write meanwhile.
	MovePage(ctx context.Context, m PageMove) (Page, error)
	// TitlePage gives a page another title, with an event.
	TitlePage(ctx context.Context, site, key, title, actor string) (Page, error)
	// GatePage sets whom a page lets in, with an event of the gate's kind; what is set so
	// already stays, and nothing tells of it.
	GatePage(ctx context.Context, site, key string, gate Gate, actor string) (Page, error)
	// Aliases are the keys of pages that have moved, with those under which they stand now:
	// never an alias again. Page, Thread, Trees, MostLiked and Create take an alias for its
	// page, and views counted under it are the page's.
	Aliases(ctx context.Context, site string) (map[string]string, error)
}

// MovePage merges the page from into another, or gives it another key; both are named as a
// reader or a CMS would. Errors: those of Store.MovePage, and an InvalidError on "from" or
// "to" for what is no key of the site's.
func (s *Service) MovePage(ctx context.Context, siteID, from, to string, merge bool, actor string) (Page, error) {
	site, err := s.Site(ctx, siteID)
	if err != nil {
		return Page{}, err
	}
	m := PageMove{Site: siteID, Merge: merge, Actor: actor}
	plain := site
	plain.Aliases = nil // what is named is meant: a page that moved away is none
	if m.From, _, err = PageKey(plain, from); err != nil {
		return Page{}, onField("from", err)
	}
	to, isURL, err := PageKey(plain, to)
	if err != nil {
		return Page{}, onField("to", err)
	}
	if m.To = to; isURL {
		m.URL = to
	}
	return s.cfg.Store.MovePage(ctx, m)
}

// TitlePage gives a page another title. Errors: ErrNotFound, an InvalidError on "title".
func (s *Service) TitlePage(ctx context.Context, siteID, page, title, actor string) (Page, error) {
	site, err := s.Site(ctx, siteID)
	if err != nil {
		return Page{}, err
	}
	key, _, err := PageKey(site, page)
	if err != nil {
		return Page{}, err
	}
	title, bad := textRule{"title", true, true, pageTitleMost, TitleBytes}.check(title)
	if bad != nil {
		return Page{}, &InvalidError{Fields: []FieldError{*bad}}
	}
	return s.cfg.Store.TitlePage(ctx, siteID, key, title, actor)
}

// GatePage sets whom a page lets in. Errors: ErrNotFound, an InvalidError on "gate".
func (s *Service) GatePage(ctx context.Context, siteID, page string, gate Gate, actor string) (Page, error) {
	site, err := s.Site(ctx, siteID)
	if err != nil {
		return Page{}, err
	}
	if !gate.Valid() {
		return Page{}, Invalid("gate", CodeWrongType)
	}
	key, _, err := PageKey(site, page)
	if err != nil {
		return Page{}, err
	}
	return s.cfg.Store.GatePage(ctx, siteID, key, gate, actor)
}

// pageTitleMost is the most user-perceived characters of a page's title.
const pageTitleMost = 300

// onField names the field of an InvalidError anew.
func onField(field string, err error) error {
	var invalid *InvalidError
	if errors.As(err, &invalid) && len(invalid.Fields) == 1 {
		return &InvalidError{Fields: []FieldError{{Field: field, Code: invalid.Fields[0].Code}}}
	}
	return fmt.Errorf("%s: %w", field, err)
}

// asked reports whether a ticket is of the very key that was named: it may have been issued
// before that page moved.
func asked(site Site, raw string, t Ticket) bool {
	site.Aliases = nil
	key, _, err := PageKey(site, raw)
	return err == nil && t.Page == PageHash(site.ID, key)
}
