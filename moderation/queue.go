package moderation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/comments/search"
)

// Limits of one page of a list.
const (
	PageDefault = 50
	PageMost    = 200
)

// QueueQuery asks for a page of a queue.
type QueueQuery struct {
	Site   string          // comments.Installation = all that the moderator may see
	Status comments.Status // "" = pending
	Queue  QueueName
	All    bool // whatever the status; without Status and Queue
	Newest bool
	Risk   bool         // the highest risk first; only for what is pending
	Asked  search.Query // what narrows the queue; its own site, status and queue come before those above
	After  string       // cursor
	Limit  int          // 0 = PageDefault
	// Uncounted leaves out how many fit what is narrowed, which takes longer than the page.
	Uncounted bool
}

// Item is a comment in a queue, with the page it stands on.
type Item struct {
	comments.Comment
	Page comments.Page
}

// QueuePage is a part of a queue.
type QueuePage struct {
	Items  []Item
	Next   string
	Counts comments.Counts // of the whole site, or of all sites asked for
	Queues comments.QueueCounts
	Total  int64 // how many fit the query
	// AtLeast tells that there are more than Total: what is narrowed is counted exactly up
	// to search.CountMost.
	AtLeast bool
	// Uncounted tells that Total is what the page holds, as was asked for, and AtLeast set.
	Uncounted bool
	// Partial tells that the page ended because it took too long, with Next to go on from.
	Partial bool
}

// Queue reads a page of a queue of one site or of several. Errors: comments.ErrForbidden for
// a site that is not the moderator's, or does not exist, and for asking where comments came
// from without a role that decides; ErrMalformed for a bad limit, cursor, status.
func (s *Service) Queue(ctx context.Context, who Moderator, q QueueQuery) (QueuePage, error) {
	sites, err := s.scope(ctx, who, &q)
	if err != nil {
		return QueuePage{}, err
	}
	f, err := q.filter()
	if err != nil {
		return QueuePage{}, err
	}
	page := QueuePage{}
	m := merged{order: f.Order, limit: f.Limit}
	for _, site := range sites {
		f.Site = site
		if f.After, f.AfterRisk, err = parseCursor(q, site); err != nil {
			return QueuePage{}, err
		}
		head, err := s.cfg.Journal.Head(ctx, site)
		if err != nil {
			return QueuePage{}, err
		}
		page.Counts.Add(head.Counts)
		page.Queues.Add(head.Queues)
		part, err := s.part(ctx, f, q.Asked, head, !q.Uncounted)
		if err != nil {
			return QueuePage{}, err
		}
		page.Total += int64(part.Found)
		page.AtLeast = page.AtLeast || part.AtLeast
		page.Uncounted = page.Uncounted || q.Uncounted && part.AtLeast
		m.add(part)
	}
	list, last, more := m.page()
	page.Partial = m.partial
	if more {
		page.Next = cursor(q, last)
	}
	page.Items, err = s.withPages(ctx, list)
	return page, err
}

// part is what one site has of a page. What is not narrowed is a range of the queue's own
// index, and counted in the head; what is narrowed is counted if that is asked for.
func (s *Service) part(ctx context.Context, f QueueFilter, asked search.Query, head comments.Head, count bool) (search.Answer, error) {
	if !asked.Plain() || !f.Listed() {
		if !f.Listed() { // by risk, of a queue that all are pending in
			asked.Queue, f.Queue = f.Queue, ""
		}
		a, err := s.search.Search(ctx, search.Ask{Filter: f, Query: asked, Count: count})
		if !count {
			a.Found, a.AtLeast = len(a.Comments), a.More || f.After != ""
		}
		return a, err
	}
	f.Limit++ // one more tells whether something follows
	list, err := s.cfg.Store.Queue(ctx, f)
	a := search.Answer{Comments: list, Found: int(CountOf(head, f))}
	if f.Limit--; len(list) > f.Limit {
		a.Comments, a.More, a.Last = list[:f.Limit], true, list[f.Limit-1]
	}
	return a, err
}

// scope are the sites that a query is about. A site that the words name is looked for among
// the moderator's.
func (s *Service) scope(ctx context.Context, who Moderator, q *QueueQuery) ([]string, error) {
	need := See
	if q.Asked.Network.IsValid() {
		need = Decide
	}
	if q.Asked.Site != "" {
		q.Site = q.Asked.Site
	}
	if q.Site != comments.Installation {
		return []string{q.Site}, s.allowed(ctx, who, need, q.Site)
	}
	sites, err := s.Sites(ctx, who)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, site := range sites {
		if who.May(need, site.ID) {
			ids = append(ids, site.ID)
		}
	}
	if len(ids) == 0 {
		return nil, comments.ErrForbidden
	}
	return ids, nil
}

// filter is the queue of a query, without site and place.
func (q *QueueQuery) filter() (QueueFilter, error) {
	f := QueueFilter{Status: q.Status, Queue: q.Queue, All: q.All, Order: comments.Oldest, Limit: q.Limit}
	if q.Newest {
		f.Order = comments.Newest
	}
	if q.Risk {
		f.Order = comments.ByRisk
	}
	if f.Limit == 0 {
		f.Limit = PageDefault
	}
	if q.Asked.Status != "" || q.Asked.Queue != "" {
		f.Status, f.Queue, f.All = q.Asked.Status, q.Asked.Queue, false
		q.Asked.Status, q.Asked.Queue = "", ""
	}
	if f.Status == "" && !f.All {
		f.Status = comments.Pending
	}
	switch {
	case f.Limit < 1 || f.Limit > PageMost, f.Queue != "" && !f.Queue.Valid(), !f.All && !f.Status.Valid():
		return f, fmt.Errorf("status, queue or limit: %w", comments.ErrMalformed)
	case f.Queue != "" && f.Status != comments.Pending:
		return f, fmt.Errorf("queues to work on know no other status: %w", comments.ErrMalformed)
	case f.Order == comments.ByRisk && (f.Status != comments.Pending || f.Queue == Reported || f.Queue == Appeals):
		return f, fmt.Errorf("order: %w", comments.ErrMalformed)
	}
	if f.Queue == Reported || f.Queue == Appeals {
		f.Status = "" // whatever it is
	}
	if !f.Listed() && f.Order != comments.ByRisk {
		return f, fmt.Errorf("status: %w", comments.ErrMalformed)
	}
	return f, nil
}

// merged is one page of the pages of several sites.
type merged struct {
	order   comments.Sort
	limit   int
	list    []comments.Comment
	more    bool
	partial bool
	bound   *comments.Comment // beyond it, not all is known
}

func (m *merged) add(a search.Answer) {
	m.list = append(m.list, a.Comments...)
	m.more = m.more || a.More
	if a.Partial {
		m.partial = true
		if m.bound == nil || search.Later(m.order, &a.Last, m.bound) < 0 {
			m.bound = &a.Last
		}
	}
}

// page cuts the page, and says after which comment the next one begins.
func (m *merged) page() (list []comments.Comment, last comments.Comment, more bool) {
	list, more = m.list, m.more
	slices.SortStableFunc(list, func(a, b comments.Comment) int { return search.Later(m.order, &a, &b) })
	if m.bound != nil {
		n := slices.IndexFunc(list, func(c comments.Comment) bool { return search.Later(m.order, &c, m.bound) > 0 })
		if n >= 0 {
			list = list[:n]
		}
		last = *m.bound
	}
	if len(list) > m.limit {
		list, more, m.bound = list[:m.limit], true, nil
	}
	if n := len(list); n > 0 && m.bound == nil {
		last = list[n-1]
	}
	return list, last, more
}

// cursor is the place of a comment in the order of a query: with its risk where that is
// part of it.
func cursor(q QueueQuery, c comments.Comment) string {
	if !q.Risk {
		return comments.Cursor(c.ID)
	}
	return strconv.Itoa(int(c.Risk)) + "." + comments.Cursor(c.ID)
}

// parseCursor reads a place among the comments of a site, whichever site it was found on.
func parseCursor(q QueueQuery, site string) (after comments.ID, risk uint16, err error) {
	if q.Risk && q.After != "" {
		text, rest, ok := strings.Cut(q.After, ".")
		n, bad := strconv.ParseUint(text, 10, 16)
		if !ok || bad != nil {
			return "", 0, fmt.Errorf("cursor: %w", comments.ErrMalformed)
		}
		risk, q.After = uint16(n), rest
	}
	after, err = comments.ParseCursor(site, q.After)
	return after, risk, err
}

func (s *Service) withPages(ctx context.Context, list []comments.Comment) ([]Item, error) {
	items := make([]Item, len(list))
	type at struct{ site, key string }
	pages := map[at]comments.Page{}
	for i, c := range list {
		p, ok := pages[at{c.Site, c.Page}]
		if !ok {
			var err error
			if p, err = s.cfg.Pages.Page(ctx, c.Site, c.Page); err != nil {
				return nil, err
			}
			pages[at{c.Site, c.Page}] = p
		}
		items[i] = Item{Comment: c, Page: p}
	}
	return items, nil
}

// SuspectCount is how many of a site's comments are in the queue Suspect.
func (s *Service) SuspectCount(ctx context.Context, who Moderator, site string) (int64, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return 0, err
	}
	return s.cfg.Store.QueueCount(ctx, QueueFilter{Site: site, Status: comments.Pending, Queue: Suspect})
}

// View is one comment with all that happened to it.
type View struct {
	Item
	Parent  *comments.Comment // what it replies to; nil when it replies to nothing
	History []comments.Transition
	Reports []comments.Report
	Appeal  string // the author's sentence, where an appeal is open
}

// Comment is one comment. One of a site that is not the moderator's is ErrNotFound, as is
// one that does not exist.
func (s *Service) Comment(ctx context.Context, who Moderator, rawID string) (View, error) {
	id, err := comments.ParseID(rawID)
	if err != nil {
		return View{}, err
	}
	if !who.May(See, id.Site()) {
		return View{}, comments.ErrNotFound
	}
	c, err := s.cfg.Pages.Comment(ctx, id)
	if err != nil {
		return View{}, err
	}
	items, err := s.withPages(ctx, []comments.Comment{c})
	if err != nil {
		return View{}, err
	}
	v := View{Item: items[0]}
	if c.Parent != "" {
		parent, err := s.cfg.Pages.Comment(ctx, c.Parent)
		if err == nil {
			v.Parent = &parent
		} else if !errors.Is(err, comments.ErrNotFound) {
			return View{}, err
		}
	}
	if v.Reports, err = s.cfg.Pages.Reports(ctx, id); err != nil {
		return View{}, err
	}
	v.History, err = s.cfg.Journal.History(ctx, id)
	for _, t := range v.History {
		if t.Kind == comments.KindAppealed && c.Marks.Has(comments.Appealed) {
			v.Appeal = t.Note
		}
	}
	return v, err
}

// Sites are the sites the moderator may see, by id.
func (s *Service) Sites(ctx context.Context, who Moderator) ([]comments.Site, error) {
	all, err := s.cfg.Sites.Sites(ctx)
	if err != nil {
		return nil, err
	}
	var mine []comments.Site
	for _, site := range all {
		if who.May(See, site.ID) {
			mine = append(mine, site)
		}
	}
	return mine, nil
}

// Allowed is nil when somebody may do something on a site, for the rooms whose own rules hang
// on it; else as allowed says.
func (s *Service) Allowed(ctx context.Context, who Moderator, p Permission, site string) error {
	return s.allowed(ctx, who, p, site)
}

// allowed answers a site that does not exist like one that is not the moderator's, so
// that nobody learns which sites there are.
func (s *Service) allowed(ctx context.Context, who Moderator, p Permission, site string) error {
	if !who.May(p, site) {
		return comments.ErrForbidden
	}
	if site == comments.Installation {
		return nil
	}
	_, err := s.cfg.Comments.Site(ctx, site)
	if errors.Is(err, comments.ErrNotFound) {
		return fmt.Errorf("site: %w", comments.ErrForbidden)
	}
	return err
}
