package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

// Check holds the moderators' records and their indexes against each other, both ways, at
// one moment. report is told of each problem.
func (s *Store) Check(ctx context.Context, report func(comments.Problem)) error {
	return s.db.View(ctx, func(tx *comments.Tx) error {
		c := checker{tx, func(record, what string, args ...any) {
			report(comments.Problem{Record: record, What: fmt.Sprintf(what, args...)})
		}}
		c.people()
		c.secrets()
		c.expiries()
		c.documents()
		return ctx.Err()
	})
}

type checker struct {
	tx      *comments.Tx
	problem func(record, what string, args ...any)
}

func (c checker) people() {
	for k := range c.tx.Keys(bucketModerators, nil) {
		m, err := moderator(c.tx, string(k))
		if err != nil {
			c.problem("moderator "+string(k), "%v", err)
			continue
		}
		if id, err := idOf(c.tx, m.Email); err != nil || id != m.ID {
			c.problem("moderator "+m.ID, "the list of e-mails does not lead to it")
		}
	}
	for k := range c.tx.Keys(bucketEmails, nil) {
		id, err := idOf(c.tx, string(k))
		if err != nil {
			c.problem("e-mail of a moderator", "%v", err)
			continue
		}
		if m, err := moderator(c.tx, id); errors.Is(err, core.ErrNotFound) || err == nil && m.Email != string(k) {
			c.problem("moderator "+id, "an e-mail leads to it that is not its own")
		}
	}
}

func (c checker) secrets() {
	for k := range c.tx.Keys(bucketTokens, nil) {
		t, err := token(c.tx, hash(k))
		c.owned(fmt.Sprintf("token %x", k), t.Moderator, err)
	}
	for k := range c.tx.Keys(bucketLinks, nil) {
		l, err := link(c.tx, hash(k))
		c.owned(fmt.Sprintf("link %x", k), l.Moderator, err)
		if err == nil && !c.tx.Has(bucketExpiries, expiryKey(l.Expires, expiringLink, l.Hash)) {
			c.problem(fmt.Sprintf("link %x", k), "its expiry is not listed")
		}
	}
	for k := range c.tx.Keys(bucketSessions, nil) {
		var r sessionRecord
		if err := read(c.tx, bucketSessions, k, &r); err != nil {
			c.problem(fmt.Sprintf("session %x", k), "%v", err)
		} else if !c.tx.Has(bucketExpiries, expiryKey(r.Expires, expiringSession, hash(k))) {
			c.problem(fmt.Sprintf("session %x", k), "its expiry is not listed")
		}
	}
}

func (c checker) owned(record, id string, err error) {
	if err == nil {
		err = known(c.tx, id)
	}
	if err != nil {
		c.problem(record, "%v", err)
	}
}

func (c checker) expiries() {
	for k := range c.tx.Keys(bucketExpiries, nil) {
		name := fmt.Sprintf("expiry %x", k)
		if len(k) != 8+1+len(moderation.Hash{}) {
			c.problem(name, "its key has a wrong length")
			continue
		}
		var key []byte
		var err error
		switch k[8] {
		case expiringLink:
			var l moderation.Link
			if l, err = link(c.tx, hash(k[9:])); err == nil {
				key = comments.TimeKey(l.Expires)
			}
		case expiringSession:
			var r sessionRecord
			if err = read(c.tx, bucketSessions, k[9:], &r); err == nil {
				key = comments.TimeKey(r.Expires)
			}
		default:
			c.problem(name, "it is neither of a session nor of a link")
			continue
		}
		if errors.Is(err, core.ErrNotFound) || err == nil && !bytes.Equal(key, k[:8]) {
			c.problem(name, "what expires at %d does not exist, or at another time", binary.BigEndian.Uint64(k))
		}
	}
}

// hash reads a key; one of a wrong length is nobody's hash.
func hash(k []byte) (h moderation.Hash) {
	if len(k) == len(h) {
		copy(h[:], k)
	}
	return h
}
