// Package moderation holds what a moderator decides: the queue, the decision with its
// compare-and-set, the people who decide and how they prove who they are.
//
// Rules and permissions live here, in Service; the door (moderation/console) parses and
// answers, the stores keep. A comment's status and history belong to package comments.
package moderation

import (
	"net/mail"
	"slices"
	"strings"
	"time"
)

// Role is what a moderator may do on the sites that are theirs.
type Role string

// Roles, each with all that the next one may.
const (
	Owner  Role = "owner"     // and appoint owners and admins
	Admin  Role = "admin"     // and change settings and people
	Editor Role = "moderator" // and decide
	Viewer Role = "viewer"    // look
)

// Roles lists every role, the strongest first.
var Roles = [...]Role{Owner, Admin, Editor, Viewer}

// Permissions lists every permission.
var Permissions = [...]Permission{See, Decide, ManageSite, ManagePeople}

// Permission is something a role may or may not do.
type Permission string

// Permissions.
const (
	See          Permission = "see"           // queues, comments, history, journal
	Decide       Permission = "decide"        // approve, reject, spam, trash, restore, undo
	ManageSite   Permission = "manage site"   // settings, pages
	ManagePeople Permission = "manage people" // moderators and viewers; see Service for owners
)

// May reports whether the role has the permission.
func (r Role) May(p Permission) bool {
	switch p {
	case See:
		return slices.Contains(Roles[:], r)
	case Decide:
		return r == Owner || r == Admin || r == Editor
	case ManageSite, ManagePeople:
		return r == Owner || r == Admin
	}
	return false
}

// Valid reports whether r is one of Roles.
func (r Role) Valid() bool { return slices.Contains(Roles[:], r) }

// Moderator is a person who may sign in.
type Moderator struct {
	ID           string // "m-" and random text; what the journal knows them by
	Email        string // lower case; how they sign in
	Role         Role
	Sites        []string // ids; none = every site
	PasswordHash string   // argon2id in its usual text form, "" = signs in by link alone
	Disabled     bool
	CreatedAt    time.Time
	Version      uint64 // one more with every change
	// SignedOutAt ends every session and token that began before it.
	SignedOutAt time.Time

	// Scopes narrow a person who comes with a token; none = everything the role may. They
	// stand in the token, not in the person's record.
	Scopes []Permission
}

// Can reports whether the moderator has the permission on the sites that are theirs.
func (m Moderator) Can(p Permission) bool {
	return !m.Disabled && m.Role.May(p) && (len(m.Scopes) == 0 || slices.Contains(m.Scopes, p))
}

// On reports whether the site is one of the moderator's.
func (m Moderator) On(site string) bool {
	return len(m.Sites) == 0 || slices.Contains(m.Sites, site)
}

// May reports whether the moderator has the permission on the site. On comments.Installation
// only who has every site may anything.
func (m Moderator) May(p Permission, site string) bool {
	return m.Can(p) && m.On(site)
}

// CanonicalEmail reads an address as people type it; ok is false when it is none.
func CanonicalEmail(typed string) (email string, ok bool) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	a, err := mail.ParseAddress(typed)
	if err != nil || a.Address != typed || len(typed) > 254 {
		return "", false
	}
	return typed, true
}
