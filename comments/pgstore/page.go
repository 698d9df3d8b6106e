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
	days  days
	fresh bool
	dirty bool
}

// pageUUID is how a page is known in keys: they stay short however long its address is.
func pageUUID(site, key string) pgtype.UUID {
	return pgtype.UUID{Bytes: comments.PageHash(site, key), Valid: true}
}

const pageColumns = `key, url, title, closed, pending, approved, rejected, spam, trashed, created_at, edited, held`

// pageFields are where a row of pageColumns goes. finish completes the page.
type pageFields struct {
	created pgtype.Timestamptz
	edited  int64 // pending, while their earlier words stand
}

func (f *pageFields) into(p *comments.Page) []any {
	c := &p.Counts
	return []any{&p.Key, &p.URL, &p.Title, &p.Closed, &c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed, &f.created, &f.edited, &p.Held}
}

func (f *pageFields) finish(p *comments.Page) {
	p.CreatedAt, p.Standing = TimeOf(f.created), p.Counts.Approved+f.edited
}

// Page implements comments.ThreadReader.
func (db *DB) Page(ctx context.Context, site, key string) (p comments.Page, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		key, err := resolve(ctx, q, site, key)
		if err != nil {
			return err
		}
		p = comments.Page{Site: site}
		var f pageFields
		err = missing(q.QueryRow(ctx, `SELECT `+pageColumns+` FROM pages WHERE site = $1 AND id = $2`,
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
	for id, p := range s.pages {
		c, key := p.Counts, pgtype.UUID{Bytes: id, Valid: true}
		queueDays(q, s.site, key, p.days)
		if p.fresh {
			q.Queue(`INSERT INTO pages (site, id, `+pageColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
				s.site, key, p.Key, p.URL, p.Title, p.Closed, c.Pending, c.Approved, c.Rejected, c.Spam, c.Trashed, Stamp(p.CreatedAt), p.Standing-c.Approved, p.Held)
		} else if p.dirty {
			q.Queue(`UPDATE pages SET pending = $3, approved = $4, rejected = $5, spam = $6, trashed = $7, edited = $8 WHERE site = $1 AND id = $2`,
				s.site, key, c.Pending, c.Approved, c.Rejected, c.Spam, c.Trashed, p.Standing-c.Approved)
		}
	}
}
