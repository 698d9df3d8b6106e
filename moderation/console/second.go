package console

import (
	"errors"
	"net/http"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// secondPage is the second step of signing in.
type secondPage struct {
	Other other
	Next  string
	Title string // of what went wrong
	Help  string
}

func (c *Console) showSecond(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	if _, err := c.half(r); err != nil {
		return c.restart(w, r, err)
	}
	return c.secondPage(w, r, l, http.StatusOK, secondPage{Next: c.localPath(r.URL.Query().Get("next"))})
}

// restart leads back to the first step when there is nobody who has taken it.
func (c *Console) restart(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, comments.ErrUnauthenticated) {
		return err
	}
	c.redirect(w, r, "/moderation/login?ended=1")
	return nil
}

func (c *Console) secondPage(w http.ResponseWriter, r *http.Request, l *templates.Locale, status int, p secondPage) error {
	p.Other = c.otherLanguage(r, l)
	title := l.Say("second.title")
	if p.Title != "" {
		title = l.Say("desk.error_title", "Title", title)
	}
	return c.set.Page(w, status, "console/second", templates.View{L: l, D: p, Title: title + " · Duyet", NoIndex: true, Classes: "wide"})
}

func (c *Console) second(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	id, err := c.half(r)
	if err != nil {
		return c.restart(w, r, err)
	}
	p := secondPage{Next: c.localPath(r.PostForm.Get("next"))}
	who, err := c.cfg.Service.Second(r.Context(), id, r.PostForm.Get("code"), c.from(r))
	var limited *comments.LimitedError
	switch {
	case errors.As(err, &limited):
		c.retryAfter(w, limited)
		p.Title, p.Help = l.Say("signin.limited"), l.Say("signin.limited_help", "Wait", l.Wait(limited.RetryAfter))
		return c.secondPage(w, r, l, http.StatusTooManyRequests, p)
	case errors.Is(err, moderation.ErrBadSignIn):
		p.Title, p.Help = l.Say("second.wrong"), l.Say("second.wrong_help")
		return c.secondPage(w, r, l, http.StatusUnauthorized, p)
	case err != nil:
		return c.restart(w, r, err)
	}
	if err := c.begin(w, r, who); err != nil {
		return err
	}
	c.redirect(w, r, p.Next)
	return nil
}
