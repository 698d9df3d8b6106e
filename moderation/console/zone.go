package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// policy lets a page of the desk load its own style, icons and scripts, post to itself, and
// stand in nobody's frame.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Zone guards this door's paths and passes others on. It wraps the whole router, since mux
// runs its own middleware neither for 404 nor for 405.
//
// Under /moderation/ a request that changes something must come from the desk's own origin;
// under /api/v1/moderation/ a bearer token must name a moderator, and no cookie is read.
func (c *Console) Zone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case below(r.URL.Path, "/moderation"):
			c.setHeaders(w)
			w.Header().Set("Content-Security-Policy", policy)
			if err := c.ownOrigin(r); err != nil {
				c.set.Error(w, r, c.foreign(w, r))
				return
			}
			next.ServeHTTP(w, r)
		case below(r.URL.Path, "/api/v1/moderation"):
			c.setHeaders(w)
			who, err := c.bearer(r)
			if err != nil {
				c.set.Error(w, r, err)
				return
			}
			l := c.set.RequestLocale(r, "")
			r = templates.WithLocale(r, l)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{who, l})))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func below(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, folder)
	return ok && (rest == "" || rest[0] == '/')
}

func (c *Console) setHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin") // no-referrer would make a form's own Origin null
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
}

// ownOrigin refuses a changing request that another site's page sent. Own is the base URL,
// whatever name a proxy asks for, else the request's host.
func (c *Console) ownOrigin(r *http.Request) error {
	if c.cfg.BaseURL != nil {
		own := *r
		own.Host = c.cfg.BaseURL.Host
		r = &own
	}
	return c.crossing.Check(r)
}

func (c *Console) foreign(w http.ResponseWriter, r *http.Request) error {
	l := c.locale(w, r, nil)
	return &templates.Problem{
		Type: "about:blank", Status: http.StatusForbidden, Code: "origin_not_allowed",
		Title: l.Say("desk.foreign"), Detail: l.Say("desk.foreign_help"),
	}
}

type callerKey struct{}

// caller is who uses the API, and the language to tell errors in.
type caller struct {
	who moderation.Moderator
	l   *templates.Locale
}

// bearer is the moderator whose token the request carries, else ErrUnauthenticated.
func (c *Console) bearer(r *http.Request) (moderation.Moderator, error) {
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return moderation.Moderator{}, fmt.Errorf("no bearer token: %w", comments.ErrUnauthenticated)
	}
	return c.cfg.Service.Bearer(r.Context(), strings.TrimSpace(secret))
}

// callerOf is who Zone found; without Zone before it an operation has nobody to serve.
func callerOf(ctx context.Context) (caller, error) {
	who, ok := ctx.Value(callerKey{}).(caller)
	if !ok {
		return caller{}, comments.ErrUnauthenticated
	}
	return who, nil
}
