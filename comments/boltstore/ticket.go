package boltstore

import (
	"context"
	"time"

	"duyet/comments"
)

const (
	formatSpent   Format = 1
	formatAddress Format = 1
)

func spentRecord(key []byte, site string, id comments.ID, words [32]byte) []byte {
	b := newRecord(64 + len(site))
	b = append(b, words[:]...)
	u := id.UUID()
	b = append(b, u[:]...)
	return seal(formatSpent, key, append(b, site...))
}

func (tx *Tx) spent(key []byte) (comments.Spent, error) {
	record := tx.get(bucketSpent, key)
	if record == nil {
		return comments.Spent{}, comments.ErrNotFound
	}
	f, payload, err := open(bucketSpent, key, record)
	if err != nil {
		return comments.Spent{}, err
	}
	d := decoder{s: string(payload)}
	words, id, site := d.take(32), d.uuid(), d.s
	if f != formatSpent || d.bad {
		return comments.Spent{}, damaged(bucketSpent, key, "it is no spent ticket")
	}
	return comments.Spent{Comment: makeID(site, id), Words: [32]byte([]byte(words))}, nil
}

// Spent implements comments.TicketReader.
func (db *DB) Spent(ctx context.Context, id comments.TicketID, expires time.Time) (s comments.Spent, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		s, err = tx.spent(spentKey(id, expires))
		return err
	})
	return s, err
}

// address is the record of where a comment came from.
func addressRecord(key []byte, a comments.Author) []byte {
	return seal(formatAddress, key, append(newRecord(16), a.Addr.AsSlice()...))
}

// sweepMost is how many records of a kind one sweep removes: enough to keep up, few
// enough that nobody waits long.
const sweepMost = 2000

// Sweep implements comments.Sweeper.
func (db *DB) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	nothing := true
	if err := db.View(ctx, func(tx *Tx) error {
		nothing = len(tx.KeysBefore(bucketSpent, TimeKey(now), 1)) == 0 &&
			len(tx.KeysBefore(bucketAddresses, TimeKey(now), 1)) == 0
		return nil
	}); err != nil || nothing {
		return 0, err
	}
	err = db.Do(ctx, func(tx *Tx) error {
		removed = 0
		for _, b := range []Bucket{bucketSpent, bucketAddresses} {
			for _, k := range tx.KeysBefore(b, TimeKey(now), sweepMost) {
				if b == bucketAddresses {
					tx.forgetAddress(k)
				} else {
					tx.delete(b, k)
				}
				removed++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
