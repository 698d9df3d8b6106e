package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Lock is held on a file of its own beside the database, from before the first look at
// the database until after the last write. It outlives a reopening of the database, and
// serves where there is no database yet.
type Lock struct{ file *os.File }

// LockPath is the lock of the database at path.
func LockPath(path string) string { return path + ".lock" }

// lockRetry is how often a lock that is held is tried again.
const lockRetry = 50 * time.Millisecond

// errHeld is a lock that somebody else has.
var errHeld = errors.New("held")

// AcquireLock takes the lock of the database at path, waiting up to wait for it, and
// writes holder into it. A lock that stays held is a *LockedError.
func AcquireLock(ctx context.Context, path, holder string, wait time.Duration) (*Lock, error) {
	f, err := os.OpenFile(LockPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unavailable(err)
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		err := flock(f)
		if err == nil {
			break
		}
		if !errors.Is(err, errHeld) {
			f.Close()
			return nil, unavailable(fmt.Errorf("lock %s: %w", f.Name(), err))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-timeout.C:
			who := readHolder(f)
			f.Close()
			return nil, &LockedError{Path: path, Holder: who}
		case <-time.After(min(lockRetry, max(wait, time.Millisecond))):
		}
	}
	// The name is a courtesy: a full disk is no reason to fail.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "process %d (%s)\n", os.Getpid(), oneLine(holder)), 0)
	}
	return &Lock{file: f}, nil
}

// Release gives the lock up. The file stays: removing it would let two others lock two
// different ones.
func (l *Lock) Release() error {
	_ = l.file.Truncate(0)
	return l.file.Close()
}

func readHolder(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 200))
	if err != nil {
		return ""
	}
	return oneLine(string(b))
}

func oneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
