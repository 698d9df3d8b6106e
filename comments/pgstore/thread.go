package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// Lists are ranges of one partial index each, read from where the last page ended. The
// range is cut before pages are joined, so that the cost is the limit's whatever the
// planner thinks of. Statuses and orders are part of the text: an index that holds one
// status can't be chosen for a parameter.

// listed is the statement of a list: up to $2 comments of a site $1 after $3, which fit a
// condition.
func listed(condition string, newest bool) string {
	compare, order := direction(newest)
	return withPages(condition+` AND id `+compare+` $3`, `id `+order)
}

// threaded is the statement of the thread of a page $4, up to $5, its last id either way.
// Keys are compared in pairs, since only the thread's own index has pairs in order: one by
// one, a planner that knows little of the table may read all that is approved instead.
func threaded(newest bool) string {
	compare, order := direction(newest)
	end := `<=`
	if newest {
		end = `>=`
	}
	return withPages(`status = 'approved' AND (page, id) `+compare+` ($4, $3) AND (page, id) `+end+` ($4, $5)`,
		`page `+order+`, id `+order)
}

func direction(newest bool) (compare, order string) {
	if newest {
		return "<", "DESC"
	}
	return ">", "ASC"
}

func withPages(condition, order string) string {
	return `SELECT ` + commentColumns + ` FROM (
			SELECT * FROM comments WHERE site = $1 AND ` + condition + ` ORDER BY ` + order + ` LIMIT $2
		) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY ` + order
}

// from is where a list begins: after a comment, or at its end.
func from(after comments.ID, newest bool) pgtype.UUID {
	u := pgtype.UUID{Valid: true}
	switch {
	case after != "":
		u.Bytes = after.UUID()
	case newest:
		for i := range u.Bytes {
			u.Bytes[i] = 0xff
		}
	}
	return u
}

// list reads one, and sees to it that nothing of a site that is not there is an error.
func (db *DB) list(ctx context.Context, site, sql string, args ...any) (list []comments.Comment, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		rows, err := q.Query(ctx, sql, append([]any{site}, args...)...)
		if err != nil {
			return err
		}
		if list, err = collectComments(rows, site); err != nil || len(list) > 0 {
			return err
		}
		return known(ctx, q, site)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Thread implements comments.ThreadReader.
func (db *DB) Thread(ctx context.Context, site, key string, sort comments.Sort, after comments.ID, limit int) ([]comments.Comment, error) {
	newest := sort == comments.Newest
	return db.list(ctx, site, threaded(newest),
		max(limit, 0), from(after, newest), pageUUID(site, key), from("", !newest))
}

// Latest implements comments.ThreadReader.
func (db *DB) Latest(ctx context.Context, site string, limit int) ([]comments.Comment, error) {
	return db.Queue(ctx, site, comments.Approved, false, true, "", limit)
}

// Queue is up to limit comments of a site in a status, by time of writing, that come after
// the one named by after ("" = from the start), whether or not that one still stands
// there. With suspects it is narrowed to those that a check suspects, which are pending.
// It is what moderation.QueueReader needs.
func (db *DB) Queue(ctx context.Context, site string, status comments.Status, suspects, newest bool, after comments.ID, limit int) ([]comments.Comment, error) {
	if !status.Valid() || suspects && status != comments.Pending {
		return nil, db.Read(ctx, func(q Queryer) error { return known(ctx, q, site) })
	}
	condition := fmt.Sprintf(`status = '%s'`, status)
	if suspects {
		condition += ` AND suspect`
	}
	return db.list(ctx, site, listed(condition, newest), max(limit, 0), from(after, newest))
}
