package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/google/uuid"

	"duyet/comments"
)

// Thread implements comments.ThreadReader.
func (db *DB) Thread(ctx context.Context, site, key string, sort comments.Sort, after comments.ID, limit int) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		key, err := tx.resolve(number, key)
		if err != nil {
			return err
		}
		k := pageKey(number, key)
		record := tx.get(bucketPages, k)
		if record == nil {
			return nil
		}
		_, payload, err := open(bucketPages, k, record)
		if err != nil {
			return err
		}
		if len(payload) < 4 {
			return damaged(bucketPages, k, "it is no page")
		}
		prefix := threadPrefix(number, binary.BigEndian.Uint32(payload))
		list, err = tx.listed(place{index: bucketThreads, prefix: prefix, newest: sort == comments.Newest, after: after}, limit,
			number, site, func(c *comments.Comment) bool { return c.Standing() && c.Page == key })
		return err
	})
	return shown(list), err
}

// shown are standing comments as readers see them.
func shown(list []comments.Comment) []comments.Comment {
	for i, c := range list {
		list[i] = c.Shown()
	}
	return list
}

// Latest implements comments.ThreadReader: what is approved and what stands while an edit
// of it waits, the latest of both.
func (db *DB) Latest(ctx context.Context, site string, limit int) (list []comments.Comment, err error) {
	approved := comments.QueueFilter{Site: site, Status: comments.Approved, Order: comments.Newest, Limit: limit}
	edited := comments.QueueFilter{Site: site, Queue: comments.Edited, Order: comments.Newest, Limit: limit}
	err = db.View(ctx, func(tx *Tx) error {
		if list, err = tx.queue(approved); err != nil {
			return err
		}
		more, err := tx.queue(edited)
		list = append(list, more...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b comments.Comment) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return shown(list[:min(len(list), max(limit, 0))]), nil
}

// Queue implements comments.Amender.
func (db *DB) Queue(ctx context.Context, f comments.QueueFilter) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		list, err = tx.queue(f)
		return err
	})
	return list, err
}

func (tx *Tx) queue(f comments.QueueFilter) ([]comments.Comment, error) {
	number, err := tx.siteNumber(f.Site)
	if err != nil || !f.Listed() {
		return nil, err
	}
	p := place{index: bucketQueues, newest: f.Order == comments.Newest, after: f.After}
	switch {
	case f.All:
		p.index, p.prefix = bucketComments, siteKey(number)
	case f.Order == comments.ByRisk:
		p.prefix, p.before, p.skip = queuePrefix(number, queueRisk), riskPlace(f.AfterRisk), riskSize
	case f.Queue != "":
		p.prefix = queuePrefix(number, queueOf(f.Queue))
	default:
		p.prefix = queuePrefix(number, statusQueue(f.Status))
	}
	return tx.listed(p, f.Limit, number, f.Site, f.Fits)
}

// place is where in an index a list begins, and which way it goes. Keys are the prefix,
// skip bytes, and the uuid of a comment.
type place struct {
	index  Bucket
	prefix []byte
	skip   int
	newest bool // backwards; only without skip
	after  comments.ID
	before []byte // what stands between prefix and uuid in the key of after
}

// listed reads the comments that an index lists from a place on. An entry whose comment is
// not there, or does not belong in the index, is damage: it is never shown.
func (tx *Tx) listed(p place, limit int, number uint32, site string, belongs func(*comments.Comment) bool) ([]comments.Comment, error) {
	var list []comments.Comment
	records := tx.bucket(bucketComments).Cursor()
	key := make([]byte, commentSize)
	binary.BigEndian.PutUint32(key, number)
	for id := range tx.entries(p) {
		if len(list) >= limit {
			break
		}
		copy(key[4:], id[:])
		k, record := records.Seek(key)
		if !bytes.Equal(k, key) {
			return nil, damaged(p.index, append(bytes.Clone(p.prefix), id[:]...), "there is no such comment")
		}
		c, err := decodeComment(site, key, record, false)
		if err != nil {
			return nil, err
		}
		if !belongs(&c.Comment) {
			return nil, damaged(p.index, append(bytes.Clone(p.prefix), id[:]...), "the comment does not belong here")
		}
		if list == nil {
			list = make([]comments.Comment, 0, min(limit, 64))
		}
		list = append(list, c.Comment)
	}
	return list, nil
}

// entries are the uuids that stand in an index from a place on, in order.
func (tx *Tx) entries(p place) func(func(uuid.UUID) bool) {
	return func(yield func(uuid.UUID) bool) {
		c := tx.bucket(p.index).Cursor()
		k := start(c, p)
		for k != nil && bytes.HasPrefix(k, p.prefix) && len(k) == len(p.prefix)+p.skip+uuidSize {
			if !yield(uuid.UUID(k[len(p.prefix)+p.skip:])) {
				return
			}
			if p.newest {
				k, _ = c.Prev()
			} else {
				k, _ = c.Next()
			}
		}
	}
}

// cursor is the part of bbolt's cursor that start needs.
type cursor interface {
	Seek([]byte) ([]byte, []byte)
	Next() ([]byte, []byte)
	Prev() ([]byte, []byte)
	Last() ([]byte, []byte)
}

// start places a cursor on the first entry after one, or on the first at all.
func start(c cursor, p place) []byte {
	if !p.newest {
		from := bytes.Clone(p.prefix)
		if p.after != "" {
			u := p.after.UUID()
			from = append(append(from, p.before...), u[:]...)
		}
		k, _ := c.Seek(from)
		if p.after != "" && bytes.Equal(k, from) {
			k, _ = c.Next()
		}
		return k
	}
	// Going back: the last entry before the one named, or before everything that sorts
	// after the prefix.
	bound := bytes.Clone(p.prefix)
	if p.after != "" {
		u := p.after.UUID()
		bound = append(bound, u[:]...)
	} else {
		for range uuidSize + 1 {
			bound = append(bound, 0xff)
		}
	}
	if k, _ := c.Seek(bound); k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ := c.Prev()
	return k
}
