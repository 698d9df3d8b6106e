package console

import (
	"context"
	"net/url"
	"strings"
	"time"

	"duyet/comments"
	"duyet/comments/search"
	"duyet/moderation"
)

// everything is the queue that is all of a site, whatever the status: what a search goes
// through unless it says otherwise.
const everything = "all"

// narrow is a moderation.Narrowing that stands in addresses and forms.
type narrow moderation.Narrowing

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

// query reads it; see moderation.Narrowing.
func (n narrow) query(place *time.Location) (search.Query, error) {
	return moderation.Narrowing(n).Query(place)
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
