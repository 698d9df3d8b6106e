package moderation

import (
	"context"
	"errors"
	"time"

	"duyet/comments"
)

// AuthorLatest is how many of an author's comments stand beside a comment.
const AuthorLatest = 5

// Writings are what one author or network has written beside the comment at hand.
type Writings struct {
	Known  bool // otherwise there is nothing to go by
	Counts comments.Counts
	Latest []comments.Comment
}

// AuthorHistory is what is known of who wrote a comment. The two are kept apart: a key is one
// browser's, while behind one network there may be a whole office or a telephone company.
type AuthorHistory struct {
	Key     Writings
	Network Writings
	Until   time.Time // when the network is forgotten
	Gone    bool      // it was, or never known
}

// Author is what is known of who wrote a comment.
func (s *Service) Author(ctx context.Context, who Moderator, c comments.Comment) (AuthorHistory, error) {
	var h AuthorHistory
	if err := s.allowed(ctx, who, See, c.Site); err != nil {
		return h, err
	}
	var err error
	if !c.Author.IsZero() {
		if h.Key, err = s.writings(ctx, comments.Wrote{Site: c.Site, Author: c.Author}, c.ID); err != nil {
			return h, err
		}
	}
	origin, err := s.cfg.Pages.Origin(ctx, c.ID)
	if errors.Is(err, comments.ErrNotFound) {
		h.Gone = true
		return h, nil
	}
	if err != nil {
		return h, err
	}
	h.Until = origin.Expires
	h.Network, err = s.writings(ctx, comments.Wrote{Site: c.Site, Addr: origin.Addr}, c.ID)
	return h, err
}

func (s *Service) writings(ctx context.Context, by comments.Wrote, beside comments.ID) (w Writings, err error) {
	w.Known = true
	if w.Counts, err = s.cfg.Pages.WrittenCounts(ctx, by); err != nil {
		return w, err
	}
	list, err := s.cfg.Pages.Written(ctx, by, "", AuthorLatest+1)
	for _, c := range list {
		if c.ID != beside && len(w.Latest) < AuthorLatest {
			w.Latest = append(w.Latest, c)
		}
	}
	return w, err
}

// WrittenBy is a page of all that the author of a comment has written, or with network what
// came from where that comment came from; newest first. Without anything to go by it is
// ErrNotFound.
func (s *Service) WrittenBy(ctx context.Context, who Moderator, rawID string, network bool, after string) (items []Item, next string, err error) {
	v, err := s.Comment(ctx, who, rawID)
	if err != nil {
		return nil, "", err
	}
	by := comments.Wrote{Site: v.Site, Author: v.Comment.Author}
	if network {
		origin, err := s.cfg.Pages.Origin(ctx, v.ID)
		if err != nil {
			return nil, "", err
		}
		by = comments.Wrote{Site: v.Site, Addr: origin.Addr}
	} else if by.Author.IsZero() {
		return nil, "", comments.ErrNotFound
	}
	from, err := comments.ParseCursor(v.Site, after)
	if err != nil {
		return nil, "", err
	}
	list, err := s.cfg.Pages.Written(ctx, by, from, PageDefault+1)
	if err != nil {
		return nil, "", err
	}
	if len(list) > PageDefault {
		list = list[:PageDefault]
		next = comments.Cursor(list[PageDefault-1].ID)
	}
	items, err = s.withPages(ctx, list)
	return items, next, err
}

// Thread is the comments around one: those it answers, from the top; and what answers it and
// what stands beside it, oldest first.
type Thread struct {
	Above  []comments.Comment
	Beside []comments.Comment // answers to the same comment, of those that stand
	Below  []comments.Comment // answers to it, of those that stand
}

// ThreadMost bounds what is shown around a comment, and aboveMost how far up.
const (
	ThreadMost = 20
	aboveMost  = 10
	threadLook = 1000
)

// Around is the comments around one that has been read.
func (s *Service) Around(ctx context.Context, who Moderator, c comments.Comment) (Thread, error) {
	var t Thread
	if err := s.allowed(ctx, who, See, c.Site); err != nil {
		return t, err
	}
	for id := c.Parent; id != "" && len(t.Above) < aboveMost; {
		above, err := s.cfg.Pages.Comment(ctx, id)
		if errors.Is(err, comments.ErrNotFound) {
			break
		}
		if err != nil {
			return t, err
		}
		t.Above = append([]comments.Comment{above}, t.Above...)
		id = above.Parent
	}
	// A thread's answers come after what they answer.
	from := c.Answered()
	if c.Parent == "" {
		from = ""
	}
	list, err := s.cfg.Pages.Thread(ctx, c.Site, c.Page, comments.Oldest, from, threadLook)
	if err != nil {
		return t, err
	}
	for _, other := range list {
		switch {
		case other.ID == c.ID:
		case other.Parent == c.ID && len(t.Below) < ThreadMost:
			t.Below = append(t.Below, other)
		case other.Parent == c.Parent && (c.Parent != "" || other.ID < c.ID):
			t.Beside = append(t.Beside, other)
			if len(t.Beside) > ThreadMost { // the ones nearest before it
				t.Beside = t.Beside[1:]
			}
		}
	}
	return t, nil
}

// Revisions are what stood before each change of a comment's words, oldest first.
func (s *Service) Revisions(ctx context.Context, who Moderator, id comments.ID) ([]comments.Revision, error) {
	if !who.May(See, id.Site()) {
		return nil, comments.ErrNotFound
	}
	return s.cfg.Pages.Revisions(ctx, id)
}
