package pgstore

import (
	"context"
	"fmt"
	"net/netip"

	core "duyet/comments"
	"duyet/moderation"
)

// Queue implements moderation.QueueReader.
func (s *Store) Queue(ctx context.Context, f moderation.QueueFilter) ([]core.Comment, error) {
	return s.db.Queue(ctx, f)
}

// QueueCount implements moderation.QueueReader.
func (s *Store) QueueCount(ctx context.Context, f moderation.QueueFilter) (int64, error) {
	if f.Site == core.Installation {
		return 0, fmt.Errorf("%q: %w", f.Site, core.ErrUnknownSite)
	}
	h, err := s.db.Head(ctx, f.Site)
	return moderation.CountOf(h, f), err
}

// Transition implements moderation.Transitioner.
func (s *Store) Transition(ctx context.Context, changes []moderation.Change) ([]moderation.Changed, error) {
	return s.db.Amend(ctx, moderation.Amendments(changes))
}

// Addresses implements moderation.AddressReader.
func (s *Store) Addresses(ctx context.Context, ids []core.ID) (map[core.ID]netip.Addr, error) {
	return s.db.Addresses(ctx, ids)
}
