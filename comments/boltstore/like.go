package boltstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"duyet/comments"
)

// Who likes what stands in a bucket of its own:
//
//	likes  site, uuid, author (16)  empty
const bucketLikes Bucket = "likes"

func likeKey(site uint32, id uuid.UUID, by comments.AuthorKey) []byte {
	return append(commentKey(site, id), by[:]...)
}

// Like implements comments.Liker.
func (db *DB) Like(ctx context.Context, l comments.Liking) (c comments.Comment, changed bool, err error) {
	err = db.Do(ctx, func(tx *Tx) (err error) {
		c, changed, err = tx.like(l)
		return err
	})
	if err != nil {
		return comments.Comment{}, false, err
	}
	if changed {
		db.tellLikes(c.Site, c.Page)
	}
	return c.Shown(), changed, nil
}

func (tx *Tx) like(l comments.Liking) (comments.Comment, bool, error) {
	none := comments.Comment{}
	site, id := l.Comment.Site(), l.Comment.UUID()
	number, err := tx.siteNumber(site)
	if err != nil {
		return none, false, orUnknown(err, l.Comment)
	}
	c, err := tx.comment(number, site, id, true)
	if err != nil {
		return none, false, err
	}
	key := likeKey(number, id, l.By)
	has := tx.Has(bucketLikes, key)
	if !c.Standing() && (l.On || !has) {
		return none, false, fmt.Errorf("comment %s: %w", l.Comment, comments.ErrNotFound)
	}
	if has == l.On {
		return c.Comment, false, nil
	}
	page, err := tx.page(number, site, c.Page)
	if err != nil {
		return none, false, err
	}
	before := c.Likes
	c.Likes--
	if l.On {
		c.Likes = before + 1
	}
	if c.Likes < 0 {
		return none, false, damaged(bucketComments, commentKey(number, id), "it has fewer likes than likers")
	}
	tx.list(bucketLikes, key, l.On)
	at := commentKey(number, id)
	tx.put(bucketComments, at, c.record(at))
	if c.Standing() {
		tx.relike(number, page.number, &c.Comment, id, before)
	}
	return c.Comment, true, nil
}

// Liked implements comments.Liker.
func (db *DB) Liked(ctx context.Context, site string, by comments.AuthorKey, ids []comments.ID) (liked []comments.ID, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		liked = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if id.Site() == site && tx.Has(bucketLikes, likeKey(number, id.UUID(), by)) {
				liked = append(liked, id)
			}
		}
		return nil
	})
	return liked, err
}

// ObserveLikes implements comments.Liker.
func (db *DB) ObserveLikes(o func(site, page string)) {
	db.watch.Lock()
	defer db.watch.Unlock()
	db.likeObservers = append(db.likeObservers, o)
}

func (db *DB) tellLikes(site, page string) {
	db.watch.Lock()
	observers := db.likeObservers
	db.watch.Unlock()
	for _, o := range observers {
		o(site, page)
	}
}
