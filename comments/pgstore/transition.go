package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duyet/comments"
)

// Step is what becomes of a comment.
type Step struct {
	To     comments.Status
	Kind   comments.Kind
	Reason string           // a code of the site's list
	Detail *comments.Detail // typed words with their salt; nil = none
}

// Change is one compare-and-set: Decide sees the comment as it stands and its last
// transition, inside the transaction, and says what becomes of it; a nil Step changes
// nothing. It must be quick, touch nothing outside itself, and may be called again.
type Change struct {
	ID     comments.ID
	Actor  string
	Decide func(current comments.Comment, last comments.Transition) (*Step, error)
}

// Changed is what became of one Change.
type Changed struct {
	Comment comments.Comment // as it stands after the change
	Err     error            // of Decide, comments.ErrNotFound, or ErrInvalid
}

// Transition applies changes in order in one transaction; it is what
// moderation.Transitioner needs. The error is for the whole.
func (db *DB) Transition(ctx context.Context, changes []Change) ([]Changed, error) {
	op := &transition{changes: changes, done: make([]Changed, len(changes))}
	var sites []string
	for _, c := range changes {
		if site := c.ID.Site(); comments.ValidSiteID(site) && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	op.reset()
	var err error
	switch len(sites) {
	case 0:
		err = ctx.Err()
	case 1:
		err = db.submit(ctx, sites[0], op)
	default:
		err = db.alone(ctx, sites, op)
	}
	if err != nil {
		return nil, err
	}
	return op.done, nil
}

type transition struct {
	changes []Change
	done    []Changed
}

func (op *transition) reset() {
	for i, c := range op.changes {
		op.done[i] = Changed{Err: fmt.Errorf("comment %s: %w", c.ID, comments.ErrNotFound)}
	}
}

func (op *transition) want(s *siteSet) {
	for _, c := range op.changes {
		if c.ID.Site() == s.site {
			s.wantComments[c.ID.UUID()] = true
		}
	}
}

// run applies the changes that are about one site. A change of several sites has an event
// in the journal of each, and within each they keep their order.
func (op *transition) run(s *siteSet, tx *Tx) error {
	for i, c := range op.changes {
		if c.ID.Site() == s.site {
			op.done[i] = s.apply(tx, c)
		}
	}
	return nil
}

func (s *siteSet) apply(tx *Tx, change Change) Changed {
	h, c := tx.heads[s.site], s.comments[change.ID.UUID()]
	if h == nil || c == nil || c.ID != change.ID {
		return Changed{Err: fmt.Errorf("comment %s: %w", change.ID, comments.ErrNotFound)}
	}
	var step *Step
	err := safely(func() (err error) {
		shown := c.Comment
		shown.Signals = slices.Clone(c.Signals)
		step, err = change.Decide(shown, c.last)
		return err
	})
	if err == nil && step != nil {
		err = checkStep(change, step)
	}
	if err != nil || step == nil {
		return Changed{Comment: c.Comment, Err: err}
	}
	p := s.pages[comments.PageHash(s.site, c.Page)]
	if p == nil {
		return Changed{Comment: c.Comment, Err: fmt.Errorf("page of comment %s: %w", change.ID, comments.ErrDamaged)}
	}
	before := c.Status
	c.Status = step.To
	c.Version++
	tx.move(h, p, c, before, comments.Event{
		Site: s.site, Actor: change.Actor, Kind: step.Kind, Comment: c.ID,
		From: before, To: c.Status, Version: c.Version, Reason: step.Reason,
	}, step.Detail)
	return Changed{Comment: c.Comment}
}

func checkStep(change Change, step *Step) error {
	texts := []string{change.Actor, string(step.Kind), step.Reason}
	if step.Detail != nil {
		texts = append(texts, step.Detail.Reason, step.Detail.Note)
	}
	if !step.To.Valid() {
		return errors.Join(comments.ErrInvalid, fmt.Errorf("status %q", step.To))
	}
	return CheckText(texts...)
}
