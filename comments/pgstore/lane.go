package pgstore

import (
	"context"
	"runtime"
	"slices"
)

// Group commit. A site's head lets one transaction through at a time, and each costs a
// sync of the server's log however much is in it. So whatever waits on one head in this
// node shares a transaction: while one commits, the next batch gathers. There is no timer:
// an operation alone goes at once.

// operation is one caller's share of a batch. Its methods don't fail for others' sake:
// what run returns is the caller's alone, and it has changed nothing then.
type operation interface {
	want(s *siteSet)              // names what must be read
	run(s *siteSet, tx *Tx) error // decides, in memory
}

type waiting struct {
	operation
	err  error
	done chan struct{}
}

// lane is what waits on the head of one site. It stands in DB.lanes while it runs.
type lane struct {
	queue []*waiting
}

// batchMost bounds the memory and the time of one commit, and yieldsMost how often a lane
// lets others queue before it begins.
const (
	batchMost  = 512
	yieldsMost = 8
)

// submit queues an operation of one site and returns once it is durable and observers
// have heard of it. A context that ends while it still queues takes it back.
func (db *DB) submit(ctx context.Context, site string, op operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiting{operation: op, done: make(chan struct{})}
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return ErrClosed
	}
	l := db.lanes[site]
	if l == nil {
		l = &lane{}
		db.lanes[site] = l
		db.work.Add(1)
		go db.drive(site, l)
	}
	l.queue = append(l.queue, w)
	db.mu.Unlock()

	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
	}
	db.mu.Lock()
	i := slices.Index(l.queue, w)
	if i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
	db.mu.Unlock()
	if i >= 0 {
		return ctx.Err()
	}
	<-w.done
	return w.err
}

// drive runs a lane until nobody waits in it.
func (db *DB) drive(site string, l *lane) {
	defer db.work.Done()
	for {
		ops := db.drain(site, l)
		if len(ops) == 0 {
			return
		}
		db.runBatch([]string{site}, ops)
	}
}

// drain takes whoever waits, and ends the lane when nobody does. Callers that the last
// commit has just answered are about to queue again: as long as the queue grows, they get
// the processor first, which makes one batch of what would be a small and a large one in
// turn.
func (db *DB) drain(site string, l *lane) []*waiting {
	for before, yields := -1, 0; ; yields++ {
		db.mu.Lock()
		n := len(l.queue)
		if n == before || n >= batchMost || yields == yieldsMost {
			break
		}
		before = n
		db.mu.Unlock()
		runtime.Gosched()
	}
	defer db.mu.Unlock()
	n := min(len(l.queue), batchMost)
	ops := slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	if n == 0 {
		delete(db.lanes, site)
	}
	return ops
}

// runBatch runs operations in one transaction and answers them. When the server refuses
// the whole for good, each is tried by itself, so that only the one to blame fails.
func (db *DB) runBatch(sites []string, ops []*waiting) {
	err := db.transact(sites, len(ops), attemptMost, &batch{ops: ops})
	if err != nil && len(ops) > 1 && fateOf(err) == final {
		for _, w := range ops {
			db.runBatch(sites, []*waiting{w})
		}
		return
	}
	for _, w := range ops {
		if err != nil {
			w.err = err
		}
		close(w.done)
	}
}

// alone runs an operation that is about several sites in a transaction of its own.
func (db *DB) alone(ctx context.Context, sites []string, op operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.begin(); err != nil {
		return err
	}
	defer db.work.Done()
	w := &waiting{operation: op, done: make(chan struct{})}
	db.runBatch(sites, []*waiting{w})
	return w.err
}
