package comments

import (
	"context"
	"time"
)

// Store is everything that the readers' wing asks of its storage, on bbolt or on any
// other technology. Services hold the narrow interfaces it is made of. Each promise below
// has its test in comments/storetest, which every store runs.
//
// Promises that hold for all methods:
//
//   - Durable: a writing method that returns nil has synced what it wrote. One that
//     returns an error has changed nothing.
//   - Atomic: each writing method is one transaction, its journal events, counts and
//     indexes included. Nobody sees half of it.
//   - Isolated: what one caller's operation fails on never fails its neighbours, though
//     they may share a commit.
//   - Absence is ErrNotFound, never a zero value with a nil error. A site that does not
//     exist is ErrUnknownSite (which is ErrNotFound).
//   - A store that can't read or write now says ErrUnavailable, and works again by itself
//     once it can. A record whose checksum doesn't fit is ErrDamaged, never data.
//   - A context that is done before the work was queued ends the call with its error and
//     changes nothing; one that ends later doesn't undo what is on its way.
//   - Texts are UTF-8 without NUL, which the services see to. A store may refuse others
//     with ErrInvalid.
//   - Times are UTC with millisecond precision. Slices returned are the caller's to keep.
//   - Every event gets the next Seq of its site's head and is chained to the one before
//     it; Store sets Site, Seq, At (when zero) and Chain. Observers hear of it after the
//     commit, before the method returns, in Seq order.
type Store interface {
	SiteStore
	Creator
	TicketReader
	ThreadReader
	TreeReader
	Liker
	CommentReader
	Amender
	PageKeeper
	AuthorReader
	Reporter
	CodeKeeper
	Journal
	Sweeper
	Observable
	IndexStore
}

// SiteStore keeps the sites.
type SiteStore interface {
	// Sites lists every site by id.
	Sites(ctx context.Context) ([]Site, error)
	// Site is one site, or ErrUnknownSite.
	Site(ctx context.Context, id string) (Site, error)
	// AddSite stores a new site at version 1 with an event KindSiteAdded under its own
	// head; an id that is taken is ErrExists.
	AddSite(ctx context.Context, s Site, actor string) (Site, error)
	// ChangeSite stores s over the site of its id if that is still at s.Version, else
	// ErrVersion; the stored version is one more. The event is KindSiteChanged with
	// subject naming what changed (a setting's key).
	ChangeSite(ctx context.Context, s Site, actor, subject string) (Site, error)
	// RemoveSite removes the site and everything that is its own: pages, comments,
	// history, journal and addresses. The event KindSiteRemoved stands under Installation.
	RemoveSite(ctx context.Context, id, actor string) error
}

// Creation is a comment on its way into the store.
type Creation struct {
	Comment Comment // with its ID; Version is set by the store
	Page    Page    // stored if the page is new; otherwise the page that stands is kept
	Ticket  Spend   // what the comment pays with; a zero ID spends nothing
	Author  Author  // a zero Addr stores none
	Code    CodeKey // by which it can be found; 0 = none
	Actor   string
}

// Spend is a ticket and the words it lets in.
type Spend struct {
	ID      TicketID
	Expires time.Time // of the ticket; the record outlives it by SpentFor
	Words   [32]byte  // hash of what was submitted; see Submission.words
}

// SpentFor is how long the record of a spent ticket outlives the ticket.
const SpentFor = 24 * time.Hour

// Creator lets comments in.
type Creator interface {
	// Create stores, in one transaction: the comment at version 1, its page if that is
	// new, the spent ticket, the author's address, the event KindSubmitted (From "", To
	// the comment's status), the queue's index, and the counts of site and page.
	//
	// A ticket that is spent already is judged inside the transaction: on the same words
	// the comment it let in is returned with repeated true and nothing changes; on other
	// words it is ErrTicketSpent. So of any number of racing calls with one ticket,
	// one creates. A parent that is set must be a comment of the same page, else
	// ErrNotFound. An unknown site is ErrUnknownSite.
	Create(ctx context.Context, c Creation) (created Comment, repeated bool, err error)
}

// Spent is the record of a spent ticket.
type Spent struct {
	Comment ID
	Words   [32]byte
}

// TicketReader looks spent tickets up.
type TicketReader interface {
	// Spent is the record of a ticket, ErrNotFound when it is not spent. Records are kept
	// by expiry, hence the second argument.
	Spent(ctx context.Context, id TicketID, expires time.Time) (Spent, error)
}

// Sort is the order of a list.
type Sort string

// Orders: of threads and queues by time of writing, of what is pending also by risk, the
// highest first and then oldest first.
const (
	Oldest Sort = "oldest"
	Newest Sort = "newest"
	ByRisk Sort = "risk"
)

// ThreadReader reads what is public.
type ThreadReader interface {
	// Page is one page by canonical key; an unknown one is ErrNotFound.
	Page(ctx context.Context, site, key string) (Page, error)
	// Thread is up to limit standing comments of a page, each as it is Shown, in order, that
	// come after the comment named by after ("" = from the start), whether or not that one
	// still stands. An unknown page has none. The cost depends on limit, not on the thread's
	// length.
	Thread(ctx context.Context, site, key string, sort Sort, after ID, limit int) ([]Comment, error)
	// Discussed is the site's pages with the most standing comments written since a day, at
	// most limit, most first and then by key. The cost depends on the pages discussed on
	// each day, not on the comments.
	Discussed(ctx context.Context, site string, since Day, limit int) ([]Discussion, error)
	// Latest is the site's latest standing comments, each as it is Shown, newest first, at
	// most limit.
	Latest(ctx context.Context, site string, limit int) ([]Comment, error)
}

// CommentReader reads single comments whatever their status.
type CommentReader interface {
	Comment(ctx context.Context, id ID) (Comment, error)
}

// Amender changes comments.
type Amender interface {
	// Amend applies amendments in order in one transaction: the comment, its version,
	// history, journal event, detail, indexes, the counts of site and page; and where words
	// change, what stood before as a revision. Each has a result of its own; one that fails
	// changes nothing and doesn't fail the others. Of two racing amendments the second sees
	// what the first made. The error is for the whole: ErrUnavailable, or the context's.
	Amend(ctx context.Context, amendments []Amendment) ([]Amended, error)
	// Revisions are a comment's, oldest first; none of what does not exist.
	Revisions(ctx context.Context, id ID) ([]Revision, error)
	// Queue is up to Limit comments that fit the filter, in its order, that come after its
	// place, whether or not the comment named there still stands in the queue. The cost
	// depends on Limit, not on the queue's length. How many fit is counted in the Head.
	Queue(ctx context.Context, f QueueFilter) ([]Comment, error)
}

// Journal reads what has happened.
type Journal interface {
	// Head is the end of the site's journal, with the site's counts. Installation has one
	// from the start.
	Head(ctx context.Context, site string) (Head, error)
	// Events lists up to limit events of a site with Seq > after, in order, with what was
	// typed with each.
	Events(ctx context.Context, site string, after uint64, limit int) ([]Transition, error)
	// History is a comment's transitions, oldest first.
	History(ctx context.Context, id ID) ([]Transition, error)
	// VerifyChain recomputes the site's chain from the first event to the head and returns
	// the head. A changed, missing, reordered or cut event is ErrDamaged naming the Seq.
	VerifyChain(ctx context.Context, site string) (Head, error)
}

// Sweeper forgets what has expired.
type Sweeper interface {
	// Sweep removes spent tickets older than SpentFor past their expiry and addresses past
	// theirs, at most a few thousand records a call so that nobody waits long. It returns
	// how many it removed; 0 means nothing is left to remove.
	Sweep(ctx context.Context, now time.Time) (removed int, err error)
}

// Observable tells of commits.
type Observable interface {
	// Observe adds an observer; it is told of every later commit. Call before serving.
	Observe(Observer)
}
