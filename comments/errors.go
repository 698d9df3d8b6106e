package comments

import (
	"errors"
	"fmt"
	"time"
)

// Kinds of errors that people and programs outside can act on. Every error that leaves
// a service wraps one of them, or is a fault of ours. templates.Status alone turns them
// into HTTP statuses; moderation's errors wrap them.
var (
	ErrNotFound         = errors.New("not found")
	ErrUnauthenticated  = errors.New("not signed in")
	ErrForbidden        = errors.New("forbidden")
	ErrConflict         = errors.New("conflict")
	ErrInvalid          = errors.New("invalid")                          // see InvalidError
	ErrMalformed        = errors.New("malformed request")                // syntax, a bad cursor, limit or page key in a query
	ErrTooLarge         = errors.New("body too large")                   // over the door's limit
	ErrUnsupportedMedia = errors.New("unsupported media type")           // neither JSON nor a form
	ErrLimited          = errors.New("too many requests")                // see LimitedError
	ErrOriginNotAllowed = errors.New("origin not allowed")               // zone (b) of the contract
	ErrPageClosed       = errors.New("page closed")                      // takes no more comments
	ErrGone             = errors.New("gone")                             // an expired ticket's image or sound
	ErrUnavailable      = errors.New("store unavailable")                // can't be read or written now; nothing was changed
	ErrExists           = fmt.Errorf("exists: %w", ErrConflict)          // the name is taken
	ErrVersion          = fmt.Errorf("changed: %w", ErrConflict)         // compare-and-set lost; see moderation.ConflictError
	ErrDamaged          = errors.New("damaged record")                   // a checksum or chain that doesn't fit
	ErrUnknownSite      = fmt.Errorf("site: %w", ErrNotFound)            // no such site
	ErrUnknownSetting   = fmt.Errorf("setting: %w", ErrInvalid)          // Settings.Set: no such key
	ErrBadSetting       = fmt.Errorf("setting: %w", ErrInvalid)          // Settings.Set: a value out of its range
	ErrNotYours         = fmt.Errorf("not its author: %w", ErrForbidden) // neither receipt nor key proves it
	ErrTooLate          = fmt.Errorf("too late: %w", ErrForbidden)       // the site's time for edits is over
	ErrNoAppeal         = fmt.Errorf("no appeal: %w", ErrConflict)       // not rejected, or an appeal was made before
	ErrTicketSpent      = fmt.Errorf("ticket: %w", ErrConflict)          // Store.Create: spent on other words
	ErrTicketUnreadable = fmt.Errorf("ticket: %w", ErrNotFound)          // not sealed by us, or by a key long gone
	ErrTicketExpired    = fmt.Errorf("ticket expired: %w", ErrGone)
)

// Codes of field errors, as the contract names them. The catalogue puts them into words
// (message "field.{code}").
const (
	CodeRequired       = "required"
	CodeTooLong        = "too_long"
	CodeControl        = "control_character"
	CodeBidi           = "bidi"
	CodeOneLine        = "one_line"
	CodeUnknownParent  = "unknown_parent"
	CodePageForeign    = "page_foreign"
	CodePageInvalid    = "page_invalid"
	CodeWrongType      = "wrong_type"
	CodeTicketSpent    = "ticket_spent"
	CodeAuthorInvalid  = "author_invalid"
	CodeUnknownReason  = "unknown_reason"
	CodeUnknownReceipt = "unknown_receipt"

	CodeCaptchaInvalid   = "captcha_invalid"
	CodeCaptchaExpired   = "captcha_expired"
	CodeCaptchaWrongPage = "captcha_wrong_page"
	CodeCaptchaWrong     = "captcha_wrong"
)

// FieldError is what is wrong with one field. It never holds what was typed.
type FieldError struct {
	Field string // "name", "title", "content", "page", "parent", "ticket", "code" …
	Code  string
	Max   int // for CodeTooLong: the most user-perceived characters allowed, else 0
}

// InvalidError lists every field that is wrong, in the order of the form. It is ErrInvalid.
type InvalidError struct{ Fields []FieldError }

// Invalid makes an InvalidError of one field.
func Invalid(field, code string) error {
	return &InvalidError{Fields: []FieldError{{Field: field, Code: code}}}
}

func (e *InvalidError) Error() string {
	s := "invalid:"
	for _, f := range e.Fields {
		s += " " + f.Field + " " + f.Code
	}
	return s
}

// Is makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Has reports whether some field has one of the codes.
func (e *InvalidError) Has(codes ...string) bool {
	for _, f := range e.Fields {
		for _, c := range codes {
			if f.Code == c {
				return true
			}
		}
	}
	return false
}

// LimitedError says when to come back. It is ErrLimited.
type LimitedError struct {
	RetryAfter time.Duration
	Failures   bool // failed tries were too many; a proof of work is no way past that
}

func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many requests; again in %s", e.RetryAfter)
}

// Is makes errors.Is(err, ErrLimited) true.
func (e *LimitedError) Is(target error) bool { return target == ErrLimited }
