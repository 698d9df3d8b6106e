package boltstore

import (
	"fmt"
	"hash/fnv"
	"os"
)

// heal makes the handle usable after a commit that failed. failed is the id of its
// transaction, 0 when none began. What it could not do is done before the next commit.
//
// Mostly bbolt's rollback is enough: pages are never overwritten while a meta page refers
// to them. Two cases are not. When bbolt can't map a larger file it has lost its mapping,
// and every later call fails until the file is opened anew. And when the last step fails,
// the sync of the meta page, that page is already what readers see, though the commit is
// told to have failed: it is taken back, so that an error has changed nothing.
func (db *DB) heal(failed int) error {
	if db.failed == 0 {
		t, err := db.bolt.Load().Begin(false)
		if err == nil {
			seen := t.ID()
			_ = t.Rollback()
			if failed == 0 || seen < failed {
				return nil
			}
		}
		db.failed = max(failed, sick)
	}
	if db.failed != sick {
		if err := takeBack(db.path, uint64(db.failed)); err != nil {
			return fmt.Errorf("a commit that failed can't be taken back: %w", err)
		}
	}
	if err := db.bolt.Load().Close(); err != nil {
		return err
	}
	if err := db.open(); err != nil {
		return err
	}
	db.failed = 0
	return nil
}

// sick stands in DB.failed for a handle that must be reopened with no commit to take
// back. It is no transaction's id: creating a file takes more than one.
const sick = 1

// takeBack puts the meta page before it in the place of a transaction's, if that is the
// one in force. Pages of the state before are untouched: bbolt uses them again two
// commits later at the earliest.
func takeBack(path string, failed uint64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	first, _, ok := readMeta(f, 0)
	if !ok {
		first, _, ok = readMeta(f, int64(os.Getpagesize()))
		if !ok {
			return fmt.Errorf("no meta page of %s is whole: %w", path, ErrDamaged)
		}
	}
	slot := int64(failed % 2)
	in, _, ok := readMeta(f, slot*first.pageSize)
	if ok && in.txid != failed {
		return nil
	}
	page := make([]byte, first.pageSize)
	if _, err := f.ReadAt(page, (1-slot)*first.pageSize); err != nil {
		return err
	}
	native.PutUint64(page, uint64(slot))
	body := page[pageHeader:]
	native.PutUint64(body[48:], native.Uint64(body[48:])-1)
	h := fnv.New64a()
	h.Write(body[:56])
	native.PutUint64(body[56:], h.Sum64())
	if _, err := f.WriteAt(page, slot*first.pageSize); err != nil {
		return err
	}
	return f.Sync()
}
