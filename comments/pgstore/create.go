package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"duyet/comments"
)

// Create implements comments.Creator.
func (db *DB) Create(ctx context.Context, c comments.Creation) (created comments.Comment, repeated bool, err error) {
	op, err := newCreation(c)
	if err != nil {
		return comments.Comment{}, false, err
	}
	err = db.submit(ctx, c.Comment.Site, op)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "comments_pkey" {
		err = fmt.Errorf("comment %s: %w", c.Comment.ID, comments.ErrExists) // nobody looks: ids are random
	}
	if err != nil {
		return comments.Comment{}, false, err
	}
	return op.created, op.repeated, nil
}

// creation is a comment on its way in.
type creation struct {
	comments.Creation
	id, page, ticket uuid.UUID

	created  comments.Comment
	repeated bool
}

func newCreation(c comments.Creation) (*creation, error) {
	if c.Comment.ID.Site() != c.Comment.Site || !c.Comment.Status.Valid() || c.Comment.Page == "" {
		return nil, fmt.Errorf("comment without id, site, page or status: %w", comments.ErrInvalid)
	}
	if err := CheckText(c.Comment.Page, c.Comment.Name, c.Comment.Title, c.Comment.Content, c.Comment.Lang, c.Actor,
		c.Page.URL, c.Page.Title); err != nil {
		return nil, err
	}
	op := &creation{Creation: c, id: c.Comment.ID.UUID(), page: comments.PageHash(c.Comment.Site, c.Comment.Page), ticket: uuid.UUID(c.Ticket.ID)}
	op.Comment.CreatedAt, op.Comment.EditedAt = milli(c.Comment.CreatedAt), milli(c.Comment.EditedAt)
	op.Page.CreatedAt = milli(c.Page.CreatedAt)
	op.Comment.Version = 1
	return op, nil
}

func (op *creation) want(s *siteSet) {
	s.wantPages[op.page] = true
	if op.ticket != (uuid.UUID{}) {
		s.wantTickets[op.ticket] = true
	}
	if op.Comment.Parent.Site() == s.site {
		s.wantComments[op.Comment.Parent.UUID()] = true
	}
}

// run decides first, then writes into the batch's memory what can't fail.
func (op *creation) run(s *siteSet, tx *Tx) error {
	op.created, op.repeated = comments.Comment{}, false
	h := tx.heads[s.site]
	if h == nil || s.site == comments.Installation {
		return unknown(s.site)
	}
	if t := s.tickets[op.ticket]; t != nil && op.ticket != (uuid.UUID{}) {
		return op.repeat(s, t)
	}
	if s.comments[op.id] != nil {
		return fmt.Errorf("comment %s: %w", op.Comment.ID, comments.ErrExists)
	}
	p := s.pages[op.page]
	if now, moved := s.aliases[op.page]; moved {
		p = s.pages[now]
		op.Comment.Page = p.Key
	}
	root, err := op.root(s)
	if err != nil {
		return err
	}
	if p != nil && p.Key != op.Comment.Page {
		return fmt.Errorf("page of site %s: its key does not fit its id: %w", s.site, comments.ErrDamaged)
	}
	if p == nil {
		p = &page{Page: op.Page, fresh: true}
		p.Site, p.Key, p.Counts, p.Standing = s.site, op.Comment.Page, comments.Counts{}, 0
		s.pages[op.page] = p
	}
	op.write(s, tx, h, p, root)
	return nil
}

// repeat judges a ticket that is spent already.
func (op *creation) repeat(s *siteSet, t *spentTicket) error {
	if t.Words != op.Ticket.Words {
		return comments.ErrTicketSpent
	}
	c := s.comments[t.Comment.UUID()]
	if c == nil {
		return comments.ErrTicketSpent
	}
	op.created, op.repeated = c.Comment, true
	return nil
}

// root is the topmost of the comments that this one answers, which are on the same page;
// "" when it answers the article.
func (op *creation) root(s *siteSet) (comments.ID, error) {
	if op.Comment.Parent == "" {
		return "", nil
	}
	var c *stored
	if op.Comment.Parent.Site() == s.site {
		c = s.comments[op.Comment.Parent.UUID()]
	}
	if c == nil || c.Page != op.Comment.Page {
		return "", fmt.Errorf("parent: %w", comments.ErrNotFound)
	}
	return c.Answered(), nil
}

func (op *creation) write(s *siteSet, tx *Tx, h *head, p *page, root comments.ID) {
	c := &stored{Comment: op.Comment, code: op.Code, fresh: true}
	c.Root, c.Likes = root, 0 // see Liker
	s.comments[op.id] = c
	tx.told(h, c, comments.Event{
		Site: s.site, Actor: op.Actor, Kind: comments.KindSubmitted,
		Comment: c.ID, To: c.Status, Version: c.Version,
	}, nil)
	c.dirty = true
	tally(h, p, nil, &c.Comment)
	s.grow(nil, &c.Comment)
	if op.ticket != (uuid.UUID{}) {
		s.tickets[op.ticket] = &spentTicket{Spent: comments.Spent{Comment: c.ID, Words: op.Ticket.Words}, spend: op.Ticket, fresh: true}
	}
	if op.Author.Addr.IsValid() {
		s.authors = append(s.authors, author{comment: op.id, Author: op.Author})
	}
	op.created = c.Comment
}

// told appends an event of a comment.
func (tx *Tx) told(h *head, c *stored, e comments.Event, detail *comments.Detail) {
	c.last = comments.Transition{Event: tx.append(h, e, detail, &c.Comment)}
	if detail != nil {
		c.last.Detail = *detail
	}
	c.seq = c.last.Seq
}

// tally brings the counts of a comment from what it was (nil = it is new) up to what it is.
func tally(h *head, p *page, from, c *comments.Comment) {
	var was comments.Status
	stood := 0
	if from != nil {
		was = from.Status
		if from.Standing() {
			stood = 1
		}
	}
	h.Counts.Move(was, c.Status)
	h.Queues.Move(from, c)
	p.Counts.Move(was, c.Status)
	stands := 0
	if c.Standing() {
		stands = 1
	}
	if more := int64(stands - stood); more != 0 {
		p.Standing += more
		p.days.add(c, more)
	}
	h.dirty, p.dirty = true, true
}
