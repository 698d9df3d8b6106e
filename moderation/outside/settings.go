package outside

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// kindSettings is the kind of the documents that hold what a site has chosen, one a service,
// and how far its decisions were told; KindChanged is the journal's event about a choice.
const (
	kindSettings               = "outside"
	KindChanged  comments.Kind = "outside.changed"

	akismetID = "akismet"
	hookID    = "hook"
	toldID    = "told"
)

// Codes of what can be wrong with settings.
const (
	CodeNoURL     = "no_url"     // no address of the web
	CodeNoHTTPS   = "no_https"   // plain HTTP is for the operator's own networks alone
	CodeAddress   = "no_address" // an address that the service mustn't reach
	CodeBadKey    = "bad_key"
	CodeBadSecret = "bad_secret"
	CodeBadLimit  = "bad_limit"
)

// Limits of settings.
const (
	URLMost      = 1000
	keyMost      = 64
	secretLeast  = 24 // bytes, as the scheme of the signature asks
	secretMost   = 64
	HookLeast    = 200 * time.Millisecond
	HookUsual    = 2 * time.Second
	HookMost     = screen.ElsewhereWithin
	secretPrefix = "whsec_"
)

// Settings are what a site has chosen. They never hold a key or a secret.
type Settings struct {
	Akismet AkismetSettings
	Hook    HookSettings
}

// About is what every service's settings say of themselves.
type About struct {
	Version  uint64 // 0 = nothing was ever chosen
	At       time.Time
	By       string
	SecretAt time.Time // when the key or the secret was typed; zero = there is none
	Broken   bool      // there is one, but it can't be opened: it must be typed again
	Standing Standing
}

// AkismetSettings are a site's for Akismet.
type AkismetSettings struct {
	On       bool
	Blog     string // address of the site, as Akismet knows it
	Feedback bool   // tell Akismet when moderators decide otherwise
	About
}

// HookSettings are a site's for its own hook.
type HookSettings struct {
	On     bool
	URL    string
	Within time.Duration
	About
}

// storedAkismet and storedHook are what the documents hold.
type storedAkismet struct {
	On       bool      `json:"on"`
	Blog     string    `json:"blog"`
	Feedback bool      `json:"feedback"`
	Sealed   []byte    `json:"sealed,omitempty"`
	SetAt    time.Time `json:"set_at,omitzero"`
	// From is where the journal stood, and Since when, as feedback was switched on: what
	// was written before stays untold.
	From  uint64    `json:"from,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

type storedHook struct {
	On     bool          `json:"on"`
	URL    string        `json:"url"`
	Within time.Duration `json:"within"`
	Sealed []byte        `json:"sealed,omitempty"`
	SetAt  time.Time     `json:"set_at,omitzero"`
}

// read makes what a site has chosen of its documents. One that can't be read is troubled by
// itself: it holds comments, and the other service is asked.
func (o *Outside) read(site string, documents []moderation.Document) (*chosen, error) {
	c := &chosen{}
	for _, d := range documents {
		if d.Site != site {
			continue
		}
		about := About{Version: d.Version, At: d.At, By: d.By}
		switch d.ID {
		case akismetID:
			c.akismet = o.readAkismet(site, d, about)
		case hookID:
			c.hook = o.readHook(site, d, about)
		}
	}
	return c, nil
}

func (o *Outside) readAkismet(site string, d moderation.Document, about About) akismet {
	var s storedAkismet
	if json.Unmarshal(d.Data, &s) != nil {
		about.Broken = true
		return akismet{AkismetSettings: AkismetSettings{On: true, About: about}, record: o.recordOf(d)}
	}
	about.SecretAt = s.SetAt
	a := akismet{AkismetSettings: AkismetSettings{s.On, s.Blog, s.Feedback, about}, from: s.From, since: s.Since, record: o.recordOf(d)}
	if s.Sealed != nil {
		plain, err := o.vault.Open(purpose(akismetID, site), s.Sealed)
		a.key, a.Broken = string(plain), err != nil
	}
	return a
}

func (o *Outside) readHook(site string, d moderation.Document, about About) hook {
	var s storedHook
	if json.Unmarshal(d.Data, &s) != nil {
		about.Broken = true
		return hook{HookSettings: HookSettings{On: true, About: about}, record: o.recordOf(d)}
	}
	about.SecretAt = s.SetAt
	h := hook{HookSettings: HookSettings{s.On, s.URL, min(max(s.Within, HookLeast), HookMost), about}, record: o.recordOf(d)}
	if s.Sealed != nil {
		plain, err := o.vault.Open(purpose(hookID, site), s.Sealed)
		if err == nil {
			h.signer, err = standardwebhooks.NewWebhookRaw(plain)
		}
		h.Broken = err != nil
	}
	h.at, _ = url.Parse(s.URL)
	return h
}

// purpose binds what is sealed to its service and site.
func purpose(id, site string) string { return "outside " + id + " " + site }

// Settings are what a site has chosen, for who manages it.
func (o *Outside) Settings(ctx context.Context, who moderation.Moderator, site string) (Settings, error) {
	if err := o.cfg.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return Settings{}, err
	}
	c, err := o.kept.Of(ctx, site)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{c.akismet.AkismetSettings, c.hook.HookSettings}
	s.Akismet.Standing, s.Hook.Standing = c.akismet.stands(), c.hook.stands()
	if s.Hook.Within == 0 {
		s.Hook.Within = HookUsual
	}
	return s, nil
}

// AkismetChange is what is chosen of Akismet, at the version that was seen.
type AkismetChange struct {
	On, Feedback bool
	Blog         string
	Key          string // "" = as it stands
	RemoveKey    bool
	Version      uint64
}

// SetAkismet stores what a site chooses. Errors: comments.ErrForbidden, ErrVersion, an
// InvalidError on "blog" or "key".
func (o *Outside) SetAkismet(ctx context.Context, who moderation.Moderator, site string, c AkismetChange) error {
	if err := o.cfg.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	var was storedAkismet
	if err := o.stored(ctx, site, akismetID, c.Version, &was); err != nil {
		return err
	}
	now := was
	now.On, now.Feedback, now.Blog = c.On, c.Feedback, strings.TrimSpace(c.Blog)
	var wrong []comments.FieldError
	note := func(field, code string) { wrong = append(wrong, comments.FieldError{Field: field, Code: code}) }
	key := strings.TrimSpace(c.Key)
	switch {
	case c.RemoveKey:
		now.Sealed, now.SetAt = nil, time.Time{}
	case key != "" && !plainKey(key):
		note("key", CodeBadKey)
	case key != "":
		now.Sealed, now.SetAt = o.vault.Seal(purpose(akismetID, site), []byte(key)), o.cfg.Now().UTC()
	}
	if now.On && now.Sealed == nil && (key == "" || c.RemoveKey) {
		note("key", comments.CodeRequired)
	}
	switch u, err := url.Parse(now.Blog); {
	case now.Blog == "" && !now.On:
	case now.Blog == "":
		note("blog", comments.CodeRequired)
	case err != nil || len(now.Blog) > URLMost || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		note("blog", CodeNoURL)
	}
	if wrong != nil {
		return &comments.InvalidError{Fields: wrong}
	}
	if now.On && now.Feedback && !(was.On && was.Feedback) {
		head, err := o.cfg.Comments.Head(ctx, site)
		if err != nil {
			return err
		}
		now.From, now.Since = head.Seq, o.cfg.Now().UTC().Truncate(time.Millisecond)
	}
	return o.put(ctx, who, site, akismetID, c.Version, now)
}

// plainKey reports whether a text may be a key: what is no visible ASCII was mistyped.
func plainKey(s string) bool {
	for _, r := range []byte(s) {
		if r <= ' ' || r >= 0x7f {
			return false
		}
	}
	return len(s) <= keyMost
}

// HookChange is what is chosen of the hook, at the version that was seen.
type HookChange struct {
	On           bool
	URL          string
	Within       time.Duration
	Secret       string // "" = as it stands
	RemoveSecret bool
	Version      uint64
}

// SetHook stores what a site chooses. Errors: comments.ErrForbidden, ErrVersion, an
// InvalidError on "url", "secret" or "limit".
func (o *Outside) SetHook(ctx context.Context, who moderation.Moderator, site string, c HookChange) error {
	if err := o.cfg.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	var now storedHook
	if err := o.stored(ctx, site, hookID, c.Version, &now); err != nil {
		return err
	}
	now.On, now.URL, now.Within = c.On, strings.TrimSpace(c.URL), c.Within
	var wrong []comments.FieldError
	note := func(field, code string) { wrong = append(wrong, comments.FieldError{Field: field, Code: code}) }
	if code := o.wrongURL(now.URL); code != "" && (now.On || now.URL != "") {
		note("url", code)
	}
	secret := strings.TrimSpace(c.Secret)
	switch key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix)); {
	case c.RemoveSecret:
		now.Sealed, now.SetAt = nil, time.Time{}
	case secret != "" && (err != nil || len(key) < secretLeast || len(key) > secretMost):
		note("secret", CodeBadSecret)
	case secret != "":
		now.Sealed, now.SetAt = o.vault.Seal(purpose(hookID, site), key), o.cfg.Now().UTC()
	}
	if now.On && now.Sealed == nil && (secret == "" || c.RemoveSecret) {
		note("secret", comments.CodeRequired)
	}
	if now.Within < HookLeast || now.Within > HookMost {
		note("limit", CodeBadLimit)
	}
	if wrong != nil {
		return &comments.InvalidError{Fields: wrong}
	}
	return o.put(ctx, who, site, hookID, c.Version, now)
}

// wrongURL is what is wrong with the address of a hook, or "". Where its name leads to is
// looked at with every connection.
func (o *Outside) wrongURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return comments.CodeRequired
	case err != nil, len(raw) > URLMost, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.User != nil, u.Fragment != "":
		return CodeNoURL
	case u.Scheme == "http" && len(o.line.allowed) == 0:
		return CodeNoHTTPS
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		switch {
		case u.Scheme == "http" && !o.line.allows(ip):
			return CodeNoHTTPS
		case o.line.guard.SafeAddr(ip) != nil:
			return CodeAddress
		}
	}
	return ""
}

// stored reads a document into v; at version 0 there is none yet.
func (o *Outside) stored(ctx context.Context, site, id string, version uint64, v any) error {
	d, err := o.cfg.Documents.Document(ctx, site, kindSettings, id)
	if errors.Is(err, comments.ErrNotFound) && version == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if d.Version != version {
		return comments.ErrVersion
	}
	_ = json.Unmarshal(d.Data, v) // what can't be read is typed again
	return nil
}

func (o *Outside) put(ctx context.Context, who moderation.Moderator, site, id string, version uint64, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", id, err)
	}
	_, err = o.cfg.Documents.PutDocument(ctx, moderation.Document{
		Site: site, Kind: kindSettings, ID: id, Version: version, Data: data, By: who.ID,
	}, KindChanged)
	return err
}
