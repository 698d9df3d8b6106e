package comments

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of an author's appeal and a reader's report, in user-perceived characters, and of
// what one look at one's own may ask for.
const (
	AppealMost    = 1000
	ReportMost    = 500
	SentenceBytes = 8 << 10
	OwnMost       = 50
)

// Proof is what shows that a comment is somebody's: its receipt, or the key that it was
// written with. A typed name or e-mail never does.
type Proof struct {
	Receipts []string
	Author   string // the author's key
	Addr     netip.Addr
}

// Own is a comment as its author may see it.
type Own struct {
	Comment // its words are the latest; Status as its author may read it
	Page    Page

	Withdrawn  bool
	Changed    bool   // earlier words are in public until these are decided
	Reason     string // why it was rejected: a code of the site's list; "" for none
	ReasonText string // or what the moderator typed and chose to show
	Until      time.Time
	MayEdit    bool // and withdraw, until Until
	MayAppeal  bool
	Appeal     string // "" for none, AppealOpen, AppealUpheld or AppealGranted
}

// What has become of an appeal.
const (
	AppealOpen    = "open"
	AppealUpheld  = "upheld"  // the rejection stands
	AppealGranted = "granted" // the comment was approved after all
)

// ReasonTyped stands as the reason code of a decision whose reason the moderator typed for
// the author to read; the words are in the event's Detail.
const ReasonTyped = "typed"

// Mine are a reader's own comments of one page (pageKey, canonical) or, with "", of the
// site: those of the receipts, and the latest of the author's key; newest first, at most
// OwnMost. Receipts of other sites, or of nothing, are passed over.
func (s *Service) Mine(ctx context.Context, site Site, pageKey string, by Proof) ([]Own, error) {
	key, err := AuthorKeyOf(site.ID, by.Author)
	if err != nil {
		return nil, err
	}
	found := map[ID]Comment{}
	for _, r := range by.Receipts[:min(len(by.Receipts), OwnMost)] {
		id, err := s.cfg.Receipts.Open(r)
		if err != nil || id.Site() != site.ID {
			continue
		}
		c, err := s.cfg.Store.Comment(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[id] = c
	}
	if !key.IsZero() {
		list, err := s.cfg.Store.Written(ctx, Wrote{Site: site.ID, Author: key}, "", OwnMost)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			found[c.ID] = c
		}
	}
	var own []Own
	for _, c := range found {
		if pageKey != "" && c.Page != pageKey {
			continue
		}
		o, err := s.own(ctx, site, c)
		if err != nil {
			return nil, err
		}
		own = append(own, o)
	}
	slices.SortFunc(own, func(a, b Own) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return own[:min(len(own), OwnMost)], nil
}

// MyOwn is one comment of a reader. ErrNotYours when nothing proves it, ErrNotFound for
// one of another site or none.
func (s *Service) MyOwn(ctx context.Context, site Site, rawID string, by Proof) (Own, error) {
	c, err := s.proven(ctx, site, rawID, by)
	if err != nil {
		return Own{}, err
	}
	return s.own(ctx, site, c)
}

// proven is a comment that somebody has proved to be theirs.
func (s *Service) proven(ctx context.Context, site Site, rawID string, by Proof) (Comment, error) {
	id, err := ParseID(rawID)
	if err != nil || id.Site() != site.ID {
		return Comment{}, fmt.Errorf("comment: %w", ErrNotFound)
	}
	key, err := AuthorKeyOf(site.ID, by.Author)
	if err != nil {
		return Comment{}, err
	}
	c, err := s.cfg.Store.Comment(ctx, id)
	if err != nil {
		return Comment{}, err
	}
	if !key.IsZero() && key == c.Author {
		return c, nil
	}
	for _, r := range by.Receipts[:min(len(by.Receipts), OwnMost)] {
		if proven, err := s.cfg.Receipts.Open(r); err == nil && proven == id {
			return c, nil
		}
	}
	return Comment{}, ErrNotYours
}

// own is a comment as its author may see it. One that is spam or in the trash is as if it
// were pending.
func (s *Service) own(ctx context.Context, site Site, c Comment) (Own, error) {
	o := Own{Comment: c, Withdrawn: c.Marks.Has(Withdrawn), Changed: c.In(Edited), Until: c.CreatedAt.Add(site.Settings.EditWindow)}
	o.Status = c.Status.ToAuthor()
	o.Public, o.Signals = nil, nil
	o.MayEdit = mayEdit(site, c, s.cfg.Now()) == nil
	o.MayAppeal = c.Status == Rejected && !c.Marks.Has(Appealed) && !c.Marks.Has(Heard)
	switch {
	case c.Marks.Has(Appealed):
		o.Appeal = AppealOpen
	case c.Marks.Has(Heard) && c.Status == Rejected:
		o.Appeal = AppealUpheld
	case c.Marks.Has(Heard) && c.Status == Approved:
		o.Appeal = AppealGranted
	}
	var err error
	if o.Page, err = s.cfg.Store.Page(ctx, c.Site, c.Page); err != nil || c.Status != Rejected {
		return o, err
	}
	history, err := s.cfg.Store.History(ctx, c.ID)
	for _, t := range slices.Backward(history) {
		if t.From != Rejected && t.To == Rejected {
			o.Reason = t.Event.Reason
			if o.Reason == ReasonTyped {
				o.Reason, o.ReasonText = "", t.Detail.Reason
			}
			break
		}
	}
	return o, err
}

// mayEdit is nil while the author may edit or withdraw a comment.
func mayEdit(site Site, c Comment, now time.Time) error {
	switch {
	case c.Marks.Has(Withdrawn), c.Status == Rejected:
		return fmt.Errorf("comment %s was withdrawn or rejected: %w", c.ID, ErrTooLate)
	case !now.Before(c.CreatedAt.Add(site.Settings.EditWindow)):
		return ErrTooLate
	}
	return nil
}

// Edit puts other words in the place of a comment's, as its author may within the site's
// window. They are judged and screened like a submission's; no new code is needed. Words
// that were public stay so until a moderator has decided on the new ones, unless the site
// moderates afterwards and nothing holds them. Errors: *InvalidError, ErrNotYours,
// ErrTooLate, ErrNotFound, *LimitedError, ErrUnavailable.
func (s *Service) Edit(ctx context.Context, site Site, rawID string, by Proof, typed Words) (Own, error) {
	for _, text := range []string{typed.Name, typed.Title, typed.Content} {
		if !utf8.ValidString(text) {
			return Own{}, fmt.Errorf("not UTF-8: %w", ErrMalformed)
		}
	}
	c, err := s.proven(ctx, site, rawID, by)
	if err != nil {
		return Own{}, err
	}
	now := s.cfg.Now().UTC()
	if err := mayEdit(site, c, now); err != nil {
		return Own{}, err
	}
	words, wrong := checkWords(site.Settings, typed)
	if len(wrong) > 0 {
		return Own{}, &InvalidError{Fields: wrong}
	}
	if err := s.Limit(site, PageHash(site.ID, c.Page), MeterOwn, by.Addr); err != nil {
		return Own{}, err
	}
	page, err := s.cfg.Store.Page(ctx, site.ID, c.Page)
	if err != nil {
		return Own{}, err
	}
	candidate := c
	candidate.SetWords(words)
	words.EditedAt = now
	found := s.screen(ctx, Candidate{Site: site, Page: page, Comment: candidate, Addr: by.Addr, Issued: c.CreatedAt, Now: now})
	return s.amendOwn(ctx, site, c.ID, func(c Comment) (*Step, error) {
		if err := mayEdit(site, c, now); err != nil {
			return nil, err
		}
		if w := c.Words(); w.Name == words.Name && w.Title == words.Title && w.Content == words.Content {
			return nil, nil // the same words; so is a request whose answer was lost
		}
		return &Step{Comment: edited(site, page, c, words, found), Kind: KindEdited}, nil
	})
}

// edited is a comment with its author's new words. Spam and trash stay where they are, and
// their author is told nothing.
func edited(site Site, page Page, c Comment, words Words, found Screening) Comment {
	before := c.Words()
	if c.Status == Approved || c.Status == Pending {
		status := firstStatus(site.Settings, page, found.Signals, false)
		if status == Spam && c.Standing() {
			status = Pending // what readers see is a moderator's to take away
		}
		if status == Approved {
			c.Public = nil
		} else if c.Status == Approved {
			c.Public = &before
		}
		c.Status = status
	}
	c.Signals, c.Risk = found.Signals, found.Risk
	c.SetWords(words)
	return c
}

// Withdraw takes a comment back for good, as its author may within the site's window. Once
// withdrawn, it succeeds again. Errors as Edit's.
func (s *Service) Withdraw(ctx context.Context, site Site, rawID string, by Proof) (Own, error) {
	c, err := s.proven(ctx, site, rawID, by)
	if err != nil {
		return Own{}, err
	}
	if err := s.Limit(site, PageHash(site.ID, c.Page), MeterOwn, by.Addr); err != nil {
		return Own{}, err
	}
	return s.amendOwn(ctx, site, c.ID, func(c Comment) (*Step, error) {
		if c.Marks.Has(Withdrawn) {
			return nil, nil
		}
		if err := mayEdit(site, c, s.cfg.Now()); err != nil {
			return nil, err
		}
		c.Status, c.Public, c.Reports = Trashed, nil, 0
		c.Marks = c.Marks&^Appealed | Withdrawn
		return &Step{Comment: c, Kind: KindWithdrawn}, nil
	})
}

// Appeal asks the moderators to look again at a rejection, once, with a sentence. Errors:
// *InvalidError on "text", ErrNotYours, ErrNoAppeal, ErrNotFound, *LimitedError.
func (s *Service) Appeal(ctx context.Context, site Site, rawID string, by Proof, sentence string) (Own, error) {
	if !utf8.ValidString(sentence) {
		return Own{}, fmt.Errorf("not UTF-8: %w", ErrMalformed)
	}
	c, err := s.proven(ctx, site, rawID, by)
	if err != nil {
		return Own{}, err
	}
	text, bad := textRule{"text", true, false, AppealMost, SentenceBytes}.check(sentence)
	if bad != nil {
		return Own{}, &InvalidError{Fields: []FieldError{*bad}}
	}
	if err := s.Limit(site, PageHash(site.ID, c.Page), MeterOwn, by.Addr); err != nil {
		return Own{}, err
	}
	detail := &Detail{Salt: make([]byte, 16), Note: text}
	rand.Read(detail.Salt) // never fails, see crypto/rand
	return s.amendOwn(ctx, site, c.ID, func(c Comment) (*Step, error) {
		if c.Status != Rejected || c.Marks.Has(Appealed) || c.Marks.Has(Heard) {
			return nil, ErrNoAppeal
		}
		c.Marks |= Appealed
		return &Step{Comment: c, Kind: KindAppealed, Detail: detail}, nil
	})
}

func (s *Service) amendOwn(ctx context.Context, site Site, id ID, change func(Comment) (*Step, error)) (Own, error) {
	done, err := s.cfg.Store.Amend(ctx, []Amendment{{ID: id, Actor: ActorReader, Decide: func(c Comment, _ Transition) (*Step, error) {
		return change(c)
	}}})
	if err != nil {
		return Own{}, err
	}
	if done[0].Err != nil {
		return Own{}, done[0].Err
	}
	return s.own(ctx, site, done[0].Comment)
}
