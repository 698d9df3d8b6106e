package moderation

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"duyet/comments"
)

// Store is everything that the moderators' wing asks of its storage. What comments.Store
// promises for all its methods (durable, atomic, isolated, absence is ErrNotFound, the
// journal's order, observers) holds here too; both wings share one file, one journal and
// one group commit. Each promise has its test in moderation/storetest.
type Store interface {
	QueueReader
	AddressReader
	Transitioner
	PeopleStore
	TokenStore
	LinkStore
	SessionStore
	DocumentStore
	LeaseStore
}

// QueueName is a predicate over what the store knows of a comment; QueueFilter is what a
// page of a queue is cut from.
type (
	QueueName   = comments.Queue
	QueueFilter = comments.QueueFilter
)

// Queues beside the five statuses.
const (
	Suspect  = comments.Suspect
	Reported = comments.Reported
	Appeals  = comments.Appeals
	Edited   = comments.Edited
)

// QueueReader reads queues.
type QueueReader interface {
	// Queue is what comments.Amender promises.
	Queue(ctx context.Context, f QueueFilter) ([]comments.Comment, error)
	// QueueCount is how many fit the filter's site, status and queue, exactly.
	QueueCount(ctx context.Context, f QueueFilter) (int64, error)
}

// AddressReader reads where comments came from.
type AddressReader interface {
	// Addresses are those of comments whose address is still kept; others are left out, and
	// so are comments that do not exist.
	Addresses(ctx context.Context, ids []comments.ID) (map[comments.ID]netip.Addr, error)
}

// Step is what a decision makes of a comment.
type Step struct {
	To comments.Status
	// Comment, if set, is the comment as it is to be, for decisions that change more than
	// the status: see comments.Step. Its status is To.
	Comment *comments.Comment
	Kind    comments.Kind
	Aside   bool             // the version stays: see comments.Step
	Reason  string           // a code of the site's list
	Detail  *comments.Detail // typed words, with their salt; nil = none
}

// Change is one compare-and-set. Decide sees the comment as it stands and its last
// transition, inside the transaction, and says what becomes of it; a nil Step changes
// nothing and is no error. It must be quick, touch nothing outside itself, and may be
// called again if the transaction is retried.
type Change struct {
	ID     comments.ID
	Actor  string
	Decide func(current comments.Comment, last comments.Transition) (*Step, error)
}

// Changed is what became of one Change.
type Changed = comments.Amended

// Amendments are changes as the readers' store takes them; for stores.
func Amendments(changes []Change) []comments.Amendment {
	list := make([]comments.Amendment, len(changes))
	for i, c := range changes {
		list[i] = comments.Amendment{ID: c.ID, Actor: c.Actor, Decide: func(current comments.Comment, last comments.Transition) (*comments.Step, error) {
			step, err := c.Decide(current, last)
			if step == nil || err != nil {
				return nil, err
			}
			next := current
			if step.Comment != nil {
				next = *step.Comment
			}
			next.Status = step.To
			return &comments.Step{Comment: next, Kind: step.Kind, Aside: step.Aside, Reason: step.Reason, Detail: step.Detail}, nil
		}}
	}
	return list
}

// CountOf is how many of a site's comments fit a filter, by its head; for stores.
func CountOf(h comments.Head, f QueueFilter) int64 {
	switch {
	case !f.Listed():
		return 0
	case f.All:
		return h.Counts.Total()
	case f.Queue != "":
		return h.Queues.Of(f.Queue)
	}
	return h.Counts.Of(f.Status)
}

// Transitioner changes statuses.
type Transitioner interface {
	// Transition is comments.Amender's Amend for decisions: all that is promised there
	// holds.
	Transition(ctx context.Context, changes []Change) ([]Changed, error)
}

// PeopleStore keeps moderators.
type PeopleStore interface {
	// Moderators lists everybody by e-mail.
	Moderators(ctx context.Context) ([]Moderator, error)
	// Moderator is one by id; ModeratorByEmail by canonical address.
	Moderator(ctx context.Context, id string) (Moderator, error)
	ModeratorByEmail(ctx context.Context, email string) (Moderator, error)
	// AddModerator stores a new one at version 1 with an event KindModeratorAdded under
	// comments.Installation; an e-mail that is taken is comments.ErrExists.
	AddModerator(ctx context.Context, m Moderator, actor string) (Moderator, error)
	// ChangeModerator stores m over the one of its id if that is still at m.Version, else
	// comments.ErrVersion. The event is of the given kind.
	ChangeModerator(ctx context.Context, m Moderator, actor string, kind comments.Kind) (Moderator, error)
	// RemoveModerator removes the person with tokens and links; the journal keeps the id.
	RemoveModerator(ctx context.Context, id, actor string) error
}

// Hash is SHA-256 of a secret text (a token, a link, a session's key). The store never
// sees the text.
type Hash [32]byte

// MarshalText writes it in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(h) {
		return fmt.Errorf("a hash of %d characters", len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Token is a key to the API.
type Token struct {
	Hash      Hash
	Moderator string // id
	Name      string // what its owner calls it; "" for one made on the command line
	// Scopes narrow what the token may to these of its owner's permissions; none = all.
	Scopes    []Permission
	CreatedAt time.Time
	Expires   time.Time // zero = never
}

// ID names a token without giving it away: the beginning of its hash.
func (t Token) ID() string { return hex.EncodeToString(t.Hash[:8]) }

// TokenStore keeps API tokens.
type TokenStore interface {
	// AddToken stores it with an event KindTokenAdded under comments.Installation.
	AddToken(ctx context.Context, t Token, actor string) error
	// Token is one by hash, whether or not it has expired.
	Token(ctx context.Context, h Hash) (Token, error)
	// Tokens lists a moderator's, the oldest first.
	Tokens(ctx context.Context, moderator string) ([]Token, error)
	// RemoveToken removes one with an event KindTokenRemoved about its moderator under
	// comments.Installation.
	RemoveToken(ctx context.Context, h Hash, actor string) error
}

// Link signs a moderator in once.
type Link struct {
	Hash      Hash
	Moderator string
	Expires   time.Time
}

// LinkStore keeps one-time sign-in links.
type LinkStore interface {
	AddLink(ctx context.Context, l Link) error
	// Link is one by hash, whether or not it has expired.
	Link(ctx context.Context, h Hash) (Link, error)
	// SpendLink removes the link and returns it; of racing calls one gets it and the
	// others ErrNotFound. Expired links are removed by the sweep.
	SpendLink(ctx context.Context, h Hash) (Link, error)
	// SignedIn appends an event KindSignedIn, KindSignedOut or KindSignInFailed about a
	// moderator under comments.Installation; "" stands for an address that is nobody's.
	SignedIn(ctx context.Context, moderator string, kind comments.Kind) error
}

// SessionStore keeps sessions as opaque bytes under a hashed key.
type SessionStore interface {
	// Session is what PutSession stored; ErrNotFound when there is none or it expired
	// before now.
	Session(ctx context.Context, h Hash, now time.Time) ([]byte, error)
	PutSession(ctx context.Context, h Hash, data []byte, expires time.Time) error
	// RemoveSession removes it; removing what isn't there is no error.
	RemoveSession(ctx context.Context, h Hash) error
	// SweepSignIn removes sessions and links that expired before now, at most a few
	// thousand a call, and returns how many.
	SweepSignIn(ctx context.Context, now time.Time) (removed int, err error)
}

// Kinds of events about people, under comments.Installation; Subject is the moderator's id.
const (
	KindModeratorAdded    comments.Kind = "moderator.added"
	KindModeratorChanged  comments.Kind = "moderator.changed"
	KindModeratorDisabled comments.Kind = "moderator.disabled"
	KindModeratorRemoved  comments.Kind = "moderator.removed"
	KindPasswordChanged   comments.Kind = "moderator.password_changed"
	KindTokenAdded        comments.Kind = "token.added"
	KindTokenRemoved      comments.Kind = "token.removed"
	KindSignedIn          comments.Kind = "session.signed_in"
	KindSignedOut         comments.Kind = "session.signed_out"
	KindSignInFailed      comments.Kind = "session.sign_in_failed"

	// Kinds of decisions beside comments.KindDecided.
	KindRestored comments.Kind = "comment.restored"
	KindUndone   comments.Kind = "comment.undone"
	// KindVouched is the approval of the first of two moderators; the comment stays pending.
	KindVouched comments.Kind = "comment.vouched"
)
