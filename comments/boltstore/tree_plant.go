package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"

	"duyet/comments"
)

// plantTrees makes version 7: threads are read as trees, and their comments can be liked.
func plantTrees(tx *Tx) error {
	for _, b := range []Bucket{bucketTrees, bucketReplies, bucketLiked, bucketLikes} {
		if err := tx.AddBucket(b); err != nil {
			return err
		}
	}
	heads, err := tx.allHeads()
	if err != nil {
		return err
	}
	sites := map[uint32]string{}
	for site, h := range heads {
		sites[h.number] = site
	}
	var page []stored // those that stand on one
	var at []byte     // what its keys begin with
	for key := range tx.Keys(bucketThreads, nil) {
		if len(key) != 8+uuidSize {
			continue // check names it; nothing else is affected
		}
		if !bytes.HasPrefix(key, at) {
			tx.plantPage(at, page)
			page = page[:0]
		}
		at = key[:8]
		site := binary.BigEndian.Uint32(key)
		c, err := tx.comment(site, sites[site], uuid.UUID(key[8:]), false)
		if errors.Is(err, comments.ErrDamaged) || errors.Is(err, comments.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		page = append(page, c)
	}
	tx.plantPage(at, page)
	return nil
}

// plantPage plants all that stand on a page in the order of the keys, in which bbolt has
// nothing to move: the leaves of a transaction grow without bound until it commits.
func (tx *Tx) plantPage(at []byte, standing []stored) {
	if len(standing) == 0 {
		return
	}
	site, page := binary.BigEndian.Uint32(at), binary.BigEndian.Uint32(at[4:])
	sizes, stand := map[uuid.UUID]int64{}, map[uuid.UUID]bool{}
	var liked, replies [][]byte
	for i := range standing {
		c, id := &standing[i].Comment, standing[i].ID.UUID()
		top := topOf(c, id)
		sizes[top]++
		liked = append(liked, likedKey(site, page, likedAll, c.Likes, id))
		if c.Root != "" {
			replies = append(replies, replyKey(site, top, id))
			continue
		}
		stand[top] = true
		liked = append(liked, likedKey(site, page, likedTops, c.Likes, id))
	}
	var trees [][]byte
	for top := range sizes {
		trees = append(trees, treeKey(site, page, top))
		if !stand[top] {
			liked = append(liked, likedKey(site, page, likedTops, 0, top))
		}
	}
	for b, keys := range map[Bucket][][]byte{bucketLiked: liked, bucketReplies: replies, bucketTrees: trees} {
		slices.SortFunc(keys, bytes.Compare)
		for _, key := range keys {
			if b != bucketTrees {
				tx.put(b, key, present)
				continue
			}
			size := uint64(sizes[uuid.UUID(key[8:])])
			tx.PutRecord(b, key, formatTree, binary.BigEndian.AppendUint64(nil, size))
		}
	}
}
