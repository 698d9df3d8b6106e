package moderation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"duyet/comments"
)

// Limits of one page of a list.
const (
	PageDefault = 50
	PageMost    = 200
)

// QueueQuery asks for a page of a queue.
type QueueQuery struct {
	Site   string
	Status comments.Status // "" = pending
	Queue  QueueName
	Newest bool
	Risk   bool   // the highest risk first; only for all that is pending
	After  string // cursor
	Limit  int    // 0 = PageDefault
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
	Counts comments.Counts // of the whole site
	Queues comments.QueueCounts
	Total  int64 // how many fit the query
}

// Queue reads a page of a site's queue. Errors: comments.ErrForbidden for a site that is
// not the moderator's, or does not exist; ErrMalformed for a bad limit, cursor, status.
func (s *Service) Queue(ctx context.Context, who Moderator, q QueueQuery) (QueuePage, error) {
	if err := s.allowed(ctx, who, See, q.Site); err != nil {
		return QueuePage{}, err
	}
	f := QueueFilter{Site: q.Site, Status: q.Status, Queue: q.Queue, Order: comments.Oldest, Limit: q.Limit}
	if q.Newest {
		f.Order = comments.Newest
	}
	if f.Status == "" {
		f.Status = comments.Pending
	}
	if q.Risk {
		f.Order = comments.ByRisk
	}
	if f.Limit == 0 {
		f.Limit = PageDefault
	}
	if !f.Status.Valid() || f.Limit < 1 || f.Limit > PageMost || (f.Queue != "" && !f.Queue.Valid()) {
		return QueuePage{}, fmt.Errorf("status, queue or limit: %w", comments.ErrMalformed)
	}
	if f.Queue != "" && f.Status != comments.Pending {
		return QueuePage{}, fmt.Errorf("queues to work on know no other status: %w", comments.ErrMalformed)
	}
	if f.Queue == Reported || f.Queue == Appeals {
		f.Status = "" // whatever it is
	}
	if !f.Listed() {
		return QueuePage{}, fmt.Errorf("order: %w", comments.ErrMalformed)
	}
	var err error
	if f.After, f.AfterRisk, err = parseCursor(q); err != nil {
		return QueuePage{}, err
	}
	f.Limit++ // one more tells whether something follows
	list, err := s.cfg.Store.Queue(ctx, f)
	if err != nil {
		return QueuePage{}, err
	}
	f.Limit--
	page := QueuePage{}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		page.Next = cursor(q, list[f.Limit-1])
	}
	if page.Items, err = s.withPages(ctx, list); err != nil {
		return QueuePage{}, err
	}
	head, err := s.cfg.Journal.Head(ctx, q.Site)
	if err != nil {
		return QueuePage{}, err
	}
	page.Counts, page.Queues = head.Counts, head.Queues
	page.Total = CountOf(head, f)
	return page, err
}

// cursor is the place of a comment in the order of a query: with its risk where that is
// part of it.
func cursor(q QueueQuery, c comments.Comment) string {
	if !q.Risk {
		return comments.Cursor(c.ID)
	}
	return strconv.Itoa(int(c.Risk)) + "." + comments.Cursor(c.ID)
}

func parseCursor(q QueueQuery) (after comments.ID, risk uint16, err error) {
	if q.Risk && q.After != "" {
		text, rest, ok := strings.Cut(q.After, ".")
		n, bad := strconv.ParseUint(text, 10, 16)
		if !ok || bad != nil {
			return "", 0, fmt.Errorf("cursor: %w", comments.ErrMalformed)
		}
		risk, q.After = uint16(n), rest
	}
	after, err = comments.ParseCursor(q.Site, q.After)
	return after, risk, err
}

func (s *Service) withPages(ctx context.Context, list []comments.Comment) ([]Item, error) {
	items := make([]Item, len(list))
	pages := map[string]comments.Page{}
	for i, c := range list {
		p, ok := pages[c.Page]
		if !ok {
			var err error
			if p, err = s.cfg.Pages.Page(ctx, c.Site, c.Page); err != nil {
				return nil, err
			}
			pages[c.Page] = p
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
