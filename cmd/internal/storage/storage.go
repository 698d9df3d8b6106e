// Package storage opens the store of both wings and looks after its files: the secret,
// the sentinel that tells a database that went missing from one that never was, backups,
// the check, compaction. It is the only place, with the stores themselves, that knows on
// what technology they stand.
package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/boltstore"
	"duyet/moderation"
	moderationstore "duyet/moderation/boltstore"
)

// Names of files in the data folder, beside SecretFile.
const (
	DatabaseFile = "duyet.db"
	SentinelFile = "duyet.id" // the installation's id, which the database holds too
)

// Errors of opening, each a line that says what to do.
var (
	// ErrDatabaseGone is a sentinel without its database.
	ErrDatabaseGone = errors.New("the database that belongs here is missing; put it back, or restore a backup with 'duyet restore', or remove " + SentinelFile + " to begin with nothing")
	// ErrOtherDatabase is a database under another installation's sentinel.
	ErrOtherDatabase = errors.New("the database belongs to another installation; put back the one that was here, or remove " + SentinelFile + " to take this one")
)

// Options say which store to open and how.
type Options struct {
	Dir     string        // data folder; made when missing
	DSN     string        // postgres://…; "" = the bbolt file in Dir
	ReadDSN string        // of a standby for public reads; "" = none
	Secret  string        // DUYET_SECRET's text; "" = secret.key in Dir
	Wait    time.Duration // how long to wait for another process to let go
	Command string        // what we are, as told to whoever waits for us: "duyet serve"

	Now      func() time.Time                         // nil = time.Now
	OnCommit func(operations int, took time.Duration) // told after each commit; nil = nobody
	Logger   *slog.Logger                             // nil = silent
	MaxBytes int64                                    // the database grows no further; 0 = as far as the disk
}

// Storage is an open store of both wings.
type Storage struct {
	dir        string
	secret     atomic.Pointer[Secret] // a rotation changes it
	now        func() time.Time
	log        *slog.Logger
	lock       *boltstore.Lock // of the folder: one process at a time
	server     *server         // or, when it is nil, a file:
	db         *boltstore.DB
	moderation *moderationstore.Store
}

// Open opens the store, and makes it in a folder that never had one. Everything that is
// refused is left as it was. Errors beside those of boltstore.Open and pgstore.Open:
// ErrDatabaseGone, ErrOtherDatabase, ErrBadSecret.
func Open(ctx context.Context, o Options) (_ *Storage, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	s := &Storage{dir: o.Dir, now: o.Now, log: o.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	path := filepath.Join(o.Dir, DatabaseFile)
	if s.lock, err = boltstore.AcquireLock(ctx, path, o.Command, o.Wait); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.lock.Release()
		}
	}()
	_, missing := os.Lstat(filepath.Join(o.Dir, SecretFile))
	if err := s.prepare(o); err != nil {
		return nil, err
	}
	if o.DSN != "" {
		return s, s.openServer(ctx, o, missing != nil && o.Secret == "")
	}
	sentinel, err := readSentinel(o.Dir)
	if err != nil {
		return nil, err
	}
	s.db, err = boltstore.Open(ctx, boltstore.Options{
		Path: path, Key: s.Secret().Lasting("journal"), Fingerprint: s.Secret().Fingerprint(),
		Create: sentinel == "", Installation: rand.Text(), Lock: s.lock,
		Now: o.Now, OnCommit: o.OnCommit, Logger: o.Logger, MaxBytes: o.MaxBytes,
	})
	if errors.Is(err, boltstore.ErrMissing) {
		return nil, fmt.Errorf("%s: %w", path, ErrDatabaseGone)
	}
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx, sentinel); err != nil {
		s.db.Close()
		return nil, err
	}
	return s, nil
}

// prepare finds the secret. A database whose secret.key is gone does not get a new one.
func (s *Storage) prepare(o Options) error {
	if o.Secret != "" {
		secret, err := ParseSecret(o.Secret)
		if err != nil {
			return fmt.Errorf("DUYET_SECRET %w", err)
		}
		s.secret.Store(&secret)
		return nil
	}
	_, err := os.Stat(filepath.Join(o.Dir, SecretFile))
	if errors.Is(err, os.ErrNotExist) {
		for _, name := range []string{DatabaseFile, SentinelFile} {
			if _, err := os.Lstat(filepath.Join(o.Dir, name)); err == nil {
				return fmt.Errorf("%s is missing but %s is there; put back the secret it was made with, from a backup", filepath.Join(o.Dir, SecretFile), name)
			}
		}
	}
	secret, err := LoadSecret(o.Dir)
	s.secret.Store(&secret)
	return err
}

// begin holds the database against the sentinel, which it makes when there is none: the
// database comes first, so a crash between the two leaves a database that has its id.
func (s *Storage) begin(ctx context.Context, sentinel string) error {
	id, err := s.db.Installation(ctx)
	if err != nil {
		return err
	}
	switch sentinel {
	case id:
	case "":
		if err := writeNew(filepath.Join(s.dir, SentinelFile), []byte(id+"\n")); err != nil {
			return fmt.Errorf("make %s: %w", SentinelFile, err)
		}
	default:
		return fmt.Errorf("%s: %w", filepath.Join(s.dir, DatabaseFile), ErrOtherDatabase)
	}
	if s.moderation, err = moderationstore.New(ctx, s.db); err != nil {
		return err
	}
	for _, damage := range s.db.Survey().Damaged {
		s.log.Error("a record is damaged and will not be read; run 'duyet check'", "error", damage)
	}
	return nil
}

// readSentinel is the installation's id, "" when there is no sentinel.
func readSentinel(dir string) (string, error) {
	path := filepath.Join(dir, SentinelFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" || len(id) > 100 {
		return "", fmt.Errorf("%s is damaged; if %s beside it is yours, remove %s and it is made anew", path, DatabaseFile, SentinelFile)
	}
	return id, nil
}

// Comments is the readers' wing.
func (s *Storage) Comments() comments.Store {
	if s.server != nil {
		return s.server.db
	}
	return s.db
}

// Audience keeps views and visitors, in the same store.
func (s *Storage) Audience() audience.Store {
	if s.server != nil {
		return s.server.db
	}
	return s.db
}

// Moderation is the moderators' wing.
func (s *Storage) Moderation() moderation.Store {
	if s.server != nil {
		return s.server.moderation
	}
	return s.moderation
}

// Secret is the installation's.
func (s *Storage) Secret() Secret { return *s.secret.Load() }

// Heads are the ends of all journals by site, comments.Installation included, as of one
// moment.
func (s *Storage) Heads(ctx context.Context) (map[string]comments.Head, error) {
	if s.server != nil {
		return s.server.db.Heads(ctx)
	}
	return s.db.Heads(ctx)
}

// Stats is the size of a store in bytes.
type Stats struct {
	FileBytes int64 // on disk
	UsedBytes int64 // of these, up to the last ever in use
}

// Stats reads the size of the store.
func (s *Storage) Stats(ctx context.Context) (Stats, error) {
	if s.server != nil {
		stats, err := s.server.db.Stats(ctx)
		return Stats{FileBytes: stats.Bytes, UsedBytes: stats.Bytes}, err
	}
	stats, err := s.db.Stats(ctx)
	return Stats(stats), err
}

// Ready reports whether the store answers: nil, or comments.ErrUnavailable.
func (s *Storage) Ready(ctx context.Context) error {
	if s.server != nil {
		return s.server.ready(ctx)
	}
	_, err := s.db.Head(ctx, comments.Installation)
	return err
}

// Close lets what is under way finish and closes the store.
func (s *Storage) Close() error {
	if s.server != nil {
		return errors.Join(s.server.db.Close(), s.lock.Release())
	}
	return errors.Join(s.db.Close(), s.lock.Release())
}
