package pgstore

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"duyet/comments"
)

// Addresses are where comments came from, of those whose address is still kept.
func (db *DB) Addresses(ctx context.Context, ids []comments.ID) (found map[comments.ID]netip.Addr, err error) {
	bySite := map[string][]uuid.UUID{}
	for _, id := range ids {
		bySite[id.Site()] = append(bySite[id.Site()], id.UUID())
	}
	err = db.Read(ctx, func(q Queryer) error {
		found = make(map[comments.ID]netip.Addr, len(ids))
		for site, list := range bySite {
			rows, err := q.Query(ctx, `SELECT comment, addr FROM addresses WHERE site = $1 AND comment = ANY ($2)`, site, list)
			if err != nil {
				return err
			}
			var id uuid.UUID
			var addr netip.Addr
			if _, err = pgx.ForEachRow(rows, []any{&id, &addr}, func() error {
				found[comments.MakeID(site, id)] = addr.Unmap()
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
