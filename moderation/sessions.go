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

// sessionsKind is the kind of the documents, by the moderator's id, that list sessions. The
// sessions themselves stand elsewhere, and what is listed here and gone there has ended.
const sessionsKind = "sessions"

// SessionInfo is a session as its owner sees it.
type SessionInfo struct {
	Hash    Hash      `json:"hash"`
	Began   time.Time `json:"began"`
	Expires time.Time `json:"expires"`
	Agent   string    `json:"agent"` // what the browser says it is
}

// ID names a session without giving it away.
func (i SessionInfo) ID() string { return Token{Hash: i.Hash}.ID() }

// Bounds of what is kept of sessions.
const (
	sessionsMost = 50 // of one person; with more, the oldest end
	agentBytes   = 200
)

type sessionList struct {
	Sessions []SessionInfo `json:"sessions"`
}

// SessionBegan lists a session that has just been stored under h.
func (s *Service) SessionBegan(ctx context.Context, who Moderator, h Hash, agent string) error {
	agent = comments.Clean(strings.ToValidUTF8(agent, ""))
	if len(agent) > agentBytes {
		agent = strings.ToValidUTF8(agent[:agentBytes], "")
	}
	now := s.cfg.Now().UTC()
	var over []SessionInfo
	err := amendDocument(ctx, s, sessionsKind, who.ID, who.ID, "", func(l *sessionList, _ *comments.Kind) error {
		l.Sessions = slices.DeleteFunc(l.Sessions, func(i SessionInfo) bool { return !now.Before(i.Expires) })
		l.Sessions = append(l.Sessions, SessionInfo{Hash: h, Began: now, Expires: now.Add(SessionFor), Agent: agent})
		over = nil
		if n := len(l.Sessions) - sessionsMost; n > 0 {
			over, l.Sessions = slices.Clone(l.Sessions[:n]), l.Sessions[n:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range over {
		if err := s.cfg.Store.RemoveSession(ctx, i.Hash); err != nil {
			return err
		}
	}
	return nil
}

// sessionsOf lists what stands, the latest first.
func (s *Service) sessionsOf(ctx context.Context, id string) ([]SessionInfo, error) {
	_, l, err := readDocument[sessionList](ctx, s, sessionsKind, id)
	if err != nil {
		return nil, err
	}
	m, err := s.cfg.Store.Moderator(ctx, id)
	if err != nil {
		return nil, err
	}
	var standing []SessionInfo
	for _, i := range slices.Backward(l.Sessions) {
		if i.Began.Before(m.SignedOutAt) {
			continue
		}
		there, err := s.sessionStands(ctx, i)
		if err != nil {
			return nil, err
		}
		if there {
			standing = append(standing, i)
		}
	}
	return standing, nil
}

func (s *Service) sessionStands(ctx context.Context, i SessionInfo) (bool, error) {
	_, err := s.cfg.Store.Session(ctx, i.Hash, s.cfg.Now())
	if errors.Is(err, comments.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RevokeSession ends one of the person's own sessions by its SessionInfo.ID.
func (s *Service) RevokeSession(ctx context.Context, who Moderator, id string) error {
	var h Hash
	err := amendDocument(ctx, s, sessionsKind, who.ID, who.ID, KindSessionRevoked, func(l *sessionList, _ *comments.Kind) error {
		i := slices.IndexFunc(l.Sessions, func(i SessionInfo) bool { return i.ID() == id })
		if i < 0 {
			return fmt.Errorf("session: %w", comments.ErrNotFound)
		}
		h = l.Sessions[i].Hash
		l.Sessions = slices.Delete(l.Sessions, i, i+1)
		return nil
	})
	if err != nil {
		return err
	}
	return s.cfg.Store.RemoveSession(ctx, h)
}

// SignOutEverywhere ends all of the person's sessions and tokens made before now.
func (s *Service) SignOutEverywhere(ctx context.Context, who Moderator) error {
	m, err := s.cfg.Store.Moderator(ctx, who.ID)
	if err != nil {
		return err
	}
	m.SignedOutAt = s.cfg.Now().UTC()
	_, err = s.cfg.Store.ChangeModerator(ctx, m, who.ID, KindSignedOutAll)
	return err
}

// ChangePassword gives the person a new password, which ends every session and token made
// before. Errors: InvalidError on "password" (the old one) or "new".
func (s *Service) ChangePassword(ctx context.Context, who Moderator, old, password string, from From) error {
	if err := s.confirm(ctx, who, old, from); err != nil {
		return err
	}
	hash, err := s.HashPassword(password)
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		return comments.Invalid("new", invalid.Fields[0].Code)
	}
	if err != nil {
		return err
	}
	m, err := s.cfg.Store.Moderator(ctx, who.ID)
	if err != nil {
		return err
	}
	m.PasswordHash, m.SignedOutAt = hash, s.cfg.Now().UTC()
	_, err = s.cfg.Store.ChangeModerator(ctx, m, who.ID, KindPasswordChanged)
	return err
}
