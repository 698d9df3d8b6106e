package moderation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"duyet/comments"
)

// Everybody lists the moderators by e-mail. It is for operators: no permission is asked.
func (s *Service) Everybody(ctx context.Context) ([]Moderator, error) {
	return s.cfg.Store.Moderators(ctx)
}

// Anybody reports whether somebody can sign in at all.
func (s *Service) Anybody(ctx context.Context) (bool, error) {
	list, err := s.cfg.Store.Moderators(ctx)
	for _, m := range list {
		if !m.Disabled {
			return true, nil
		}
	}
	return false, err
}

// Names maps the ids of all moderators to their e-mail, to show an actor by.
func (s *Service) Names(ctx context.Context) (map[string]string, error) {
	list, err := s.cfg.Store.Moderators(ctx)
	names := make(map[string]string, len(list))
	for _, m := range list {
		names[m.ID] = m.Email
	}
	return names, err
}

// AddPerson adds a moderator on an operator's word. An empty password leaves sign-in by
// link alone. Errors: InvalidError on email, role, site or password; comments.ErrExists.
func (s *Service) AddPerson(ctx context.Context, email string, role Role, sites []string, password string) (Moderator, error) {
	m := Moderator{ID: "m-" + strings.ToLower(rand.Text()), Role: role, Sites: sites, CreatedAt: s.cfg.Now().UTC()}
	var ok bool
	if m.Email, ok = CanonicalEmail(email); !ok {
		return Moderator{}, comments.Invalid("email", CodeNoEmail)
	}
	if err := s.checkPerson(ctx, m); err != nil {
		return Moderator{}, err
	}
	if password != "" {
		var err error
		if m.PasswordHash, err = s.HashPassword(password); err != nil {
			return Moderator{}, err
		}
	}
	return s.cfg.Store.AddModerator(ctx, m, comments.ActorOperator)
}

// Codes of what can be wrong with a person.
const (
	CodeNoEmail     = "no_email"
	CodeUnknownRole = "unknown_role"
	CodeUnknownSite = "unknown_site"
)

func (s *Service) checkPerson(ctx context.Context, m Moderator) error {
	if !m.Role.Valid() {
		return comments.Invalid("role", CodeUnknownRole)
	}
	for _, id := range m.Sites {
		_, err := s.cfg.Comments.Site(ctx, id)
		if errors.Is(err, comments.ErrNotFound) {
			return comments.Invalid("site", CodeUnknownSite)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// PersonChange is what an operator changes of a moderator; nil leaves a thing as it is.
type PersonChange struct {
	// ResetKeys takes second step and passkeys away, for who has lost the device.
	ResetKeys bool
	Role      *Role
	Sites     *[]string
	Password  *string
	Disabled  *bool
}

// ChangePerson changes a moderator on an operator's word. A new password or being disabled
// ends the person's sessions and tokens.
func (s *Service) ChangePerson(ctx context.Context, email string, change PersonChange) (Moderator, error) {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return Moderator{}, err
	}
	if change.ResetKeys {
		if err := s.dropDocument(ctx, keysKind, m.ID, comments.ActorOperator, KindKeysRemoved); err != nil {
			return Moderator{}, err
		}
	}
	kind := KindModeratorChanged
	if change.Role != nil {
		m.Role = *change.Role
	}
	if change.Sites != nil {
		m.Sites = *change.Sites
	}
	if change.Password != nil {
		kind = KindPasswordChanged
		if m.PasswordHash, err = s.HashPassword(*change.Password); err != nil {
			return Moderator{}, err
		}
		m.SignedOutAt = s.cfg.Now().UTC()
	}
	if change.Disabled != nil {
		m.Disabled = *change.Disabled
		if m.Disabled {
			kind = KindModeratorDisabled
			m.SignedOutAt = s.cfg.Now().UTC()
		}
	}
	if err := s.checkPerson(ctx, m); err != nil {
		return Moderator{}, err
	}
	return s.cfg.Store.ChangeModerator(ctx, m, comments.ActorOperator, kind)
}

// RemovePerson removes a moderator on an operator's word; the journal keeps what they did
// under their id.
func (s *Service) RemovePerson(ctx context.Context, email string) error {
	m, err := s.byEmail(ctx, email)
	if err != nil {
		return err
	}
	return s.remove(ctx, m, comments.ActorOperator)
}

func (s *Service) byEmail(ctx context.Context, typed string) (Moderator, error) {
	email, ok := CanonicalEmail(typed)
	if !ok {
		return Moderator{}, comments.Invalid("email", CodeNoEmail)
	}
	m, err := s.cfg.Store.ModeratorByEmail(ctx, email)
	if err != nil {
		return Moderator{}, fmt.Errorf("moderator %s: %w", email, err)
	}
	return m, nil
}
