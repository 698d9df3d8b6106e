package moderation

import (
	"fmt"
	"time"

	"duyet/comments"
)

// Errors of this wing. Each wraps a kind of package comments, by which templates.Status
// knows it.
var (
	ErrBadSignIn = fmt.Errorf("e-mail or password: %w", comments.ErrUnauthenticated)
	ErrLinkSpent = fmt.Errorf("sign-in link used or expired: %w", comments.ErrGone)
)

// ConflictError refuses a decision on a comment that has changed: who decided what and
// when. It is comments.ErrConflict.
type ConflictError struct {
	By      string // actor of the last event
	At      time.Time
	Status  comments.Status // as it stands
	Version uint64          // as it stands
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s by %s at %s", e.Status, e.By, e.At.Format(time.RFC3339))
}

// Is makes errors.Is(err, comments.ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == comments.ErrConflict }
