package boltstore

import (
	"bytes"
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
	stands, err := tx.resolve(h.number, p.Comment.Page)
	if err != nil {
		return comments.Comment{}, false, err
	}
	if stands != p.Comment.Page {
		p.Comment.Page = stands
		p.body = appendBody(nil, p.Comment)
	}
	pg, err := tx.page(h.number, site, p.Comment.Page)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return comments.Comment{}, false, err
	}
	if p.Comment.Root, err = p.root(tx, h.number); err != nil {
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

// root is the topmost of the comments that this one answers, which are on the same page;
// "" when it answers the article.
func (p *creation) root(tx *Tx, number uint32) (comments.ID, error) {
	if p.Comment.Parent == "" {
		return "", nil
	}
	if p.Comment.Parent.Site() != p.Comment.Site {
		return "", fmt.Errorf("parent: %w", comments.ErrNotFound)
	}
	c, err := tx.comment(number, p.Comment.Site, p.Comment.Parent.UUID(), false)
	if err == nil && c.Page != p.Comment.Page {
		err = comments.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("parent: %w", err)
	}
	return c.Answered(), nil
}

func (p *creation) write(tx *Tx, h *head, pg *page, key []byte) {
	c := stored{Comment: p.Comment, body: p.body}
	c.Likes = 0 // see Liker
	e := tx.append(h, comments.Event{
		Site: c.Site, Actor: p.Actor, Kind: comments.KindSubmitted,
		Comment: c.ID, To: c.Status, Version: c.Version,
	}, nil, &c.Comment)
	c.history = []uint64{e.Seq}
	if p.Author.Addr.IsValid() {
		c.addrExpires = p.Author.Expires
		tx.putAddress(h.number, p.uuid, p.Author)
	}
	tx.put(bucketComments, key, c.record(key))
	if p.Code != 0 {
		tx.put(bucketCodes, codeKey(h.number, p.uuid, p.Code), present)
	}
	tx.index(h, pg, nil, &c.Comment, p.uuid)
}

// index brings the indexes and counts of a comment from what it was (nil = it is new) up
// to what it is.
func (tx *Tx) index(h *head, pg *page, from, c *comments.Comment, id uuid.UUID) {
	var was comments.Status
	if from != nil {
		was = from.Status
	}
	h.dirty = true
	h.Counts.Move(was, c.Status)
	h.Queues.Move(from, c)
	pg.Counts.Move(was, c.Status)
	tx.changed(pg)
	tx.move(bucketQueues, was != "", true, queueKey(h.number, statusQueue(was), id), queueKey(h.number, statusQueue(c.Status), id))
	for _, q := range comments.Queues {
		key := queueKey(h.number, queueOf(q), id)
		tx.move(bucketQueues, from != nil && from.In(q), c.In(q), key, key)
	}
	risk := riskKey(h.number, c.Risk, id)
	before := risk
	if from != nil {
		before = riskKey(h.number, from.Risk, id)
	}
	tx.move(bucketQueues, was == comments.Pending, c.Status == comments.Pending, before, risk)
	stood, stands := from != nil && from.Standing(), c.Standing()
	if stands && !stood {
		pg.Standing++
		tx.countDay(h.number, c, 1)
	} else if stood && !stands {
		pg.Standing--
		tx.countDay(h.number, c, -1)
	}
	if from == nil && !c.Author.IsZero() {
		tx.put(bucketAuthors, authorEntry(h.number, byKey, c.Author, id), present)
	}
	thread := threadKey(h.number, pg.number, id)
	tx.move(bucketThreads, stood, stands, thread, thread)
	if stood != stands {
		tx.plant(h.number, pg.number, c, id, stands)
	}
}

// move takes an index entry from one key to another, where there was and is to be one.
func (tx *Tx) move(b Bucket, was, is bool, from, to []byte) {
	same := bytes.Equal(from, to)
	if was && !(is && same) {
		tx.delete(b, from)
	}
	if is && !(was && same) {
		tx.put(b, to, present)
	}
}
