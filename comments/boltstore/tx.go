package boltstore

import (
	"bytes"
	"fmt"
	"hash"
	"iter"
	"time"

	"go.etcd.io/bbolt"

	"duyet/comments"
)

// Tx is one operation's view of the file: of a transaction of its own when reading
// (DB.View), of the one it shares with its neighbours in the commit when writing (DB.Do).
// It is not for use after the function it was given to returns.
type Tx struct {
	bolt    *bbolt.Tx
	opened  []openBucket
	now     func() time.Time
	touched bool              // the operation under way has written something
	names   map[uint32]string // sites by number, once siteOf was asked

	// In writing transactions only: what is written once, when all operations are done.
	mac     hash.Hash
	heads   map[string]*head
	pages   map[string]*page // by key of bucketPages
	commits []comments.Commit
}

type openBucket struct {
	name   Bucket
	bucket *bbolt.Bucket
}

// bucket finds a bucket once a transaction.
func (tx *Tx) bucket(b Bucket) *bbolt.Bucket {
	for i := range tx.opened {
		if tx.opened[i].name == b {
			return tx.opened[i].bucket
		}
	}
	bucket := tx.bolt.Bucket([]byte(b))
	if bucket == nil {
		panic(damagedFile{fmt.Sprintf("bucket %q is missing", b)})
	}
	bucket.FillPercent = b.fill()
	tx.opened = append(tx.opened, openBucket{b, bucket})
	return bucket
}

// damagedFile is what a transaction panics with when the file is not what it was when it
// was opened; it becomes comments.ErrDamaged.
type damagedFile struct{ what string }

// wrote notes that the operation has changed something: should it fail now, its batch is
// done again without it.
func (tx *Tx) wrote() { tx.touched = true }

// get is a value in the file's memory, or nil.
func (tx *Tx) get(b Bucket, key []byte) []byte { return tx.bucket(b).Get(key) }

// put writes a value. It can't fail: keys are bounded by the services and never empty.
func (tx *Tx) put(b Bucket, key, value []byte) {
	tx.wrote()
	if err := tx.bucket(b).Put(key, value); err != nil {
		panic(fmt.Errorf("put into %s: %w", b, err))
	}
}

func (tx *Tx) delete(b Bucket, key []byte) {
	tx.wrote()
	if err := tx.bucket(b).Delete(key); err != nil {
		panic(fmt.Errorf("delete from %s: %w", b, err))
	}
}

// present is the value of an index entry. It is not nil, which bbolt would read back as
// absent within the transaction.
var present = []byte{}

// Now is the store's clock: UTC, in milliseconds.
func (tx *Tx) Now() time.Time { return tx.now().UTC().Truncate(time.Millisecond) }

// Record is the payload stored under a key, checked, in memory of its own;
// comments.ErrNotFound when there is none, comments.ErrDamaged when it doesn't fit.
func (tx *Tx) Record(b Bucket, key []byte) (Format, []byte, error) {
	record := tx.get(b, key)
	if record == nil {
		return 0, nil, comments.ErrNotFound
	}
	f, payload, err := open(b, key, record)
	return f, bytes.Clone(payload), err
}

// Has reports whether there is a record or an index entry under a key.
func (tx *Tx) Has(b Bucket, key []byte) bool {
	k, _ := tx.bucket(b).Cursor().Seek(key)
	return bytes.Equal(k, key)
}

// PutRecord stores a payload with its format and checksum under a key, which must not be
// empty nor longer than 32 KiB.
func (tx *Tx) PutRecord(b Bucket, key []byte, f Format, payload []byte) {
	tx.put(b, key, seal(f, key, append(newRecord(len(payload)), payload...)))
}

// PutEntry stores an index entry: a key without a value.
func (tx *Tx) PutEntry(b Bucket, key []byte) { tx.put(b, key, present) }

// Delete removes what stands under a key, if anything does.
func (tx *Tx) Delete(b Bucket, key []byte) { tx.delete(b, key) }

// Keys lists copies of the keys from first on, in order, that begin with prefix. It is
// safe to delete them while ranging over it only after collecting them.
func (tx *Tx) Keys(b Bucket, prefix []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := tx.bucket(b).Cursor()
		for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			if !yield(bytes.Clone(k)) {
				return
			}
		}
	}
}

// KeysBefore collects up to limit keys that sort before end, in order.
func (tx *Tx) KeysBefore(b Bucket, end []byte, limit int) (keys [][]byte) {
	for k := range tx.Keys(b, nil) {
		if len(keys) == limit || bytes.Compare(k, end) >= 0 {
			break
		}
		keys = append(keys, k)
	}
	return keys
}

// removePrefix deletes every key that begins with prefix, in strides that keep memory
// bounded, and returns how many there were.
func (tx *Tx) removePrefix(b Bucket, prefix []byte) (removed int) {
	const stride = 4096
	for {
		var keys [][]byte
		for k := range tx.Keys(b, prefix) {
			if keys = append(keys, k); len(keys) == stride {
				break
			}
		}
		for _, k := range keys {
			tx.delete(b, k)
		}
		removed += len(keys)
		if len(keys) < stride {
			return removed
		}
	}
}

// flush writes what the operations of a batch have changed together: pages, then heads.
func (tx *Tx) flush() {
	for key, p := range tx.pages {
		if p.dirty {
			tx.put(bucketPages, []byte(key), p.record([]byte(key)))
		}
	}
	for site, h := range tx.heads {
		if h.dirty {
			tx.put(bucketHeads, []byte(site), h.record(site))
		}
	}
}
