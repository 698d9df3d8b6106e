package boltstore

import (
	"fmt"

	"github.com/google/uuid"

	"duyet/comments"
)

// Standing is a comment as it stands inside a transaction, with its last transition.
type Standing struct {
	Comment comments.Comment
	Last    comments.Transition

	stored stored
	uuid   uuid.UUID
	head   *head
	page   *page
}

// Step is what becomes of a comment: see Tx.Move.
type Step struct {
	To     comments.Status
	Kind   comments.Kind
	Actor  string
	Reason string           // a code of the site's list
	Detail *comments.Detail // typed words with their salt; nil = none
}

// Stand reads a comment, all that Move will need included. comments.ErrNotFound when
// there is none.
func (tx *Tx) Stand(id comments.ID) (*Standing, error) {
	site := id.Site()
	h, err := tx.siteHead(site)
	if err != nil {
		return nil, orUnknown(err, id)
	}
	s := &Standing{uuid: id.UUID(), head: h}
	if s.stored, err = tx.comment(h.number, site, s.uuid, true); err != nil {
		return nil, err
	}
	s.Comment = s.stored.Comment
	if len(s.stored.history) == 0 {
		return nil, damaged(bucketComments, commentKey(h.number, s.uuid), "it has no history")
	}
	last := s.stored.history[len(s.stored.history)-1]
	if s.Last, err = tx.transition(h.number, site, last); err != nil {
		return nil, err
	}
	if s.page, err = tx.page(h.number, site, s.Comment.Page); err != nil {
		return nil, fmt.Errorf("comment %s: %w", id, err)
	}
	return s, nil
}

// Move takes a comment to another status: version, history, journal, indexes and counts.
// It can't fail; the status must be valid.
func (tx *Tx) Move(s *Standing, step Step) comments.Comment {
	c := &s.stored
	from, wasSuspect := c.Status, suspect(&c.Comment)
	c.Status = step.To
	c.Version++
	e := tx.append(s.head, comments.Event{
		Site: c.Site, Actor: step.Actor, Kind: step.Kind, Comment: c.ID,
		From: from, To: c.Status, Version: c.Version, Reason: step.Reason,
	}, step.Detail, &c.Comment)
	c.history = append(c.history, e.Seq)
	key := commentKey(s.head.number, s.uuid)
	tx.put(bucketComments, key, c.record(key))
	tx.index(s.head, s.page, &c.Comment, s.uuid, from, wasSuspect)
	s.Comment = c.Comment
	return c.Comment
}
