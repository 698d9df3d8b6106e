package console

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// formBytes is the most that a sign-in form may hold.
const formBytes = 64 << 10

// signInPage is what the sign-in form shows.
type signInPage struct {
	Other  other
	Email  string
	Next   string
	First  bool              // nobody can sign in yet: the page says how to make somebody
	Errors map[string]string // by field
	Title  string            // of the notice above the form
	Help   string
	Good   bool // the notice is no failure
	// Provider is what the identity provider is called; "" = there is none.
	Provider string
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	q := r.URL.Query()
	p := signInPage{Next: c.localPath(q.Get("next"))}
	_, err := c.resume(r)
	if err == nil {
		c.redirect(w, r, p.Next)
		return nil
	}
	if !errors.Is(err, comments.ErrUnauthenticated) {
		return err
	}
	switch {
	case q.Has("out"):
		p.Title, p.Good = l.Say("signin.out"), true
	case q.Has("ended"):
		p.Title, p.Help = l.Say("signin.ended"), l.Say("signin.ended_help")
	}
	return c.signInPage(w, r, l, http.StatusOK, p)
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request, l *templates.Locale, status int, p signInPage) error {
	anybody, err := c.cfg.Service.Anybody(r.Context())
	if err != nil {
		return err
	}
	p.First = !anybody
	if c.cfg.Service.Provided() {
		p.Provider = c.cfg.ProviderName
		mayLeaveFor(w, c.cfg.ProviderURL)
	}
	p.Other = c.otherLanguage(r, l)
	title := l.Say("signin.title")
	if p.First {
		title = l.Say("first.title")
	} else if p.Title != "" && !p.Good {
		title = l.Say("desk.error_title", "Title", title)
	}
	return c.set.Page(w, status, "console/signin", templates.View{L: l, D: p, Title: title + " · Duyet", NoIndex: true, Classes: "wide"})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	email, password := r.PostForm.Get("email"), r.PostForm.Get("password")
	p := signInPage{Email: email, Next: c.localPath(r.PostForm.Get("next")), Errors: map[string]string{}}
	if email == "" {
		p.Errors["email"] = l.Say("signin.email_required")
	}
	if password == "" {
		p.Errors["password"] = l.Say("signin.password_required")
	}
	if len(p.Errors) > 0 {
		p.Title = l.Say("problem.invalid")
		return c.signInPage(w, r, l, http.StatusUnprocessableEntity, p)
	}
	who, err := c.cfg.Service.SignIn(r.Context(), email, password, c.from(r))
	if err != nil {
		return c.signInFailed(w, r, l, p, err)
	}
	return c.enter(w, r, who, p.Next)
}

// enter lets a person in who has proved the first step, or on to the second.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, who moderation.Entry, next string) error {
	if who.Second {
		if err := c.beginHalf(w, r, who.Moderator); err != nil {
			return err
		}
		c.redirect(w, r, "/moderation/login/code?"+query("next", next).Encode())
		return nil
	}
	if err := c.begin(w, r, who.Moderator); err != nil {
		return err
	}
	c.redirect(w, r, next)
	return nil
}

// signInFailed says why nobody was signed in, on the page of the form.
func (c *Console) signInFailed(w http.ResponseWriter, r *http.Request, l *templates.Locale, p signInPage, err error) error {
	var limited *comments.LimitedError
	switch {
	case errors.As(err, &limited):
		p.Title, p.Help = l.Say("signin.limited"), l.Say("signin.limited_help", "Wait", l.Wait(limited.RetryAfter))
		c.retryAfter(w, limited)
		return c.signInPage(w, r, l, http.StatusTooManyRequests, p)
	case errors.Is(err, moderation.ErrBadSignIn):
		p.Title, p.Help = l.Say("signin.wrong"), l.Say("signin.wrong_help")
		return c.signInPage(w, r, l, http.StatusUnauthorized, p)
	}
	return err
}

func (c *Console) retryAfter(w http.ResponseWriter, limited *comments.LimitedError) {
	seconds := max(1, int((limited.RetryAfter+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, _ *templates.Locale) error {
	who, err := c.resume(r)
	if err == nil {
		err = c.cfg.Service.SignOut(r.Context(), who)
	} else if errors.Is(err, comments.ErrUnauthenticated) {
		err = nil
	}
	if err != nil {
		return err
	}
	if err := c.end(w, r); err != nil {
		return err
	}
	c.redirect(w, r, "/moderation/login?out=1")
	return nil
}

// readForm reads a form of at most so many bytes: ErrTooLarge, ErrUnsupportedMedia or
// ErrMalformed.
func readForm(w http.ResponseWriter, r *http.Request, most int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return comments.ErrUnsupportedMedia
	}
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return errors.Join(comments.ErrMalformed, err)
	}
	return nil
}
