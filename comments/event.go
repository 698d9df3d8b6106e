package comments

import "time"

// Kind says what an event of the journal tells.
type Kind string

// Kinds of events. Those about a comment carry its id, From and To.
const (
	KindSubmitted Kind = "comment.submitted"
	KindDecided   Kind = "comment.decided"
	KindEdited    Kind = "comment.edited"    // by its author
	KindWithdrawn Kind = "comment.withdrawn" // by its author
	KindAppealed  Kind = "comment.appealed"  // by its author; the sentence is the note of its Detail
	KindReported  Kind = "comment.reported"  // by a reader; moves no version

	KindSiteAdded   Kind = "site.added"
	KindSiteChanged Kind = "site.changed"
	KindSiteRemoved Kind = "site.removed"
)

// Actors that are no moderator. A moderator's actor is the moderator's id.
const (
	ActorReader   = "reader"
	ActorOperator = "operator" // the command line
	ActorSystem   = "system"
)

// Installation is the site under whose head the events stand that concern no one site.
const Installation = "*"

// Event is one entry of a site's journal: what, when, who, from, to, why. It holds ids
// and codes only. Words that a moderator typed (a reason outside the site's list, a
// note) stand in an erasable Detail, to which the event holds a salted hash.
type Event struct {
	Site    string
	Seq     uint64 // 1, 2, 3 … without a gap; sequence order is commit order
	At      time.Time
	Actor   string
	Kind    Kind
	Comment ID     // "" when the event is about no comment
	Subject string // id of what it is about, when that is no comment: a moderator, a token, a setting's key
	From    Status
	To      Status
	Version uint64 // of the comment, after the event
	Reason  string // a code of the site's list, or ""
	Detail  []byte // HMAC-SHA256 of the Detail under its salt, or nil
	Chain   []byte // HMAC-SHA256 over the previous event's Chain and this event
}

// Detail is what a moderator typed with an event.
type Detail struct {
	Salt   []byte
	Reason string // a reason that is no code of the site's list
	Note   string
}

// Transition is an event about a comment together with what was typed with it: one
// line of the comment's history.
type Transition struct {
	Event
	Detail
}

// Head is the end of a site's journal and what is counted beside it. A store locks it
// last in each transaction, so sequence order is commit order and counts are exact.
type Head struct {
	Seq    uint64
	Chain  []byte
	Counts Counts
	Queues QueueCounts
}

// Commit is an event that has just become durable, as told to observers.
type Commit struct {
	Event   Event
	Page    string  // the comment's page key, "" when the event is about no comment
	Comment Comment // as it stands after the event; the zero Comment when there is none
	Stood   bool    // readers saw the comment before the event, or may have, where Elsewhere

	// Elsewhere is set when another node made the commit and this one is told by the
	// journal; Comment is then as it stands when told. What counts work done passes over
	// such commits, what keeps copies does not.
	Elsewhere bool
}

// Observer is told of every commit after it is durable and before whoever asked for it
// is answered, in sequence order within a site. It must be quick and must not call the
// store's writing methods.
type Observer func(Commit)
