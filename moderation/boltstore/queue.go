package boltstore

import (
	"context"
	"errors"
	"fmt"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
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
	done := make([]moderation.Changed, len(changes))
	err := s.db.Do(ctx, func(tx *comments.Tx) error {
		for i, c := range changes {
			done[i] = apply(tx, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

func apply(tx *comments.Tx, c moderation.Change) moderation.Changed {
	at, err := tx.Stand(c.ID)
	if err != nil {
		if errors.Is(err, core.ErrUnknownSite) {
			err = fmt.Errorf("comment %s: %w", c.ID, core.ErrNotFound)
		}
		return moderation.Changed{Err: err}
	}
	step, err := c.Decide(at.Comment, at.Last)
	if err == nil && step != nil && !step.To.Valid() {
		err = fmt.Errorf("status %q: %w", step.To, core.ErrInvalid)
	}
	if err != nil || step == nil {
		return moderation.Changed{Comment: at.Comment, Err: err}
	}
	return moderation.Changed{Comment: tx.Move(at, comments.Step{
		To: step.To, Kind: step.Kind, Actor: c.Actor, Reason: step.Reason, Detail: step.Detail,
	})}
}
