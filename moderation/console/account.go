package console

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/mileusna/useragent"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// accountPage is how a person signs in, their sessions and tokens.
type accountPage struct {
	frame
	Account  moderation.Account
	HasWord  bool // a password, which what follows asks for
	Sessions []sessionRow
	Passkeys []passkeyRow
	Tokens   []tokenRow
	Scopes   []scope
	Offer    *moderation.Offer // a second step under way
	OfferQR  string            // address of its image
	Codes    []string          // recovery codes, shown once
	Token    string            // a new token, shown once
	Done     string            // what was done, in words
	Errors   map[string]string // by field, "form.field"
	Typed    map[string]string
}

type sessionRow struct {
	ID      string
	Agent   string
	Began   time.Time
	Current bool
}

type passkeyRow struct {
	ID   string
	Name string
	At   time.Time
	Used time.Time
}

type tokenRow struct {
	ID     string
	Name   string
	Scopes string
	At     time.Time
	Until  time.Time
}

type scope struct{ Value, Words string }

const accountPath = "/moderation/account"

// done are what the parameter done may say.
var accountDone = map[string]bool{
	"password": true, "totp_off": true, "passkey": true, "passkey_off": true, "token_off": true, "session": true,
}

func (c *Console) showAccount(w http.ResponseWriter, r *http.Request, v *visit) error {
	return c.accountPage(w, r, v, http.StatusOK, func(p *accountPage) {
		if done := r.URL.Query().Get("done"); accountDone[done] {
			p.Done = v.l.Say("account.done." + done)
		}
	})
}

func (c *Console) accountPage(w http.ResponseWriter, r *http.Request, v *visit, status int, add func(*accountPage)) error {
	a, err := c.cfg.Service.Account(r.Context(), v.who)
	if err != nil {
		return err
	}
	p := &accountPage{
		frame: c.frame(r, v, "account"), Account: a, HasWord: a.PasswordHash != "",
		Errors: map[string]string{}, Typed: map[string]string{},
	}
	current := ""
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		current = moderation.SessionInfo{Hash: moderation.HashOf(cookie.Value)}.ID()
	}
	for _, s := range a.Sessions {
		p.Sessions = append(p.Sessions, sessionRow{ID: s.ID(), Agent: v.agent(s.Agent), Began: s.Began, Current: s.ID() == current})
	}
	for _, k := range a.Passkeys {
		p.Passkeys = append(p.Passkeys, passkeyRow{
			ID: base64.RawURLEncoding.EncodeToString(k.ID), Name: k.Name, At: k.AddedAt, Used: k.UsedAt,
		})
	}
	for _, t := range a.Tokens {
		p.Tokens = append(p.Tokens, c.tokenRow(v, t))
	}
	for _, perm := range moderation.Permissions {
		if v.who.Role.May(perm) {
			p.Scopes = append(p.Scopes, scope{string(perm), v.l.Say("scope." + scopeWords[perm])})
		}
	}
	add(p)
	title := v.l.Say("account.title")
	if len(p.Errors) > 0 {
		title = v.l.Say("desk.error_title", "Title", title)
	}
	return c.set.Page(w, status, "console/account", templates.View{L: v.l, D: p, Title: title + " · Duyet", NoIndex: true, Classes: "wide"})
}

// agent names a browser and its system from what it says it is; "" when it says neither.
func (v *visit) agent(said string) string {
	ua := useragent.Parse(said)
	switch {
	case ua.Name == "":
		return ""
	case ua.OS == "":
		return ua.Name
	}
	return v.l.Say("account.agent", "Browser", ua.Name, "System", ua.OS)
}

// scopeWords are the permissions as their messages name them.
var scopeWords = map[moderation.Permission]string{
	moderation.See: "see", moderation.Decide: "decide", moderation.ManageSite: "manage_site", moderation.ManagePeople: "manage_people",
}

func (c *Console) tokenRow(v *visit, t moderation.Token) tokenRow {
	row := tokenRow{ID: t.ID(), Name: t.Name, At: t.CreatedAt, Until: t.Expires}
	if row.Name == "" {
		row.Name = v.l.Say("account.token_unnamed")
	}
	for _, p := range t.Scopes {
		if row.Scopes != "" {
			row.Scopes += ", "
		}
		row.Scopes += v.l.Say("scope." + scopeWords[p])
	}
	if row.Scopes == "" {
		row.Scopes = v.l.Say("scope.all")
	}
	return row
}

// changeAccount takes a form of the account's page: its field "do" says which.
func (c *Console) changeAccount(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	f := r.PostForm
	ctx, svc, from := r.Context(), c.cfg.Service, c.from(r)
	do := f.Get("do")
	switch do {
	case "password":
		if f.Get("new") != f.Get("again") {
			return c.accountWrong(w, r, v, do, comments.Invalid("again", "different"))
		}
		err := svc.ChangePassword(ctx, v.who, f.Get("password"), f.Get("new"), from)
		if err != nil {
			return c.accountWrong(w, r, v, do, err)
		}
		return c.stayIn(w, r, v, "password")
	case "everywhere":
		if err := svc.SignOutEverywhere(ctx, v.who); err != nil {
			return err
		}
		if err := c.end(w, r); err != nil {
			return err
		}
		c.redirect(w, r, "/moderation/login?out=1")
		return nil
	case "session":
		return c.accountDone(w, r, v, do, "session", svc.RevokeSession(ctx, v.who, f.Get("id")))
	case "totp_offer":
		o, err := svc.OfferTOTP(v.who)
		if err != nil {
			return err
		}
		return c.accountPage(w, r, v, http.StatusOK, func(p *accountPage) { c.offer(p, o) })
	case "totp":
		codes, err := svc.TakeTOTP(ctx, v.who, f.Get("offer"), f.Get("code"), f.Get("password"), from)
		if err != nil {
			return c.accountWrong(w, r, v, do, err)
		}
		return c.accountPage(w, r, v, http.StatusOK, func(p *accountPage) { p.Codes = codes })
	case "totp_off":
		return c.accountDone(w, r, v, do, "totp_off", svc.RemoveTOTP(ctx, v.who, f.Get("password"), from))
	case "recovery":
		codes, err := svc.RenewRecovery(ctx, v.who, f.Get("password"), from)
		if err != nil {
			return c.accountWrong(w, r, v, do, err)
		}
		return c.accountPage(w, r, v, http.StatusOK, func(p *accountPage) { p.Codes = codes })
	case "passkey_off":
		id, err := base64.RawURLEncoding.DecodeString(f.Get("id"))
		if err != nil {
			return comments.ErrMalformed
		}
		return c.accountDone(w, r, v, do, "passkey_off", svc.RemovePasskey(ctx, v.who, id))
	case "token":
		return c.newToken(w, r, v)
	case "token_off":
		return c.accountDone(w, r, v, do, "token_off", svc.RemoveToken(ctx, v.who, f.Get("id")))
	}
	return comments.ErrMalformed
}

func (c *Console) offer(p *accountPage, o moderation.Offer) {
	p.Offer = &o
	p.OfferQR = c.set.URL(accountPath+"/qr.png") + "?" + query("offer", o.Text).Encode()
}

// stayIn begins a new session for a person whose others have just ended.
func (c *Console) stayIn(w http.ResponseWriter, r *http.Request, v *visit, done string) error {
	if err := c.begin(w, r, v.who); err != nil {
		return err
	}
	c.redirect(w, r, accountPath+"?done="+done)
	return nil
}

func (c *Console) accountDone(w http.ResponseWriter, r *http.Request, v *visit, do, done string, err error) error {
	if err != nil {
		return c.accountWrong(w, r, v, do, err)
	}
	c.redirect(w, r, accountPath+"?done="+done)
	return nil
}

// accountWrong answers a form with what was wrong with it; others than field errors and
// limits are passed on.
func (c *Console) accountWrong(w http.ResponseWriter, r *http.Request, v *visit, do string, err error) error {
	var limited *comments.LimitedError
	var invalid *comments.InvalidError
	status, wrong := http.StatusUnprocessableEntity, map[string]string{}
	switch {
	case errors.As(err, &limited):
		c.retryAfter(w, limited)
		status = http.StatusTooManyRequests
		wrong[do+".password"] = v.l.Say("signin.limited_help", "Wait", v.l.Wait(limited.RetryAfter))
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			wrong[do+"."+f.Field] = accountError(v.l, f)
		}
	default:
		return err
	}
	return c.accountPage(w, r, v, status, func(p *accountPage) {
		p.Errors, p.Typed["name"] = wrong, r.PostForm.Get("name")
		if o, err := c.cfg.Service.OfferAgain(v.who, r.PostForm.Get("offer")); do == "totp" && err == nil {
			c.offer(p, o)
		}
	})
}

func accountError(l *templates.Locale, f comments.FieldError) string {
	if id := "account.wrong." + f.Code; l.Has(id) {
		return l.Say(id, "Least", strconv.Itoa(moderation.PasswordLeast))
	}
	return l.Field(f)
}

// showOffer draws an offer as a QR code.
func (c *Console) showOffer(w http.ResponseWriter, r *http.Request, v *visit) error {
	const side = 220
	img, err := c.cfg.Service.OfferImage(v.who, r.URL.Query().Get("offer"), side)
	if errors.Is(err, comments.ErrInvalid) {
		return comments.ErrGone
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	_, err = w.Write(img)
	return err
}

// tokenLives are the lifetimes that the form offers, in days; 0 has no end.
var tokenLives = map[string]time.Duration{"30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour, "365": 365 * 24 * time.Hour, "0": 0}

func (c *Console) newToken(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := r.PostForm
	life, ok := tokenLives[f.Get("for")]
	if !ok {
		return comments.ErrMalformed
	}
	wish := moderation.TokenWish{Name: f.Get("name"), For: life}
	for _, s := range f["scope"] {
		wish.Scopes = append(wish.Scopes, moderation.Permission(s))
	}
	secret, _, err := c.cfg.Service.NewOwnToken(r.Context(), v.who, wish)
	if err != nil {
		return c.accountWrong(w, r, v, "token", err)
	}
	return c.accountPage(w, r, v, http.StatusOK, func(p *accountPage) { p.Token = secret })
}
