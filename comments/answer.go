package comments

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// AnswerFor is how long a form for an answer of the newsroom may be sent.
const AnswerFor = 24 * time.Hour

// Answer is what the newsroom writes below a reader's comment.
type Answer struct {
	Parent  ID
	Content string
	Lang    string
	Actor   string // the moderator who writes it

	// Once is a random name of the form, and Until its end: a form that is sent twice makes
	// one answer.
	Once  TicketID
	Until time.Time
}

// Answer publishes an answer under the newsroom's name and with its badge. It needs no code,
// and no check holds it. Errors: ErrNotFound for a parent that readers don't see,
// *InvalidError on "content", ErrTicketSpent for a form that was sent with other words,
// ErrTicketExpired, ErrUnavailable.
func (s *Service) Answer(ctx context.Context, a Answer) (Comment, error) {
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	if a.Once == (TicketID{}) || !now.Before(a.Until) || a.Until.After(now.Add(AnswerFor)) {
		return Comment{}, ErrTicketExpired
	}
	site, err := s.Site(ctx, a.Parent.Site())
	if err != nil {
		return Comment{}, err
	}
	content, bad := textRule{"content", true, false, 2 * site.Settings.ContentMax, ContentBytes}.check(a.Content)
	if bad != nil {
		return Comment{}, &InvalidError{Fields: []FieldError{*bad}}
	}
	parent, err := s.cfg.Store.Comment(ctx, a.Parent)
	if err != nil {
		return Comment{}, err
	}
	if !parent.Standing() {
		return Comment{}, fmt.Errorf("what is answered is not public: %w", ErrNotFound)
	}
	page, err := s.cfg.Store.Page(ctx, site.ID, parent.Page)
	if err != nil {
		return Comment{}, err
	}
	id, err := NewID(site.ID)
	if err != nil {
		return Comment{}, err
	}
	stored, _, err := s.cfg.Store.Create(ctx, Creation{
		Comment: Comment{
			ID: id, Site: site.ID, Page: page.Key, Parent: parent.ID, Name: site.Voice(), Content: content, Lang: a.Lang,
			Status: Approved, CreatedAt: now, Marks: Newsroom,
		},
		Page: page, Actor: a.Actor,
		Ticket: Spend{ID: a.Once, Expires: a.Until, Words: sha256.Sum256([]byte(string(a.Parent) + "\x00" + content))},
	})
	if errors.Is(err, ErrTicketSpent) {
		return Comment{}, fmt.Errorf("this form: %w", err)
	}
	return stored, err
}

// CheckWords is the words as they are stored, by the site's rules, for who corrects a
// comment; or an *InvalidError.
func (s *Service) CheckWords(site Site, typed Words) (Words, error) {
	w, wrong := checkWords(site.Settings, typed)
	if len(wrong) > 0 {
		return Words{}, &InvalidError{Fields: wrong}
	}
	return w, nil
}
