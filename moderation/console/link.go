package console

import (
	"errors"
	"net/http"
	"time"

	"duyet/moderation"
	"duyet/templates"
)

// linkPage is what a one-time link shows: a button that signs in, so that a mail scanner
// or a preview that follows the link spends nothing.
type linkPage struct {
	Other  other
	Spent  bool
	Secret string
	Email  string
	Until  time.Time
}

func (c *Console) showLink(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	secret := r.URL.Query().Get("token")
	who, until, err := c.cfg.Service.LinkStands(r.Context(), secret)
	if errors.Is(err, moderation.ErrLinkSpent) {
		return c.spentLink(w, r, l)
	}
	if err != nil {
		return err
	}
	return c.linkPage(w, l, http.StatusOK, linkPage{Other: c.otherLanguage(r, l), Secret: secret, Email: who.Email, Until: until})
}

func (c *Console) spentLink(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	return c.linkPage(w, l, http.StatusGone, linkPage{Other: c.otherLanguage(r, l), Spent: true})
}

func (c *Console) linkPage(w http.ResponseWriter, l *templates.Locale, status int, p linkPage) error {
	title := l.Say("link.title")
	if p.Spent {
		title = l.Say("link.spent")
	}
	return c.set.Page(w, status, "console/link", templates.View{L: l, D: p, Title: title + " · Duyet", NoIndex: true, Classes: "wide"})
}

func (c *Console) useLink(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	who, err := c.cfg.Service.UseLink(r.Context(), r.PostForm.Get("token"))
	if errors.Is(err, moderation.ErrLinkSpent) {
		return c.spentLink(w, r, l)
	}
	if err != nil {
		return err
	}
	return c.enter(w, r, who, "/moderation/")
}
