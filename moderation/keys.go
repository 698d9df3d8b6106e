package moderation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"duyet/comments"
)

// keysKind is the kind of the documents, under comments.Installation and by the moderator's
// id, that hold Keys.
const keysKind = "keys"

// Keys are what a person proves who they are with beside a password: the second step of
// signing in, and passkeys, which take the place of both.
type Keys struct {
	TOTP     *TOTP     `json:"totp,omitempty"`
	Recovery []Hash    `json:"recovery,omitempty"` // of codes not used yet
	Passkeys []Passkey `json:"passkeys,omitempty"`
}

// TOTP is a shared secret of time-based codes (RFC 6238: SHA-1, six digits, 30 s, which is
// what every authenticator app reads).
type TOTP struct {
	Sealed   []byte    `json:"sealed"` // the secret, under a key derived from the installation's
	AddedAt  time.Time `json:"added_at"`
	LastStep int64     `json:"last_step"` // of the last code taken: none is taken twice
}

// Passkey is a credential that stays in the person's device.
type Passkey struct {
	ID         []byte          `json:"id"`
	Name       string          `json:"name"`
	AddedAt    time.Time       `json:"added_at"`
	UsedAt     time.Time       `json:"used_at,omitzero"`
	Credential json.RawMessage `json:"credential"` // public key, counter …, as Passkeys made it
}

// Kinds of events about how people sign in, under comments.Installation; Subject names the
// document of their keys or sessions, which ends in the moderator's id.
const (
	KindTOTPAdded       comments.Kind = "totp.added"
	KindTOTPRemoved     comments.Kind = "totp.removed"
	KindRecoveryRenewed comments.Kind = "recovery.renewed"
	KindRecoveryUsed    comments.Kind = "recovery.used"
	KindPasskeyAdded    comments.Kind = "passkey.added"
	KindPasskeyRemoved  comments.Kind = "passkey.removed"
	KindKeysRemoved     comments.Kind = "keys.removed" // all of a person's
	KindSessionRevoked  comments.Kind = "session.revoked"
	KindSignedOutAll    comments.Kind = "session.signed_out_everywhere"
)

// casMost is how often a change is tried again when somebody else was faster.
const casMost = 10

// amendDocument changes what a document holds by compare-and-set, from its zero value when
// there is none yet. change may be called again; an error of its ends the whole. With kind "" there is
// no event; change may name another by setting *kind.
func amendDocument[T any](ctx context.Context, s *Service, kind, id, by string, event comments.Kind, change func(v *T, event *comments.Kind) error) error {
	for range casMost {
		d, v, err := readDocument[T](ctx, s, kind, id)
		if err != nil {
			return err
		}
		e := event
		if err := change(&v, &e); err != nil {
			return err
		}
		if d.Data, err = json.Marshal(v); err != nil {
			return fmt.Errorf("%s: %w", d.Subject(), err)
		}
		d.By = by
		_, err = s.cfg.Store.PutDocument(ctx, d, e)
		if !errors.Is(err, comments.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("%s/%s changes all the time: %w", kind, id, comments.ErrUnavailable)
}

// readDocument is what a document of the installation holds; T's zero value, at version 0,
// when there is none.
func readDocument[T any](ctx context.Context, s *Service, kind, id string) (d Document, v T, err error) {
	d, err = s.cfg.Store.Document(ctx, comments.Installation, kind, id)
	if errors.Is(err, comments.ErrNotFound) {
		return Document{Site: comments.Installation, Kind: kind, ID: id}, v, nil
	}
	if err == nil {
		if json.Unmarshal(d.Data, &v) != nil {
			err = fmt.Errorf("%s: %w", d.Subject(), comments.ErrDamaged)
		}
	}
	return d, v, err
}

// dropDocument removes a document of the installation, if it is there.
func (s *Service) dropDocument(ctx context.Context, kind, id, by string, event comments.Kind) error {
	for range casMost {
		d, err := s.cfg.Store.Document(ctx, comments.Installation, kind, id)
		if errors.Is(err, comments.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		d.By = by
		err = s.cfg.Store.RemoveDocument(ctx, d, event)
		if !errors.Is(err, comments.ErrVersion) {
			return err
		}
	}
	return fmt.Errorf("%s/%s changes all the time: %w", kind, id, comments.ErrUnavailable)
}

func (s *Service) keys(ctx context.Context, id string) (Keys, error) {
	_, k, err := readDocument[Keys](ctx, s, keysKind, id)
	return k, err
}

// Second reports whether signing in by password or link takes a second step.
func (k Keys) Second() bool { return k.TOTP != nil }

// Account is how one person signs in, as they may see it themselves.
type Account struct {
	Moderator
	Keys
	Sessions []SessionInfo
	Tokens   []Token
}

// Account is the person's own.
func (s *Service) Account(ctx context.Context, who Moderator) (a Account, err error) {
	a.Moderator = who
	if a.Keys, err = s.keys(ctx, who.ID); err != nil {
		return Account{}, err
	}
	if a.Sessions, err = s.sessionsOf(ctx, who.ID); err != nil {
		return Account{}, err
	}
	a.Tokens, err = s.cfg.Store.Tokens(ctx, who.ID)
	return a, err
}

// confirm asks for the person's password before something that would let a stranger at an
// open desk stay in for good. Who has none (they sign in by link or passkey) is not asked.
func (s *Service) confirm(ctx context.Context, who Moderator, password string, from From) error {
	if who.PasswordHash == "" {
		return nil
	}
	if err := s.allow(who.Email, from); err != nil {
		return err
	}
	ok, err := s.tryPassword(ctx, who, password, from)
	if err == nil && !ok {
		err = comments.Invalid("password", CodeWrongPassword)
	}
	return err
}

// CodeWrongPassword is the field error of a password that is not the person's.
const CodeWrongPassword = "wrong_password"

// RemoveTOTP ends the second step of the person's own sign-in.
func (s *Service) RemoveTOTP(ctx context.Context, who Moderator, password string, from From) error {
	if err := s.confirm(ctx, who, password, from); err != nil {
		return err
	}
	return amendDocument(ctx, s, keysKind, who.ID, who.ID, KindTOTPRemoved, func(k *Keys, _ *comments.Kind) error {
		if k.TOTP == nil {
			return comments.ErrNotFound
		}
		k.TOTP, k.Recovery = nil, nil
		return nil
	})
}

// RemovePasskey removes one of the person's own by its ID.
func (s *Service) RemovePasskey(ctx context.Context, who Moderator, id []byte) error {
	return amendDocument(ctx, s, keysKind, who.ID, who.ID, KindPasskeyRemoved, func(k *Keys, _ *comments.Kind) error {
		before := len(k.Passkeys)
		k.Passkeys = slices.DeleteFunc(k.Passkeys, func(p Passkey) bool { return bytes.Equal(p.ID, id) })
		if len(k.Passkeys) == before {
			return comments.ErrNotFound
		}
		return nil
	})
}
