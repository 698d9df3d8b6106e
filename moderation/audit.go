package moderation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"duyet/comments"
)

// EventGroup is a part of a journal by what its events are about.
type EventGroup string

// Groups of events.
const (
	EveryEvent     EventGroup = ""
	DecisionEvents EventGroup = "decisions" // about comments, by people
	ReaderEvents   EventGroup = "readers"   // about comments, by readers
	SettingEvents  EventGroup = "settings"
	PeopleEvents   EventGroup = "people" // who may what
	SignInEvents   EventGroup = "sign_in"
)

// EventGroups lists the groups in the order in which they are shown.
var EventGroups = [...]EventGroup{EveryEvent, DecisionEvents, ReaderEvents, SettingEvents, PeopleEvents, SignInEvents}

// groupOf sorts an event by its kind.
func groupOf(e comments.Event) EventGroup {
	area, _, _ := strings.Cut(string(e.Kind), ".")
	switch {
	case e.Comment != "" && e.Actor == comments.ActorReader:
		return ReaderEvents
	case e.Comment != "":
		return DecisionEvents
	case area == "session", area == "recovery":
		return SignInEvents
	case area == "moderator", area == "token", area == "totp", area == "passkey", area == "keys":
		return PeopleEvents
	}
	return SettingEvents
}

// EventFilter narrows a journal; the zero value takes everything.
type EventFilter struct {
	Group EventGroup
	Actor string    // "" = everybody
	From  time.Time // at or after; zero = from the start
	To    time.Time // before; zero = to the end
}

// Check is comments.ErrMalformed for a group that there is not.
func (f EventFilter) Check() error {
	if !slices.Contains(EventGroups[:], f.Group) {
		return fmt.Errorf("group of events %q: %w", f.Group, comments.ErrMalformed)
	}
	return nil
}

func (f EventFilter) takes(e comments.Event) bool {
	return (f.Group == EveryEvent || groupOf(e) == f.Group) && (f.Actor == "" || e.Actor == f.Actor) &&
		(f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To))
}

// Bounds of one search in a journal.
const (
	auditStride = 500
	auditMost   = 20_000 // events looked at for one page
)

// Audit reads a site's journal before a sequence number (0 = from its end), newest first, as
// far as the filter takes it. It looks at auditMost events at most, so a page may hold fewer
// than limit, or none, and still have a Next. Permissions and errors are those of Events.
func (s *Service) Audit(ctx context.Context, who Moderator, site string, f EventFilter, before uint64, limit int) (EventPage, error) {
	if err := f.Check(); err != nil {
		return EventPage{}, err
	}
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
	page := EventPage{}
	for looked := 0; last > 0 && looked < auditMost; looked += auditStride {
		size := min(uint64(auditStride), last)
		events, err := s.cfg.Journal.Events(ctx, site, last-size, int(size))
		if err != nil {
			return EventPage{}, err
		}
		for _, e := range slices.Backward(events) {
			if !f.From.IsZero() && e.At.Before(f.From) {
				return page, nil // sequence order is commit order: all that is left is older
			}
			if !f.takes(e.Event) {
				continue
			}
			if len(page.Events) == limit {
				page.Next = page.Events[limit-1].Seq
				return page, nil
			}
			page.Events = append(page.Events, e)
		}
		last -= size
	}
	if last > 0 {
		page.Next = last + 1
	}
	return page, nil
}

// Export hands a site's journal to each, oldest first, as far as the filter takes it. What
// is appended meanwhile is left out. Permissions and errors are those of Events, and each's.
func (s *Service) Export(ctx context.Context, who Moderator, site string, f EventFilter, each func(comments.Transition) error) error {
	if err := f.Check(); err != nil {
		return err
	}
	if _, err := s.journalLimit(ctx, who, site, 0); err != nil {
		return err
	}
	head, err := s.cfg.Journal.Head(ctx, site)
	if err != nil {
		return err
	}
	for after := uint64(0); after < head.Seq; {
		events, err := s.cfg.Journal.Events(ctx, site, after, int(min(auditStride, head.Seq-after)))
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return fmt.Errorf("journal of %s ends at %d, not at %d: %w", site, after, head.Seq, comments.ErrDamaged)
		}
		for _, e := range events {
			if after = e.Seq; f.takes(e.Event) {
				if err := each(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// VerifyJournal recomputes a site's chain and returns its head, or comments.ErrDamaged
// naming the first entry that does not fit. Permissions are those of Events.
func (s *Service) VerifyJournal(ctx context.Context, who Moderator, site string) (comments.Head, error) {
	if _, err := s.journalLimit(ctx, who, site, 0); err != nil {
		return comments.Head{}, err
	}
	return s.cfg.Journal.VerifyChain(ctx, site)
}
