package boltstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"duyet/comments"
)

// DB is a bbolt file that both wings keep their records in. It implements comments.Store
// and is safe for concurrent use.
type DB struct {
	path   string
	key    []byte
	now    func() time.Time
	commit func(ops int, took time.Duration)
	log    *slog.Logger
	most   int64
	lock   *Lock // nil when the caller holds it
	survey *Survey

	bolt   atomic.Pointer[bbolt.DB]
	failed int // the writer's own: a commit that is to be taken back, see heal

	mu     sync.Mutex // guards queue and closed
	queue  []*operation
	closed bool
	wake   chan struct{} // holds one token while the queue is not empty
	ended  chan struct{} // closed when the writer is done

	watch         sync.Mutex
	observers     []comments.Observer
	likeObservers []func(site, page string)
	owned         []Bucket // the other wing's, see Own
}

// The whole contract, in one type.
var _ comments.Store = (*DB)(nil)

// Options say how to open a file. Path, Key and Fingerprint are needed.
type Options struct {
	Path        string
	Key         []byte // of the journal's chain, 32 bytes
	Fingerprint string // of the secret: a file made with another is ErrOtherSecret

	// Create makes the file when it is missing, under the id Installation. Without it a
	// missing file is ErrMissing.
	Create       bool
	Installation string

	// Filling opens a file that a move has not finished, or has it finish one; otherwise
	// such a file is comments.ErrUnfinishedMove.
	Filling bool

	// Lock, if set, is held by the caller and stays so. Otherwise Open takes the lock of
	// Path, waiting up to Wait, and leaves Holder as the name of whoever holds it.
	Lock   *Lock
	Wait   time.Duration
	Holder string

	Now      func() time.Time                         // nil = time.Now
	OnCommit func(operations int, took time.Duration) // told after each commit; nil = nobody
	Logger   *slog.Logger                             // nil = silent
	MaxBytes int64                                    // the file grows no further; 0 = as far as the disk
}

// mapSize is the address space set aside for the file from the start. Growing beyond it
// has to wait for every reader, a running backup included; it costs no memory.
const mapSize = 8 << 30

// Open opens a file after a look at all of it. Nothing is written before the look has
// found it sound; a file that is refused is left as it was. Errors: ErrMissing,
// ErrDamaged, ErrForeign, ErrNewer, ErrOtherSecret, a *LockedError, or
// comments.ErrUnavailable for what the system says.
func Open(ctx context.Context, o Options) (_ *DB, err error) {
	db := &DB{
		path: o.Path, key: slices.Clone(o.Key), now: o.Now, commit: o.OnCommit, log: o.Logger, most: o.MaxBytes,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if len(o.Key) == 0 || o.Fingerprint == "" {
		return nil, errors.New("a database needs a key and a fingerprint")
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if o.Lock == nil {
		if db.lock, err = AcquireLock(ctx, o.Path, o.Holder, o.Wait); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				db.lock.Release()
			}
		}()
	}
	if o.Create {
		if err := create(o, db.now); err != nil {
			return nil, err
		}
	}
	if db.survey, err = ExamineFile(o.Path, nil); err != nil {
		return nil, err
	}
	if db.survey.Fingerprint != o.Fingerprint {
		return nil, fmt.Errorf("%s: %w", o.Path, ErrOtherSecret)
	}
	if err := db.open(); err != nil {
		return nil, err
	}
	go db.write()
	if err := db.ready(ctx, o); err != nil {
		return nil, errors.Join(err, db.stop())
	}
	return db, nil
}

// ready brings the records up to date, unless the file is a mover's.
func (db *DB) ready(ctx context.Context, o Options) error {
	note, err := db.Note(ctx)
	if err != nil {
		return err
	}
	if note != nil && !o.Filling {
		return fmt.Errorf("%s: %w", o.Path, comments.ErrUnfinishedMove)
	}
	return db.Migrate(ctx, wing, migrations())
}

// open lets bbolt have the file.
func (db *DB) open() error {
	options := bbolt.Options{
		Timeout:         time.Second, // for programs that know bbolt's lock but not ours
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true, // the list is made anew from the tree: it can't be stale
		NoStatistics:    true, // a lock less on every read
		InitialMmapSize: mapSize,
		MaxSize:         int(db.most),
	}
	if strconv.IntSize == 32 {
		options.InitialMmapSize = 0
	}
	b, err := bbolt.Open(db.path, 0o600, &options)
	if err != nil && !errors.Is(err, berrors.ErrTimeout) && options.InitialMmapSize != 0 {
		options.InitialMmapSize = 0 // where address space is limited
		b, err = bbolt.Open(db.path, 0o600, &options)
	}
	if errors.Is(err, berrors.ErrTimeout) {
		return &LockedError{Path: db.path}
	}
	if err != nil {
		return unavailable(fmt.Errorf("open %s: %w", db.path, err))
	}
	db.bolt.Store(b)
	return nil
}

// create makes a new file where there is none: complete under another name first, so that
// whatever carries the real name is whole.
func create(o Options, now func() time.Time) error {
	if _, err := os.Lstat(o.Path); !errors.Is(err, os.ErrNotExist) {
		return nil // there is something; it will be looked at
	}
	fresh := o.Path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return unavailable(err)
	}
	b, err := bbolt.Open(fresh, 0o600, &bbolt.Options{Timeout: time.Second, NoFreelistSync: true})
	if err != nil {
		return unavailable(fmt.Errorf("create %s: %w", fresh, err))
	}
	err = b.Update(func(t *bbolt.Tx) error {
		tx := &Tx{bolt: t, now: now}
		if err := tx.AddBucket(bucketAbout); err != nil {
			return err
		}
		tx.putAbout(aboutFormat, sentinel)
		tx.putAbout(aboutInstallation, o.Installation)
		tx.putAbout(aboutFingerprint, o.Fingerprint)
		for _, step := range migrations() {
			if err := step(tx); err != nil {
				return err
			}
		}
		tx.putAbout(aboutVersion+wing, strconv.Itoa(len(migrations())))
		return nil
	})
	if err = errors.Join(err, b.Close()); err != nil {
		return unavailable(errors.Join(fmt.Errorf("create %s: %w", fresh, err), os.Remove(fresh)))
	}
	if err := os.Rename(fresh, o.Path); err != nil {
		return unavailable(err)
	}
	return SyncDir(filepath.Dir(o.Path))
}

// SyncDir makes names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return unavailable(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return unavailable(err)
	}
	return nil
}

// Close lets the operations that wait finish and closes the file. Calls after it are
// ErrClosed.
func (db *DB) Close() error {
	err := db.stop()
	if db.lock != nil {
		err = errors.Join(err, db.lock.Release())
		db.lock = nil
	}
	return err
}

func (db *DB) stop() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	db.mu.Unlock()
	db.signal()
	<-db.ended
	return db.bolt.Load().Close()
}

// Survey is what the look at the file before opening it found.
func (db *DB) Survey() *Survey { return db.survey }

// Stats is the size of the store.
type Stats struct {
	FileBytes int64 // of the file on disk
	UsedBytes int64 // up to the last page that was ever in use
}

// Stats reads the size of the store.
func (db *DB) Stats(ctx context.Context) (s Stats, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		s.UsedBytes = tx.bolt.Size()
		return nil
	})
	if err != nil {
		return Stats{}, err
	}
	info, err := os.Stat(db.path)
	if err != nil {
		return Stats{}, unavailable(err)
	}
	s.FileBytes = info.Size()
	return s, nil
}

// View runs a function in a read transaction: what it sees is one moment, whatever is
// written meanwhile. Views must not be nested, and one that takes long keeps the pages of
// its moment from being used again. A context that is done ends the call before it
// begins.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := db.begin(false)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = db.fault(p)
		}
		_ = t.Rollback()
	}()
	// A page that the disk can't deliver, or that a wrong pointer puts outside the file,
	// is an error here and not the end of the process.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return fn(&Tx{bolt: t, now: db.now})
}

// begin starts a transaction, of another bbolt handle if the one at hand was just closed
// to be reopened.
func (db *DB) begin(writable bool) (*bbolt.Tx, error) {
	for {
		b := db.bolt.Load()
		t, err := b.Begin(writable)
		if err == nil {
			return t, nil
		}
		if errors.Is(err, berrors.ErrDatabaseNotOpen) && db.bolt.Load() != b {
			continue
		}
		return nil, unavailable(err)
	}
}

// fault is what a panic inside a transaction comes to: the file is not what it was when
// it was looked at.
func (db *DB) fault(p any) error {
	if d, ok := p.(damagedFile); ok {
		return fmt.Errorf("%s: %w", d.what, comments.ErrDamaged)
	}
	db.log.Error("fault in the database; run 'duyet check'", "fault", fmt.Sprint(p), "stack", string(debug.Stack()))
	return fmt.Errorf("%v: %w", p, comments.ErrDamaged)
}

// Observe implements comments.Observable.
func (db *DB) Observe(o comments.Observer) {
	db.watch.Lock()
	defer db.watch.Unlock()
	db.observers = append(slices.Clip(db.observers), o)
}
