package boltstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"duyet/comments"
)

// Create implements comments.Creator. The words are encoded here, by the caller; the
// writer reads, decides, and copies them into place.
func (db *DB) Create(ctx context.Context, c comments.Creation) (created comments.Comment, repeated bool, err error) {
	p, err := prepare(c)
	if err != nil {
		return comments.Comment{}, false, err
	}
	err = db.Do(ctx, func(tx *Tx) (err error) {
		created, repeated, err = p.create(tx)
		return err
	})
	if err != nil {
		return comments.Comment{}, false, err
	}
	return created, repeated, nil
}

// creation is a comment on its way in, with everything done that needs no transaction.
type creation struct {
	comments.Creation
	uuid uuid.UUID
	body []byte
}

func prepare(c comments.Creation) (*creation, error) {
	if c.Comment.ID.Site() != c.Comment.Site || !c.Comment.Status.Valid() || c.Comment.Page == "" {
		return nil, fmt.Errorf("comment without id, site, page or status: %w", comments.ErrInvalid)
	}
	if len(c.Comment.Page) > pageKeyMost {
		return nil, fmt.Errorf("page key of %d bytes: %w", len(c.Comment.Page), comments.ErrInvalid)
	}
	p := &creation{Creation: c, uuid: c.Comment.ID.UUID()}
	p.Comment.CreatedAt = milli(c.Comment.CreatedAt)
	p.Comment.EditedAt = milli(c.Comment.EditedAt)
	p.Page.CreatedAt = milli(c.Page.CreatedAt)
	p.Author.Expires = milli(c.Author.Expires)
	p.Comment.Version = 1
	size := 128 + len(c.Comment.Page) + len(c.Comment.Name) + len(c.Comment.Title) + len(c.Comment.Content)
	p.body = appendBody(make([]byte, 0, size), p.Comment)
	return p, nil
}

// pageKeyMost is what bbolt takes as a key, with room for the site's number.
const pageKeyMost = bbolt.MaxKeySize - 4

func milli(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// create reads and decides, then writes.
func (p *creation) create(tx *Tx) (comments.Comment, bool, error) {
	site := p.Comment.Site
	h, err := tx.siteHead(site)
	if err != nil {
		return comments.Comment{}, false, err
	}
	var ticket []byte
	if p.Ticket.ID != (comments.TicketID{}) {
		ticket = spentKey(p.Ticket.ID, p.Ticket.Expires)
		c, done, err := p.repeat(tx, h, ticket)
		if done || err != nil {
			return c, done, err
		}
	}
	key := commentKey(h.number, p.uuid)
	if tx.get(bucketComments, key) != nil {
		return comments.Comment{}, false, fmt.Errorf("comment %s: %w", p.Comment.ID, comments.ErrExists)
	}
	pg, err := tx.page(h.number, site, p.Comment.Page)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return comments.Comment{}, false, err
	}
	if err := p.parent(tx, h.number); err != nil {
		return comments.Comment{}, false, err
	}

	if pg == nil {
		fresh := p.Page
		fresh.Site, fresh.Key = site, p.Comment.Page
		pg = tx.addPage(h, fresh)
	}
	p.write(tx, h, pg, key)
	if ticket != nil {
		tx.put(bucketSpent, ticket, spentRecord(ticket, site, p.Comment.ID, p.Ticket.Words))
	}
	return p.Comment, false, nil
}

// repeat judges a ticket that is spent already.
func (p *creation) repeat(tx *Tx, h *head, ticket []byte) (comments.Comment, bool, error) {
	spent, err := tx.spent(ticket)
	if errors.Is(err, comments.ErrNotFound) {
		return comments.Comment{}, false, nil
	}
	if err != nil {
		return comments.Comment{}, false, err
	}
	if spent.Words != p.Ticket.Words || spent.Comment.Site() != p.Comment.Site {
		return comments.Comment{}, false, comments.ErrTicketSpent
	}
	c, err := tx.comment(h.number, p.Comment.Site, spent.Comment.UUID(), false)
	if errors.Is(err, comments.ErrNotFound) {
		return comments.Comment{}, false, comments.ErrTicketSpent
	}
	return c.Comment, err == nil, err
}

// parent is nil when the comment answers the article, or a comment of the same page.
func (p *creation) parent(tx *Tx, number uint32) error {
	if p.Comment.Parent == "" {
		return nil
	}
	if p.Comment.Parent.Site() != p.Comment.Site {
		return fmt.Errorf("parent: %w", comments.ErrNotFound)
	}
	c, err := tx.comment(number, p.Comment.Site, p.Comment.Parent.UUID(), false)
	if err == nil && c.Page != p.Comment.Page {
		err = comments.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	return nil
}

func (p *creation) write(tx *Tx, h *head, pg *page, key []byte) {
	c := stored{Comment: p.Comment, body: p.body}
	e := tx.append(h, comments.Event{
		Site: c.Site, Actor: p.Actor, Kind: comments.KindSubmitted,
		Comment: c.ID, To: c.Status, Version: c.Version,
	}, nil, &c.Comment)
	c.history = []uint64{e.Seq}
	if p.Author.Addr.IsValid() {
		c.addrExpires = p.Author.Expires
		a := addressKey(c.addrExpires, h.number, p.uuid)
		tx.put(bucketAddresses, a, addressRecord(a, p.Author))
	}
	tx.put(bucketComments, key, c.record(key))
	tx.index(h, pg, &c.Comment, p.uuid, "", false)
}

// index brings the indexes and counts of a comment up to its status, from the one it had;
// wasSuspect says whether it stood among the suspects.
func (tx *Tx) index(h *head, pg *page, c *comments.Comment, id uuid.UUID, from comments.Status, wasSuspect bool) {
	h.Counts.Move(from, c.Status)
	pg.Counts.Move(from, c.Status)
	tx.changed(pg)
	if from != c.Status {
		if from != "" {
			tx.delete(bucketQueues, queueKey(h.number, statusQueue(from), id))
		}
		tx.put(bucketQueues, queueKey(h.number, statusQueue(c.Status), id), present)
		if from == comments.Approved {
			tx.delete(bucketThreads, threadKey(h.number, pg.number, id))
		}
		if c.Status == comments.Approved {
			tx.put(bucketThreads, threadKey(h.number, pg.number, id), present)
		}
	}
	switch is := suspect(c); {
	case is && !wasSuspect:
		h.suspect++
		tx.put(bucketQueues, queueKey(h.number, queueSuspect, id), present)
	case !is && wasSuspect:
		h.suspect--
		tx.delete(bucketQueues, queueKey(h.number, queueSuspect, id))
	}
}
