package boltstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"duyet/moderation"
)

// leases stand in memory: there is one program on the file, and what its restart forgets is
// said again within seconds.
type leases struct {
	mu   sync.Mutex
	held map[leaseKey]moderation.Lease
}

type leaseKey struct{ site, holder, tab string }

// PutLease implements moderation.LeaseStore.
func (s *Store) PutLease(ctx context.Context, l moderation.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if s.leases.held == nil {
		s.leases.held = map[leaseKey]moderation.Lease{}
	}
	key := leaseKey{l.Site, l.Holder, l.Tab}
	if l.Comment == "" {
		delete(s.leases.held, key)
		return nil
	}
	s.leases.held[key] = l
	return nil
}

// Leases implements moderation.LeaseStore.
func (s *Store) Leases(ctx context.Context, site string, now time.Time) ([]moderation.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	maps.DeleteFunc(s.leases.held, func(k leaseKey, l moderation.Lease) bool { return k.site == site && !now.Before(l.Until) })
	var list []moderation.Lease
	for key, l := range s.leases.held {
		if key.site == site {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b moderation.Lease) int {
		return cmp.Or(cmp.Compare(a.Comment, b.Comment), cmp.Compare(a.Holder, b.Holder), cmp.Compare(a.Tab, b.Tab))
	})
	return list, nil
}
