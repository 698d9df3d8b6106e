package comments

import (
	"context"
	"fmt"
	"time"
)

// Limits of what a list of discussed pages may be asked for.
const (
	DiscussedDefault  = 5
	DiscussedMost     = 50
	DiscussedDays     = 7 // by default
	DiscussedDaysMost = 30
)

// Day is a day of UTC, counted from 1970-01-01.
type Day int32

// DayOf is the day that a moment is in.
func DayOf(t time.Time) Day {
	const day = 24 * 60 * 60
	s := t.Unix()
	if s < 0 {
		s -= day - 1
	}
	return Day(s / day)
}

// Discussion is a page and how many of its standing comments were written in a stretch of
// time.
type Discussion struct {
	Page     Page
	Comments int64
}

// Discussed is the site's pages with the most standing comments written in the last so
// many days, today among them, most first. 0 means DiscussedDays and DiscussedDefault; what
// is out of range is ErrMalformed. until is when the answer changes by itself.
func (s *Service) Discussed(ctx context.Context, site Site, days, limit int) (list []Discussion, until time.Time, err error) {
	if days == 0 {
		days = DiscussedDays
	}
	if limit == 0 {
		limit = DiscussedDefault
	}
	if days < 1 || days > DiscussedDaysMost {
		return nil, until, fmt.Errorf("%w: %w", ErrMalformed, Invalid("days", "not_allowed"))
	}
	if limit < 1 || limit > DiscussedMost {
		return nil, until, fmt.Errorf("%w: %w", ErrMalformed, Invalid("limit", "not_allowed"))
	}
	today := DayOf(s.cfg.Now())
	list, err = s.cfg.Store.Discussed(ctx, site.ID, today-Day(days)+1, limit)
	return list, time.Unix(int64(today+1)*24*60*60, 0), err
}
