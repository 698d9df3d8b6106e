package pgstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
)

// head is the end of a site's journal with all that is counted beside it.
type head struct {
	comments.Head
	epoch int64
	fresh bool // not stored yet
	dirty bool // differs from what is stored
}

// newEpoch tells a site from one of the same id that was removed before it.
func newEpoch() int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

const headColumns = `epoch, seq, chain, pending, approved, rejected, spam, trashed, suspect, reported, appeals, edited`

// lockHead takes the one lock that a write needs. Foreign keys that look at the row don't
// wait for it.
const lockHead = `SELECT ` + headColumns + ` FROM heads WHERE site = $1 FOR NO KEY UPDATE`

func (h *head) into() []any {
	c, t := &h.Counts, &h.Queues
	return []any{&h.epoch, &h.Seq, &h.Chain, &c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed,
		&t.Suspect, &t.Reported, &t.Appeals, &t.Edited}
}

func scanHead(row pgx.Row) (*head, error) {
	h := new(head)
	err := row.Scan(h.into()...)
	return h, err
}

// write brings the stored head up to this one.
func (h *head) write(b *pgx.Batch, site string) {
	sql := `UPDATE heads SET epoch = $2, seq = $3, chain = $4, pending = $5, approved = $6, rejected = $7,
		spam = $8, trashed = $9, suspect = $10, reported = $11, appeals = $12, edited = $13 WHERE site = $1`
	if h.fresh {
		sql = `INSERT INTO heads (site, ` + headColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	}
	c, t := h.Counts, h.Queues
	b.Queue(sql, site, h.epoch, h.Seq, h.Chain, c.Pending, c.Approved, c.Rejected, c.Spam, c.Trashed,
		t.Suspect, t.Reported, t.Appeals, t.Edited)
}

// readHead is the head of a site, or comments.ErrUnknownSite.
func readHead(ctx context.Context, q Queryer, site string) (*head, error) {
	h, err := scanHead(q.QueryRow(ctx, `SELECT `+headColumns+` FROM heads WHERE site = $1`, site))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, unknown(site)
	}
	return h, err
}

func unknown(site string) error { return fmt.Errorf("%q: %w", site, comments.ErrUnknownSite) }

// known is nil when there is such a site proper: the installation is none.
func known(ctx context.Context, q Queryer, site string) error {
	if site == comments.Installation {
		return unknown(site)
	}
	_, err := readHead(ctx, q, site)
	return err
}

// Head implements comments.Journal.
func (db *DB) Head(ctx context.Context, site string) (h comments.Head, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		found, err := readHead(ctx, q, site)
		if err == nil {
			h = found.Head
		}
		return err
	})
	return h, err
}

// Heads are the ends of all journals by site, comments.Installation included, as of one
// moment.
func (db *DB) Heads(ctx context.Context) (heads map[string]comments.Head, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		heads = map[string]comments.Head{}
		rows, err := q.Query(ctx, `SELECT site, `+headColumns+` FROM heads`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var site string
			var h head
			if err := rows.Scan(append([]any{&site}, h.into()...)...); err != nil {
				return err
			}
			heads[site] = h.Head
		}
		return rows.Err()
	})
	return heads, err
}

// nearest makes absence of something out of absence of its site, when that is why.
func nearest(ctx context.Context, q Queryer, site string, err error) error {
	if !errors.Is(err, comments.ErrNotFound) {
		return err
	}
	if unknown := known(ctx, q, site); unknown != nil {
		return unknown
	}
	return err
}
