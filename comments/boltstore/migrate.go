package boltstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"duyet/comments"
)

// A Migration takes the file's records from one version to the next, in one transaction
// of its own. It may run for long; nobody is served meanwhile.
type Migration func(*Tx) error

// wing is the name under which the version of the readers' buckets stands.
const wing = "comments"

// migrations of the readers' wing: the version of a file is how many it has had. One that
// a release has carried is never changed.
func migrations() []Migration {
	return []Migration{
		layFirstBuckets,
		layAudience,
	}
}

// layFirstBuckets makes version 1.
func layFirstBuckets(tx *Tx) error {
	for _, b := range []Bucket{
		bucketSites, bucketHeads, bucketComments, bucketPages, bucketQueues, bucketThreads,
		bucketJournal, bucketDetails, bucketSpent, bucketAddresses,
	} {
		if err := tx.AddBucket(b); err != nil {
			return err
		}
	}
	tx.putAbout(aboutLastSite, strconv.Itoa(installationNumber))
	h := head{number: installationNumber}
	tx.put(bucketHeads, []byte(comments.Installation), h.record(comments.Installation))
	return nil
}

// AddBucket makes a bucket that is not there yet; for migrations.
func (tx *Tx) AddBucket(b Bucket) error {
	tx.wrote()
	if _, err := tx.bolt.CreateBucketIfNotExists([]byte(b)); err != nil {
		return fmt.Errorf("bucket %s: %w", b, err)
	}
	return nil
}

// Migrate brings the buckets of a wing to the version that steps make, one transaction a
// step. A file that has had more steps than there are is ErrNewer.
func (db *DB) Migrate(ctx context.Context, wing string, steps []Migration) error {
	for {
		version, err := db.version(ctx, wing)
		switch {
		case err != nil:
			return err
		case version > len(steps):
			return fmt.Errorf("%s: version %d of %s, this program knows %d: %w", db.path, version, wing, len(steps), ErrNewer)
		case version == len(steps):
			return nil
		}
		err = db.Do(ctx, func(tx *Tx) error {
			if err := steps[version](tx); err != nil {
				return err
			}
			tx.putAbout(aboutVersion+wing, strconv.Itoa(version+1))
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: to version %d of %s: %w", db.path, version+1, wing, err)
		}
	}
}

// version is how many migrations of a wing the file has had.
func (db *DB) version(ctx context.Context, wing string) (version int, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		text, err := tx.about(aboutVersion + wing)
		if errors.Is(err, comments.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		version, err = strconv.Atoi(text)
		if err != nil || version < 0 {
			return damaged(bucketAbout, []byte(aboutVersion+wing), "it is no version")
		}
		return nil
	})
	return version, err
}
