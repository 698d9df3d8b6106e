package comments

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// Limits of what one public read may ask for.
const (
	ThreadLimit   = 50   // comments a page of a thread has by default
	ThreadMost    = 200  // and at most, by JSON
	FragmentMost  = 1000 // and as a fragment
	CountsMost    = 100
	LatestDefault = 10
	LatestMost    = 100
)

// ThreadQuery asks for a part of a thread. Page is as the reader or CMS named it.
type ThreadQuery struct {
	Page  string
	Sort  Sort   // "" = Oldest
	After string // cursor; "" = from the start
	Limit int    // 0 = ThreadLimit
}

// Thread is a part of a page's approved comments.
type Thread struct {
	Page     Page // of an unknown page: key and URL alone
	Open     bool // whether it takes comments
	Comments []Comment
	Next     string // cursor of what follows, "" at the end
}

// queryPage reads a page key that stands in a query: a bad one is ErrMalformed, which is
// the contract's 400, while the InvalidError inside still says why.
func queryPage(err error) error {
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		return fmt.Errorf("%w: %w", ErrMalformed, invalid)
	}
	return err
}

// Thread reads approved comments alone. An unknown page is an empty open thread and is
// not created. Errors: ErrMalformed for a bad key, cursor, sort or limit.
func (s *Service) Thread(ctx context.Context, site Site, q ThreadQuery, most int) (Thread, error) {
	if q.Limit == 0 {
		q.Limit = ThreadLimit
	}
	if q.Limit < 1 || q.Limit > most {
		return Thread{}, fmt.Errorf("limit: %w", ErrMalformed)
	}
	sort, err := sortOf(site, q.Sort)
	if err != nil {
		return Thread{}, err
	}
	from, err := ParsePoint(site.ID, sort, q.After)
	if err != nil {
		return Thread{}, err
	}
	page, err := s.page(ctx, site, q.Page)
	if err != nil {
		return Thread{}, queryPage(err)
	}
	// One more than asked for tells whether something follows.
	var list []Comment
	if sort == Liked {
		list, err = s.cfg.Store.MostLiked(ctx, site.ID, page.Key, from, q.Limit+1)
	} else {
		list, err = s.cfg.Store.Thread(ctx, site.ID, page.Key, sort, from.ID, q.Limit+1)
	}
	if err != nil {
		return Thread{}, err
	}
	t := Thread{Page: page, Open: page.Open(s.cfg.Now(), site.Settings.CloseAfter), Comments: list}
	if len(list) > q.Limit {
		t.Comments = list[:q.Limit]
		t.Next = PointCursor(sort, t.Comments[q.Limit-1])
	}
	return t, nil
}

// Counts are the numbers of comments that readers see on pages, in the order asked, at most
// CountsMost. A bad key is ErrMalformed.
func (s *Service) Counts(ctx context.Context, site Site, pages []string) ([]int64, error) {
	if len(pages) == 0 || len(pages) > CountsMost {
		return nil, fmt.Errorf("from 1 to %d pages: %w", CountsMost, ErrMalformed)
	}
	counts := make([]int64, len(pages))
	for i, raw := range pages {
		p, err := s.page(ctx, site, raw)
		if err != nil {
			return nil, queryPage(err)
		}
		counts[i] = p.Standing
	}
	return counts, nil
}

// LatestComment is a comment with the page it stands on.
type LatestComment struct {
	Comment
	Page Page
}

// Latest is the site's latest approved comments, newest first. limit 0 means
// LatestDefault; one out of range is ErrMalformed.
func (s *Service) Latest(ctx context.Context, site Site, limit int) ([]LatestComment, error) {
	if limit == 0 {
		limit = LatestDefault
	}
	if limit < 1 || limit > LatestMost {
		return nil, fmt.Errorf("limit: %w", ErrMalformed)
	}
	list, err := s.cfg.Store.Latest(ctx, site.ID, limit)
	if err != nil {
		return nil, err
	}
	out := make([]LatestComment, len(list))
	for i, c := range list {
		p, err := s.cfg.Store.Page(ctx, site.ID, c.Page)
		if err != nil {
			return nil, err
		}
		out[i] = LatestComment{Comment: c, Page: p}
	}
	return out, nil
}

// IssueTicket seals a verification code for a page, counted against the network of addr.
// Errors: an InvalidError on "page", *LimitedError.
func (s *Service) IssueTicket(site Site, rawPage string, addr netip.Addr) (text string, t Ticket, err error) {
	key, _, err := PageKey(site, rawPage)
	if err != nil {
		return "", Ticket{}, err
	}
	if err := s.Limit(site, PageHash(site.ID, key), MeterTicket, addr); err != nil {
		return "", Ticket{}, err
	}
	return s.cfg.Tickets.Issue(site.ID, key, s.cfg.Now(), site.Settings.TicketTTL)
}

// OpenTicket reads a ticket to draw or speak it: ErrTicketUnreadable, ErrTicketExpired,
// or a *LimitedError for the network of addr.
func (s *Service) OpenTicket(ctx context.Context, text string, m Meter, addr netip.Addr) (Ticket, error) {
	t, err := s.cfg.Tickets.Open(text)
	if err != nil {
		return Ticket{}, err
	}
	if !s.cfg.Now().Before(t.Expires) {
		return Ticket{}, ErrTicketExpired
	}
	site, err := s.Site(ctx, t.Site)
	if err != nil {
		return Ticket{}, err
	}
	return t, s.Limit(site, t.Page, m, addr)
}

// TicketLives reports whether a ticket, as it stands in a form, can still let a comment
// in: readable, of this site and page, not expired, not killed by a wrong answer, not
// spent. A form keeps one that lives and fetches a fresh one otherwise.
func (s *Service) TicketLives(ctx context.Context, site Site, rawPage, text string) bool {
	t, err := s.cfg.Tickets.Open(text)
	if err != nil || t.Site != site.ID || !s.cfg.Now().Before(t.Expires) {
		return false
	}
	key, _, err := PageKey(site, rawPage)
	if err != nil || t.Page != PageHash(site.ID, key) && !asked(site, rawPage, t) {
		return false
	}
	if dead, err := s.cfg.Judge.Dead(ctx, t.ID); err != nil || dead {
		return false
	}
	_, err = s.cfg.Store.Spent(ctx, t.ID, t.Expires)
	return errors.Is(err, ErrNotFound)
}

// Limit counts one use of a meter by the network of addr, unless the site lifts limits. An
// attack on the site, or on the page, leaves half.
func (s *Service) Limit(site Site, page [16]byte, m Meter, addr netip.Addr) error {
	if !site.Settings.RateLimit {
		return nil
	}
	_, err := s.cfg.Limiter.Take(m, Use{Site: site.ID, Addr: addr, Halved: s.cfg.Alarm.Raised(site, page)})
	return err
}

// ReplyTo is the approved comment of a page that a reply is for, or ErrNotFound.
func (s *Service) ReplyTo(ctx context.Context, page Page, raw string) (Comment, error) {
	id, err := s.parent(ctx, page, raw)
	if err != nil {
		return Comment{}, err
	}
	c, err := s.cfg.Store.Comment(ctx, id)
	return c.Shown(), err
}

// Now is the service's clock.
func (s *Service) Now() time.Time { return s.cfg.Now() }

// Cursor names a place in a list: after the comment id. It is opaque to clients.
func Cursor(id ID) string {
	u := id.UUID()
	return base64.RawURLEncoding.EncodeToString(u[:])
}

// ParseCursor reads a cursor of Cursor within a site; "" is the start. Anything else that
// is no cursor is ErrMalformed.
func ParseCursor(site, text string) (ID, error) {
	if text == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(uuid.UUID{}) {
		return "", fmt.Errorf("cursor: %w", ErrMalformed)
	}
	return MakeID(site, uuid.UUID(raw)), nil
}
