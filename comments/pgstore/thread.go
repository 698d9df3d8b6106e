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
	compare, order := ">", "ASC"
	if newest {
		compare, order = "<", "DESC"
	}
	return `SELECT ` + commentColumns + ` FROM (
			SELECT * FROM comments WHERE site = $1 AND ` + condition + ` AND id ` + compare + ` $3 ORDER BY id ` + order + ` LIMIT $2
		) AS c JOIN pages p ON p.site = c.site AND p.id = c.page ORDER BY c.id ` + order
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
	return db.list(ctx, site, listed(`page = $4 AND status = 'approved'`, newest),
		max(limit, 0), from(after, newest), pageUUID(site, key))
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
