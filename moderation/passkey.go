package moderation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"duyet/comments"
)

// Limits of passkeys.
const (
	PasskeysMost     = 20 // of one person
	PasskeyNameBytes = 100
	ceremonyFor      = 5 * time.Minute
)

// ErrNoPasskey refuses a passkey that is nobody's, or an answer that doesn't fit.
var ErrNoPasskey = fmt.Errorf("passkey: %w", comments.ErrUnauthenticated)

// Passkeys is how passkeys are made and read; the package passkey implements it. origin is
// where the browser sees the desk.
type Passkeys interface {
	// Register asks a person's browser for a new passkey, unlike those they have. options is
	// for navigator.credentials, in JSON; state is what Registered needs again.
	Register(origin *url.URL, m Moderator, have []Passkey) (options any, state []byte, err error)
	// Registered reads the browser's answer: a passkey without name and times, or ErrNoPasskey.
	Registered(origin *url.URL, m Moderator, have []Passkey, state, answer []byte) (Passkey, error)
	// Ask asks a browser for any passkey.
	Ask(origin *url.URL) (options any, state []byte, err error)
	// Asked reads the browser's answer: the passkey used, with its new state, or
	// ErrNoPasskey. find is whose it says to be, with the passkeys of theirs.
	Asked(origin *url.URL, state, answer []byte, find func(id string) (Moderator, []Passkey, error)) (Passkey, error)
}

// Ceremony is the beginning of making or using a passkey: what the browser is asked, and
// the key under which its answer is awaited.
type Ceremony struct {
	Key     string
	Options any // for navigator.credentials, in JSON
}

// ceremony is what is kept while a browser is asked.
type ceremony struct {
	Moderator string          `json:"moderator"` // "" when signing in
	State     json.RawMessage `json:"state"`
}

// BeginPasskey asks the person's browser to make a passkey for the desk at origin. Errors:
// InvalidError on "password", or on "name" with too many.
func (s *Service) BeginPasskey(ctx context.Context, who Moderator, origin *url.URL, password string, from From) (Ceremony, error) {
	k, err := s.keys(ctx, who.ID)
	if err != nil {
		return Ceremony{}, err
	}
	if len(k.Passkeys) >= PasskeysMost {
		return Ceremony{}, comments.Invalid("name", CodeTooMany)
	}
	if err := s.confirm(ctx, who, password, from); err != nil {
		return Ceremony{}, err
	}
	options, state, err := s.cfg.Passkeys.Register(origin, who, k.Passkeys)
	if err != nil {
		return Ceremony{}, err
	}
	return s.await(ctx, ceremony{who.ID, state}, options)
}

// FinishPasskey keeps the passkey that the browser made. Errors: ErrNoPasskey for an answer
// that doesn't fit, InvalidError on "name".
func (s *Service) FinishPasskey(ctx context.Context, who Moderator, origin *url.URL, key, name string, answer []byte) error {
	if name = comments.Clean(name); name == "" || len(name) > PasskeyNameBytes {
		code := comments.CodeRequired
		if name != "" {
			code = comments.CodeTooLong
		}
		return comments.Invalid("name", code)
	}
	c, err := s.awaited(ctx, key)
	if err != nil {
		return err
	}
	if c.Moderator != who.ID {
		return ErrNoPasskey
	}
	k, err := s.keys(ctx, who.ID)
	if err != nil {
		return err
	}
	made, err := s.cfg.Passkeys.Registered(origin, who, k.Passkeys, c.State, answer)
	if err != nil {
		return err
	}
	made.Name, made.AddedAt = name, s.cfg.Now().UTC()
	return amendDocument(ctx, s, keysKind, who.ID, who.ID, KindPasskeyAdded, func(k *Keys, _ *comments.Kind) error {
		if len(k.Passkeys) >= PasskeysMost {
			return comments.Invalid("name", CodeTooMany)
		}
		k.Passkeys = append(k.Passkeys, made)
		return nil
	})
}

// BeginPasskeySignIn asks a browser for any passkey of the desk at origin.
func (s *Service) BeginPasskeySignIn(ctx context.Context, origin *url.URL, from From) (Ceremony, error) {
	if err := s.allow("", from); err != nil {
		return Ceremony{}, err
	}
	options, state, err := s.cfg.Passkeys.Ask(origin)
	if err != nil {
		return Ceremony{}, err
	}
	return s.await(ctx, ceremony{State: state}, options)
}

// PasskeySignIn signs in by a browser's answer. The device has verified its user, so there
// is no second step. Errors: ErrNoPasskey, *comments.LimitedError.
func (s *Service) PasskeySignIn(ctx context.Context, origin *url.URL, key string, answer []byte, from From) (Moderator, error) {
	if err := s.allow("", from); err != nil {
		return Moderator{}, err
	}
	m, used, err := s.passkeyHolder(ctx, origin, key, answer)
	if errors.Is(err, ErrNoPasskey) {
		s.failed("", from)
		return Moderator{}, errors.Join(err, s.cfg.Store.SignedIn(ctx, m.ID, KindSignInFailed))
	}
	if err != nil {
		return Moderator{}, err
	}
	err = amendDocument(ctx, s, keysKind, m.ID, m.ID, "", func(k *Keys, _ *comments.Kind) error {
		i := slices.IndexFunc(k.Passkeys, func(p Passkey) bool { return bytes.Equal(p.ID, used.ID) })
		if i < 0 {
			return ErrNoPasskey
		}
		k.Passkeys[i].Credential, k.Passkeys[i].UsedAt = used.Credential, s.cfg.Now().UTC()
		return nil
	})
	if err != nil {
		return Moderator{}, err
	}
	return m, s.cfg.Store.SignedIn(ctx, m.ID, KindSignedIn)
}

func (s *Service) passkeyHolder(ctx context.Context, origin *url.URL, key string, answer []byte) (m Moderator, used Passkey, err error) {
	c, err := s.awaited(ctx, key)
	if err != nil {
		return m, used, err
	}
	if c.Moderator != "" {
		return m, used, ErrNoPasskey
	}
	var unreadable error // a fault of the store is no wrong passkey
	used, err = s.cfg.Passkeys.Asked(origin, c.State, answer, func(id string) (Moderator, []Passkey, error) {
		holder, err := s.Resume(ctx, id, s.cfg.Now())
		if err != nil {
			if !errors.Is(err, comments.ErrUnauthenticated) {
				unreadable = err
			}
			return Moderator{}, nil, err
		}
		k, err := s.keys(ctx, id)
		if err != nil {
			unreadable = err
			return Moderator{}, nil, err
		}
		m = holder
		return m, k.Passkeys, nil
	})
	if unreadable != nil {
		err = unreadable
	}
	return m, used, err
}

// await keeps a ceremony until its answer comes, at most ceremonyFor.
func (s *Service) await(ctx context.Context, c ceremony, options any) (Ceremony, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return Ceremony{}, err
	}
	key := newSecret("")
	return Ceremony{key, options}, s.cfg.Store.PutSession(ctx, ceremonyHash(key), data, s.cfg.Now().Add(ceremonyFor))
}

// awaited is the ceremony of a key, which answers once.
func (s *Service) awaited(ctx context.Context, key string) (c ceremony, err error) {
	h := ceremonyHash(key)
	data, err := s.cfg.Store.Session(ctx, h, s.cfg.Now())
	if errors.Is(err, comments.ErrNotFound) {
		return c, ErrNoPasskey
	}
	if err != nil {
		return c, err
	}
	if err := s.cfg.Store.RemoveSession(ctx, h); err != nil {
		return c, err
	}
	if json.Unmarshal(data, &c) != nil {
		return c, ErrNoPasskey
	}
	return c, nil
}

// ceremonyHash is not the hash of any session's key.
func ceremonyHash(key string) Hash { return HashOf("passkey\x00" + key) }
