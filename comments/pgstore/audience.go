package pgstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
	"duyet/comments/audience"
)

// The whole contract, in one type.
var _ audience.Store = (*DB)(nil)

// inTx runs a transaction, again when it was lost before its commit or the server asks for
// it; one whose commit was sent and not answered may be run twice.
func (db *DB) inTx(ctx context.Context, run func(tx pgx.Tx) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.work.Done()
	return db.retry(ctx, func() error {
		conn, err := db.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		err = broken(conn.Conn(), pgx.BeginFunc(ctx, conn, run))
		db.distrust(err)
		return err
	})
}

// lockAudience locks what is kept of a site, without its sketch, and makes the row when
// there is none. A site that is gone has none.
func lockAudience(ctx context.Context, tx pgx.Tx, site string) (k audience.Kept, err error) {
	if _, err := tx.Exec(ctx, `INSERT INTO audience (site) SELECT site FROM heads WHERE site = $1 ON CONFLICT DO NOTHING`, site); err != nil {
		return k, err
	}
	err = tx.QueryRow(ctx, `SELECT summary, slots FROM audience WHERE site = $1 FOR UPDATE`, site).Scan(&k.Summary, &k.Slots)
	if errors.Is(err, pgx.ErrNoRows) {
		err = unknown(site)
	}
	return k, err
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readSketch(ctx context.Context, q querier, site string, day audience.Day) (sketch []byte, err error) {
	err = q.QueryRow(ctx, `SELECT sketch FROM audience_days WHERE site = $1 AND day = $2`, site, int32(day)).Scan(&sketch)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return sketch, err
}

// LoadAudience implements audience.Store.
func (db *DB) LoadAudience(ctx context.Context, site string, day audience.Day, proposed audience.Salts) (state audience.State, err error) {
	// Reading is enough but for the first time a day.
	var changed bool
	err = db.Read(ctx, func(q Queryer) (err error) {
		state.Kept = audience.Kept{}
		err = q.QueryRow(ctx, `SELECT summary, slots FROM audience WHERE site = $1`, site).Scan(&state.Summary, &state.Slots)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if state.Sketch, err = readSketch(ctx, q, site, day); err != nil {
			return err
		}
		state.Salts, changed, err = state.Open(day, proposed)
		return err
	})
	if err == nil && changed {
		err = db.inTx(ctx, func(tx pgx.Tx) (err error) {
			if state.Kept, err = lockAudience(ctx, tx, site); err != nil {
				return err
			}
			if state.Sketch, err = readSketch(ctx, tx, site, day); err != nil {
				return err
			}
			if state.Salts, changed, err = state.Open(day, proposed); err != nil || !changed {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE audience SET summary = $2 WHERE site = $1`, site, state.Summary)
			return err
		})
	}
	if err != nil {
		return audience.State{}, err
	}
	return state, nil
}

// FlushAudience implements audience.Store. Sites are locked in order, so that nodes never
// wait for each other in a circle. What was counted for a site that is gone goes with it.
func (db *DB) FlushAudience(ctx context.Context, deltas []audience.Delta) error {
	bySite := map[string][]audience.Delta{}
	for _, d := range deltas {
		for page := range d.Pages {
			if err := CheckText(page); err != nil {
				return err
			}
		}
		bySite[d.Site] = append(bySite[d.Site], d)
	}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		for _, site := range slices.Sorted(maps.Keys(bySite)) {
			err := flushSite(ctx, tx, site, bySite[site])
			if errors.Is(err, comments.ErrUnknownSite) {
				continue
			}
			if err != nil {
				return fmt.Errorf("audience of %s: %w", site, err)
			}
		}
		return nil
	})
}

func flushSite(ctx context.Context, tx pgx.Tx, site string, deltas []audience.Delta) error {
	kept, err := lockAudience(ctx, tx, site)
	if err != nil {
		return err
	}
	sketches := map[audience.Day][]byte{}
	views := map[string]int64{}
	var today audience.Day
	for _, d := range deltas {
		if _, read := sketches[d.Day]; !read {
			if sketches[d.Day], err = readSketch(ctx, tx, site, d.Day); err != nil {
				return err
			}
		}
		kept.Sketch = sketches[d.Day]
		if err := kept.Merge(d); err != nil {
			return err
		}
		sketches[d.Day] = kept.Sketch
		today = max(today, d.Day)
		for page, n := range d.Pages {
			views[page] += n
		}
	}
	if err := resolveViews(ctx, tx, site, views); err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(`UPDATE audience SET summary = $2, slots = $3 WHERE site = $1`, site, kept.Summary, kept.Slots)
	for day, sketch := range sketches {
		if sketch != nil {
			b.Queue(`INSERT INTO audience_days (site, day, sketch) VALUES ($1, $2, $3)
				ON CONFLICT (site, day) DO UPDATE SET sketch = excluded.sketch WHERE audience_days.sketch <> excluded.sketch`, site, int32(day), sketch)
		}
	}
	b.Queue(`DELETE FROM audience_days WHERE site = $1 AND day < $2`, site, int32(today)-1)
	queueViews(b, site, views)
	return tx.SendBatch(ctx, b).Close()
}

// resolveViews gives what was counted under former keys to the pages that stand.
func resolveViews(ctx context.Context, tx pgx.Tx, site string, views map[string]int64) error {
	ids := make([]pgtype.UUID, 0, len(views))
	for key := range views {
		ids = append(ids, pageUUID(site, key))
	}
	rows, err := tx.Query(ctx, `SELECT a.key, a.target FROM unnest($2::uuid[]) AS k (id)
		CROSS JOIN LATERAL (SELECT * FROM aliases WHERE site = $1 AND id = k.id LIMIT 1) AS a`, site, ids)
	if err != nil {
		return err
	}
	var from, to string
	_, err = pgx.ForEachRow(rows, []any{&from, &to}, func() error {
		views[to] += views[from]
		delete(views, from)
		return nil
	})
	return err
}

// queueViews adds to the views of pages, in one statement.
func queueViews(b *pgx.Batch, site string, views map[string]int64) {
	if len(views) == 0 {
		return
	}
	var ids []pgtype.UUID
	var keys []string
	var counts []int64
	for key, n := range views {
		ids, keys, counts = append(ids, pageUUID(site, key)), append(keys, key), append(counts, n)
	}
	b.Queue(`INSERT INTO views AS v (site, page, key, views) SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[])
		ON CONFLICT (site, page) DO UPDATE SET views = v.views + excluded.views`, site, ids, keys, counts)
}

// PageViews implements audience.Store.
func (db *DB) PageViews(ctx context.Context, site string, pages []string) (views []int64, err error) {
	ids := make([]pgtype.UUID, len(pages))
	for i, p := range pages {
		ids[i] = pageUUID(site, p)
	}
	err = db.Read(ctx, func(q Queryer) error {
		views = make([]int64, 0, len(pages))
		rows, err := q.Query(ctx, `SELECT coalesce((SELECT views FROM views WHERE site = $1 AND page = coalesce((SELECT a.page FROM aliases a WHERE a.site = $1 AND a.id = k.id), k.id)), 0)
			FROM unnest($2::uuid[]) WITH ORDINALITY AS k (id, place) ORDER BY k.place`, site, ids)
		if err != nil {
			return err
		}
		views, err = pgx.AppendRows(views, rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("page views: %w", err)
	}
	return views, nil
}
