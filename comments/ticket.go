package comments

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"
)

// TicketID is the random name of a ticket.
type TicketID [16]byte

// Ticket is what a sealed verification code says once opened. It is good for one page of
// one site; showing it writes nothing.
type Ticket struct {
	ID      TicketID
	Site    string
	Page    [16]byte // PageHash of the canonical page key
	Digits  []byte   // values 0–9, not characters
	Issued  time.Time
	Expires time.Time
}

// PageHash is how a ticket names its page: the first 16 bytes of SHA-256 over site, NUL
// and canonical page key.
func PageHash(site, key string) [16]byte {
	sum := sha256.Sum256([]byte(site + "\x00" + key))
	return [16]byte(sum[:16])
}

// Tickets seals and opens verification codes; comments/captcha implements it.
type Tickets interface {
	// Issue seals a new code for a page, good from now for ttl.
	Issue(site, pageKey string, now time.Time, ttl time.Duration) (text string, t Ticket, err error)
	// Open unseals a ticket; ErrTicketUnreadable when no key of ours opens it. An expired
	// ticket opens: its reader compares Expires.
	Open(text string) (Ticket, error)
}

// Verdict is the judgement on a typed code.
type Verdict int

// Verdicts.
const (
	VerdictRight Verdict = iota
	VerdictWrong         // and the ticket is dead from now on
	VerdictDead          // an earlier wrong answer had killed it; the code was not looked at
)

// Judge compares typed codes and remembers tickets that a wrong answer killed, without
// touching a disk.
type Judge interface {
	// Judge compares in constant time, atomically with the ticket's death, so that racing
	// guesses get one look. Digits count with spaces between them and in full width.
	Judge(ctx context.Context, t Ticket, typed string) (Verdict, error)
	// Dead reports whether a wrong answer killed the ticket.
	Dead(ctx context.Context, id TicketID) (bool, error)
}

// Meter names something that is limited per network.
type Meter string

// Meters.
const (
	MeterComment    Meter = "comment" // accepted ones
	MeterTicket     Meter = "ticket"
	MeterImage      Meter = "image"
	MeterSound      Meter = "sound"
	MeterLike       Meter = "like"
	MeterWork       Meter = "work"        // challenges asked for
	MeterNudge      Meter = "nudge"       // words looked at before they are sent
	MeterOwn        Meter = "own"         // an author's edits, withdrawals and appeals
	MeterReport     Meter = "report"      // readers' reports; beyond them each costs a code
	MeterLookUp     Meter = "lookup"      // receipt codes that found nothing
	MeterLookUpSite Meter = "lookup site" // the same, of all networks together

	// What failed, and let nothing in.
	MeterFailed Meter = "failed" // tries with a slip in a field, a ticket that is no good, or a wrong code
	MeterWrong  Meter = "wrong"  // wrong codes
)

// Use is one use of a meter.
type Use struct {
	Site   string
	Addr   netip.Addr
	Halved bool // attack mode: half of what is allowed otherwise
	Proven bool // a proof of work stands behind a comment: five times what is allowed otherwise
}

// Limiter limits what one network may do; comments/limit implements it.
type Limiter interface {
	// Take counts one use against the network of its address and the wider one around it, or
	// returns a *LimitedError and counts nothing. A comment is also refused while its
	// network has failed too often. giveBack, never nil, takes the count back: a submission
	// that is not accepted costs nothing.
	Take(m Meter, u Use) (giveBack func(), err error)
	// Failed counts a failed try, which is never one too many.
	Failed(m Meter, u Use)
}

// Receipts seals the author's proof of authorship; comments/receipt implements it.
type Receipts interface {
	// Issue seals a receipt for a comment. It is not secret from its author, is never put
	// in a URL, and does not expire.
	Issue(id ID) (string, error)
	// Open names the comment a receipt is for; ErrNotFound when it is none of ours.
	Open(receipt string) (ID, error)
}

// Candidate is a submission as the checks see it: valid, its code right, not yet stored.
type Candidate struct {
	Site    Site
	Page    Page
	Comment Comment
	Addr    netip.Addr
	Trap    string    // what stood in the field no person sees
	Attack  bool      // attack mode is on
	Work    Work      // what is known of its proof of work
	Over    bool      // over the limit, and let in by its work
	Issued  time.Time // when its ticket was issued
	Now     time.Time

	Agent, Referrer string // as the browser says them: of any length, and perhaps not UTF-8
}

// Work is what is known of the proof of work of a submission.
type Work string

// What is known of a proof of work.
const (
	WorkNone    Work = ""        // there is none, or it is no good
	WorkDone    Work = "done"    // it is good, and now spent
	WorkUnknown Work = "unknown" // it could not be looked at
)

// Screener looks at a submission and says what it found; moderation/screen implements it.
// It never refuses: signals hold and mark. An error means that it could not look, and the
// comment is held.
type Screener interface {
	Screen(ctx context.Context, c Candidate) (Screening, error)
}

// Screening is what was found of a submission.
type Screening struct {
	Signals []Signal
	Risk    uint16 // estimated, per mille; 0 = unknown
}
