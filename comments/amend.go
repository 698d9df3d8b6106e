package comments

import (
	"fmt"
	"time"
)

// Words are what a reader typed, and when they were typed anew.
type Words struct {
	Name, Title, Content string
	EditedAt             time.Time // zero for the first ones
}

// Words are the comment's own, which are the latest.
func (c *Comment) Words() Words { return Words{c.Name, c.Title, c.Content, c.EditedAt} }

// SetWords puts other words in the place of the comment's own.
func (c *Comment) SetWords(w Words) {
	c.Name, c.Title, c.Content, c.EditedAt = w.Name, w.Title, w.Content, w.EditedAt
}

// Standing reports whether readers see the comment: it is approved, or its author has
// edited it and the words that were public stand until the new ones are decided.
func (c *Comment) Standing() bool {
	return c.Status == Approved || c.Status == Pending && c.Public != nil
}

// Shown is a standing comment as readers see it: approved, with the words that are public
// as its own.
func (c Comment) Shown() Comment {
	if c.Status == Pending && c.Public != nil {
		c.SetWords(*c.Public)
		c.Status = Approved
	}
	c.Public = nil
	return c
}

// Step is what an amendment makes of a comment.
type Step struct {
	// Comment is the comment as it is to be. Its Status, words (Name, Title, Content,
	// EditedAt), Signals, Public, Risk, Reports and Marks count; of the rest what
	// stands is kept. Reports may fall to zero, which closes them.
	Comment Comment

	// Kind is that of the event in the journal, which tells of the change, and Version is
	// one more. With "" there is no event and the version stays: for what is counted or
	// estimated beside the comment (Risk, Reports); status, words and marks must
	// not change then.
	Kind   Kind
	Aside  bool    // with an event the version stays all the same; under the same condition
	Reason string  // a code of the site's list
	Detail *Detail // typed words, with their salt; nil = none
}

// Amendment is one compare-and-set. Decide sees the comment as it stands and the last
// transition that moved its version, inside the transaction, and says what becomes of it; a nil Step changes
// nothing and is no error. It must be quick, touch nothing outside itself, and may be
// called again if the transaction is retried.
type Amendment struct {
	ID     ID
	Actor  string
	Decide func(current Comment, last Transition) (*Step, error)
}

// Amended is what became of one Amendment.
type Amended struct {
	Comment Comment // as it stands after it
	Err     error   // of Decide, ErrNotFound, or ErrInvalid for a Step that can't be
}

// Apply is the comment that a step makes of the one that stands; for stores. ErrInvalid
// for a step that can't be.
func (s *Step) Apply(stands Comment) (Comment, error) {
	next := stands
	next.Status, next.Signals, next.Public = s.Comment.Status, s.Comment.Signals, s.Comment.Public
	next.Risk, next.Reports, next.Marks = s.Comment.Risk, s.Comment.Reports, s.Comment.Marks
	w := s.Comment.Words()
	w.EditedAt = milli(w.EditedAt)
	next.SetWords(w)
	if next.Public != nil {
		public := *next.Public
		public.EditedAt = milli(public.EditedAt)
		next.Public = &public
	}
	switch {
	case !next.Status.Valid():
		return stands, fmt.Errorf("status %q: %w", next.Status, ErrInvalid)
	case next.Reports < 0:
		return stands, fmt.Errorf("a count below zero: %w", ErrInvalid)
	case next.Reports != stands.Reports && next.Reports != 0:
		return stands, fmt.Errorf("reports are made one by one, and closed together: %w", ErrInvalid)
	}
	if s.Kind != "" && !s.Aside {
		next.Version++
	} else if next.Status != stands.Status || next.Marks != stands.Marks || Reworded(stands, next) {
		return stands, fmt.Errorf("a change of status, marks or words under the same version: %w", ErrInvalid)
	}
	return next, nil
}

// Reworded reports whether two states of a comment differ in what was typed.
func Reworded(a, b Comment) bool {
	if a.Words() != b.Words() || (a.Public == nil) != (b.Public == nil) {
		return true
	}
	return a.Public != nil && *a.Public != *b.Public
}

// milli is a time as stores keep it.
func milli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Revision is what stood before a change of a comment's words: in a record of its own that
// can be erased, since the journal holds no words.
type Revision struct {
	Version uint64 // the last that had them
	Words   Words
	Public  *Words    // what readers saw meanwhile, where that was something else
	At      time.Time // when they were replaced
	By      string    // who replaced them: the actor of the event
}
