package moderation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"duyet/comments"
)

// Action is what a moderator does with a comment.
type Action string

// Actions.
const (
	Approve Action = "approve"
	Reject  Action = "reject"
	Spam    Action = "spam"
	Trash   Action = "trash"
	Restore Action = "restore" // back to pending
	Undo    Action = "undo"    // back to the state before the last change
	Keep    Action = "keep"    // what readers see stays: reports are closed, an edit is refused and its earlier words stand
	Uphold  Action = "uphold"  // an appeal is heard and the rejection stands
)

var targets = map[Action]comments.Status{
	Approve: comments.Approved, Reject: comments.Rejected, Spam: comments.Spam,
	Trash: comments.Trashed, Restore: comments.Pending,
	Keep: comments.Approved, Uphold: comments.Rejected,
}

// Valid reports whether a is an action.
func (a Action) Valid() bool { return a == Undo || targets[a] != "" }

// Limits of one request and of what is typed with a decision.
const (
	DecisionsMost = 1000
	ReasonBytes   = 1 << 10
	NoteBytes     = 8 << 10
)

// Decision is one moderator's word on one comment. It is compare-and-set: with a Version
// it counts only if the comment still has that version, without only if it is pending.
type Decision struct {
	ID      string
	Action  Action
	Version *uint64
	Reason  string // a code of the site's list; anything else is kept as typed
	Note    string
	Tell    bool // a typed reason is for the author to read; a code of the list always is
}

// Result is what became of one Decision. Err is nil, comments.ErrNotFound,
// comments.ErrForbidden or a *ConflictError.
type Result struct {
	ID      string
	Status  comments.Status
	Version uint64
	Err     error
}

// Decide applies decisions in the order given, each on its own: one that is refused does
// not hold up the others. Deciding again what the same person decided already succeeds
// and changes nothing, so a request whose answer was lost can be repeated.
//
// The error is for the whole request: comments.ErrForbidden for a role that may not
// decide, an InvalidError for an unknown action or too much text, ErrUnavailable.
func (s *Service) Decide(ctx context.Context, who Moderator, decisions []Decision) ([]Result, error) {
	if !who.Can(Decide) {
		return nil, comments.ErrForbidden
	}
	if len(decisions) > DecisionsMost {
		return nil, comments.Invalid("decisions", comments.CodeTooLong)
	}
	if err := checkDecisions(decisions); err != nil {
		return nil, err
	}
	return s.decide(ctx, who, decisions, 0)
}

// decide is Decide for what has been looked at. With frozen, what has changed since that
// place in the site's journal is a conflict.
func (s *Service) decide(ctx context.Context, who Moderator, decisions []Decision, frozen uint64) ([]Result, error) {
	results := make([]Result, len(decisions))
	var changes []Change
	var place []int // of each change among the decisions
	for i, d := range decisions {
		d.Reason, d.Note = comments.Clean(d.Reason), comments.Clean(d.Note)
		results[i].ID = d.ID
		id, err := comments.ParseID(d.ID)
		if err == nil && !who.May(Decide, id.Site()) {
			err = comments.ErrNotFound
		}
		var site comments.Site
		if err == nil {
			site, err = s.cfg.Comments.Site(ctx, id.Site())
		}
		if errors.Is(err, comments.ErrNotFound) {
			results[i].Err = comments.ErrNotFound
			continue
		}
		if err != nil {
			return nil, err
		}
		before, err := s.before(ctx, id, d)
		if err != nil {
			return nil, err
		}
		changes = append(changes, Change{ID: id, Actor: who.ID, Decide: d.on(site.Settings.Reasons, who.ID, before, frozen)})
		place = append(place, i)
	}
	if len(changes) == 0 {
		return results, nil
	}
	done, err := s.cfg.Store.Transition(ctx, changes)
	if err != nil {
		return nil, err
	}
	for k, c := range done {
		r := &results[place[k]]
		r.Status, r.Version, r.Err = c.Comment.Status, c.Comment.Version, c.Err
	}
	return results, nil
}

func checkDecisions(decisions []Decision) error {
	var wrong []comments.FieldError
	for i, d := range decisions {
		at := fmt.Sprintf("decisions[%d].", i)
		switch {
		case !d.Action.Valid():
			wrong = append(wrong, comments.FieldError{Field: at + "action", Code: CodeUnknownAction})
		case len(d.Reason) > ReasonBytes:
			wrong = append(wrong, comments.FieldError{Field: at + "reason", Code: comments.CodeTooLong, Max: ReasonBytes})
		case len(d.Note) > NoteBytes:
			wrong = append(wrong, comments.FieldError{Field: at + "note", Code: comments.CodeTooLong, Max: NoteBytes})
		case !printable(d.Reason):
			wrong = append(wrong, comments.FieldError{Field: at + "reason", Code: comments.CodeControl})
		case !printable(d.Note):
			wrong = append(wrong, comments.FieldError{Field: at + "note", Code: comments.CodeControl})
		}
	}
	if wrong != nil {
		return &comments.InvalidError{Fields: wrong}
	}
	return nil
}

// CodeUnknownAction is the field error of an action that is none.
const CodeUnknownAction = "unknown_action"

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.Is(unicode.Cc, r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
	}
	return true
}

// on is the compare-and-set of one decision, to be run inside the transaction.
func (d Decision) on(reasons []string, actor string, before past, frozen uint64) func(comments.Comment, comments.Transition) (*Step, error) {
	return func(c comments.Comment, last comments.Transition) (*Step, error) {
		step := &Step{To: targets[d.Action], Kind: comments.KindDecided}
		switch d.Action {
		case Restore:
			step.Kind = KindRestored
		case Undo:
			step.Kind, step.To = KindUndone, last.From
		}
		if d.doneAlready(c, last, actor) {
			return nil, nil
		}
		first := d.Action == Approve && firstOfTwo(c, last, actor)
		if first && last.Kind == KindVouched {
			return nil, nil // the same person again
		}
		stands := c.Status == comments.Pending
		if d.Version != nil {
			stands = c.Version == *d.Version
		}
		stands = stands && (frozen == 0 || last.Seq <= frozen)
		if !stands || !step.To.Valid() || c.Marks.Has(comments.Withdrawn) || !d.fits(c) {
			return nil, &ConflictError{By: last.Actor, At: last.At, Status: c.Status, Version: c.Version}
		}
		if first {
			step.To, step.Kind = comments.Pending, KindVouched
			step.reason(reasons, d)
			return step, nil
		}
		next := d.outcome(c, before)
		next.Status = step.To
		if d.Action == Undo && next.Status != comments.Rejected && next.Marks.Has(comments.Appealed) {
			next.Marks = next.Marks&^comments.Appealed | comments.Heard // what was granted is granted again
		}
		if next.Status == c.Status && next.Marks == c.Marks && next.Reports == c.Reports && !comments.Reworded(c, next) && last.Kind != KindVouched {
			return nil, nil
		}
		step.Comment = &next
		step.reason(reasons, d)
		return step, nil
	}
}

// firstOfTwo reports whether a comment needs two moderators and nobody but this one has
// approved it yet. The second has to come right after the first: what happens between, an
// edit for one, has been seen by the second alone.
func firstOfTwo(c comments.Comment, last comments.Transition, actor string) bool {
	if c.Status != comments.Pending || last.Kind == KindVouched && last.Actor != actor {
		return false
	}
	return slices.ContainsFunc(c.Signals, func(s comments.Signal) bool { return s.Check == comments.CheckRule && s.Code == comments.CodeTwo })
}

// fits reports whether an action is one for a comment as it stands.
func (d Decision) fits(c comments.Comment) bool {
	switch d.Action {
	case Keep:
		return c.Standing()
	case Uphold:
		return c.Marks.Has(comments.Appealed)
	}
	return true
}

// outcome is what becomes of a comment beside its status: a decision closes reports, hears
// an appeal, and settles which words are public.
func (d Decision) outcome(c comments.Comment, before past) comments.Comment {
	switch d.Action {
	case Undo:
		if w := before.words; w != nil && w.Version+1 == c.Version {
			c.SetWords(w.Words)
			c.Public = w.Public
		}
		if before.heard == c.Version && c.Marks.Has(comments.Heard) {
			c.Marks = c.Marks&^comments.Heard | comments.Appealed // it is open again
		}
		return c
	case Keep:
		if c.Public != nil {
			c.SetWords(*c.Public)
		}
	}
	c.Public, c.Reports = nil, 0
	if c.Marks.Has(comments.Appealed) && d.Action != Restore {
		c.Marks = c.Marks&^comments.Appealed | comments.Heard
	}
	return c
}

// past is what an undo brings back.
type past struct {
	words *comments.Revision // before the last change of words; nil = they never changed
	heard uint64             // version at which an appeal was heard, if that is the last change
}

// before is what stood before a comment's last change, where a decision may bring it back.
func (s *Service) before(ctx context.Context, id comments.ID, d Decision) (p past, err error) {
	if d.Action != Undo {
		return p, nil
	}
	list, err := s.cfg.Pages.Revisions(ctx, id)
	if err != nil {
		return p, err
	}
	if len(list) > 0 {
		p.words = &list[len(list)-1]
	}
	history, err := s.history(ctx, id)
	if err != nil {
		return p, err
	}
	for _, t := range history {
		if t.Kind == comments.KindDecided && appealed(history, t) {
			p.heard = t.Version
		}
	}
	return p, nil
}

// doneAlready reports whether the last event is this very decision by the same person.
func (d Decision) doneAlready(c comments.Comment, last comments.Transition, actor string) bool {
	if last.Actor != actor {
		return false
	}
	if d.Action == Undo {
		return last.Kind == KindUndone && d.Version != nil && *d.Version+1 == c.Version
	}
	return c.Status == targets[d.Action] && c.Reports == 0 && c.Public == nil && !c.Marks.Has(comments.Appealed)
}

func (s *Step) reason(codes []string, d Decision) {
	detail := comments.Detail{Note: d.Note}
	if slices.Contains(codes, d.Reason) {
		s.Reason = d.Reason
	} else if detail.Reason = d.Reason; d.Tell && d.Reason != "" {
		s.Reason = comments.ReasonTyped
	}
	if detail.Reason != "" || detail.Note != "" {
		detail.Salt = make([]byte, 16)
		rand.Read(detail.Salt) // never fails, see crypto/rand
		s.Detail = &detail
	}
}
