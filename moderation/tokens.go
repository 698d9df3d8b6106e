package moderation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"duyet/comments"
)

// Limits of tokens.
const (
	TokenNameBytes = 100
	TokensMost     = 50 // of one person
	TokenForMost   = 5 * 366 * 24 * time.Hour
)

// tokenPrefix lets scanners of leaked secrets know ours.
const tokenPrefix = "duyet_"

// NewToken makes an API token for a moderator on an operator's word: with all that the
// person may, and no end. It is shown once; the store keeps its hash. A disabled moderator
// gets none: ErrForbidden.
func (s *Service) NewToken(ctx context.Context, email, actor string) (secret string, err error) {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return "", err
	}
	if m.Disabled {
		return "", fmt.Errorf("%s is disabled: %w", m.Email, comments.ErrForbidden)
	}
	secret = newSecret(tokenPrefix)
	return secret, s.cfg.Store.AddToken(ctx, Token{Hash: HashOf(secret), Moderator: m.ID, CreatedAt: s.cfg.Now().UTC()}, actor)
}

// TokenWish is a token that a person wants for themselves.
type TokenWish struct {
	Name   string
	Scopes []Permission  // none = everything the person may
	For    time.Duration // 0 = no end
}

// NewOwnToken makes a token for the person, which is shown once. A token can't make others.
// Errors: InvalidError on "name", "scopes", "for".
func (s *Service) NewOwnToken(ctx context.Context, who Moderator, w TokenWish) (secret string, t Token, err error) {
	w.Name = comments.Clean(w.Name)
	var wrong []comments.FieldError
	if w.Name == "" {
		wrong = append(wrong, comments.FieldError{Field: "name", Code: comments.CodeRequired})
	} else if len(w.Name) > TokenNameBytes {
		wrong = append(wrong, comments.FieldError{Field: "name", Code: comments.CodeTooLong})
	}
	for _, p := range w.Scopes {
		if !who.Role.May(p) {
			wrong = append(wrong, comments.FieldError{Field: "scopes", Code: CodeUnknownScope})
			break
		}
	}
	if w.For < 0 || w.For > TokenForMost {
		wrong = append(wrong, comments.FieldError{Field: "for", Code: comments.CodeTooLong})
	}
	if len(wrong) > 0 {
		return "", Token{}, &comments.InvalidError{Fields: wrong}
	}
	have, err := s.cfg.Store.Tokens(ctx, who.ID)
	if err != nil {
		return "", Token{}, err
	}
	if len(have) >= TokensMost {
		return "", Token{}, comments.Invalid("name", CodeTooMany)
	}
	secret = newSecret(tokenPrefix)
	now := s.cfg.Now().UTC()
	t = Token{Hash: HashOf(secret), Moderator: who.ID, Name: w.Name, Scopes: w.Scopes, CreatedAt: now}
	if w.For > 0 {
		t.Expires = now.Add(w.For)
	}
	return secret, t, s.cfg.Store.AddToken(ctx, t, who.ID)
}

// Codes of field errors of tokens.
const (
	CodeUnknownScope = "unknown_scope"
	CodeTooMany      = "too_many"
)

// RemoveToken takes one of the person's own tokens back, by its Token.ID.
func (s *Service) RemoveToken(ctx context.Context, who Moderator, id string) error {
	list, err := s.cfg.Store.Tokens(ctx, who.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t Token) bool { return t.ID() == id })
	if i < 0 {
		return fmt.Errorf("token: %w", comments.ErrNotFound)
	}
	return s.cfg.Store.RemoveToken(ctx, list[i].Hash, who.ID)
}

// Bearer is the moderator of an API token, narrowed to the token's scopes, or
// ErrUnauthenticated.
func (s *Service) Bearer(ctx context.Context, secret string) (Moderator, error) {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return Moderator{}, comments.ErrUnauthenticated
	}
	t, err := s.cfg.Store.Token(ctx, HashOf(secret))
	if errors.Is(err, comments.ErrNotFound) {
		return Moderator{}, comments.ErrUnauthenticated
	}
	if err != nil {
		return Moderator{}, err
	}
	if !t.Expires.IsZero() && !s.cfg.Now().Before(t.Expires) {
		return Moderator{}, fmt.Errorf("token expired: %w", comments.ErrUnauthenticated)
	}
	m, err := s.Resume(ctx, t.Moderator, t.CreatedAt)
	m.Scopes = t.Scopes
	return m, err
}
