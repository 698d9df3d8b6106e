package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"duyet/comments"
)

// standing is a comment as it stands inside a transaction, with its last transition and
// all that changing it will need.
type standing struct {
	stored
	last comments.Transition
	uuid uuid.UUID
	head *head
	page *page
}

// stand reads a comment. comments.ErrNotFound when there is none.
func (tx *Tx) stand(id comments.ID) (*standing, error) {
	site := id.Site()
	h, err := tx.siteHead(site)
	if err != nil {
		return nil, orUnknown(err, id)
	}
	s := &standing{uuid: id.UUID(), head: h}
	if s.stored, err = tx.comment(h.number, site, s.uuid, true); err != nil {
		return nil, err
	}
	if len(s.history) == 0 {
		return nil, damaged(bucketComments, commentKey(h.number, s.uuid), "it has no history")
	}
	if s.last, err = tx.lastMove(h.number, site, s.history); err != nil {
		return nil, err
	}
	if s.page, err = tx.page(h.number, site, s.Page); err != nil {
		return nil, fmt.Errorf("comment %s: %w", id, err)
	}
	return s, nil
}

// lastMove is a comment's last transition, reports and the like passed over: those have
// moved no version.
func (tx *Tx) lastMove(number uint32, site string, history []uint64) (comments.Transition, error) {
	last := len(history) - 1
	t, err := tx.transition(number, site, history[last])
	for err == nil && last > 0 && t.From == t.To {
		before, err := tx.transition(number, site, history[last-1])
		if err != nil || before.Version != t.Version {
			return t, err
		}
		t, last = before, last-1
	}
	return t, err
}

// Amend implements comments.Amender.
func (db *DB) Amend(ctx context.Context, amendments []comments.Amendment) ([]comments.Amended, error) {
	done := make([]comments.Amended, len(amendments))
	err := db.Do(ctx, func(tx *Tx) error {
		for i, a := range amendments {
			done[i] = tx.Amend(a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// Amend applies one amendment within a transaction.
func (tx *Tx) Amend(a comments.Amendment) comments.Amended {
	at, err := tx.stand(a.ID)
	if err != nil {
		if errors.Is(err, comments.ErrUnknownSite) {
			err = fmt.Errorf("comment %s: %w", a.ID, comments.ErrNotFound)
		}
		return comments.Amended{Err: err}
	}
	step, err := a.Decide(at.Comment, at.last)
	if err != nil || step == nil {
		return comments.Amended{Comment: at.Comment, Err: err}
	}
	next, err := step.Apply(at.Comment)
	if err != nil {
		return comments.Amended{Comment: at.Comment, Err: err}
	}
	return comments.Amended{Comment: tx.become(at, next, a.Actor, step)}
}

// become writes what an amendment has made of a comment. It can't fail.
func (tx *Tx) become(at *standing, next comments.Comment, actor string, step *comments.Step) comments.Comment {
	before := at.Comment
	c := &at.stored
	c.Comment = next
	when := tx.Now()
	if step.Kind != "" {
		e := tx.append(at.head, comments.Event{
			Site: next.Site, Actor: actor, Kind: step.Kind, Comment: next.ID,
			From: before.Status, To: next.Status, Version: next.Version, Reason: step.Reason,
		}, step.Detail, &next)
		tx.commits[len(tx.commits)-1].Stood = before.Standing()
		c.history = append(c.history, e.Seq)
		when = e.At
	}
	if comments.Reworded(before, next) {
		tx.putRevision(at.head.number, at.uuid, comments.Revision{
			Version: before.Version, Words: before.Words(), Public: before.Public, At: when, By: actor,
		})
	}
	if before.Reports > 0 && next.Reports == 0 {
		tx.closeReports(at.head.number, next.Site, at.uuid)
	}
	c.body = appendBody(c.body[:0], next)
	key := commentKey(at.head.number, at.uuid)
	tx.put(bucketComments, key, c.record(key))
	tx.index(at.head, at.page, &before, &next, at.uuid)
	return next
}

const formatRevision Format = 1

func (tx *Tx) putRevision(site uint32, id uuid.UUID, r comments.Revision) {
	key := revisionKey(site, id, r.Version)
	tx.put(bucketRevisions, key, revisionRecord(key, r))
}

func revisionRecord(key []byte, r comments.Revision) []byte {
	b := newRecord(64 + len(r.Words.Content))
	b = appendText(appendTime(b, r.At), r.By)
	b = appendWords(b, r.Words)
	if r.Public == nil {
		b = append(b, 0)
	} else {
		b = appendWords(append(b, 1), *r.Public)
	}
	return seal(formatRevision, key, b)
}

func decodeRevision(key, record []byte) (r comments.Revision, err error) {
	f, payload, err := open(bucketRevisions, key, record)
	if err != nil {
		return r, err
	}
	if f != formatRevision || len(key) != commentSize+8 {
		return r, damaged(bucketRevisions, key, "it is no revision")
	}
	r.Version = binary.BigEndian.Uint64(key[commentSize:])
	d := decoder{s: string(payload)}
	r.At, r.By, r.Words = d.time(), d.text(), d.words()
	switch d.byte() {
	case 0:
	case 1:
		w := d.words()
		r.Public = &w
	default:
		d.fail()
	}
	if !d.done() {
		return comments.Revision{}, damaged(bucketRevisions, key, "it is no revision")
	}
	return r, nil
}

// Revisions implements comments.Amender.
func (db *DB) Revisions(ctx context.Context, id comments.ID) (list []comments.Revision, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(id.Site())
		if errors.Is(err, comments.ErrUnknownSite) {
			return nil
		}
		if err != nil {
			return err
		}
		prefix := commentKey(number, id.UUID())
		c := tx.bucket(bucketRevisions).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			r, err := decodeRevision(k, v)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}
