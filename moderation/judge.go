package moderation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"duyet/comments"
)

// Kinds of events about a comment that decide nothing.
const (
	KindCorrected comments.Kind = "comment.corrected" // words changed by a moderator
	KindMasked    comments.Kind = "comment.masked"    // stretches of them taken out
	KindNoted     comments.Kind = "comment.noted"     // a note among moderators; moves no version
	KindPicked    comments.Kind = "comment.picked"    // chosen by the newsroom
	KindUnpicked  comments.Kind = "comment.unpicked"
)

// Desk is what moderators do by way of the readers' wing; comments.Service does it.
type Desk interface {
	CheckWords(site comments.Site, typed comments.Words) (comments.Words, error)
	Answer(ctx context.Context, a comments.Answer) (comments.Comment, error)
	GatePage(ctx context.Context, site, page string, gate comments.Gate, actor string) (comments.Page, error)
	SetSiteAt(ctx context.Context, id string, version uint64, pairs []comments.Pair, actor string) (comments.Site, error)
	SetSite(ctx context.Context, id string, pairs []comments.Pair, actor string) (comments.Site, error)
}

// Correction puts other words in the place of a comment's, if it is still at Version. The
// words of before stay in a revision, and readers are told that the newsroom has edited.
type Correction struct {
	ID      string
	Version uint64
	Words   comments.Words
	Note    string
}

// Correct changes a comment's words. The status stays: who may decide may do that as well.
// Errors: comments.ErrForbidden, ErrNotFound, *InvalidError, *ConflictError.
func (s *Service) Correct(ctx context.Context, who Moderator, c Correction) (comments.Comment, error) {
	return s.reword(ctx, who, c.ID, c.Version, KindCorrected, c.Note, func(comments.Comment) (comments.Words, error) { return c.Words, nil })
}

// Redaction masks stretches of a comment's words.
type Redaction struct {
	ID      string
	Version uint64
	Places  []comments.Place // of the words at Version
	Texts   []string         // and whatever reads like these, wherever it stands
	Mask    string           // what stands in their place
	Note    string
}

// RedactMost is the most stretches and texts of one redaction.
const RedactMost = 100

// Mask takes stretches out of a comment's words. Errors as Correct's; what masks nothing is
// an InvalidError on "texts".
func (s *Service) Mask(ctx context.Context, who Moderator, r Redaction) (comments.Comment, error) {
	if len(r.Places)+len(r.Texts) > RedactMost {
		return comments.Comment{}, &comments.InvalidError{Fields: []comments.FieldError{{Field: "texts", Code: comments.CodeTooLong, Max: RedactMost}}}
	}
	return s.reword(ctx, who, r.ID, r.Version, KindMasked, r.Note, func(c comments.Comment) (comments.Words, error) {
		w := c.Words()
		for field, text := range map[string]*string{"name": &w.Name, "title": &w.Title, "content": &w.Content} {
			*text = masked(*text, r.stretches(field, *text), r.Mask)
		}
		if w == c.Words() {
			return w, comments.Invalid("texts", comments.CodeRequired)
		}
		return w, nil
	})
}

// stretches are what is to be masked of a field, in order, none over another.
func (r Redaction) stretches(field, text string) []comments.Place {
	var list []comments.Place
	for _, p := range r.Places {
		if p.Field == field && p.Start >= 0 && p.Start < p.End && p.End <= len(text) {
			list = append(list, p)
		}
	}
	for _, t := range r.Texts {
		if t = comments.Clean(t); t == "" {
			continue
		}
		for from := 0; ; {
			i := strings.Index(text[from:], t)
			if i < 0 {
				break
			}
			list = append(list, comments.Place{Field: field, Start: from + i, End: from + i + len(t)})
			from += i + len(t)
		}
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Start < list[k].Start })
	var apart []comments.Place
	for _, p := range list {
		if n := len(apart); n > 0 && p.Start <= apart[n-1].End {
			apart[n-1].End = max(apart[n-1].End, p.End)
			continue
		}
		apart = append(apart, p)
	}
	return apart
}

func masked(text string, places []comments.Place, mask string) string {
	var b strings.Builder
	end := 0
	for _, p := range places {
		b.WriteString(text[end:p.Start])
		b.WriteString(mask)
		end = p.End
	}
	b.WriteString(text[end:])
	return strings.ToValidUTF8(b.String(), "")
}

// reword is the compare-and-set of a change of words.
func (s *Service) reword(ctx context.Context, who Moderator, rawID string, version uint64, kind comments.Kind, note string, words func(comments.Comment) (comments.Words, error)) (comments.Comment, error) {
	site, err := s.siteOf(ctx, who, Decide, rawID)
	if err != nil {
		return comments.Comment{}, err
	}
	now := s.cfg.Now().UTC()
	return s.change(ctx, who, rawID, note, func(c comments.Comment, last comments.Transition) (*Step, error) {
		if c.Version != version || c.Marks.Has(comments.Withdrawn) {
			return nil, lost(c, last)
		}
		typed, err := words(c)
		if err != nil {
			return nil, err
		}
		w, err := s.cfg.Desk.CheckWords(site, typed)
		if err != nil {
			return nil, err
		}
		w.EditedAt = now
		if before := c.Words(); w.Name == before.Name && w.Title == before.Title && w.Content == before.Content {
			return nil, nil
		}
		c.Signals = unplaced(c.Signals, c.Words(), w)
		c.SetWords(w)
		c.Marks |= comments.EditedByDesk
		return &Step{To: c.Status, Comment: &c, Kind: kind}, nil
	})
}

// unplaced is signals whose places point nowhere in what has changed.
func unplaced(signals []comments.Signal, before, after comments.Words) []comments.Signal {
	stands := map[string]bool{"name": before.Name == after.Name, "title": before.Title == after.Title, "content": before.Content == after.Content}
	out := slices.Clone(signals)
	for i := range out {
		out[i].Places = slices.DeleteFunc(slices.Clone(out[i].Places), func(p comments.Place) bool { return !stands[p.Field] })
	}
	return out
}

// NoteOn leaves a note for other moderators on a comment, and decides nothing.
func (s *Service) NoteOn(ctx context.Context, who Moderator, rawID, note string) (comments.Comment, error) {
	if comments.Clean(note) == "" {
		return comments.Comment{}, comments.Invalid("note", comments.CodeRequired)
	}
	return s.change(ctx, who, rawID, note, func(c comments.Comment, _ comments.Transition) (*Step, error) {
		return &Step{To: c.Status, Comment: &c, Kind: KindNoted, Aside: true}, nil
	})
}

// PickOut sets or takes away the newsroom's pick. Only what readers see can be picked; else
// it is a *ConflictError.
func (s *Service) PickOut(ctx context.Context, who Moderator, rawID string, version uint64, on bool) (comments.Comment, error) {
	return s.change(ctx, who, rawID, "", func(c comments.Comment, last comments.Transition) (*Step, error) {
		switch {
		case c.Marks.Has(comments.Pick) == on:
			return nil, nil
		case c.Version != version || on && !c.Standing():
			return nil, lost(c, last)
		}
		c.Marks ^= comments.Pick
		kind := KindUnpicked
		if on {
			kind = KindPicked
		}
		return &Step{To: c.Status, Comment: &c, Kind: kind}, nil
	})
}

// Reply is what a moderator writes in the newsroom's name below a comment.
type Reply struct {
	ID      string // of what is answered
	Version uint64 // of it; one that is pending is approved with the answer
	Content string
	Lang    string
	Once    comments.TicketID
	Until   time.Time
}

// ErrNotPublic is an answer to a comment that readers don't see, and that this moderator
// alone can't publish.
var ErrNotPublic = fmt.Errorf("what is answered is not public: %w", comments.ErrConflict)

// Answer publishes a reply of the newsroom with its badge. Errors: comments.ErrForbidden,
// ErrNotFound, *InvalidError, *ConflictError, ErrNotPublic, ErrTicketSpent, ErrTicketExpired.
func (s *Service) Answer(ctx context.Context, who Moderator, r Reply) (comments.Comment, error) {
	site, err := s.siteOf(ctx, who, Decide, r.ID)
	if err != nil {
		return comments.Comment{}, err
	}
	if strings.TrimSpace(r.Content) == "" {
		return comments.Comment{}, comments.Invalid("content", comments.CodeRequired)
	}
	id, _ := comments.ParseID(r.ID)
	c, err := s.cfg.Pages.Comment(ctx, id)
	if err != nil {
		return comments.Comment{}, err
	}
	if c.Status == comments.Pending {
		done, err := s.Decide(ctx, who, []Decision{{ID: r.ID, Action: Approve, Version: &r.Version}})
		if err != nil {
			return comments.Comment{}, err
		}
		if done[0].Err != nil {
			return comments.Comment{}, done[0].Err
		}
	}
	lang := r.Lang
	if lang == "" {
		lang = c.Lang
	}
	answer, err := s.cfg.Desk.Answer(ctx, comments.Answer{Parent: id, Content: r.Content, Lang: lang, Actor: who.ID, Once: r.Once, Until: r.Until})
	if errors.Is(err, comments.ErrNotFound) && site.ID == id.Site() {
		return answer, ErrNotPublic
	}
	return answer, err
}

// siteOf is the site of a comment on which somebody may do something; a comment of another
// site is ErrNotFound, a role that may not is ErrForbidden.
func (s *Service) siteOf(ctx context.Context, who Moderator, p Permission, rawID string) (comments.Site, error) {
	if !who.Can(p) {
		return comments.Site{}, comments.ErrForbidden
	}
	id, err := comments.ParseID(rawID)
	if err != nil {
		return comments.Site{}, err
	}
	if !who.May(p, id.Site()) {
		return comments.Site{}, comments.ErrNotFound
	}
	return s.cfg.Comments.Site(ctx, id.Site())
}

// change runs one compare-and-set by who may decide.
func (s *Service) change(ctx context.Context, who Moderator, rawID, note string, decide func(comments.Comment, comments.Transition) (*Step, error)) (comments.Comment, error) {
	if _, err := s.siteOf(ctx, who, Decide, rawID); err != nil {
		return comments.Comment{}, err
	}
	note = comments.Clean(note)
	if len(note) > NoteBytes {
		return comments.Comment{}, &comments.InvalidError{Fields: []comments.FieldError{{Field: "note", Code: comments.CodeTooLong, Max: NoteBytes}}}
	}
	if !printable(note) {
		return comments.Comment{}, comments.Invalid("note", comments.CodeControl)
	}
	id, err := comments.ParseID(rawID)
	if err != nil {
		return comments.Comment{}, err
	}
	done, err := s.cfg.Store.Transition(ctx, []Change{{ID: id, Actor: who.ID, Decide: func(c comments.Comment, last comments.Transition) (*Step, error) {
		step, err := decide(c, last)
		if step != nil && note != "" {
			step.Detail = &comments.Detail{Salt: make([]byte, 16), Note: note}
			rand.Read(step.Detail.Salt) // never fails, see crypto/rand
		}
		return step, err
	}}})
	if err != nil {
		return comments.Comment{}, err
	}
	return done[0].Comment, done[0].Err
}

// lost tells of a comment that stands otherwise than it was seen.
func lost(c comments.Comment, last comments.Transition) error {
	return &ConflictError{By: last.Actor, At: last.At, Status: c.Status, Version: c.Version}
}
