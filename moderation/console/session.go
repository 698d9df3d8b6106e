package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

const (
	sessionCookie = "duyet_session"
	langCookie    = "duyet_lang"
)

// What a session holds: who signed in, and when.
const (
	sessionWho   = "who"
	sessionSince = "since"
)

// sessionStore keeps scs's sessions in ours, which knows a session by the hash of its key.
type sessionStore struct {
	store moderation.SessionStore
	now   func() time.Time
}

func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	data, err := s.store.Session(ctx, moderation.HashOf(token), s.now())
	if errors.Is(err, comments.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (s sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	return s.store.PutSession(ctx, moderation.HashOf(token), data, expires)
}

func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.store.RemoveSession(ctx, moderation.HashOf(token))
}

// The methods without a context stand in scs's interface; scs calls those above.

func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionStore) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// resume is the moderator of the request's session, or ErrUnauthenticated. A session is
// written when it begins and removed when it ends and never in between, so that a request
// under way can't bring back one that has ended.
func (c *Console) resume(r *http.Request) (moderation.Moderator, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return moderation.Moderator{}, comments.ErrUnauthenticated
	}
	ctx, err := c.sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return moderation.Moderator{}, err
	}
	since := time.UnixMilli(c.sessions.GetInt64(ctx, sessionSince))
	if id := c.sessions.GetString(ctx, sessionWho); id != "" && c.cfg.Now().Before(since.Add(moderation.SessionFor)) {
		return c.cfg.Service.Resume(ctx, id, since)
	}
	return moderation.Moderator{}, comments.ErrUnauthenticated
}

// begin starts a session under a key of its own: one that the browser brought along is
// ended, never taken over.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, who moderation.Moderator) error {
	if err := c.forget(r); err != nil {
		return err
	}
	ctx, err := c.sessions.Load(r.Context(), "")
	if err != nil {
		return err
	}
	c.sessions.Put(ctx, sessionWho, who.ID)
	c.sessions.Put(ctx, sessionSince, c.cfg.Now().UnixMilli())
	key, _, err := c.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(r, sessionCookie, key, moderation.SessionFor))
	return nil
}

// end ends the request's session, if it has one.
func (c *Console) end(w http.ResponseWriter, r *http.Request) error {
	if err := c.forget(r); err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(r, sessionCookie, "", -1))
	return nil
}

func (c *Console) forget(r *http.Request) error {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return nil
	}
	return c.cfg.Sessions.RemoveSession(r.Context(), moderation.HashOf(cookie.Value))
}

// cookie is one for the desk alone; a negative lifetime takes it back.
func (c *Console) cookie(r *http.Request, name, value string, lifetime time.Duration) *http.Cookie {
	cookie := &http.Cookie{
		Name: name, Value: value, Path: c.set.URL("/moderation"),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.secure(r),
		MaxAge: -1,
	}
	if lifetime > 0 {
		cookie.MaxAge = int(lifetime / time.Second)
	}
	return cookie
}

// secure reports whether browsers speak https to us.
func (c *Console) secure(r *http.Request) bool {
	if c.cfg.BaseURL != nil {
		return c.cfg.BaseURL.Scheme == "https"
	}
	return r.TLS != nil
}
