package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"duyet/moderation"
	"duyet/templates"
)

// Signing in by an identity provider: a form that leads there, and the address to which the
// provider sends people back. That one is a GET, as OpenID Connect has it; it takes nothing
// but an answer to a question that this very browser was sent with.

const (
	askedCookie = "duyet_asked"
	askedFor    = 15 * time.Minute
)

// mayLeaveFor lets the form lead to the provider: a browser holds the redirections of a form
// to the page's policy.
func mayLeaveFor(w http.ResponseWriter, provider string) {
	u, err := url.Parse(provider)
	if err != nil || u.Host == "" {
		return
	}
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self' "+u.Scheme+"://"+u.Host, 1))
}

func (c *Console) beginProvider(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	address, key, err := c.cfg.Service.BeginProvider(r.Context(), c.localPath(r.PostForm.Get("next")))
	if errors.Is(err, moderation.ErrProvider) {
		return c.providerFailed(w, r, l, err)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(r, askedCookie, key, askedFor))
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

func (c *Console) providerAnswered(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	q := r.URL.Query()
	cookie, err := r.Cookie(askedCookie)
	if err != nil || q.Get("code") == "" {
		return c.providerFailed(w, r, l, moderation.ErrProvider)
	}
	http.SetCookie(w, c.cookie(r, askedCookie, "", -1))
	who, next, err := c.cfg.Service.ProviderSignIn(r.Context(), cookie.Value, q.Get("state"), q.Get("code"))
	if errors.Is(err, moderation.ErrProvider) || errors.Is(err, moderation.ErrBadSignIn) {
		return c.providerFailed(w, r, l, err)
	}
	if err != nil {
		return err
	}
	return c.enter(w, r, who, c.localPath(next))
}

// providerFailed says so on the page of the form. What the provider said goes to the log.
func (c *Console) providerFailed(w http.ResponseWriter, r *http.Request, l *templates.Locale, err error) error {
	p := signInPage{Title: l.Say("provider.unknown"), Help: l.Say("provider.unknown_help")}
	if errors.Is(err, moderation.ErrProvider) {
		c.set.Log(r.Context(), r.Method, "/moderation/login/provider", http.StatusUnauthorized, err)
		p.Title, p.Help = l.Say("provider.failed"), l.Say("provider.failed_help")
	}
	return c.signInPage(w, r, l, http.StatusUnauthorized, p)
}
