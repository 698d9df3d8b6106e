package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

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
		keepMoreOfComments,
		layDays,
		layAliases,
		keepAuthorsAndReports,
		plantTrees,
		layIndexes,
		layCodes,
	}
}

// keepMoreOfComments makes version 3: what is pending is listed by risk, replies know the
// topmost comment they answer, and heads count more queues.
func keepMoreOfComments(tx *Tx) error {
	if err := tx.AddBucket(bucketRevisions); err != nil {
		return err
	}
	heads, err := tx.allHeads()
	if err != nil {
		return err
	}
	sites := map[uint32]string{}
	for site, h := range heads {
		sites[h.number] = site
		tx.put(bucketHeads, []byte(site), h.record(site))
	}
	var replies, pending [][]byte
	for key := range tx.Keys(bucketComments, nil) {
		c, err := tx.commentAt(sites, key)
		if errors.Is(err, comments.ErrDamaged) {
			continue // check names it; nothing else is affected
		}
		if err != nil {
			return err
		}
		if c.Status == comments.Pending {
			pending = append(pending, riskKey(binary.BigEndian.Uint32(key), c.Risk, uuid.UUID(key[4:])))
		}
		if c.Parent != "" {
			replies = append(replies, key)
		}
	}
	for _, key := range pending {
		tx.put(bucketQueues, key, present)
	}
	for _, key := range replies {
		c, err := tx.commentAt(sites, key)
		if err != nil {
			return err
		}
		if c.Root, err = tx.topmost(binary.BigEndian.Uint32(key), c.Comment); err != nil {
			continue
		}
		tx.put(bucketComments, key, c.record(key))
	}
	return nil
}

func (tx *Tx) commentAt(sites map[uint32]string, key []byte) (stored, error) {
	if len(key) != commentSize {
		return stored{}, damaged(bucketComments, key, "it is no comment")
	}
	number := binary.BigEndian.Uint32(key)
	return tx.comment(number, sites[number], uuid.UUID(key[4:]), true)
}

// topmost follows replies up to the comment that answers the article, or to one that has
// been followed already.
func (tx *Tx) topmost(number uint32, c comments.Comment) (comments.ID, error) {
	for range 1 << 20 { // a circle can't be, and would not keep anybody from starting
		parent, err := tx.comment(number, c.Site, c.Parent.UUID(), false)
		if err != nil {
			return "", err
		}
		if parent.Parent == "" || parent.Root != "" {
			return parent.Answered(), nil
		}
		c = parent.Comment
	}
	return "", comments.ErrDamaged
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
