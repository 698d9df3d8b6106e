package moderation

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"duyet/comments"
)

// ErrProvider says that the identity provider can't be asked, or answered what can't be
// believed.
var ErrProvider = fmt.Errorf("identity provider: %w", comments.ErrUnauthenticated)

// IdentityProvider asks another service who somebody is; the package oidc implements it.
type IdentityProvider interface {
	// Begin is the address to send a browser to, and what Finish needs again.
	Begin(ctx context.Context) (address string, a Asking, err error)
	// Finish is the verified e-mail address of whom the provider sent back with a code.
	// Errors: ErrProvider, ErrBadSignIn when there is no verified address.
	Finish(ctx context.Context, a Asking, code string) (email string, err error)
}

// Asking is what is kept while the provider is asked.
type Asking struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"` // where the person wanted to go
}

// askingFor is how long somebody may take at the provider.
const askingFor = 15 * time.Minute

// UseProvider lets people sign in by an identity provider. Call before serving.
func (s *Service) UseProvider(p IdentityProvider) { s.cfg.Provider = p }

// Provided reports whether people may sign in by an identity provider.
func (s *Service) Provided() bool { return s.cfg.Provider != nil }

// BeginProvider begins a sign-in by the identity provider: the address to go to, and the key
// under which the browser's return is awaited.
func (s *Service) BeginProvider(ctx context.Context, next string) (address, key string, err error) {
	if s.cfg.Provider == nil {
		return "", "", comments.ErrNotFound
	}
	address, a, err := s.cfg.Provider.Begin(ctx)
	if err != nil {
		return "", "", err
	}
	a.Next = next
	data, err := json.Marshal(a)
	if err != nil {
		return "", "", err
	}
	key = newSecret("")
	return address, key, s.cfg.Store.PutSession(ctx, askingHash(key), data, s.cfg.Now().Add(askingFor))
}

// ProviderSignIn signs in whom the identity provider sent back. Only who is a moderator
// already gets in: nobody is made one by signing in. A second step of their own stays.
// Errors: ErrProvider, ErrBadSignIn.
func (s *Service) ProviderSignIn(ctx context.Context, key, state, code string) (e Entry, next string, err error) {
	if s.cfg.Provider == nil {
		return Entry{}, "", comments.ErrNotFound
	}
	h := askingHash(key)
	data, err := s.cfg.Store.Session(ctx, h, s.cfg.Now())
	if errors.Is(err, comments.ErrNotFound) {
		return Entry{}, "", ErrProvider
	}
	if err != nil {
		return Entry{}, "", err
	}
	if err := s.cfg.Store.RemoveSession(ctx, h); err != nil { // one answer to one question
		return Entry{}, "", err
	}
	var a Asking
	if json.Unmarshal(data, &a) != nil || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return Entry{}, "", ErrProvider
	}
	address, err := s.cfg.Provider.Finish(ctx, a, code)
	if err != nil {
		return Entry{}, "", err
	}
	email, ok := CanonicalEmail(address)
	if !ok {
		return Entry{}, "", ErrBadSignIn
	}
	m, err := s.cfg.Store.ModeratorByEmail(ctx, email)
	if errors.Is(err, comments.ErrNotFound) || err == nil && m.Disabled {
		return Entry{}, "", errors.Join(ErrBadSignIn, s.cfg.Store.SignedIn(ctx, m.ID, KindSignInFailed))
	}
	if err != nil {
		return Entry{}, "", err
	}
	e, err = s.entered(ctx, m)
	return e, a.Next, err
}

func askingHash(key string) Hash { return HashOf("provider\x00" + key) }
