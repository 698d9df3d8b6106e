package moderation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duyet/comments"
)

// EventPage is a part of a journal.
type EventPage struct {
	Events []comments.Transition
	Next   uint64 // Seq to go on from; 0 at the end
}

// Events reads a site's journal after a sequence number, oldest first; limit 0 means
// PageDefault. comments.Installation is for those who have every site and may manage
// people. Errors: ErrForbidden, ErrMalformed for a limit out of range.
func (s *Service) Events(ctx context.Context, who Moderator, site string, after uint64, limit int) (EventPage, error) {
	limit, err := s.journalLimit(ctx, who, site, limit)
	if err != nil {
		return EventPage{}, err
	}
	events, err := s.cfg.Journal.Events(ctx, site, after, limit+1)
	if err != nil {
		return EventPage{}, err
	}
	page := EventPage{Events: events}
	if len(events) > limit {
		page.Events = events[:limit]
		page.Next = page.Events[limit-1].Seq
	}
	return page, nil
}

// LatestEvents reads a site's journal before a sequence number (0 = from its end), newest
// first. Limits, permissions and errors are those of Events.
func (s *Service) LatestEvents(ctx context.Context, who Moderator, site string, before uint64, limit int) (EventPage, error) {
	limit, err := s.journalLimit(ctx, who, site, limit)
	if err != nil {
		return EventPage{}, err
	}
	head, err := s.cfg.Journal.Head(ctx, site)
	if err != nil {
		return EventPage{}, err
	}
	last := head.Seq
	if before > 0 {
		last = min(last, before-1)
	}
	if last == 0 {
		return EventPage{}, nil
	}
	// Sequence numbers have no gap, so the page's beginning is known without looking.
	size := min(uint64(limit), last)
	events, err := s.cfg.Journal.Events(ctx, site, last-size, int(size))
	if err != nil {
		return EventPage{}, err
	}
	slices.Reverse(events)
	page := EventPage{Events: events}
	if last > size {
		page.Next = last - size + 1
	}
	return page, nil
}

func (s *Service) journalLimit(ctx context.Context, who Moderator, site string, limit int) (int, error) {
	permission := See
	if site == comments.Installation {
		permission = ManagePeople
	}
	if err := s.allowed(ctx, who, permission, site); err != nil {
		return 0, err
	}
	if limit == 0 {
		limit = PageDefault
	}
	if limit < 1 || limit > PageMost {
		return 0, fmt.Errorf("limit: %w", comments.ErrMalformed)
	}
	return limit, nil
}

// Mentioned are the comments that events tell of, as they stand now; one that no longer
// stands is left out. Permission was asked when the events were read.
func (s *Service) Mentioned(ctx context.Context, events []comments.Transition) (map[comments.ID]comments.Comment, error) {
	found := map[comments.ID]comments.Comment{}
	for _, e := range events {
		if _, done := found[e.Comment]; done || e.Comment == "" {
			continue
		}
		c, err := s.cfg.Pages.Comment(ctx, e.Comment)
		if errors.Is(err, comments.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[e.Comment] = c
	}
	return found, nil
}
