package moderation

import (
	"context"
	"fmt"
	"time"

	"duyet/comments"
)

// LeaseFor is how long a comment counts as open at somebody's desk without their saying so
// again.
const LeaseFor = time.Minute

// Lease is the comment that somebody has open at the desk. It keeps nobody from deciding: it
// is there so that two people don't read the same thing.
type Lease struct {
	Site    string
	Holder  string      // a moderator's id
	Tab     string      // of the holder, who may have several: 1–40 bytes
	Comment comments.ID // of the site
	Until   time.Time
}

// LeaseStore keeps leases: shared by all nodes, in no journal, gone with a restart of the
// store at the latest.
type LeaseStore interface {
	// PutLease notes what a tab has open in place of what it had open before; with an empty
	// Comment it has nothing open.
	PutLease(ctx context.Context, l Lease) error
	// Leases are a site's that hold at a time, by comment, holder and tab.
	Leases(ctx context.Context, site string, now time.Time) ([]Lease, error)
}

// Open notes that somebody reads a comment, or with "" that they no longer read any.
// Errors: comments.ErrForbidden for a site that isn't theirs, ErrMalformed for what is no
// comment of the site or no name of a tab.
func (s *Service) Open(ctx context.Context, who Moderator, site, tab, comment string) error {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return err
	}
	l := Lease{Site: site, Holder: who.ID, Tab: tab, Until: s.cfg.Now().Add(LeaseFor)}
	if !documentName(tab, 40, true) {
		return fmt.Errorf("tab: %w", comments.ErrMalformed)
	}
	if comment != "" {
		id, err := comments.ParseID(comment)
		if err != nil || id.Site() != site {
			return fmt.Errorf("comment: %w", comments.ErrMalformed)
		}
		l.Comment = id
	}
	return s.cfg.Store.PutLease(ctx, l)
}

// Leases are what colleagues have open on a site now.
func (s *Service) Leases(ctx context.Context, who Moderator, site string) ([]Lease, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return nil, err
	}
	return s.cfg.Store.Leases(ctx, site, s.cfg.Now())
}
