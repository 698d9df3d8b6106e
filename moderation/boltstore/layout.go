// Package boltstore keeps the moderators' wing in the file of comments/boltstore: same
// file, same journal, same group commit. It implements moderation.Store and decides
// nothing but atomicity.
//
// # Layout
//
// Beside the buckets of comments/boltstore, and with records of the same make (format,
// checksum, payload; here the payload is JSON):
//
//	bucket      key                                      value
//	moderators  id                                       the person
//	emails      canonical address                        id
//	tokens      SHA-256 of the token                     moderator, created at
//	links       SHA-256 of the link's secret             moderator, expires
//	sessions    SHA-256 of the session's key             data, expires
//	expiries    expires (8), 's' or 'l' (1), hash (32)   empty; one for each session and link
//	documents   site, NUL, kind, NUL, id                 version, at, by; data as it is
//
// Queues, counts and transitions belong to the comment and stand over there.
package boltstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

const (
	bucketModerators comments.Bucket = "moderators"
	bucketEmails     comments.Bucket = "emails"
	bucketTokens     comments.Bucket = "tokens"
	bucketLinks      comments.Bucket = "links"
	bucketSessions   comments.Bucket = "sessions"
	bucketExpiries   comments.Bucket = "expiries"
	bucketDocuments  comments.Bucket = "documents"
)

// What expires, as the byte in a key of bucketExpiries.
const (
	expiringSession = 's'
	expiringLink    = 'l'
)

// format is the first of every noun here.
const format comments.Format = 1

// wing is the name under which this wing's version stands in the file.
const wing = "moderation"

// migrations of this wing; see comments.Migration. One that a release has carried is
// never changed.
func migrations() []comments.Migration {
	return []comments.Migration{
		func(tx *comments.Tx) error {
			for _, b := range []comments.Bucket{
				bucketModerators, bucketEmails, bucketTokens, bucketLinks, bucketSessions, bucketExpiries,
			} {
				if err := tx.AddBucket(b); err != nil {
					return err
				}
			}
			return nil
		},
		func(tx *comments.Tx) error { return tx.AddBucket(bucketDocuments) },
	}
}

// Store is the moderators' wing of a database. It is safe for concurrent use.
type Store struct {
	db     *comments.DB
	leases leases
}

var _ moderation.Store = (*Store)(nil)

// New brings the moderators' buckets of an open database up to date. A file that a later
// release has written is ErrNewer of comments/boltstore.
func New(ctx context.Context, db *comments.DB) (*Store, error) {
	if err := db.Migrate(ctx, wing, migrations()); err != nil {
		return nil, err
	}
	db.Own(bucketDocuments)
	return &Store{db: db}, nil
}

// read decodes the record under a key into v. The error is ErrNotFound or ErrDamaged.
func read(tx *comments.Tx, b comments.Bucket, key []byte, v any) error {
	f, payload, err := tx.Record(b, key)
	if err != nil {
		return fmt.Errorf("%s: %w", b, err)
	}
	if f != format || json.Unmarshal(payload, v) != nil {
		return fmt.Errorf("%s record %x: %w", b, key, core.ErrDamaged)
	}
	return nil
}

// encode makes a payload, before anything is written.
func encode(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return payload, nil
}

func expiryKey(expires time.Time, what byte, h moderation.Hash) []byte {
	return append(append(comments.TimeKey(expires), what), h[:]...)
}

// milli is a time as the store keeps it.
func milli(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
