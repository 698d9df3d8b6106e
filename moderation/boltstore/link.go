package boltstore

import (
	"context"
	"fmt"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

type linkRecord struct {
	Moderator string    `json:"moderator"`
	Expires   time.Time `json:"expires"`
}

// AddLink implements moderation.LinkStore. A moderator who is not there is ErrNotFound.
func (s *Store) AddLink(ctx context.Context, l moderation.Link) error {
	l.Expires = milli(l.Expires)
	payload, err := encode(linkRecord{Moderator: l.Moderator, Expires: l.Expires})
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := known(tx, l.Moderator); err != nil {
			return err
		}
		if tx.Has(bucketLinks, l.Hash[:]) {
			return fmt.Errorf("link: %w", core.ErrExists)
		}
		tx.PutRecord(bucketLinks, l.Hash[:], format, payload)
		tx.PutEntry(bucketExpiries, expiryKey(l.Expires, expiringLink, l.Hash))
		return nil
	})
}

func link(tx *comments.Tx, h moderation.Hash) (moderation.Link, error) {
	var r linkRecord
	if err := read(tx, bucketLinks, h[:], &r); err != nil {
		return moderation.Link{}, err
	}
	return moderation.Link{Hash: h, Moderator: r.Moderator, Expires: r.Expires}, nil
}

func removeLink(tx *comments.Tx, l moderation.Link) {
	tx.Delete(bucketLinks, l.Hash[:])
	tx.Delete(bucketExpiries, expiryKey(l.Expires, expiringLink, l.Hash))
}

// Link implements moderation.LinkStore.
func (s *Store) Link(ctx context.Context, h moderation.Hash) (l moderation.Link, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) (err error) {
		l, err = link(tx, h)
		return err
	})
	return l, err
}

// SpendLink implements moderation.LinkStore.
func (s *Store) SpendLink(ctx context.Context, h moderation.Hash) (l moderation.Link, err error) {
	err = s.db.Do(ctx, func(tx *comments.Tx) (err error) {
		if l, err = link(tx, h); err != nil {
			return err
		}
		removeLink(tx, l)
		return nil
	})
	if err != nil {
		return moderation.Link{}, err
	}
	return l, nil
}

func linksOf(tx *comments.Tx, id string) (list []moderation.Link, err error) {
	for k := range tx.Keys(bucketLinks, nil) {
		l, err := link(tx, hash(k))
		if err != nil {
			return nil, err
		}
		if l.Moderator == id {
			list = append(list, l)
		}
	}
	return list, nil
}

// SignedIn implements moderation.LinkStore.
func (s *Store) SignedIn(ctx context.Context, moderator string, kind core.Kind) error {
	actor := moderator
	if kind == moderation.KindSignInFailed {
		actor = core.ActorSystem // whoever it was, it was not them for certain
	}
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		return event(tx, actor, kind, moderator)
	})
}
