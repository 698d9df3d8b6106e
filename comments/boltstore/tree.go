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

// The trees of a thread are found by three buckets beside that of the thread itself:
//
//	trees    site, page number (4), uuid of the top            standing comments of the tree (8)
//	replies  site, uuid of the top, uuid                       empty; standing replies, however deep
//	liked    site, page number (4), list (1), likes (8), uuid  empty
//
// A tree is listed as long as a comment stands in it. Likes in a key are inverted, so that
// the most come first. The top of a tree that does not stand itself counts as liked by
// nobody.
const (
	bucketTrees   Bucket = "trees"
	bucketReplies Bucket = "replies"
	bucketLiked   Bucket = "liked"
)

// Lists in bucketLiked.
const (
	likedAll  byte = 'a' // every standing comment
	likedTops byte = 't' // the tops of trees
)

func treeKey(site, page uint32, top uuid.UUID) []byte { return threadKey(site, page, top) }

func repliesPrefix(site uint32, top uuid.UUID) []byte { return commentKey(site, top) }

func replyKey(site uint32, top, id uuid.UUID) []byte {
	return append(repliesPrefix(site, top), id[:]...)
}

func likedPrefix(site, page uint32, list byte) []byte {
	return append(threadPrefix(site, page), list)
}

func likedKey(site, page uint32, list byte, likes int64, id uuid.UUID) []byte {
	b := binary.BigEndian.AppendUint64(likedPrefix(site, page, list), ^uint64(max(likes, 0)))
	return append(b, id[:]...)
}

const likedSize = 4 + 4 + 1 + 8 + uuidSize

// topOf is the top of the tree that a comment stands in.
func topOf(c *comments.Comment, id uuid.UUID) uuid.UUID {
	if c.Root == "" {
		return id
	}
	return c.Root.UUID()
}

// plant brings the trees of a page up to a comment that has begun to stand, or has ceased.
func (tx *Tx) plant(site, page uint32, c *comments.Comment, id uuid.UUID, stands bool) {
	top := topOf(c, id)
	key := treeKey(site, page, top)
	before := tx.treeSize(key)
	after := before - 1
	if stands {
		after = before + 1
	}
	if after > 0 {
		tx.PutRecord(bucketTrees, key, formatTree, binary.BigEndian.AppendUint64(nil, uint64(after)))
	} else {
		tx.delete(bucketTrees, key)
	}
	tx.list(bucketLiked, likedKey(site, page, likedAll, c.Likes, id), stands)
	if c.Root != "" {
		tx.list(bucketReplies, replyKey(site, top, id), stands)
		// The first to stand, and the last, are alone: the top does not stand.
		if before <= 0 || after <= 0 {
			tx.list(bucketLiked, likedKey(site, page, likedTops, 0, top), stands)
		}
		return
	}
	others := min(before, after) > 0
	if others && stands {
		tx.delete(bucketLiked, likedKey(site, page, likedTops, 0, top))
	}
	tx.list(bucketLiked, likedKey(site, page, likedTops, c.Likes, top), stands)
	if others && !stands {
		tx.put(bucketLiked, likedKey(site, page, likedTops, 0, top), present)
	}
}

// relike moves a standing comment in the lists of the liked.
func (tx *Tx) relike(site, page uint32, c *comments.Comment, id uuid.UUID, before int64) {
	lists := []byte{likedAll, likedTops}
	if c.Root != "" {
		lists = lists[:1]
	}
	for _, list := range lists {
		tx.delete(bucketLiked, likedKey(site, page, list, before, id))
		tx.put(bucketLiked, likedKey(site, page, list, c.Likes, id), present)
	}
}

// list puts an index entry into its place, or takes it out.
func (tx *Tx) list(b Bucket, key []byte, in bool) {
	if in {
		tx.put(b, key, present)
	} else {
		tx.delete(b, key)
	}
}

const formatTree Format = 1

// treeSize is how many comments stand in a tree, 0 for one that is not listed. A damaged
// record fails the operation: nothing was written of it that its neighbours would keep.
func (tx *Tx) treeSize(key []byte) int64 {
	record := tx.get(bucketTrees, key)
	if record == nil {
		return 0
	}
	f, payload, err := open(bucketTrees, key, record)
	if err != nil || f != formatTree || len(payload) != 8 {
		panic(damagedFile{fmt.Sprintf("trees record %x is no size of a tree", key)})
	}
	return int64(binary.BigEndian.Uint64(payload))
}

// pageNumber is the number of a page, 0 when there is none.
func (tx *Tx) pageNumber(site uint32, key string) (uint32, error) {
	k := pageKey(site, key)
	record := tx.get(bucketPages, k)
	if record == nil {
		return 0, nil
	}
	_, payload, err := open(bucketPages, k, record)
	if err != nil {
		return 0, err
	}
	if len(payload) < 4 {
		return 0, damaged(bucketPages, k, "it is no page")
	}
	return binary.BigEndian.Uint32(payload), nil
}

// Trees implements comments.TreeReader.
func (db *DB) Trees(ctx context.Context, site, key string, sort comments.Sort, from comments.Point, limit int) (list []comments.Tree, err error) {
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
		page, err := tx.pageNumber(number, key)
		if err != nil || page == 0 {
			return err
		}
		for top := range tx.tops(number, page, sort, from) {
			if len(list) >= limit {
				break
			}
			t, err := tx.tree(number, page, site, key, top)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// tops are the tops of a page's trees in an order.
func (tx *Tx) tops(site, page uint32, sort comments.Sort, from comments.Point) func(func(uuid.UUID) bool) {
	prefix := threadPrefix(site, page)
	if sort == comments.Liked {
		return tx.likedFrom(likedPrefix(site, page, likedTops), from)
	}
	return func(yield func(uuid.UUID) bool) {
		if from.With && from.ID != "" {
			u := from.ID.UUID()
			if tx.Has(bucketTrees, append(bytes.Clone(prefix), u[:]...)) && !yield(u) {
				return
			}
		}
		for id := range tx.entries(place{index: bucketTrees, prefix: prefix, newest: sort == comments.Newest, after: from.ID}) {
			if !yield(id) {
				return
			}
		}
	}
}

// likedFrom are the uuids of a list of the liked from a point on.
func (tx *Tx) likedFrom(prefix []byte, from comments.Point) func(func(uuid.UUID) bool) {
	return func(yield func(uuid.UUID) bool) {
		start := prefix
		if from.ID != "" {
			u := from.ID.UUID()
			start = binary.BigEndian.AppendUint64(bytes.Clone(prefix), ^uint64(max(from.Likes, 0)))
			start = append(start, u[:]...)
		}
		c := tx.bucket(bucketLiked).Cursor()
		k, _ := c.Seek(start)
		if from.ID != "" && !from.With && bytes.Equal(k, start) {
			k, _ = c.Next()
		}
		for ; len(k) == likedSize && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			if !yield(uuid.UUID(k[likedSize-uuidSize:])) {
				return
			}
		}
	}
}

// tree reads one that is listed.
func (tx *Tx) tree(site, page uint32, id, key string, top uuid.UUID) (t comments.Tree, err error) {
	k := treeKey(site, page, top)
	c, err := tx.comment(site, id, top, false)
	if errors.Is(err, comments.ErrNotFound) {
		return t, damaged(bucketTrees, k, "there is no such comment")
	}
	if err != nil {
		return t, err
	}
	size := tx.treeSize(k)
	if c.Page != key || c.Root != "" || size < 1 {
		return t, damaged(bucketTrees, k, "the comment does not belong here")
	}
	t.Top, t.Replies = c.Comment, size
	if c.Standing() {
		t.Top, t.Replies = c.Shown(), size-1
	}
	return t, nil
}

// Replies implements comments.TreeReader.
func (db *DB) Replies(ctx context.Context, site string, branches []comments.Branch) (lists [][]comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		lists = make([][]comments.Comment, len(branches))
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		for i, b := range branches {
			if lists[i], err = tx.replies(number, site, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lists, nil
}

func (tx *Tx) replies(number uint32, site string, b comments.Branch) ([]comments.Comment, error) {
	prefix := repliesPrefix(number, b.Top.UUID())
	belongs := func(c *comments.Comment) bool { return c.Standing() && c.Root == b.Top }
	var first []comments.Comment
	if after := b.After.UUID(); b.With && b.After != "" && b.Limit > 0 && tx.Has(bucketReplies, append(bytes.Clone(prefix), after[:]...)) {
		c, err := tx.comment(number, site, after, false)
		if err != nil {
			return nil, err
		}
		first = append(first, c.Comment)
		b.Limit--
	}
	rest, err := tx.listed(place{index: bucketReplies, prefix: prefix, after: b.After}, b.Limit, number, site, belongs)
	return shown(append(first, rest...)), err
}

// MostLiked implements comments.TreeReader.
func (db *DB) MostLiked(ctx context.Context, site, key string, from comments.Point, limit int) (list []comments.Comment, err error) {
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
		page, err := tx.pageNumber(number, key)
		if err != nil || page == 0 {
			return err
		}
		for id := range tx.likedFrom(likedPrefix(number, page, likedAll), from) {
			if len(list) >= limit {
				break
			}
			c, err := tx.comment(number, site, id, false)
			if err == nil && (!c.Standing() || c.Page != key) {
				err = damaged(bucketLiked, id[:], "the comment does not belong here")
			}
			if err != nil {
				return err
			}
			list = append(list, c.Shown())
		}
		return nil
	})
	return list, err
}

// Gather implements comments.TreeReader.
func (db *DB) Gather(ctx context.Context, site string, ids []comments.ID) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if id.Site() != site {
				continue
			}
			c, err := tx.comment(number, site, id.UUID(), false)
			if errors.Is(err, comments.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, c.Comment)
		}
		return nil
	})
	return list, err
}
