package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

// PutLease implements moderation.LeaseStore. It also forgets those of the site that ended,
// one of a moment at a time.
func (s *Store) PutLease(ctx context.Context, l moderation.Lease) error {
	if l.Comment == "" {
		_, err := s.db.Exec(ctx, `DELETE FROM leases WHERE site = $1 AND holder = $2 AND tab = $3`, l.Site, l.Holder, l.Tab)
		return err
	}
	_, err := s.db.Exec(ctx, `WITH ended AS (
			DELETE FROM leases WHERE (site, holder, tab) IN (
				SELECT site, holder, tab FROM leases WHERE site = $1 AND until < $5::timestamptz - interval '5 minutes' LIMIT 10 FOR UPDATE SKIP LOCKED))
		INSERT INTO leases (site, holder, tab, comment, until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site, holder, tab) DO UPDATE SET comment = excluded.comment, until = excluded.until`,
		l.Site, l.Holder, l.Tab, string(l.Comment), expiry(l.Until))
	return err
}

// Leases implements moderation.LeaseStore.
func (s *Store) Leases(ctx context.Context, site string, now time.Time) (list []moderation.Lease, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		rows, err := q.Query(ctx, `SELECT holder, tab, comment, until FROM leases WHERE site = $1 AND until > $2 ORDER BY comment, holder, tab`, site, now)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (moderation.Lease, error) {
			l := moderation.Lease{Site: site}
			var id string
			err := row.Scan(&l.Holder, &l.Tab, &id, &l.Until)
			l.Comment, l.Until = core.ID(id), l.Until.UTC()
			return l, err
		})
		return err
	})
	return list, err
}
