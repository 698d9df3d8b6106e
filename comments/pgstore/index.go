package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// The index for searching: see comments.IndexStore. It is written beside the journal, with a
// lock on the row of its state and none on the site's head.

// signed is a term as the database orders it.
func signed(term uint64) int64 { return int64(term ^ 1<<63) }

func unsigned(n int64) uint64 { return uint64(n) ^ 1<<63 }

// IndexState implements comments.IndexStore.
func (db *DB) IndexState(ctx context.Context, site string) (state comments.IndexState, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		state = comments.IndexState{}
		err := q.QueryRow(ctx, `SELECT version, state FROM indexes WHERE site = $1`, site).Scan(&state.Version, &state.Data)
		if errors.Is(err, pgx.ErrNoRows) {
			return known(ctx, q, site)
		}
		return err
	})
	return state, err
}

// WriteIndex implements comments.IndexStore.
func (db *DB) WriteIndex(ctx context.Context, site string, state comments.IndexState, part uint64, entries []comments.IndexEntry) (comments.IndexState, error) {
	terms, lists := make([]int64, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		terms[i], lists[i] = signed(e.Term), e.List
		if e.List == nil {
			lists[i] = []byte{}
		}
	}
	next := comments.IndexState{Version: state.Version + 1, Data: state.Data}
	data := state.Data
	if data == nil {
		data = []byte{}
	}
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		if err := known(ctx, tx, site); err != nil {
			return err
		}
		sql := `UPDATE indexes SET version = version + 1, state = $3 WHERE site = $1 AND version = $2`
		if state.Version == 0 {
			sql = `INSERT INTO indexes (site, version, state) SELECT site, $2::bigint + 1, $3 FROM heads WHERE site = $1 ON CONFLICT DO NOTHING`
		}
		done, err := tx.Exec(ctx, sql, site, state.Version, data)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return fmt.Errorf("index of site %s is not at version %d: %w", site, state.Version, comments.ErrVersion)
		}
		if len(entries) == 0 {
			return nil
		}
		_, err = tx.Exec(ctx, `INSERT INTO terms (site, part, term, list)
			SELECT $1, $2, t.term, t.list FROM unnest($3::bigint[], $4::bytea[]) AS t (term, list)
			ON CONFLICT (site, part, term) DO UPDATE SET list = excluded.list`, site, int64(part), terms, lists)
		return err
	})
	if err != nil {
		return comments.IndexState{}, err
	}
	return next, nil
}

// IndexLists implements comments.IndexStore.
func (db *DB) IndexLists(ctx context.Context, site string, parts, terms []uint64) (lists [][][]byte, err error) {
	ps, ts := make([]int64, len(parts)), make([]int64, len(terms))
	for i, p := range parts {
		ps[i] = int64(p)
	}
	for i, t := range terms {
		ts[i] = signed(t)
	}
	err = db.Read(ctx, func(q Queryer) error {
		lists = make([][][]byte, len(terms))
		rows, err := q.Query(ctx, `SELECT t.place, l.list FROM unnest($2::bigint[]) WITH ORDINALITY AS t (term, place)
			CROSS JOIN unnest($3::bigint[]) WITH ORDINALITY AS p (part, place)
			CROSS JOIN LATERAL (SELECT list FROM terms WHERE site = $1 AND part = p.part AND term = t.term LIMIT 1) AS l
			ORDER BY t.place, p.place`, site, ts, ps)
		if err != nil {
			return err
		}
		var place int64
		var list []byte
		_, err = pgx.ForEachRow(rows, []any{&place, &list}, func() error {
			lists[place-1] = append(lists[place-1], list)
			list = nil
			return nil
		})
		if err == nil && len(lists) == 0 || err == nil && len(lists[0]) == 0 {
			err = known(ctx, q, site)
		}
		return err
	})
	return lists, err
}

// IndexEntries implements comments.IndexStore.
func (db *DB) IndexEntries(ctx context.Context, site string, part uint64, after *uint64, limit int) (list []comments.IndexEntry, err error) {
	from, whole := int64(math.MinInt64), after == nil
	if after != nil {
		from = signed(*after)
	}
	err = db.Read(ctx, func(q Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT term, list FROM terms WHERE site = $1 AND part = $2 AND (term > $3 OR $4 AND term = $3)
			ORDER BY site, part, term LIMIT $5`, site, int64(part), from, whole, limit)
		if err != nil {
			return err
		}
		var term int64
		var bytes []byte
		_, err = pgx.ForEachRow(rows, []any{&term, &bytes}, func() error {
			list = append(list, comments.IndexEntry{Term: unsigned(term), List: bytes})
			bytes = nil
			return nil
		})
		if err == nil && len(list) == 0 {
			err = known(ctx, q, site)
		}
		return err
	})
	return list, err
}

// DropIndex implements comments.IndexStore.
func (db *DB) DropIndex(ctx context.Context, site string, part uint64, limit int) (removed int, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if err := known(ctx, tx, site); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `DELETE FROM terms WHERE site = $1 AND part = $2 AND term IN (
			SELECT term FROM terms WHERE site = $1 AND part = $2 ORDER BY term LIMIT $3)`, site, int64(part), limit)
		removed = int(done.RowsAffected())
		return err
	})
	return removed, err
}

// writtenAt looks each moment up as the range of ids that were made in it.
const writtenAt = `SELECT ` + commentColumns + ` FROM unnest($2::uuid[], $3::uuid[]) AS k (least, most)
	CROSS JOIN LATERAL (SELECT * FROM comments WHERE site = $1 AND id >= k.least AND id <= k.most ORDER BY site, id) AS c
	CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY c.id`

// WrittenAt implements comments.IndexStore.
func (db *DB) WrittenAt(ctx context.Context, site string, moments []int64) ([]comments.Comment, error) {
	moments = slices.Compact(slices.Sorted(slices.Values(moments)))
	least, most := make([]pgtype.UUID, len(moments)), make([]pgtype.UUID, len(moments))
	for i, m := range moments {
		var u uuid.UUID
		for k := range 6 {
			u[k] = byte(m >> (8 * (5 - k)))
		}
		least[i] = pgtype.UUID{Bytes: u, Valid: true}
		for k := 6; k < len(u); k++ {
			u[k] = 0xff
		}
		most[i] = pgtype.UUID{Bytes: u, Valid: true}
	}
	return db.list(ctx, site, writtenAt, least, most)
}

// FromNetwork implements comments.IndexStore.
func (db *DB) FromNetwork(ctx context.Context, site string, network netip.Prefix, limit int) (ids []comments.ID, more bool, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		ids, more = nil, false
		rows, err := q.Query(ctx, `SELECT comment FROM addresses
			WHERE site = $1 AND addr <<= $2 AND expires > $3 ORDER BY comment DESC LIMIT $4`, site, network, db.Now(), limit+1)
		if err != nil {
			return err
		}
		var id pgtype.UUID
		_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
			ids = append(ids, commentID(site, id))
			return nil
		})
		if err == nil && len(ids) == 0 {
			err = known(ctx, q, site)
		}
		return err
	})
	if more = len(ids) > limit; more {
		ids = ids[:limit]
	}
	return ids, more, err
}
