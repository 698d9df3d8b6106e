package pgstore

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// Trees are ranges of an index as well, see thread.go. Conditions and orders are those of
// the indexes in migrations/00009_trees.sql, word for word.
const (
	tops     = `root IS NULL AND (` + standing + ` OR answers > 0)`
	topLikes = `(CASE WHEN ` + standing + ` THEN -likes ELSE 0 END)`
)

// listedTrees is the statement of the trees of a page $4 by time of writing, from a top $3
// on, up to $5, the page's last id either way.
func listedTrees(newest, with bool) string {
	compare, order := direction(newest)
	end := `<=`
	if newest {
		end = `>=`
	}
	if with {
		compare += `=`
	}
	return withTop(tops+` AND (page, id) `+compare+` ($4, $3) AND (page, id) `+end+` ($4, $5)`, `page `+order+`, id `+order)
}

// likedList is the statement of a page's $4 comments that fit a condition by how much they
// are liked, from one $3 of -$6 likes on; $5 is the last id.
func likedList(condition, likes string, with bool) (where, order string) {
	compare := `>`
	if with {
		compare = `>=`
	}
	return condition + ` AND (page, ` + likes + `, id) ` + compare + ` ($4, $6::bigint, $3)
		AND (page, ` + likes + `, id) <= ($4, 9223372036854775807, $5)`, `page, ` + likes + `, id`
}

func withTop(condition, order string) string {
	return `SELECT c.answers, ` + commentColumns + ` FROM (
			SELECT * FROM comments WHERE site = $1 AND ` + condition + ` ORDER BY ` + order + ` LIMIT $2
		) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY ` + order
}

// Trees implements comments.TreeReader.
func (db *DB) Trees(ctx context.Context, site, key string, sort comments.Sort, at comments.Point, limit int) ([]comments.Tree, error) {
	newest, with := sort == comments.Newest, at.With && at.ID != ""
	sql := listedTrees(newest, with)
	if sort == comments.Liked {
		sql = withTop(likedList(tops, topLikes, with))
	}
	return wherever(ctx, db, site, key, func(q Queryer, page pgtype.UUID) ([]comments.Tree, error) {
		args := []any{site, max(limit, 0), from(at.ID, newest), page, from("", !newest)}
		if sort == comments.Liked {
			args = append(args, likesFrom(at))
		}
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return nil, err
		}
		return collectTrees(rows, site)
	})
}

// wherever reads a list of a page. Only where there is nothing under its key does it ask
// whether the page has another by now.
func wherever[T any](ctx context.Context, db *DB, site, key string, read func(q Queryer, page pgtype.UUID) ([]T, error)) (list []T, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		if list, err = read(q, pageUUID(site, key)); err != nil || len(list) > 0 {
			return err
		}
		now, err := resolve(ctx, q, site, key)
		if err != nil {
			return err
		}
		if now != key {
			list, err = read(q, pageUUID(site, now))
			return err
		}
		return known(ctx, q, site)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// likesFrom is where a list of the liked begins.
func likesFrom(at comments.Point) int64 {
	if at.ID == "" {
		return math.MinInt64
	}
	return -at.Likes
}

func collectTrees(rows pgx.Rows, site string) (list []comments.Tree, err error) {
	defer rows.Close()
	for rows.Next() {
		var t comments.Tree
		var f commentFields
		if err := rows.Scan(append([]any{&t.Replies}, f.into(&t.Top)...)...); err != nil {
			return nil, err
		}
		if err := f.finish(site, &t.Top); err != nil {
			return nil, err
		}
		if t.Top.Standing() {
			t.Top = t.Top.Shown()
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// branches reads the replies of each tree from its own range, in the order asked.
const branches = `SELECT b.place, ` + commentColumns + `
	FROM unnest($2::uuid[], $3::uuid[], $4::integer[]) WITH ORDINALITY AS b (top, after, most, place)
	CROSS JOIN LATERAL (
		SELECT * FROM comments WHERE site = $1 AND root = b.top AND id > b.after AND ` + standing + ` ORDER BY root, id LIMIT b.most
	) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p`

// Replies implements comments.TreeReader.
func (db *DB) Replies(ctx context.Context, site string, asked []comments.Branch) (lists [][]comments.Comment, err error) {
	tops, after, most := make([]pgtype.UUID, len(asked)), make([]pgtype.UUID, len(asked)), make([]int32, len(asked))
	for i, b := range asked {
		tops[i], after[i], most[i] = from(b.Top, false), from(b.After, false), int32(max(b.Limit, 0))
		if b.With && b.After != "" {
			after[i] = before(after[i])
		}
	}
	err = db.Read(ctx, func(q Queryer) error {
		lists = make([][]comments.Comment, len(asked))
		rows, err := q.Query(ctx, branches, site, tops, after, most)
		if err != nil {
			return err
		}
		found, err := collectBranches(rows, site, lists)
		if err != nil || found {
			return err
		}
		return known(ctx, q, site)
	})
	if err != nil {
		return nil, err
	}
	return lists, nil
}

// before is the id right before another.
func before(id pgtype.UUID) pgtype.UUID {
	for i := len(id.Bytes) - 1; i >= 0; i-- {
		if id.Bytes[i]--; id.Bytes[i] != 0xff {
			break
		}
	}
	return id
}

func collectBranches(rows pgx.Rows, site string, lists [][]comments.Comment) (found bool, err error) {
	defer rows.Close()
	for rows.Next() {
		var place int
		var c comments.Comment
		var f commentFields
		if err := rows.Scan(append([]any{&place}, f.into(&c)...)...); err != nil {
			return false, err
		}
		if err := f.finish(site, &c); err != nil {
			return false, err
		}
		lists[place-1] = append(lists[place-1], c.Shown())
		found = true
	}
	return found, rows.Err()
}

// MostLiked implements comments.TreeReader.
func (db *DB) MostLiked(ctx context.Context, site, key string, at comments.Point, limit int) ([]comments.Comment, error) {
	sql := withPages(likedList(standing, `(-likes)`, at.With && at.ID != ""))
	list, err := wherever(ctx, db, site, key, func(q Queryer, page pgtype.UUID) ([]comments.Comment, error) {
		rows, err := q.Query(ctx, sql, site, max(limit, 0), from(at.ID, false), page, from("", true), likesFrom(at))
		if err != nil {
			return nil, err
		}
		return collectComments(rows, site)
	})
	return shown(list), err
}

const gathered = `SELECT ` + commentColumns + ` FROM unnest($2::uuid[]) WITH ORDINALITY AS k (id, place)
	CROSS JOIN LATERAL (SELECT * FROM comments WHERE site = $1 AND id = k.id LIMIT 1) AS c
	CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY k.place`

// Gather implements comments.TreeReader.
func (db *DB) Gather(ctx context.Context, site string, ids []comments.ID) ([]comments.Comment, error) {
	keys := make([]pgtype.UUID, 0, len(ids))
	for _, id := range ids {
		if id.Site() == site {
			keys = append(keys, uuidOf(id))
		}
	}
	return db.list(ctx, site, gathered, keys)
}

// grow notes what a comment that has begun to stand, or has ceased, means to the top of
// its tree.
func (s *siteSet) grow(from, c *comments.Comment) {
	stood := from != nil && from.Standing()
	if c.Root == "" || stood == c.Standing() {
		return
	}
	if s.grown == nil {
		s.grown = map[uuid.UUID]int64{}
	}
	if stood {
		s.grown[c.Root.UUID()]--
	} else {
		s.grown[c.Root.UUID()]++
	}
}

func (s *siteSet) writeTrees(q *pgx.Batch) {
	for top, by := range s.grown {
		if by != 0 {
			q.Queue(`UPDATE comments SET answers = answers + $3 WHERE site = $1 AND id = $2`,
				s.site, pgtype.UUID{Bytes: top, Valid: true}, by)
		}
	}
}

// countAnswers counts anew what a site's tops are answered by.
const countAnswers = `UPDATE comments SET answers = n.answers FROM (
		SELECT root, count(*) AS answers FROM comments WHERE site = $1 AND root IS NOT NULL AND ` + standing + ` GROUP BY root
	) AS n WHERE comments.site = $1 AND comments.id = n.root`

// Like implements comments.Liker. It takes no head: a like is no event, and many come at
// once.
func (db *DB) Like(ctx context.Context, l comments.Liking) (c comments.Comment, changed bool, err error) {
	if err := db.begin(); err != nil {
		return c, false, err
	}
	defer db.work.Done()
	site, id, by := l.Comment.Site(), uuidOf(l.Comment), pgtype.UUID{Bytes: l.By, Valid: true}
	sql := unlike
	if l.On {
		sql = like
	}
	runs, did := 0, false
	err = db.Read(ctx, func(q Queryer) error {
		runs++
		tag, err := q.Exec(ctx, sql, site, id, by)
		did = did || tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return c, false, err
	}
	if c, err = db.Comment(ctx, l.Comment); err != nil {
		return comments.Comment{}, false, err
	}
	if !did && !c.Standing() {
		return comments.Comment{}, false, fmt.Errorf("comment %s: %w", l.Comment, comments.ErrNotFound)
	}
	if did || runs > 1 { // one whose answer was lost may have done it
		db.likesChanged(c.Site, c.Page)
	}
	return c.Shown(), did, nil
}

// Both statements may be run twice without harm: what is there already changes no count.
const (
	like = `WITH new AS (
			INSERT INTO likes (site, comment, author)
			SELECT site, id, $3 FROM comments WHERE site = $1 AND id = $2 AND ` + standing + `
			ON CONFLICT DO NOTHING RETURNING comment
		) UPDATE comments SET likes = likes + 1 FROM new WHERE comments.site = $1 AND comments.id = $2 AND comments.id = new.comment`
	unlike = `WITH old AS (
			DELETE FROM likes WHERE site = $1 AND comment = $2 AND author = $3 RETURNING comment
		) UPDATE comments SET likes = likes - 1 FROM old WHERE comments.site = $1 AND comments.id = $2 AND comments.id = old.comment`
)

// Liked implements comments.Liker.
func (db *DB) Liked(ctx context.Context, site string, by comments.AuthorKey, ids []comments.ID) (liked []comments.ID, err error) {
	keys := make([]pgtype.UUID, 0, len(ids))
	for _, id := range ids {
		if id.Site() == site {
			keys = append(keys, uuidOf(id))
		}
	}
	err = db.Read(ctx, func(q Queryer) error {
		liked = nil
		rows, err := q.Query(ctx, `SELECT l.comment FROM unnest($2::uuid[]) WITH ORDINALITY AS k (id, place)
			CROSS JOIN LATERAL (SELECT comment FROM likes WHERE site = $1 AND comment = k.id AND author = $3 LIMIT 1) AS l ORDER BY k.place`,
			site, keys, pgtype.UUID{Bytes: by, Valid: true})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id pgtype.UUID
			if err := rows.Scan(&id); err != nil {
				return err
			}
			liked = append(liked, commentID(site, id))
		}
		return rows.Err()
	})
	return liked, err
}
