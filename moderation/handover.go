package moderation

import (
	"context"
	"errors"
	"time"

	"duyet/comments"
)

// HandOver is what those who leave the desk of a site tell those who come.
type HandOver struct {
	Text    string
	By      string // a moderator's id
	At      time.Time
	Version uint64 // 0 = nobody has written one yet
}

// The document that holds a site's note, and the event of its change.
const (
	handOverKind = "handover"
	handOverID   = "note"
	// HandOverBytes is the most that a note may hold.
	HandOverBytes = 2 << 10
	// KindHandOver is the event of a note that was written.
	KindHandOver comments.Kind = "handover.changed"
)

// HandOver is a site's note.
func (s *Service) HandOver(ctx context.Context, who Moderator, site string) (HandOver, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return HandOver{}, err
	}
	return s.handOver(ctx, site)
}

func (s *Service) handOver(ctx context.Context, site string) (HandOver, error) {
	d, err := s.cfg.Store.Document(ctx, site, handOverKind, handOverID)
	if errors.Is(err, comments.ErrNotFound) {
		return HandOver{}, nil
	}
	return HandOver{Text: string(d.Data), By: d.By, At: d.At, Version: d.Version}, err
}

// WriteHandOver puts a note in place of the one seen at a version. What somebody else has
// written meanwhile stays above it. Errors: comments.ErrForbidden for who may not decide, an
// InvalidError for too much text, comments.ErrVersion when two write at the very moment.
func (s *Service) WriteHandOver(ctx context.Context, who Moderator, site, text string, seen uint64) error {
	if err := s.allowed(ctx, who, Decide, site); err != nil {
		return err
	}
	stands, err := s.handOver(ctx, site)
	if err != nil {
		return err
	}
	text = comments.Clean(text)
	if stands.Version != seen && stands.Text != "" && stands.Text != text {
		text = stands.Text + "\n\n" + text
	}
	switch {
	case len(text) > HandOverBytes:
		return comments.Invalid("note", comments.CodeTooLong)
	case !printable(text):
		return comments.Invalid("note", comments.CodeControl)
	case text == stands.Text:
		return nil
	}
	_, err = s.cfg.Store.PutDocument(ctx, Document{
		Site: site, Kind: handOverKind, ID: handOverID, Version: stands.Version, Data: []byte(text), By: who.ID,
	}, KindHandOver)
	return err
}
