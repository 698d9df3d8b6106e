package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"

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
		list, err = tx.listed(bucketThreads, prefix, sort == comments.Newest, after, limit,
			number, site, func(c *comments.Comment) bool {
				return c.Status == comments.Approved && c.Page == key
			})
		return err
	})
	return list, err
}

// Latest implements comments.ThreadReader. The queue of approved comments is in order of
// writing.
func (db *DB) Latest(ctx context.Context, site string, limit int) ([]comments.Comment, error) {
	return db.Queue(ctx, site, comments.Approved, false, true, "", limit)
}

// Queue is up to limit comments of a site in a status, by time of writing, that come after
// the one named by after ("" = from the start), whether or not that one still stands
// there. With suspects it is narrowed to those that a check suspects, which are pending.
// It is what moderation.QueueReader needs.
func (db *DB) Queue(ctx context.Context, site string, status comments.Status, suspects, newest bool, after comments.ID, limit int) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil || !status.Valid() || suspects && status != comments.Pending {
			return err
		}
		q := statusQueue(status)
		if suspects {
			q = queueSuspect
		}
		list, err = tx.listed(bucketQueues, queuePrefix(number, q), newest, after, limit,
			number, site, func(c *comments.Comment) bool {
				return c.Status == status && (!suspects || suspect(c))
			})
		return err
	})
	return list, err
}

// listed reads the comments that an index lists under a prefix. An entry whose comment is
// not there, or does not belong in the index, is damage: it is never shown.
func (tx *Tx) listed(index Bucket, prefix []byte, newest bool, after comments.ID, limit int,
	number uint32, site string, belongs func(*comments.Comment) bool) ([]comments.Comment, error) {
	var list []comments.Comment
	records := tx.bucket(bucketComments).Cursor()
	key := make([]byte, commentSize)
	binary.BigEndian.PutUint32(key, number)
	for id := range tx.entries(index, prefix, newest, after) {
		if len(list) >= limit {
			break
		}
		copy(key[4:], id[:])
		k, record := records.Seek(key)
		if !bytes.Equal(k, key) {
			return nil, damaged(index, append(bytes.Clone(prefix), id[:]...), "there is no such comment")
		}
		c, err := decodeComment(site, key, record, false)
		if err != nil {
			return nil, err
		}
		if !belongs(&c.Comment) {
			return nil, damaged(index, append(bytes.Clone(prefix), id[:]...), "the comment does not belong here")
		}
		if list == nil {
			list = make([]comments.Comment, 0, min(limit, 64))
		}
		list = append(list, c.Comment)
	}
	return list, nil
}

// entries are the uuids that stand in an index under a prefix, in order, after one.
func (tx *Tx) entries(index Bucket, prefix []byte, newest bool, after comments.ID) func(func(uuid.UUID) bool) {
	return func(yield func(uuid.UUID) bool) {
		c := tx.bucket(index).Cursor()
		k := start(c, prefix, newest, after)
		for k != nil && bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+uuidSize {
			if !yield(uuid.UUID(k[len(prefix):])) {
				return
			}
			if newest {
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
func start(c cursor, prefix []byte, newest bool, after comments.ID) []byte {
	if !newest {
		from := bytes.Clone(prefix)
		if after != "" {
			u := after.UUID()
			from = append(from, u[:]...)
		}
		k, _ := c.Seek(from)
		if after != "" && bytes.Equal(k, from) {
			k, _ = c.Next()
		}
		return k
	}
	// Going back: the last entry before the one named, or before everything that sorts
	// after the prefix.
	bound := bytes.Clone(prefix)
	if after != "" {
		u := after.UUID()
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
