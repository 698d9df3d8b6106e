package moderation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
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

// passwordParams are the cost of every password's hash, the same on every machine: 64 MiB,
// three passes and four lanes, the second choice of RFC 9106, section 4. A hash that was
// made at another cost still compares.
func passwordParams() *argon2id.Params {
	return &argon2id.Params{Memory: 64 << 10, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}
}

// nobodysHash is compared when there is no such account, so that the time taken does not
// tell. It is of no password that can be typed: its key is random.
const nobodysHash = "$argon2id$v=19$m=65536,t=3,p=4$ZHV5ZXQtbm9ib2R5LTE2Yg$gg7qMtkCSFWGB2GXbtEfEGJGZ4FZzZLZ3fIGLwQEVZ0"

// From is where somebody who signs in comes from.
type From struct {
	Addr netip.Addr
	// Device is what KnownDevice gave the browser when somebody signed in there before; ""
	// or anything else is a browser that nobody knows.
	Device string
}

// Entry is a person at the door: in, or with a second step to take.
type Entry struct {
	Moderator
	Second bool // Service.Second comes before anything else
}

// SignIn checks an e-mail and a password. Errors: ErrBadSignIn, which does not tell which
// of the two was wrong, or a *comments.LimitedError after too many failures.
func (s *Service) SignIn(ctx context.Context, email, password string, from From) (Entry, error) {
	email, _ = CanonicalEmail(email)
	if err := s.allow(email, from); err != nil {
		return Entry{}, err
	}
	m, err := s.cfg.Store.ModeratorByEmail(ctx, email)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return Entry{}, err
	}
	m.Email = email
	ok, err := s.tryPassword(ctx, m, password, from)
	if err != nil {
		return Entry{}, err
	}
	if ok {
		return s.entered(ctx, m)
	}
	// Written for an address that is nobody's too, since the time that takes would tell.
	if err := s.cfg.Store.SignedIn(ctx, m.ID, KindSignInFailed); err != nil {
		return Entry{}, err
	}
	return Entry{}, ErrBadSignIn
}

// entered is a person who has proved the first step. The journal hears of it when it was
// the only one.
func (s *Service) entered(ctx context.Context, m Moderator) (Entry, error) {
	k, err := s.keys(ctx, m.ID)
	if err != nil {
		return Entry{}, err
	}
	if k.Second() {
		return Entry{Moderator: m, Second: true}, nil
	}
	return Entry{Moderator: m}, s.cfg.Store.SignedIn(ctx, m.ID, KindSignedIn)
}

// tryPassword compares a password with a person's, or with nobody's, and counts a failure.
// Few compare at once, and each asks the throttle again when its turn comes, so that
// guesses sent all together are slowed down like guesses sent one by one.
func (s *Service) tryPassword(ctx context.Context, m Moderator, password string, from From) (bool, error) {
	select {
	case s.hashes <- struct{}{}:
		defer func() { <-s.hashes }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if err := s.allow(m.Email, from); err != nil {
		return false, err
	}
	hash := m.PasswordHash
	if hash == "" {
		hash = nobodysHash
	}
	match, err := false, error(nil)
	if len(password) <= PasswordMost {
		if match, err = argon2id.ComparePasswordAndHash(password, hash); err != nil {
			return false, fmt.Errorf("password of moderator %s: %w", m.ID, err)
		}
	}
	if match && m.PasswordHash != "" && !m.Disabled {
		return true, nil
	}
	s.failed(m.Email, from)
	return false, nil
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
	return argon2id.CreateHash(password, passwordParams())
}

// CodeTooShort is the field error of a password below PasswordLeast.
const CodeTooShort = "too_short"

// NewLink makes a one-time sign-in link's secret, good for LinkFor.
func (s *Service) NewLink(ctx context.Context, email string) (secret string, err error) {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return "", err
	}
	return s.newLink(ctx, m)
}

func (s *Service) newLink(ctx context.Context, m Moderator) (secret string, err error) {
	if m.Disabled {
		return "", fmt.Errorf("%s is disabled: %w", m.Email, comments.ErrForbidden)
	}
	secret = newSecret("")
	return secret, s.cfg.Store.AddLink(ctx, Link{Hash: HashOf(secret), Moderator: m.ID, Expires: s.cfg.Now().Add(LinkFor)})
}

// LinkStands is whom a link could still sign in and until when, without using it, or
// ErrLinkSpent.
func (s *Service) LinkStands(ctx context.Context, secret string) (Moderator, time.Time, error) {
	l, err := s.cfg.Store.Link(ctx, HashOf(secret))
	if err != nil {
		return Moderator{}, time.Time{}, spentIfAbsent(err)
	}
	m, err := s.linked(ctx, l)
	return m, l.Expires, err
}

// linked is the moderator a link signs in now.
func (s *Service) linked(ctx context.Context, l Link) (Moderator, error) {
	if !s.cfg.Now().Before(l.Expires) {
		return Moderator{}, ErrLinkSpent
	}
	m, err := s.cfg.Store.Moderator(ctx, l.Moderator)
	if err != nil {
		return Moderator{}, spentIfAbsent(err)
	}
	if m.Disabled {
		return Moderator{}, ErrLinkSpent
	}
	return m, nil
}

func spentIfAbsent(err error) error {
	if errors.Is(err, comments.ErrNotFound) {
		return ErrLinkSpent
	}
	return err
}

// UseLink signs in by a one-time link, which takes the place of the password and not of a
// second step. A link used or expired is ErrLinkSpent.
func (s *Service) UseLink(ctx context.Context, secret string) (Entry, error) {
	l, err := s.cfg.Store.SpendLink(ctx, HashOf(secret))
	if err != nil {
		return Entry{}, spentIfAbsent(err)
	}
	m, err := s.linked(ctx, l)
	if err != nil {
		return Entry{}, err
	}
	return s.entered(ctx, m)
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
