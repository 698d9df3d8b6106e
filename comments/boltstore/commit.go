package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"duyet/comments"
)

// Group commit. A commit costs two syncs however much is in it, so one writer takes
// whatever operations wait, runs them one after the other in one transaction, commits,
// and answers them all; what arrives meanwhile is the next batch. There is no timer: an
// operation alone is committed at once.

// operation is one caller's share of a batch.
type operation struct {
	run  func(*Tx) error
	err  error
	done chan struct{}
}

// batchMost bounds the memory and the time of one commit.
const batchMost = 1024

// yieldsMost bounds how often the writer lets others queue before it begins.
const yieldsMost = 8

// Do runs one operation in the group commit and returns once it is durable and observers
// have heard of it. The operation reads and decides first, and then writes: one that
// returns an error, or panics, has changed nothing, and its neighbours don't notice. It
// may be run more than once, so it sets what it computes anew each time, and it touches
// nothing outside but that.
//
// A context that is done before the operation is queued ends the call with its error;
// after that the call waits for the outcome. Errors beside the operation's own:
// comments.ErrUnavailable when it couldn't be written, ErrDamaged when the file is.
func (db *DB) Do(ctx context.Context, run func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op := &operation{run: run, done: make(chan struct{})}
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return ErrClosed
	}
	db.queue = append(db.queue, op)
	first := len(db.queue) == 1
	db.mu.Unlock()
	if first {
		db.signal()
	}
	<-op.done
	return op.err
}

// signal wakes the writer if it sleeps.
func (db *DB) signal() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// write is the writer: it runs until the store is closed and the queue is empty.
func (db *DB) write() {
	defer close(db.ended)
	debug.SetPanicOnFault(true)
	mac := newMAC(db.key)
	for {
		batch, closed := db.drain()
		if len(batch) > 0 {
			db.runBatch(batch, &Tx{mac: mac, now: db.now})
			continue
		}
		if closed {
			return
		}
		<-db.wake
	}
}

// drain takes whoever waits. Callers that the last commit has just answered are about to
// queue again: as long as the queue grows, they get the processor first, which makes one
// batch of what would be a small and a large one in turn.
func (db *DB) drain() (batch []*operation, closed bool) {
	for waiting, yields := 0, 0; ; yields++ {
		db.mu.Lock()
		if n := len(db.queue); n == waiting || n >= batchMost || yields == yieldsMost || db.closed {
			break
		}
		waiting = len(db.queue)
		db.mu.Unlock()
		runtime.Gosched()
	}
	defer db.mu.Unlock()
	n := min(len(db.queue), batchMost)
	batch = db.queue[:n:n]
	db.queue = db.queue[n:]
	if len(db.queue) == 0 {
		db.queue = nil
	}
	return batch, db.closed
}

// runBatch runs operations in one transaction. One that fails after it had written is
// answered and left out, and the others are run again.
func (db *DB) runBatch(batch []*operation, shared *Tx) {
	start := time.Now()
	for len(batch) > 0 {
		tx := &Tx{mac: shared.mac, now: shared.now, heads: map[string]*head{}, pages: map[string]*page{}}
		culprit, err := db.attempt(batch, tx)
		if culprit >= 0 {
			batch[culprit].err = err
			close(batch[culprit].done)
			batch = slices.Delete(batch, culprit, culprit+1)
			continue
		}
		if err != nil { // of the commit: nothing of this batch is stored
			db.log.Error("commit failed", "operations", len(batch), "error", err)
			for _, op := range batch {
				op.err = err
			}
		} else {
			if tx.touched && db.commit != nil {
				db.commit(len(batch), time.Since(start))
			}
			db.tell(tx.commits)
		}
		for _, op := range batch {
			close(op.done)
		}
		return
	}
}

// attempt runs a batch and commits it. culprit is the operation that must be left out, or
// -1; err is then the commit's.
func (db *DB) attempt(batch []*operation, tx *Tx) (culprit int, err error) {
	if db.failed != 0 {
		if err := db.heal(db.failed); err != nil {
			return -1, unavailable(err)
		}
	}
	t, err := db.begin(true)
	if err != nil {
		return -1, err
	}
	tx.bolt = t
	wrote := false
	for i, op := range batch {
		tx.touched = false
		var panicked bool
		op.err, panicked = db.safely(func() error { return op.run(tx) })
		if op.err != nil && (tx.touched || panicked) {
			_ = t.Rollback()
			return i, op.err
		}
		wrote = wrote || tx.touched
	}
	tx.touched = wrote
	if !wrote {
		_ = t.Rollback()
		return -1, nil
	}
	id := t.ID()
	err, _ = db.safely(func() error {
		tx.flush()
		return t.Commit()
	})
	if err != nil {
		_ = t.Rollback() // where a fault left it open
		return -1, unavailable(errors.Join(err, db.heal(id)))
	}
	return -1, nil
}

// safely turns a panic, a fault in the mapped file included, into an error.
func (db *DB) safely(fn func() error) (err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			err, panicked = db.fault(p), true
		}
	}()
	return fn(), false
}

// tell lets observers hear of a commit, in order.
func (db *DB) tell(commits []comments.Commit) {
	db.watch.Lock()
	observers := db.observers
	db.watch.Unlock()
	for _, c := range commits {
		for _, o := range observers {
			if _, panicked := db.safely(func() error { o(c); return nil }); panicked {
				db.log.Error("an observer of commits panicked", "kind", c.Event.Kind)
			}
		}
	}
}

// CheckTree runs bbolt's own integrity check, between two commits.
func (db *DB) CheckTree(ctx context.Context) error {
	return db.Do(ctx, func(tx *Tx) error {
		var all []error
		for err := range tx.bolt.Check() {
			all = append(all, err)
		}
		if len(all) > 0 {
			return fmt.Errorf("%w: %w", errors.Join(all...), ErrDamaged)
		}
		return nil
	})
}

// Copy writes the whole file as of one moment, while others read and write. before is
// told the transaction and the number of bytes that will follow.
func (db *DB) Copy(ctx context.Context, before func(tx *Tx, size int64) error, w io.Writer) error {
	return db.View(ctx, func(tx *Tx) error {
		if err := before(tx, tx.bolt.Size()); err != nil {
			return err
		}
		if _, err := tx.bolt.WriteTo(contextWriter{ctx, w}); err != nil {
			return fmt.Errorf("copy of %s: %w", db.path, err)
		}
		return nil
	})
}

// contextWriter stops a long copy when nobody waits for it any more.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}
