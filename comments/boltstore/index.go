package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"duyet/comments"
)

// The index for searching (see comments.IndexStore), which is made from the rest:
//
//	indexes    site                                version (8), state
//	terms      site, part (8), term (8)            list
//
// A part is written in one go at the end of what the site has, so that its entries lie
// together however they are spread over the terms.
const (
	bucketIndexes Bucket = "indexes"
	bucketTerms   Bucket = "terms"

	formatIndex Format = 1
	formatTerm  Format = 1
)

// layIndexes makes the buckets. They are filled beside serving.
func layIndexes(tx *Tx) error {
	return errors.Join(tx.AddBucket(bucketIndexes), tx.AddBucket(bucketTerms))
}

func partPrefix(site uint32, part uint64) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 20), site)
	return binary.BigEndian.AppendUint64(b, part)
}

func termKey(site uint32, part, term uint64) []byte {
	return binary.BigEndian.AppendUint64(partPrefix(site, part), term)
}

// IndexState implements comments.IndexStore.
func (db *DB) IndexState(ctx context.Context, site string) (state comments.IndexState, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		number, err := tx.siteNumber(site)
		if err == nil {
			state, err = tx.indexState(number)
		}
		return err
	})
	return state, err
}

func (tx *Tx) indexState(number uint32) (state comments.IndexState, err error) {
	_, payload, err := tx.Record(bucketIndexes, siteKey(number))
	switch {
	case errors.Is(err, comments.ErrNotFound):
		return state, nil
	case err != nil:
		return state, err
	case len(payload) < 8:
		return state, damaged(bucketIndexes, siteKey(number), "it is too short")
	}
	return comments.IndexState{Version: binary.BigEndian.Uint64(payload), Data: payload[8:]}, nil
}

// WriteIndex implements comments.IndexStore.
func (db *DB) WriteIndex(ctx context.Context, site string, state comments.IndexState, part uint64, entries []comments.IndexEntry) (comments.IndexState, error) {
	next := comments.IndexState{Version: state.Version + 1, Data: state.Data}
	err := db.Do(ctx, func(tx *Tx) error {
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		stands, err := tx.indexState(number)
		if err != nil && !errors.Is(err, comments.ErrDamaged) {
			return err
		}
		if stands.Version != state.Version {
			return fmt.Errorf("index of site %s is at version %d: %w", site, stands.Version, comments.ErrVersion)
		}
		for _, e := range entries {
			tx.PutRecord(bucketTerms, termKey(number, part, e.Term), formatTerm, e.List)
		}
		tx.PutRecord(bucketIndexes, siteKey(number), formatIndex, append(binary.BigEndian.AppendUint64(nil, next.Version), next.Data...))
		return nil
	})
	if err != nil {
		return comments.IndexState{}, err
	}
	return next, nil
}

// IndexLists implements comments.IndexStore.
func (db *DB) IndexLists(ctx context.Context, site string, parts, terms []uint64) (lists [][][]byte, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		lists = make([][][]byte, len(terms))
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		for i, term := range terms {
			for _, part := range parts {
				_, list, err := tx.Record(bucketTerms, termKey(number, part, term))
				if errors.Is(err, comments.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				lists[i] = append(lists[i], list)
			}
		}
		return nil
	})
	return lists, err
}

// IndexEntries implements comments.IndexStore.
func (db *DB) IndexEntries(ctx context.Context, site string, part uint64, after *uint64, limit int) (list []comments.IndexEntry, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		prefix, from := partPrefix(number, part), partPrefix(number, part)
		if after != nil {
			from = append(termKey(number, part, *after), 0)
		}
		c := tx.bucket(bucketTerms).Cursor()
		for k, v := c.Seek(from); len(list) < limit && len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			_, payload, err := open(bucketTerms, k, v)
			if err != nil {
				return err
			}
			list = append(list, comments.IndexEntry{Term: binary.BigEndian.Uint64(k[len(prefix):]), List: bytes.Clone(payload)})
		}
		return nil
	})
	return list, err
}

// DropIndex implements comments.IndexStore.
func (db *DB) DropIndex(ctx context.Context, site string, part uint64, limit int) (removed int, err error) {
	err = db.Do(ctx, func(tx *Tx) error {
		removed = 0
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		var keys [][]byte
		for k := range tx.Keys(bucketTerms, partPrefix(number, part)) {
			if len(keys) == limit {
				break
			}
			keys = append(keys, k)
		}
		for _, k := range keys {
			tx.delete(bucketTerms, k)
		}
		removed = len(keys)
		return nil
	})
	return removed, err
}

// WrittenAt implements comments.IndexStore.
func (db *DB) WrittenAt(ctx context.Context, site string, moments []int64) (list []comments.Comment, err error) {
	moments = slices.Compact(slices.Sorted(slices.Values(moments)))
	err = db.View(ctx, func(tx *Tx) error {
		list = make([]comments.Comment, 0, len(moments))
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		c := tx.bucket(bucketComments).Cursor()
		prefix := binary.BigEndian.AppendUint64(siteKey(number), 0)[:4+6]
		for _, m := range moments {
			binary.BigEndian.PutUint32(prefix[4:], uint32(m>>16))
			binary.BigEndian.PutUint16(prefix[8:], uint16(m))
			for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
				comment, err := decodeComment(site, k, v, false)
				if errors.Is(err, comments.ErrDamaged) {
					continue // check names it; what is sound can be found
				}
				if err != nil {
					return err
				}
				list = append(list, comment.Comment)
			}
		}
		return nil
	})
	return list, err
}

// FromNetwork implements comments.IndexStore. Addresses are kept by expiry, not by network,
// so it reads those that stand, the latest first.
func (db *DB) FromNetwork(ctx context.Context, site string, network netip.Prefix, limit int) (ids []comments.ID, more bool, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		ids, more = nil, false
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		live := TimeKey(tx.Now())
		c := tx.bucket(bucketAddresses).Cursor()
		for k, v := c.Last(); k != nil && bytes.Compare(k[:min(8, len(k))], live) >= 0; k, v = c.Prev() {
			if len(k) != 8+commentSize || binary.BigEndian.Uint32(k[8:]) != number || len(v) < headerSize {
				continue
			}
			if addr, ok := netip.AddrFromSlice(v[headerSize:]); !ok || !network.Contains(addr.Unmap()) {
				continue
			}
			if _, _, err := open(bucketAddresses, k, v); err != nil {
				return err
			}
			if more = len(ids) == limit; more {
				break
			}
			ids = append(ids, makeID(site, uuid.UUID(k[12:])))
		}
		slices.SortFunc(ids, func(a, b comments.ID) int { return bytes.Compare([]byte(b), []byte(a)) })
		return nil
	})
	return ids, more, err
}
