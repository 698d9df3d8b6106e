package pgstore

import (
	"context"
	"fmt"
	"math"

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

// standing is the condition of the index comments_standing, word for word: what readers
// see.
const standing = `(status = 'approved' OR status = 'pending' AND public IS NOT NULL)`

// threaded is the statement of the thread of a page $4, up to $5, its last id either way.
// Keys are compared in pairs, since only the thread's own index has pairs in order: one by
// one, a planner that knows little of the table may read all that is approved instead.
func threaded(newest bool) string {
	compare, order := direction(newest)
	end := `<=`
	if newest {
		end = `>=`
	}
	return withPages(standing+` AND (page, id) `+compare+` ($4, $3) AND (page, id) `+end+` ($4, $5)`,
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
	if err := db.Read(ctx, func(q Queryer) (err error) {
		key, err = resolve(ctx, q, site, key)
		return err
	}); err != nil {
		return nil, err
	}
	list, err := db.list(ctx, site, threaded(newest),
		max(limit, 0), from(after, newest), pageUUID(site, key), from("", !newest))
	return shown(list), err
}

// shown are standing comments as readers see them.
func shown(list []comments.Comment) []comments.Comment {
	for i, c := range list {
		list[i] = c.Shown()
	}
	return list
}

// latest takes what is approved and what stands while an edit of it waits, each from the
// end of its own index.
const latest = `SELECT ` + commentColumns + ` FROM (
		(SELECT * FROM comments WHERE site = $1 AND status = 'approved' ORDER BY id DESC LIMIT $2)
		UNION ALL
		(SELECT * FROM comments WHERE site = $1 AND status = 'pending' AND public IS NOT NULL ORDER BY id DESC LIMIT $2)
	) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY id DESC LIMIT $2`

// Latest implements comments.ThreadReader.
func (db *DB) Latest(ctx context.Context, site string, limit int) ([]comments.Comment, error) {
	list, err := db.list(ctx, site, latest, max(limit, 0))
	return shown(list), err
}

// queued is the condition that a queue's index is of.
var queued = map[comments.Queue]string{
	comments.Suspect:  `status = 'pending' AND suspect`,
	comments.Reported: `reports > 0`,
	comments.Appeals:  `appealed`,
	comments.Edited:   `status = 'pending' AND public IS NOT NULL`,
}

// byRisk is the statement of what is pending, the highest risk first, after the place of a
// comment $3 of risk -$4.
const byRisk = `SELECT ` + commentColumns + ` FROM (
		SELECT *, -risk AS place FROM comments
		WHERE site = $1 AND status = 'pending' AND (-risk, id) > ($4::integer, $3) ORDER BY -risk, id LIMIT $2
	) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY place, id`

// Queue implements comments.Amender.
func (db *DB) Queue(ctx context.Context, f comments.QueueFilter) ([]comments.Comment, error) {
	limit := max(f.Limit, 0)
	switch {
	case !f.Listed():
		return nil, db.Read(ctx, func(q Queryer) error { return known(ctx, q, f.Site) })
	case f.Order == comments.ByRisk && f.After == "":
		return db.list(ctx, f.Site, byRisk, limit, from("", false), math.MinInt32)
	case f.Order == comments.ByRisk:
		return db.list(ctx, f.Site, byRisk, limit, from(f.After, false), -int32(f.AfterRisk))
	}
	condition := queued[f.Queue]
	switch {
	case f.All:
		condition = `true`
	case f.Queue == "":
		condition = fmt.Sprintf(`status = '%s'`, f.Status)
	}
	newest := f.Order == comments.Newest
	return db.list(ctx, f.Site, listed(condition, newest), limit, from(f.After, newest))
}
