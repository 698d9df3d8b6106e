package pgstore

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"duyet/comments"
)

// Arrivals adds up, for all nodes, how much comes in a minute.
type Arrivals struct{ db *DB }

// Arrivals is the count that the nodes of this database share.
func (db *DB) Arrivals() *Arrivals { return &Arrivals{db} }

// Add adds what came to this node since it last asked, and returns what came to all nodes
// in the same minutes, in the order given.
func (a *Arrivals) Add(ctx context.Context, news []comments.Arrival) (all []comments.Arrival, err error) {
	sites, pages := make([]string, len(news)), make([]uuid.UUID, len(news))
	minutes, came, wrong := make([]int64, len(news)), make([]int64, len(news)), make([]int64, len(news))
	place := make(map[comments.Arrival]int, len(news))
	for i, n := range news {
		sites[i], pages[i], minutes[i], came[i], wrong[i] = n.Site, uuid.UUID(n.Page), n.Minute, n.Came, n.Wrong
		place[comments.Arrival{Site: n.Site, Page: n.Page, Minute: n.Minute}] = i
	}
	err = a.db.Read(ctx, func(q Queryer) error {
		all = make([]comments.Arrival, len(news))
		// Rows are locked in one order, so that nodes can't wait for each other in a ring.
		rows, err := q.Query(ctx, `INSERT INTO arrivals AS a (site, page, minute, came, wrong)
			SELECT site, page, minute, sum(came), sum(wrong)
			FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS n (site, page, minute, came, wrong)
			GROUP BY site, page, minute ORDER BY site, page, minute
			ON CONFLICT (site, page, minute) DO UPDATE SET came = a.came + excluded.came, wrong = a.wrong + excluded.wrong
			RETURNING site, page, minute, came, wrong`, sites, pages, minutes, came, wrong)
		if err != nil {
			return err
		}
		var one comments.Arrival
		var page uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&one.Site, &page, &one.Minute, &one.Came, &one.Wrong}, func() error {
			one.Page = page
			if i, ok := place[comments.Arrival{Site: one.Site, Page: one.Page, Minute: one.Minute}]; ok {
				all[i] = one
			}
			return nil
		})
		return err
	})
	return all, err
}
