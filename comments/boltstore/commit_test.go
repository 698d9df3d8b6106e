package boltstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"duyet/comments"
)

func testOptions(t testing.TB) Options {
	return Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "f",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test",
	}
}

func testDB(t testing.TB, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := db.CheckTree(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Check(ctx, nil, func(p Problem) { t.Errorf("check: %s", p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func addSite(t testing.TB, db *DB, id string) {
	t.Helper()
	if _, err := db.AddSite(t.Context(), comments.Site{ID: id, Settings: comments.DefaultSettings()}, "operator"); err != nil {
		t.Fatal(err)
	}
}

// together runs operations in one batch: the writer is kept busy until all are queued.
func together(t *testing.T, db *DB, ops ...func(*Tx) error) []error {
	t.Helper()
	busy, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.Do(context.Background(), func(*Tx) error {
			close(busy)
			<-release
			return nil
		})
	})
	<-busy
	errs := make([]error, len(ops))
	for i, op := range ops {
		wg.Go(func() { errs[i] = db.Do(context.Background(), op) })
		for queued := 0; queued <= i; runtime.Gosched() {
			db.mu.Lock()
			queued = len(db.queue)
			db.mu.Unlock()
		}
	}
	close(release)
	wg.Wait()
	return errs
}

// event appends something that can be counted.
func event(tx *Tx) error {
	_, err := tx.Append(comments.Event{Site: comments.Installation, Actor: "x", Kind: "test"})
	return err
}

func TestBatchIsolation(t *testing.T) {
	var batches []int
	o := testOptions(t)
	o.OnCommit = func(ops int, took time.Duration) {
		if took <= 0 {
			t.Errorf("a commit took %s", took)
		}
		batches = append(batches, ops)
	}
	db := testDB(t, o)
	refused := errors.New("refused")
	var told []uint64
	db.Observe(func(c comments.Commit) { told = append(told, c.Event.Seq) })
	fails := func(write bool, how func() error) func(*Tx) error {
		return func(tx *Tx) error {
			if write {
				tx.putAbout("left behind", "x")
				if err := event(tx); err != nil {
					return err
				}
			}
			return how()
		}
	}
	errs := together(t, db,
		event,
		fails(false, func() error { return refused }),
		fails(true, func() error { return refused }),
		event,
		fails(false, func() error { panic("decided badly") }),
		fails(true, func() error { panic("wrote badly") }),
		fails(true, func() error { var p *int; *p = 1; return nil }),
		event,
	)
	for i, want := range []error{nil, refused, refused, nil, comments.ErrDamaged, comments.ErrDamaged, comments.ErrDamaged, nil} {
		if !errors.Is(errs[i], want) {
			t.Errorf("operation %d: %v, want %v", i, errs[i], want)
		}
	}
	head, err := db.Head(t.Context(), comments.Installation)
	if err != nil || head.Seq != 3 {
		t.Errorf("head %+v, %v", head, err)
	}
	if fmt.Sprint(told) != "[1 2 3]" {
		t.Errorf("told of %v", told)
	}
	if fmt.Sprint(batches) != "[4]" { // three that wrote, and one that decided not to
		t.Errorf("batches of %v", batches)
	}
	if _, err := db.VerifyChain(t.Context(), comments.Installation); err != nil {
		t.Error(err)
	}
	err = db.View(t.Context(), func(tx *Tx) error {
		_, err := tx.about("left behind")
		return err
	})
	if !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("what failed has left something behind: %v", err)
	}
}

// TestContextWhileQueued: once queued, the outcome is waited for and told.
func TestContextWhileQueued(t *testing.T) {
	db := testDB(t, testOptions(t))
	ctx, cancel := context.WithCancel(context.Background())
	errs := together(t, db, func(*Tx) error { cancel(); return nil }, event)
	if errs[0] != nil || errs[1] != nil || ctx.Err() == nil {
		t.Fatal(errs)
	}
	queued := make(chan struct{})
	ctx, cancel = context.WithCancel(context.Background())
	err := db.Do(ctx, func(tx *Tx) error { cancel(); close(queued); return event(tx) })
	<-queued
	if err != nil {
		t.Errorf("a context that ended on the way: %v", err)
	}
	if head, err := db.Head(t.Context(), comments.Installation); err != nil || head.Seq != 2 {
		t.Errorf("head %+v, %v", head, err)
	}
}

func TestClosed(t *testing.T) {
	db, err := Open(t.Context(), testOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	// What is queued when the store is closed is done.
	done := make(chan error, 1)
	errs := together(t, db, event, func(tx *Tx) error {
		go func() { done <- db.Close() }()
		return event(tx)
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := db.Do(t.Context(), event); !errors.Is(err, comments.ErrUnavailable) || !errors.Is(err, ErrClosed) {
		t.Errorf("writing after closing: %v", err)
	}
	if _, err := db.Head(t.Context(), comments.Installation); !errors.Is(err, comments.ErrUnavailable) {
		t.Errorf("reading after closing: %v", err)
	}
	o := testOptions(t)
	o.Path, o.Create = db.path, false
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if head, err := again.Head(t.Context(), comments.Installation); err != nil || head.Seq != 2 {
		t.Errorf("head %+v, %v", head, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestObserverPanics: an observer that panics fails nobody.
func TestObserverPanics(t *testing.T) {
	db := testDB(t, testOptions(t))
	told := 0
	db.Observe(func(comments.Commit) { panic("observer") })
	db.Observe(func(comments.Commit) { told++ })
	for range 2 {
		if err := db.Do(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}

// TestTakenBack: a commit whose last sync fails is already what readers see; heal takes it
// back, and the store goes on from the state before it, on the handle and on disk.
func TestTakenBack(t *testing.T) {
	db := testDB(t, testOptions(t))
	addSite(t, db, "news")
	for round := range 6 { // both meta pages have their turn
		before, err := db.Head(t.Context(), "news")
		if err != nil {
			t.Fatal(err)
		}
		id := 0
		err = db.Do(t.Context(), func(tx *Tx) error {
			id = tx.bolt.ID()
			tx.putAbout("taken back", "x")
			_, err := tx.Append(comments.Event{Site: "news", Actor: "x", Kind: "test"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if after, err := db.Head(t.Context(), "news"); err != nil || after.Seq != before.Seq+1 {
			t.Fatalf("head %+v, %v", after, err)
		}
		if err := db.heal(id); err != nil { // the writer is idle
			t.Fatal(err)
		}
		if after, err := db.Head(t.Context(), "news"); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Fatalf("round %d: head %+v, %v; want %+v", round, after, err, before)
		}
		if _, err := ExamineFile(db.path, db.key); err != nil {
			t.Fatalf("round %d: on disk: %v", round, err)
		}
		for range 1 + round%2 {
			if err := db.Do(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestHealsLostMapping: a handle that bbolt has given up is opened anew by the next
// operation.
func TestHealsLostMapping(t *testing.T) {
	db := testDB(t, testOptions(t))
	addSite(t, db, "news")
	if err := db.bolt.Load().Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Head(t.Context(), "news"); !errors.Is(err, comments.ErrUnavailable) {
		t.Fatalf("reading without a mapping: %v", err)
	}
	if err := db.heal(0); err != nil {
		t.Fatal(err)
	}
	if err := db.Do(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if head, err := db.Head(t.Context(), "news"); err != nil || head.Seq != 1 {
		t.Errorf("head %+v, %v", head, err)
	}
}
