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
	deviceCookie  = "duyet_device" // by which failures elsewhere don't lock a person out here

	deviceFor = 180 * 24 * time.Hour
)

// What a session holds: who signed in, and when.
const (
	sessionWho   = "who"
	sessionHalf  = "half" // who has taken the first step and owes the second
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

// halfFor is how long the second step of signing in may take.
const halfFor = 10 * time.Minute

// half is the id of who owes the second step, or ErrUnauthenticated.
func (c *Console) half(r *http.Request) (id string, err error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return "", comments.ErrUnauthenticated
	}
	ctx, err := c.sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return "", err
	}
	since := time.UnixMilli(c.sessions.GetInt64(ctx, sessionSince))
	if id = c.sessions.GetString(ctx, sessionHalf); id == "" || !c.cfg.Now().Before(since.Add(halfFor)) {
		return "", comments.ErrUnauthenticated
	}
	return id, nil
}

// begin starts a session and remembers the browser as one that the person uses.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, who moderation.Moderator) error {
	key, err := c.session(w, r, sessionWho, who.ID, moderation.SessionFor)
	if err != nil {
		return err
	}
	if device := c.cfg.Service.KnownDevice(who.Email); device != "" {
		http.SetCookie(w, c.cookie(r, deviceCookie, device, deviceFor))
	}
	return c.cfg.Service.SessionBegan(r.Context(), who, moderation.HashOf(key), r.UserAgent())
}

// beginHalf starts what is no session yet: it opens nothing but the second step.
func (c *Console) beginHalf(w http.ResponseWriter, r *http.Request, who moderation.Moderator) error {
	_, err := c.session(w, r, sessionHalf, who.ID, halfFor)
	return err
}

// session stores one under a key of its own: one that the browser brought along is ended,
// never taken over.
func (c *Console) session(w http.ResponseWriter, r *http.Request, what, id string, lifetime time.Duration) (key string, err error) {
	if err := c.forget(r); err != nil {
		return "", err
	}
	ctx, err := c.sessions.Load(r.Context(), "")
	if err != nil {
		return "", err
	}
	c.sessions.Put(ctx, what, id)
	c.sessions.Put(ctx, sessionSince, c.cfg.Now().UnixMilli())
	if key, _, err = c.sessions.Commit(ctx); err != nil {
		return "", err
	}
	http.SetCookie(w, c.cookie(r, sessionCookie, key, lifetime))
	return key, nil
}

// from is where a request comes from.
func (c *Console) from(r *http.Request) moderation.From {
	f := moderation.From{Addr: c.cfg.ClientIP(r)}
	if cookie, err := r.Cookie(deviceCookie); err == nil {
		f.Device = cookie.Value
	}
	return f
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
