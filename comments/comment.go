// Package comments holds what a reader writes and sees: the comment, the page it
// stands on, the site that page belongs to, and the whole way in (Service.Submit)
// and out (Service.Thread).
//
// It knows nothing of HTTP, of files or of moderators: the doors are in
// comments/web, the stores in comments/boltstore, the decisions in moderation.
package comments

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Status is where a comment stands. The zero value is no status: the state before
// a comment exists, and the From of its first event.
type Status string

// The statuses a stored comment can have.
const (
	Pending  Status = "pending"
	Approved Status = "approved"
	Rejected Status = "rejected"
	Spam     Status = "spam"
	Trashed  Status = "trashed"
)

// Statuses lists every status in the order in which counts are shown.
var Statuses = [...]Status{Pending, Approved, Rejected, Spam, Trashed}

// Valid reports whether s is one of Statuses.
func (s Status) Valid() bool {
	for _, t := range Statuses {
		if s == t {
			return true
		}
	}
	return false
}

// ToAuthor is the status as its author may read it: a comment that is spam or in
// the trash reads as pending, so that a spammer learns nothing.
func (s Status) ToAuthor() Status {
	if s == Spam || s == Trashed {
		return Pending
	}
	return s
}

// ID names a comment and routes itself: "{site}~{uuidv7}". Ids sort by time within
// a site. Clients treat it as opaque.
type ID string

// NewID makes an id for a comment of site, ordered after every id this process
// made before (RFC 9562, version 7).
func NewID(site string) (ID, error) {
	u, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("comment id: %w", err)
	}
	return MakeID(site, u), nil
}

// MakeID joins a site and a UUID.
func MakeID(site string, u uuid.UUID) ID { return ID(site + "~" + u.String()) }

// ParseID reads an id in its one canonical spelling; any other text is ErrNotFound,
// since it names no comment.
func ParseID(s string) (ID, error) {
	site, rest, ok := strings.Cut(s, "~")
	if !ok || !ValidSiteID(site) {
		return "", ErrNotFound
	}
	u, err := uuid.Parse(rest)
	if err != nil || u.String() != rest {
		return "", ErrNotFound
	}
	return ID(s), nil
}

// Site is the site part of the id, or "" when the id is malformed.
func (id ID) Site() string {
	site, _, ok := strings.Cut(string(id), "~")
	if !ok {
		return ""
	}
	return site
}

// UUID is the unique part of the id. It is the zero UUID when the id is malformed.
func (id ID) UUID() uuid.UUID {
	_, rest, _ := strings.Cut(string(id), "~")
	u, err := uuid.Parse(rest)
	if err != nil {
		return uuid.UUID{}
	}
	return u
}

// Comment is a reader's letter and what has become of it.
//
// Name, Title and Content are stored as typed: trimmed at their ends, in Unicode
// NFC, line breaks as "\n"; never cut, never escaped.
type Comment struct {
	ID      ID
	Site    string
	Page    string // canonical page key
	Parent  ID     // "" for a comment on the article itself
	Name    string
	Title   string // "" where the site asks for none
	Content string
	Lang    string // language of the page it was written on: "vi" or "en"

	Status  Status
	Version uint64 // 1 when created, one more with every change; decisions compare it
	Signals []Signal

	CreatedAt time.Time // UTC, millisecond precision
	EditedAt  time.Time // zero until its words change

	Root    ID        // topmost comment it answers by way of others; "" on the article itself. The store sets it
	Author  AuthorKey // zero = unknown
	Risk    uint16    // estimated, per mille; 0 = unknown
	Likes   int64     // counted by Liker alone
	Reports int64     // open ones
	Marks   Marks
	Public  *Words // what readers see while a later version waits; nil = the comment's own, once approved. Never changed in place
}

// AuthorKey is a hash, under the site, of the random key that an author's browser keeps.
// The key itself is never stored, and one author's keys on two sites can't be matched.
type AuthorKey [16]byte

// IsZero reports whether there is no key.
func (k AuthorKey) IsZero() bool { return k == AuthorKey{} }

// Marks are facts about a comment beside its status, as a set of bits.
type Marks uint32

// Marks. Stores keep bits they don't know.
const (
	Withdrawn    Marks = 1 << iota // by its author, for good
	Appealed                       // its author's appeal waits to be heard
	Heard                          // an appeal was heard: there is no second one
	EditedByDesk                   // a moderator changed its words
	Pick                           // chosen by the newsroom
	Newsroom                       // written by the newsroom
)

// Has reports whether all of some marks are set.
func (m Marks) Has(some Marks) bool { return m&some == some }

// Page is an article with a thread. It exists in the store from its first comment on.
type Page struct {
	Site      string
	Key       string // canonical URL, or an id of the site's own
	URL       string // "" when Key is no URL
	Title     string // as its first comment named it; a moderator may change it
	Closed    bool   // by a moderator; see Settings.CloseAfter for closing by age
	Held      bool   // by a moderator: nothing is published here before it is approved, whatever the site's mode
	Counts    Counts
	Standing  int64 // comments that readers see: approved, and edited ones whose earlier words stand
	CreatedAt time.Time
}

// Open reports whether the page takes comments at now. A closeAfter of zero never
// closes a page.
func (p Page) Open(now time.Time, closeAfter time.Duration) bool {
	if p.Closed {
		return false
	}
	return closeAfter <= 0 || p.CreatedAt.IsZero() || now.Before(p.CreatedAt.Add(closeAfter))
}

// Counts is the number of comments in each status. Stores keep it exact in the
// transaction that changes a status.
type Counts struct {
	Pending, Approved, Rejected, Spam, Trashed int64
}

// Of is the count of one status.
func (c Counts) Of(s Status) int64 {
	if p := c.at(s); p != nil {
		return *p
	}
	return 0
}

// Move takes one comment from a status to another; "" stands for outside.
func (c *Counts) Move(from, to Status) {
	if p := c.at(from); p != nil {
		*p--
	}
	if p := c.at(to); p != nil {
		*p++
	}
}

// Total is the number of comments in any status.
func (c Counts) Total() int64 {
	return c.Pending + c.Approved + c.Rejected + c.Spam + c.Trashed
}

// Add adds another site's.
func (c *Counts) Add(more Counts) {
	for _, s := range Statuses {
		*c.at(s) += more.Of(s)
	}
}

func (c *Counts) at(s Status) *int64 {
	switch s {
	case Pending:
		return &c.Pending
	case Approved:
		return &c.Approved
	case Rejected:
		return &c.Rejected
	case Spam:
		return &c.Spam
	case Trashed:
		return &c.Trashed
	}
	return nil
}

// Level is how much weight a signal carries.
type Level string

// Levels, from a remark to a strong suspicion. Hold and above keep a comment from
// being published unseen on a site that moderates afterwards.
const (
	LevelInfo Level = "info"
	LevelHold Level = "hold"
	LevelSpam Level = "spam"
)

// Checks that act on what people decided beforehand: their level spam lays a comment with
// the spam at once, on any site.
const (
	CheckBan  = "ban"
	CheckRule = "rule"
	CodeTwo   = "two" // of a rule: two moderators have to approve
)

// Signal is what one check found in a submission. Code and Args are put into words
// by the catalogue (message "signal.{check}.{code}"), in the language of whoever reads.
type Signal struct {
	Check  string
	Level  Level
	Code   string
	Args   map[string]string
	Places []Place
}

// Place is a stretch of a field, in bytes of its stored text, that a check matched.
type Place struct {
	Field      string // "name", "title" or "content"
	Start, End int
}

// Author is what the store keeps of where a comment came from, in a record of its
// own that expires: never in the journal, in logs, in exports or in public answers.
type Author struct {
	Addr    netip.Addr
	Expires time.Time
}

// Answered is the topmost comment of those that a reply to c answers: its Root.
func (c *Comment) Answered() ID {
	if c.Root != "" {
		return c.Root
	}
	return c.ID
}
