package screen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// card is what stands around something that people keep on a shelf, such as a ban.
type card struct {
	Site    string    `json:"-"`
	ID      string    `json:"-"`
	Version uint64    `json:"-"`
	At      time.Time `json:"-"` // of the last change
	By      string    `json:"-"` // whose it was
}

// shelf keeps cards of one kind, a document each. T is the card's struct, which holds a
// card that at finds.
type shelf[T any] struct {
	desk             Desk
	kind             string
	changed, removed comments.Kind
	most             int // of a site
	at               func(*T) *card
}

// read is what a document holds; comments.ErrDamaged when that is no card.
func (s shelf[T]) read(d moderation.Document) (T, error) {
	var v T
	if err := json.Unmarshal(d.Data, &v); err != nil {
		return v, fmt.Errorf("document %s of %s: %w", d.Subject(), d.Site, comments.ErrDamaged)
	}
	*s.at(&v) = card{d.Site, d.ID, d.Version, d.At, d.By}
	return v, nil
}

func (s shelf[T]) readAll(documents []moderation.Document) ([]T, error) {
	list := make([]T, len(documents))
	for i, d := range documents {
		var err error
		if list[i], err = s.read(d); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// all are those of a site, by id.
func (s shelf[T]) all(ctx context.Context, who moderation.Moderator, site string) ([]T, error) {
	if err := s.desk.Allowed(ctx, who, moderation.See, site); err != nil {
		return nil, err
	}
	documents, err := s.desk.Documents.Documents(ctx, site, s.kind)
	if err != nil {
		return nil, err
	}
	return s.readAll(documents)
}

// one is one of a site.
func (s shelf[T]) one(ctx context.Context, who moderation.Moderator, site, id string) (v T, err error) {
	if err := s.desk.Allowed(ctx, who, moderation.See, site); err != nil {
		return v, err
	}
	d, err := s.desk.Documents.Document(ctx, site, s.kind, id)
	if err != nil {
		return v, err
	}
	return s.read(d)
}

// put stores a card that is right if the one that stands is still at its version; without
// an id it is a new one.
func (s shelf[T]) put(ctx context.Context, who moderation.Moderator, v T) (T, error) {
	c := s.at(&v)
	if c.ID == "" {
		list, err := s.desk.Documents.Documents(ctx, c.Site, s.kind)
		if err != nil {
			return v, err
		}
		if len(list) >= s.most {
			return v, &comments.InvalidError{Fields: []comments.FieldError{{Field: s.kind, Code: comments.CodeTooLong, Max: s.most}}}
		}
		c.ID, c.Version = strings.ToLower(rand.Text()[:10]), 0
	}
	data, err := json.Marshal(v)
	if err != nil {
		return v, err
	}
	stored, err := s.desk.Documents.PutDocument(ctx, moderation.Document{
		Site: c.Site, Kind: s.kind, ID: c.ID, Version: c.Version, Data: data, By: who.ID,
	}, s.changed)
	c.Version, c.At, c.By = stored.Version, stored.At, who.ID
	return v, err
}

// remove removes a card at the version it was seen at.
func (s shelf[T]) remove(ctx context.Context, who moderation.Moderator, site, id string, version uint64) error {
	return s.desk.Documents.RemoveDocument(ctx, moderation.Document{Site: site, Kind: s.kind, ID: id, Version: version, By: who.ID}, s.removed)
}

// Effect is what a ban or a rule does to a comment. It never refuses.
type Effect string

// Effects.
const (
	EffectHold Effect = "hold"           // waits for a moderator, among the suspect
	EffectSpam Effect = "spam"           // lies with the spam at once, where it can be found
	EffectTwo  Effect = comments.CodeTwo // waits for two moderators
)

func (e Effect) level() comments.Level {
	if e == EffectSpam {
		return comments.LevelSpam
	}
	return comments.LevelHold
}
