package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"duyet/comments"
)

// checkJournals follows each chain, and holds each event about a comment against that
// comment's history.
func (c *checker) checkJournals() error {
	for _, s := range c.inOrder() {
		h := s.head
		if err := c.tx.verifyChain(c.ctx, &h, s.id, newMAC(c.key)); errors.Is(err, comments.ErrDamaged) {
			c.problem("journal of site "+s.id, "%v", err)
		} else if err != nil {
			return err
		}
	}
	about := map[uint32]int64{}
	err := c.each(bucketJournal, func(k, v []byte) {
		s := c.site(bucketJournal, k, 12)
		if s == nil {
			return
		}
		e, err := decodeEvent(s.id, k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if e.Comment == "" {
			return
		}
		about[s.head.number]++
		comment, err := c.tx.comment(s.head.number, s.id, e.Comment.UUID(), true)
		if errors.Is(err, comments.ErrNotFound) {
			c.problem(s.event(e.Seq), "its comment %s does not exist", e.Comment)
		} else if _, found := slices.BinarySearch(comment.history, e.Seq); err == nil && !found {
			c.problem(s.event(e.Seq), "it is missing from the history of %s", e.Comment)
		}
	})
	for number, n := range about {
		if s := c.sites[number]; s.events != n {
			c.problem("journal of site "+s.id, "it has %d events about comments, their histories list %d", n, s.events)
		}
	}
	return err
}

func (c *checker) checkDetails() error {
	return c.each(bucketDetails, func(k, v []byte) {
		s := c.site(bucketDetails, k, 12)
		if s == nil {
			return
		}
		seq := binary.BigEndian.Uint64(k[4:])
		if _, err := decodeDetail(k, v); err != nil {
			c.damaged(err)
			return
		}
		record := c.tx.get(bucketJournal, k)
		if record == nil {
			c.problem(s.event(seq), "it does not exist, but something was typed with it")
		} else if e, err := decodeEvent(s.id, k, record); err == nil && e.Detail == nil {
			c.problem(s.event(seq), "what was typed with it is not its own")
		}
	})
}

func (c *checker) checkSpent() error {
	return c.each(bucketSpent, func(k, _ []byte) {
		if len(k) != 8+16 {
			c.problem(fmt.Sprintf("spent ticket %x", k), "its key has a wrong length")
			return
		}
		name := fmt.Sprintf("spent ticket %x", k[8:])
		spent, err := c.tx.spent(k)
		if err != nil {
			c.damaged(err)
			return
		}
		h, ok := c.heads[spent.Comment.Site()]
		if !ok || c.tx.get(bucketComments, commentKey(h.number, spent.Comment.UUID())) == nil {
			c.problem(name, "the comment %s it let in does not exist", spent.Comment)
		}
	})
}

func (c *checker) checkAddresses() error {
	return c.each(bucketAddresses, func(k, v []byte) {
		if len(k) != 8+commentSize {
			c.problem(fmt.Sprintf("address %x", k), "its key has a wrong length")
			return
		}
		s := c.site(bucketAddresses, k[8:], commentSize)
		if s == nil {
			return
		}
		id := uuid.UUID(k[12:])
		name := "address of " + s.comment(id)
		addr, err := decodeAddress(k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if !c.tx.Has(bucketAuthors, authorEntry(s.head.number, byNetwork, comments.NetworkKey(addr), id)) {
			c.problem(name, "the list of its network lacks it")
		}
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(name, "the comment does not exist")
		case err == nil && !bytes.Equal(TimeKey(comment.addrExpires), k[:8]):
			c.problem(name, "the comment names another expiry")
		}
	})
}
