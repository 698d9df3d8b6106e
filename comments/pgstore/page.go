package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// page is a page as a write sees it.
type page struct {
	comments.Page
	fresh bool
	dirty bool
}

// pageUUID is how a page is known in keys: they stay short however long its address is.
func pageUUID(site, key string) pgtype.UUID {
	return pgtype.UUID{Bytes: comments.PageHash(site, key), Valid: true}
}

const pageColumns = `key, url, title, closed, pending, approved, rejected, spam, trashed, created_at`

// pageFields are where a row of pageColumns goes. finish completes the page.
type pageFields struct{ created pgtype.Timestamptz }

func (f *pageFields) into(p *comments.Page) []any {
	c := &p.Counts
	return []any{&p.Key, &p.URL, &p.Title, &p.Closed, &c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed, &f.created}
}

func (f *pageFields) finish(p *comments.Page) { p.CreatedAt = TimeOf(f.created) }

// Page implements comments.ThreadReader.
func (db *DB) Page(ctx context.Context, site, key string) (p comments.Page, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		p = comments.Page{Site: site}
		var f pageFields
		err := missing(q.QueryRow(ctx, `SELECT `+pageColumns+` FROM pages WHERE site = $1 AND id = $2`,
			site, pageUUID(site, key)).Scan(f.into(&p)...), "page")
		if err != nil {
			return nearest(ctx, q, site, err)
		}
		f.finish(&p)
		if p.Key != key {
			return fmt.Errorf("page of site %s: its key does not fit its id: %w", site, comments.ErrDamaged)
		}
		return nil
	})
	if err != nil {
		return comments.Page{}, err
	}
	return p, nil
}

// writePages queues a site's new and changed pages.
func (s *siteSet) writePages(q *pgx.Batch) {
	var fresh, changed []*page
	for _, p := range s.pages {
		if p.fresh {
			fresh = append(fresh, p)
		} else if p.dirty {
			changed = append(changed, p)
		}
	}
	if fresh != nil {
		c := pageArrays(s.site, fresh)
		q.Queue(`INSERT INTO pages (site, id, key, url, title, closed, created_at, pending, approved, rejected, spam, trashed)
			SELECT $1, u.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[],
				$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[]) AS u`,
			s.site, c.ids, c.keys, c.urls, c.titles, c.closed, c.created, c.counts[0], c.counts[1], c.counts[2], c.counts[3], c.counts[4])
	}
	if changed != nil {
		c := pageArrays(s.site, changed)
		q.Queue(`UPDATE pages AS p SET pending = u.pending, approved = u.approved, rejected = u.rejected, spam = u.spam, trashed = u.trashed
			FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
				AS u (id, pending, approved, rejected, spam, trashed)
			WHERE p.site = $1 AND p.id = u.id`,
			s.site, c.ids, c.counts[0], c.counts[1], c.counts[2], c.counts[3], c.counts[4])
	}
}

// pageColumn is pages turned into columns.
type pageColumn struct {
	ids                []pgtype.UUID
	keys, urls, titles []string
	closed             []bool
	created            []pgtype.Timestamptz
	counts             [len(comments.Statuses)][]int64
}

func pageArrays(site string, pages []*page) (c pageColumn) {
	for _, p := range pages {
		c.ids = append(c.ids, pageUUID(site, p.Key))
		c.keys, c.urls, c.titles = append(c.keys, p.Key), append(c.urls, p.URL), append(c.titles, p.Title)
		c.closed, c.created = append(c.closed, p.Closed), append(c.created, Stamp(p.CreatedAt))
		for i, s := range comments.Statuses {
			c.counts[i] = append(c.counts[i], p.Counts.Of(s))
		}
	}
	return c
}
