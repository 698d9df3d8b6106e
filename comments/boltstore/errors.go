package boltstore

import (
	"errors"
	"fmt"

	"duyet/comments"
)

// Errors of opening. Each is told in one line that says what to do; the file is as it was.
var (
	// ErrDamaged is comments.ErrDamaged for a whole file: truncated, emptied, overwritten,
	// or with pages that do not hang together.
	ErrDamaged error = kind{"the database is damaged; move it away and put the latest backup in its place with 'duyet restore'", comments.ErrDamaged}
	// ErrForeign is a file that was never ours.
	ErrForeign = errors.New("this is not a database of Duyet; move it away and put the latest backup in its place with 'duyet restore', or choose another --data")
	// ErrNewer is a file that a later release has written.
	ErrNewer = errors.New("the database was written by a newer release; install that release or restore an older backup")
	// ErrMissing is a file that is not there.
	ErrMissing = errors.New("there is no database")
	// ErrOtherSecret is a file made with another secret.
	ErrOtherSecret = errors.New("the database belongs to another secret; put back the secret.key (or DUYET_SECRET) it was made with")
	// ErrClosed is a store that has been closed. It is comments.ErrUnavailable.
	ErrClosed error = kind{"the store is closed", comments.ErrUnavailable}
)

// kind is an error that is another one too, in its own words.
type kind struct {
	text string
	is   error
}

func (k kind) Error() string { return k.text }
func (k kind) Unwrap() error { return k.is }

// LockedError says who holds the database. It is comments.ErrUnavailable.
type LockedError struct {
	Path   string
	Holder string // process id and command, "" when the holder left no name
}

func (e *LockedError) Error() string {
	who := e.Holder
	if who == "" {
		who = "another program"
	}
	return fmt.Sprintf("%s is in use by %s; stop it first", e.Path, who)
}

// Is makes errors.Is(err, comments.ErrUnavailable) true.
func (e *LockedError) Is(target error) bool { return target == comments.ErrUnavailable }

// unavailable is comments.ErrUnavailable with its cause.
func unavailable(err error) error {
	if errors.Is(err, comments.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", comments.ErrUnavailable, err)
}
