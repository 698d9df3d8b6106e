package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// days are standing comments that came (or, below zero, went) by the day of their writing.
type days map[comments.Day]int64

// add counts a comment, to or from the days of its page.
func (d *days) add(c *comments.Comment, more int64) {
	if *d == nil {
		*d = days{}
	}
	(*d)[comments.DayOf(c.CreatedAt)] += more
}

// queueDays adds to the days of a page.
func queueDays(q *pgx.Batch, site string, page pgtype.UUID, d days) {
	for day, more := range d {
		if more != 0 {
			q.Queue(`INSERT INTO page_days AS d (site, day, page, standing) VALUES ($1, $2, $3, $4)
				ON CONFLICT (site, day, page) DO UPDATE SET standing = d.standing + excluded.standing`, site, int32(day), page, more)
		}
	}
}

// countDays counts a set's comments on their days, for comments that come without a page.
func (s *siteSet) countDays(q *pgx.Batch) {
	pages := map[string]*days{}
	for _, c := range s.comments {
		if c.Standing() {
			if pages[c.Page] == nil {
				pages[c.Page] = &days{}
			}
			pages[c.Page].add(&c.Comment, 1)
		}
	}
	for key, d := range pages {
		queueDays(q, s.site, pageUUID(s.site, key), *d)
	}
}

// Discussed implements comments.ThreadReader.
func (db *DB) Discussed(ctx context.Context, site string, since comments.Day, limit int) (list []comments.Discussion, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		list = nil
		// Ties go by key, as they do in every store.
		rows, err := q.Query(ctx, `SELECT d.standing, `+pageColumns+` FROM (
				SELECT page, sum(standing)::bigint AS standing FROM page_days WHERE site = $1 AND day >= $2 GROUP BY page
			) AS d CROSS JOIN LATERAL (SELECT * FROM pages WHERE site = $1 AND id = d.page LIMIT 1) AS p
			WHERE d.standing > 0 ORDER BY d.standing DESC, p.key COLLATE "C" LIMIT $3`, site, int32(since), max(limit, 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d := comments.Discussion{Page: comments.Page{Site: site}}
			var f pageFields
			if err := rows.Scan(append([]any{&d.Comments}, f.into(&d.Page)...)...); err != nil {
				return err
			}
			f.finish(&d.Page)
			list = append(list, d)
		}
		if err := rows.Err(); err != nil || len(list) > 0 {
			return err
		}
		rows.Close()
		return known(ctx, q, site)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
