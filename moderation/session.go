package moderation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"duyet/comments"
)

// How long secrets are good for.
const (
	LinkFor    = 24 * time.Hour
	SessionFor = 12 * time.Hour
)

// PasswordLeast and PasswordMost bound a password's length in bytes.
const (
	PasswordLeast = 10
	PasswordMost  = 1 << 10
)

// HashOf is how a secret text is known to the store.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// newSecret is 256 random bits as text.
func newSecret(prefix string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// nobody's hash is compared when there is no such account, so that the time taken does
// not tell.
const nobodysHash = "$argon2id$v=19$m=65536,t=1,p=2$ZHV5ZXQtbm9ib2R5LTE2Yg$gg7qMtkCSFWGB2GXbtEfEGJGZ4FZzZLZ3fIGLwQEVZ0"

// SignIn checks an e-mail and a password. Errors: ErrBadSignIn, which does not tell which
// of the two was wrong, or a *comments.LimitedError after too many failures.
func (s *Service) SignIn(ctx context.Context, email, password string, addr netip.Addr) (Moderator, error) {
	email, _ = CanonicalEmail(email)
	if err := s.cfg.Throttle.Allow(email, addr); err != nil {
		return Moderator{}, err
	}
	m, err := s.cfg.Store.ModeratorByEmail(ctx, email)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return Moderator{}, err
	}
	hash := m.PasswordHash
	if hash == "" {
		hash = nobodysHash
	}
	match, err := s.comparePassword(ctx, password, hash)
	if err != nil {
		return Moderator{}, err
	}
	if !match || m.PasswordHash == "" || m.Disabled {
		s.cfg.Throttle.Failed(email, addr)
		if m.ID != "" {
			if err := s.cfg.Store.SignedIn(ctx, m.ID, KindSignInFailed); err != nil {
				return Moderator{}, err
			}
		}
		return Moderator{}, ErrBadSignIn
	}
	return m, s.cfg.Store.SignedIn(ctx, m.ID, KindSignedIn)
}

func (s *Service) comparePassword(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > PasswordMost {
		return false, nil
	}
	select {
	case s.hashes <- struct{}{}:
		defer func() { <-s.hashes }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return argon2id.ComparePasswordAndHash(password, hash)
}

// HashPassword is the argon2id hash of a new password. A password shorter than
// PasswordLeast or longer than PasswordMost is an InvalidError.
func (s *Service) HashPassword(password string) (string, error) {
	if len(password) < PasswordLeast {
		return "", comments.Invalid("password", CodeTooShort)
	}
	if len(password) > PasswordMost {
		return "", comments.Invalid("password", comments.CodeTooLong)
	}
	s.hashes <- struct{}{}
	defer func() { <-s.hashes }()
	return argon2id.CreateHash(password, argon2id.DefaultParams)
}

// CodeTooShort is the field error of a password below PasswordLeast.
const CodeTooShort = "too_short"

// NewLink makes a one-time sign-in link's secret, good for LinkFor.
func (s *Service) NewLink(ctx context.Context, email string) (secret string, err error) {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return "", err
	}
	if m.Disabled {
		return "", fmt.Errorf("%s is disabled: %w", m.Email, comments.ErrForbidden)
	}
	secret = newSecret("")
	return secret, s.cfg.Store.AddLink(ctx, Link{Hash: HashOf(secret), Moderator: m.ID, Expires: s.cfg.Now().Add(LinkFor)})
}

// LinkStands reports whether a link could still sign somebody in, without using it.
func (s *Service) LinkStands(ctx context.Context, secret string) error {
	l, err := s.cfg.Store.Link(ctx, HashOf(secret))
	if errors.Is(err, comments.ErrNotFound) || err == nil && !s.cfg.Now().Before(l.Expires) {
		return ErrLinkSpent
	}
	return err
}

// UseLink signs in by a one-time link. A link used or expired is ErrLinkSpent.
func (s *Service) UseLink(ctx context.Context, secret string) (Moderator, error) {
	l, err := s.cfg.Store.SpendLink(ctx, HashOf(secret))
	if errors.Is(err, comments.ErrNotFound) || err == nil && !s.cfg.Now().Before(l.Expires) {
		return Moderator{}, ErrLinkSpent
	}
	if err != nil {
		return Moderator{}, err
	}
	m, err := s.cfg.Store.Moderator(ctx, l.Moderator)
	if errors.Is(err, comments.ErrNotFound) || err == nil && m.Disabled {
		return Moderator{}, ErrLinkSpent
	}
	if err != nil {
		return Moderator{}, err
	}
	return m, s.cfg.Store.SignedIn(ctx, m.ID, KindSignedIn)
}

// SignOut tells the journal.
func (s *Service) SignOut(ctx context.Context, m Moderator) error {
	return s.cfg.Store.SignedIn(ctx, m.ID, KindSignedOut)
}

// Resume is the moderator of a session that began at since, or ErrUnauthenticated when
// that person may no longer sign in or has signed out everywhere.
func (s *Service) Resume(ctx context.Context, id string, since time.Time) (Moderator, error) {
	m, err := s.cfg.Store.Moderator(ctx, id)
	if errors.Is(err, comments.ErrNotFound) || err == nil && (m.Disabled || since.Before(m.SignedOutAt)) {
		return Moderator{}, comments.ErrUnauthenticated
	}
	return m, err
}

// NewToken makes an API token for a moderator. It is shown once; the store keeps its hash.
func (s *Service) NewToken(ctx context.Context, email, actor string) (secret string, err error) {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return "", err
	}
	secret = newSecret("duyet_")
	return secret, s.cfg.Store.AddToken(ctx, Token{Hash: HashOf(secret), Moderator: m.ID, CreatedAt: s.cfg.Now().UTC()}, actor)
}

// Bearer is the moderator of an API token, or ErrUnauthenticated.
func (s *Service) Bearer(ctx context.Context, secret string) (Moderator, error) {
	if !strings.HasPrefix(secret, "duyet_") {
		return Moderator{}, comments.ErrUnauthenticated
	}
	t, err := s.cfg.Store.Token(ctx, HashOf(secret))
	if errors.Is(err, comments.ErrNotFound) {
		return Moderator{}, comments.ErrUnauthenticated
	}
	if err != nil {
		return Moderator{}, err
	}
	return s.Resume(ctx, t.Moderator, t.CreatedAt)
}
