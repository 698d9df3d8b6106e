package moderation

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"duyet/comments"
)

// What owners and admins may do with people at the desk: an owner with everybody, an admin
// with moderators and viewers whose sites are all among the admin's own. Nobody changes
// their own role, sites or state, so that nobody locks themselves out or moves up.

// People lists those the person may manage, and everybody else on their sites to look at,
// by e-mail. Errors: comments.ErrForbidden.
func (s *Service) People(ctx context.Context, who Moderator) ([]Moderator, error) {
	if !who.Can(ManagePeople) {
		return nil, comments.ErrForbidden
	}
	all, err := s.cfg.Store.Moderators(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m Moderator) bool { return !sharesSite(who, m) }), nil
}

func sharesSite(a, b Moderator) bool {
	return len(a.Sites) == 0 || len(b.Sites) == 0 || slices.ContainsFunc(b.Sites, a.On)
}

// covers reports whether all sites are among the person's.
func (m Moderator) covers(sites []string) bool {
	if len(m.Sites) == 0 {
		return true
	}
	return len(sites) > 0 && !slices.ContainsFunc(sites, func(id string) bool { return !m.On(id) })
}

// Manages reports whether the person may change m.
func (m Moderator) Manages(other Moderator) bool {
	if !m.Can(ManagePeople) || m.ID == other.ID {
		return false
	}
	return m.MayAppoint(other.Role, other.Sites)
}

// MayAppoint reports whether the person may give somebody a role on sites (none = all).
func (m Moderator) MayAppoint(role Role, sites []string) bool {
	if !m.Can(ManagePeople) || !m.covers(sites) {
		return false
	}
	return m.Role == Owner || role == Editor || role == Viewer
}

// Invite adds a person and makes the link by which they sign in the first time. Errors:
// comments.ErrForbidden, ErrExists, InvalidError on email, role or site.
func (s *Service) Invite(ctx context.Context, who Moderator, email string, role Role, sites []string) (m Moderator, link string, err error) {
	if !who.Can(ManagePeople) {
		return Moderator{}, "", comments.ErrForbidden
	}
	m = Moderator{ID: "m-" + strings.ToLower(rand.Text()), Role: role, Sites: sites, CreatedAt: s.cfg.Now().UTC()}
	var ok bool
	if m.Email, ok = CanonicalEmail(email); !ok {
		return Moderator{}, "", comments.Invalid("email", CodeNoEmail)
	}
	if err := s.checkPerson(ctx, m); err != nil {
		return Moderator{}, "", err
	}
	if !who.MayAppoint(role, sites) {
		return Moderator{}, "", comments.ErrForbidden
	}
	if m, err = s.cfg.Store.AddModerator(ctx, m, who.ID); err != nil {
		return Moderator{}, "", err
	}
	link, err = s.newLink(ctx, m)
	return m, link, err
}

// Managed is one person whom who may see, with how they sign in. Errors: ErrForbidden,
// ErrNotFound, which is also the answer for people of other sites.
func (s *Service) Managed(ctx context.Context, who Moderator, id string) (a Account, err error) {
	if !who.Can(ManagePeople) {
		return Account{}, comments.ErrForbidden
	}
	m, err := s.cfg.Store.Moderator(ctx, id)
	if err != nil {
		return Account{}, err
	}
	if !sharesSite(who, m) {
		return Account{}, fmt.Errorf("moderator %s: %w", id, comments.ErrNotFound)
	}
	return s.Account(ctx, m)
}

func (s *Service) managed(ctx context.Context, who Moderator, id string) (Moderator, error) {
	a, err := s.Managed(ctx, who, id)
	if err == nil && !who.Manages(a.Moderator) {
		err = comments.ErrForbidden
	}
	return a.Moderator, err
}

// Reappoint changes a person's role and sites. Errors as of Invite, and ErrVersion when
// somebody else has changed them since version.
func (s *Service) Reappoint(ctx context.Context, who Moderator, id string, version uint64, role Role, sites []string) error {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return err
	}
	m.Role, m.Sites, m.Version = role, sites, version
	if err := s.checkPerson(ctx, m); err != nil {
		return err
	}
	if !who.MayAppoint(role, sites) {
		return comments.ErrForbidden
	}
	_, err = s.cfg.Store.ChangeModerator(ctx, m, who.ID, KindModeratorChanged)
	return err
}

// SetDisabled keeps a person from signing in, and ends their sessions and tokens, or lets
// them again.
func (s *Service) SetDisabled(ctx context.Context, who Moderator, id string, disabled bool) error {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return err
	}
	kind := KindModeratorChanged
	m.Disabled = disabled
	if disabled {
		kind, m.SignedOutAt = KindModeratorDisabled, s.cfg.Now().UTC()
	}
	_, err = s.cfg.Store.ChangeModerator(ctx, m, who.ID, kind)
	return err
}

// EndSessions signs a person out everywhere.
func (s *Service) EndSessions(ctx context.Context, who Moderator, id string) error {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return err
	}
	m.SignedOutAt = s.cfg.Now().UTC()
	_, err = s.cfg.Store.ChangeModerator(ctx, m, who.ID, KindSignedOutAll)
	return err
}

// ResetKeys takes a person's second step and passkeys away, for who has lost the device.
func (s *Service) ResetKeys(ctx context.Context, who Moderator, id string) error {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return err
	}
	return s.dropDocument(ctx, keysKind, m.ID, who.ID, KindKeysRemoved)
}

// LinkFor makes a one-time sign-in link for a person.
func (s *Service) LinkFor(ctx context.Context, who Moderator, id string) (secret string, err error) {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return "", err
	}
	return s.newLink(ctx, m)
}

// Remove removes a person; the journal keeps what they did under their id.
func (s *Service) Remove(ctx context.Context, who Moderator, id string) error {
	m, err := s.managed(ctx, who, id)
	if err != nil {
		return err
	}
	return s.remove(ctx, m, who.ID)
}

func (s *Service) remove(ctx context.Context, m Moderator, actor string) error {
	if err := s.dropDocument(ctx, keysKind, m.ID, actor, KindKeysRemoved); err != nil {
		return err
	}
	if err := s.dropDocument(ctx, sessionsKind, m.ID, actor, KindSessionRevoked); err != nil {
		return err
	}
	return s.cfg.Store.RemoveModerator(ctx, m.ID, actor)
}
