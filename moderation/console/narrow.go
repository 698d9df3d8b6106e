package console

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"duyet/comments"
	"duyet/comments/search"
	"duyet/moderation"
)

// everything is the queue that is all of a site, whatever the status: what a search goes
// through unless it says otherwise.
const everything = "all"

// narrow is what narrows a queue: words typed into the search box, and the filters beside
// it. It stands in addresses and forms.
type narrow struct {
	Words  string
	Page   string // key
	Signal string // check
	Has    string // "link"
	Reply  string // "yes" or "no"
	Lang   string // "vi" or "en"
}

// narrowMost is the most bytes of one filter.
const narrowMost = 2 << 10

func narrowFrom(q url.Values) narrow {
	return narrow{
		Words: strings.TrimSpace(q.Get("q")), Page: q.Get("page"), Signal: q.Get("signal"), Has: q.Get("has"), Reply: q.Get("reply"), Lang: q.Get("written"),
	}
}

// fields are the names under which it stands in an address, with what they say.
func (n narrow) fields() [6][2]string {
	return [...][2]string{{"q", n.Words}, {"page", n.Page}, {"signal", n.Signal}, {"has", n.Has}, {"reply", n.Reply}, {"written", n.Lang}}
}

func (n narrow) any() bool { return n != narrow{} }

// filtered reports whether it says more than words.
func (n narrow) filtered() bool { n.Words = ""; return n.any() }

// query reads it; days are of a place. Errors are comments.ErrMalformed, for words a
// *search.UnreadError.
func (n narrow) query(place *time.Location) (search.Query, error) {
	for _, f := range n.fields() {
		if len(f[1]) > narrowMost || !utf8.ValidString(f[1]) || strings.ContainsRune(f[1], 0) {
			return search.Query{}, fmt.Errorf("%s: %w", f[0], comments.ErrMalformed)
		}
	}
	q, err := search.Parse(n.Words, place)
	if err != nil {
		return q, err
	}
	q.PageKey, q.Check = n.Page, n.Signal
	if n.Lang != "" {
		q.Lang = n.Lang
	}
	yes, no := true, false
	switch {
	case n.Has == "link":
		q.Link = true
	case n.Has != "":
		return q, fmt.Errorf("has: %w", comments.ErrMalformed)
	}
	switch n.Reply {
	case "yes":
		q.Reply = &yes
	case "no":
		q.Reply = &no
	case "":
	default:
		return q, fmt.Errorf("reply: %w", comments.ErrMalformed)
	}
	if n.Lang != "" && n.Lang != "vi" && n.Lang != "en" {
		return q, fmt.Errorf("written: %w", comments.ErrMalformed)
	}
	return q, nil
}

// location is where a site's days are; what is asked of several sites or of none that there
// is goes by the usual place.
func (c *Console) location(ctx context.Context, who moderation.Moderator, site string) *time.Location {
	all, err := c.cfg.Service.Sites(ctx, who)
	if err != nil {
		all = nil // whatever is asked next says so
	}
	for _, s := range all {
		if s.ID == site {
			return s.Settings.Location()
		}
	}
	return comments.DefaultSettings().Location()
}
