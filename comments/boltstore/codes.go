package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/google/uuid"

	"duyet/comments"
)

// Comments by the key of their receipt code. Keys of codes lie anywhere, and a write into
// an arbitrary page of a large bucket costs one of its own; so they are kept by the week of
// the comment's id, and whoever looks for one asks each week.
const (
	bucketCodes Bucket = "codes"

	// aboutCodes is the last comment that FillCodes has filled.
	aboutCodes = "codes filled up to"
)

const (
	codePrefixSize = 4 + 2 + 4
	codeSize       = codePrefixSize + uuidSize
	fillStride     = 1000 // comments a commit, so that nobody waits long
)

// weekOf is the week in which a comment got its id.
func weekOf(id uuid.UUID) uint16 {
	const ms = 7 * 24 * 60 * 60 * 1000
	milli := binary.BigEndian.Uint64(id[:8]) >> 16
	return uint16(min(milli/ms, 1<<16-1))
}

func codePrefix(site uint32, week uint16, key comments.CodeKey) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, codeSize), site)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, week), uint32(key))
}

func codeKey(site uint32, id uuid.UUID, key comments.CodeKey) []byte {
	return append(codePrefix(site, weekOf(id), key), id[:]...)
}

// ByCode implements comments.CodeKeeper.
func (db *DB) ByCode(ctx context.Context, site string, key comments.CodeKey) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		for _, id := range tx.coded(number, key) {
			c, err := tx.comment(number, site, id, false)
			if err != nil {
				return err
			}
			list = append(list, c.Comment)
		}
		return nil
	})
	return list, err
}

// coded is who stands under a key in any week, oldest first.
func (tx *Tx) coded(number uint32, key comments.CodeKey) (ids []uuid.UUID) {
	c := tx.bucket(bucketCodes).Cursor()
	site := siteKey(number)
	for k, _ := c.Seek(site); len(k) == codeSize && bytes.HasPrefix(k, site); {
		week := binary.BigEndian.Uint16(k[4:])
		prefix := codePrefix(number, week, key)
		for k, _ = c.Seek(prefix); len(k) == codeSize && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			ids = append(ids, uuid.UUID(k[codePrefixSize:]))
		}
		if week == 1<<16-1 {
			break
		}
		k, _ = c.Seek(codePrefix(number, week+1, 0))
	}
	return ids
}

// FillCodes implements comments.CodeKeeper.
func (db *DB) FillCodes(ctx context.Context, key func(comments.ID) comments.CodeKey) error {
	for {
		var after []byte
		var keys [][]byte
		err := db.View(ctx, func(tx *Tx) (err error) {
			after, keys = nil, nil
			place, err := tx.about(aboutCodes)
			if err == nil {
				after, err = hex.DecodeString(place)
			}
			if err != nil && !errors.Is(err, comments.ErrNotFound) {
				return err
			}
			keys, err = tx.uncoded(&after, key)
			return err
		})
		if err != nil || after == nil {
			return err
		}
		err = db.Do(ctx, func(tx *Tx) error {
			for _, k := range keys {
				// Its comment may have gone with its site since.
				if tx.Has(bucketComments, append(bytes.Clone(k[:4]), k[codePrefixSize:]...)) {
					tx.put(bucketCodes, k, present)
				}
			}
			tx.putAbout(aboutCodes, hex.EncodeToString(after))
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// uncoded is the entries of the next comments after a place, which it moves on; to nil
// where no more follow. Comments come with their entries, so only those are looked at
// that were there before.
func (tx *Tx) uncoded(after *[]byte, key func(comments.ID) comments.CodeKey) (keys [][]byte, err error) {
	c := tx.bucket(bucketComments).Cursor()
	k, _ := c.Seek(*after)
	if *after != nil && bytes.Equal(k, *after) {
		k, _ = c.Next()
	}
	*after = nil
	for n := 0; k != nil && n < fillStride; n++ {
		*after = bytes.Clone(k)
		if site, err := tx.siteOf(bucketComments, k); err == nil && len(k) == commentSize {
			number, id := binary.BigEndian.Uint32(k), uuid.UUID(k[4:])
			entry := codeKey(number, id, key(makeID(site, id)))
			if !tx.Has(bucketCodes, entry) {
				keys = append(keys, entry)
			}
		}
		k, _ = c.Next()
	}
	return keys, nil
}

// layCodes makes version 9. Only the services know codes; they have them filled.
func layCodes(tx *Tx) error { return tx.AddBucket(bucketCodes) }

// checkCodes looks for entries of no comment. Which comments have none, or another's, only
// who knows the codes could tell.
func (c *checker) checkCodes() error {
	return c.each(bucketCodes, func(k, _ []byte) {
		s := c.site(bucketCodes, k, codeSize)
		if s == nil {
			return
		}
		id := uuid.UUID(k[codePrefixSize:])
		if !c.tx.Has(bucketComments, commentKey(s.head.number, id)) {
			c.problem(s.comment(id), "it does not exist, but can be found by its code")
		} else if weekOf(id) != binary.BigEndian.Uint16(k[4:]) {
			c.problem(s.comment(id), "its code stands under another week")
		}
	})
}
