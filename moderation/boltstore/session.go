package boltstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

type sessionRecord struct {
	Data    []byte    `json:"data"`
	Expires time.Time `json:"expires"`
}

// Session implements moderation.SessionStore.
func (s *Store) Session(ctx context.Context, h moderation.Hash, now time.Time) ([]byte, error) {
	var r sessionRecord
	err := s.db.View(ctx, func(tx *comments.Tx) error {
		if err := read(tx, bucketSessions, h[:], &r); err != nil {
			return err
		}
		if r.Expires.Before(now) {
			return fmt.Errorf("session expired: %w", core.ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r.Data, nil
}

// PutSession implements moderation.SessionStore.
func (s *Store) PutSession(ctx context.Context, h moderation.Hash, data []byte, expires time.Time) error {
	expires = milli(expires)
	payload, err := encode(sessionRecord{Data: data, Expires: expires})
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := removeSession(tx, h); err != nil {
			return err
		}
		tx.PutRecord(bucketSessions, h[:], format, payload)
		tx.PutEntry(bucketExpiries, expiryKey(expires, expiringSession, h))
		return nil
	})
}

// RemoveSession implements moderation.SessionStore.
func (s *Store) RemoveSession(ctx context.Context, h moderation.Hash) error {
	return s.db.Do(ctx, func(tx *comments.Tx) error { return removeSession(tx, h) })
}

// removeSession removes a session with its expiry, if it is there.
func removeSession(tx *comments.Tx, h moderation.Hash) error {
	var r sessionRecord
	err := read(tx, bucketSessions, h[:], &r)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	tx.Delete(bucketSessions, h[:])
	tx.Delete(bucketExpiries, expiryKey(r.Expires, expiringSession, h))
	return nil
}

// sweepMost is how many records one sweep removes.
const sweepMost = 2000

// SweepSignIn implements moderation.SessionStore.
func (s *Store) SweepSignIn(ctx context.Context, now time.Time) (removed int, err error) {
	end := comments.TimeKey(now)
	nothing := true
	err = s.db.View(ctx, func(tx *comments.Tx) error {
		nothing = len(tx.KeysBefore(bucketExpiries, end, 1)) == 0
		return nil
	})
	if err != nil || nothing {
		return 0, err
	}
	err = s.db.Do(ctx, func(tx *comments.Tx) error {
		removed = 0
		for _, k := range tx.KeysBefore(bucketExpiries, end, sweepMost) {
			if len(k) == 8+1+len(moderation.Hash{}) {
				b := bucketSessions
				if k[8] == expiringLink {
					b = bucketLinks
				}
				tx.Delete(b, k[9:])
			}
			tx.Delete(bucketExpiries, k)
			removed++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
