package console

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"duyet/comments"
	"duyet/moderation"
)

// place is where on the desk somebody is: which site, which queue in which order, how far
// down, and which comment is open. It stands in the address, and in every form so that the
// answer leads back.
type place struct {
	Site    string // comments.Installation = all that are the moderator's
	Queue   string // "pending", "suspect", "reported", "appeals", "approved", "rejected", "spam", "trashed" or "all"
	Order   string // "oldest", "newest" or "risk"
	After   string // cursor
	Comment string // id; "" = the list
	Alone   bool   // the page of one comment instead of the desk
	narrow
}

// workQueues are those to be worked on; restQueues are where decided comments lie.
var (
	workQueues = [...]string{
		string(comments.Pending), string(moderation.Suspect), string(moderation.Reported), string(moderation.Appeals),
	}
	restQueues = [...]string{
		string(comments.Approved), string(comments.Rejected), string(comments.Spam), string(comments.Trashed),
	}
)

// placeFrom reads a place from an address or a form; what is no queue or order of the desk
// is ErrMalformed.
func placeFrom(q url.Values) (place, error) {
	p := place{
		Site: q.Get("site"), Queue: q.Get("queue"), Order: q.Get("order"), After: q.Get("after"),
		Comment: q.Get("comment"), Alone: q.Get("view") == "comment",
		narrow: narrowFrom(q),
	}
	if p.Queue == "" {
		p.Queue = p.usualQueue()
	}
	if p.Queue != everything && !slices.Contains(workQueues[:], p.Queue) && !slices.Contains(restQueues[:], p.Queue) {
		return place{}, fmt.Errorf("queue: %w", comments.ErrMalformed)
	}
	if p.Order == "" {
		p.Order = p.usualOrder()
	}
	if !slices.Contains(p.orders(), comments.Sort(p.Order)) {
		return place{}, fmt.Errorf("order: %w", comments.ErrMalformed)
	}
	return p, nil
}

// usualQueue is the queue unless another is asked for: words are looked for in everything.
func (p place) usualQueue() string {
	if p.Words != "" {
		return everything
	}
	return string(comments.Pending)
}

// orders are those that the queue can be read in.
func (p place) orders() []comments.Sort {
	list := []comments.Sort{comments.Oldest, comments.Newest}
	if p.Queue == string(comments.Pending) || p.Queue == string(moderation.Suspect) {
		list = append(list, comments.ByRisk)
	}
	return list
}

// usualOrder is the order of a queue unless another is asked for: who waits longest comes
// first, and what was decided is looked for from its end.
func (p place) usualOrder() string {
	if slices.Contains(workQueues[:], p.Queue) {
		return string(comments.Oldest)
	}
	return string(comments.Newest)
}

// query asks the service for the place's list.
func (p place) query() moderation.QueueQuery {
	q := moderation.QueueQuery{
		Site: p.Site, Status: comments.Status(p.Queue), After: p.After,
		Newest: p.Order == string(comments.Newest), Risk: p.Order == string(comments.ByRisk),
	}
	if p.Queue == everything {
		q.Status, q.All = "", true
	}
	if queue := comments.Queue(p.Queue); queue.Valid() {
		q.Status, q.Queue = comments.Pending, queue
	}
	return q
}

// values are the place as parameters, the usual ones left out.
func (p place) values() url.Values {
	q := url.Values{}
	set := func(name, value, usual string) {
		if value != usual {
			q.Set(name, value)
		}
	}
	set("site", p.Site, "")
	set("queue", p.Queue, p.usualQueue())
	set("order", p.Order, p.usualOrder())
	set("after", p.After, "")
	set("comment", p.Comment, "")
	for _, f := range p.fields() {
		set(f[0], f[1], "")
	}
	return q
}

// path is the place's address, without the base.
func (p place) path(more url.Values) string {
	q, path := p.values(), "/moderation/"
	if p.Alone {
		q, path = url.Values{}, "/moderation/comments/"+url.PathEscape(p.Comment)
	}
	for name, values := range more {
		q[name] = values
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (p place) list() place            { p.Comment, p.Alone = "", false; return p }
func (p place) at(id string) place     { p.Comment, p.Alone = id, false; return p }
func (p place) alone(id string) place  { p.Comment, p.Alone = id, true; return p }
func (p place) after(cur string) place { p = p.list(); p.After = cur; return p }

// in is another queue, of the same site or page.
func (p place) in(queue string) place {
	return place{Site: p.Site, Queue: queue, narrow: narrow{Page: p.Page}}.usual()
}

// on is another site, with all but the page.
func (p place) on(site string) place {
	p = p.after("")
	p.Site, p.Page = site, ""
	return p
}

func (p place) sorted(by string) place { p = p.after(""); p.Order = by; return p }
func (p place) usual() place           { p.Order = p.usualOrder(); return p }

// within is all sites if those were asked for, else the one.
func within(asked, site string) string {
	if asked == comments.Installation {
		return asked
	}
	return site
}

// pick is a comment as it was seen: what a form decides on.
type pick struct {
	ID      string
	Version uint64
}

// value is how a pick stands in a form.
func (p pick) value() string { return strconv.FormatUint(p.Version, 10) + " " + p.ID }

func parsePick(s string) (pick, error) {
	version, id, ok := strings.Cut(s, " ")
	n, err := strconv.ParseUint(version, 10, 64)
	if !ok || err != nil {
		return pick{}, fmt.Errorf("pick: %w", comments.ErrMalformed)
	}
	return pick{id, n}, nil
}

// short is how a pick stands in an address, where the site is known; among all sites it is
// named behind.
func (p pick) short() string {
	return strconv.FormatUint(p.Version, 10) + "." + comments.Cursor(comments.ID(p.ID))
}

func (p pick) shortOn(site string) string {
	if site == comments.Installation {
		return p.short() + "." + comments.ID(p.ID).Site()
	}
	return p.short()
}

func parseShort(site, s string) (pick, bool) {
	version, cursor, ok := strings.Cut(s, ".")
	if site == comments.Installation {
		cursor, site, _ = strings.Cut(cursor, ".")
		if !comments.ValidSiteID(site) {
			return pick{}, false
		}
	}
	n, err := strconv.ParseUint(version, 10, 64)
	raw, bad := base64.RawURLEncoding.DecodeString(cursor)
	if !ok || err != nil || bad != nil || len(raw) != len(uuid.UUID{}) {
		return pick{}, false
	}
	return pick{string(comments.MakeID(site, uuid.UUID(raw))), n}, true
}
