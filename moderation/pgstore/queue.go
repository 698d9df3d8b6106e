package pgstore

import (
	"context"
	"fmt"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

// Queue implements moderation.QueueReader.
func (s *Store) Queue(ctx context.Context, f moderation.QueueFilter) ([]core.Comment, error) {
	return s.db.Queue(ctx, f.Site, f.Status, f.Queue == moderation.Suspect, f.Newest, f.After, f.Limit)
}

// QueueCount implements moderation.QueueReader.
func (s *Store) QueueCount(ctx context.Context, f moderation.QueueFilter) (int64, error) {
	if f.Queue == moderation.Suspect {
		n, err := s.db.SuspectCount(ctx, f.Site)
		if err != nil || f.Status != core.Pending {
			return 0, err
		}
		return n, nil
	}
	if f.Site == core.Installation {
		return 0, fmt.Errorf("%q: %w", f.Site, core.ErrUnknownSite)
	}
	h, err := s.db.Head(ctx, f.Site)
	return h.Counts.Of(f.Status), err
}

// Transition implements moderation.Transitioner.
func (s *Store) Transition(ctx context.Context, changes []moderation.Change) ([]moderation.Changed, error) {
	asked := make([]comments.Change, len(changes))
	for i, c := range changes {
		asked[i] = comments.Change{ID: c.ID, Actor: c.Actor, Decide: func(current core.Comment, last core.Transition) (*comments.Step, error) {
			step, err := c.Decide(current, last)
			if step == nil {
				return nil, err
			}
			return &comments.Step{To: step.To, Kind: step.Kind, Reason: step.Reason, Detail: step.Detail}, err
		}}
	}
	became, err := s.db.Transition(ctx, asked)
	if err != nil {
		return nil, err
	}
	done := make([]moderation.Changed, len(became))
	for i, c := range became {
		done[i] = moderation.Changed{Comment: c.Comment, Err: c.Err}
	}
	return done, nil
}
