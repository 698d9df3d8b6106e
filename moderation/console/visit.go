package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// visit is one request of a moderator who is signed in.
type visit struct {
	who   moderation.Moderator
	l     *templates.Locale
	now   time.Time
	names map[string]string // e-mail by moderator id
	site  string            // that the visit is about
	said  func(site, code, lang string) moderation.ReasonWords
	// attacks go on at the moderator's sites.
	attacks []attackOn
}

// forModerators runs a page for whoever is signed in and sends others to sign in first.
func (c *Console) forModerators(fn func(http.ResponseWriter, *http.Request, *visit) error) http.Handler {
	return c.forAnybody(func(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
		who, err := c.resume(r)
		if errors.Is(err, comments.ErrUnauthenticated) && !templates.PrefersJSON(r) {
			q := url.Values{}
			if r.Method == http.MethodGet {
				q.Set("next", r.URL.RequestURI())
			} else {
				q.Set("ended", "1")
			}
			c.redirect(w, r, "/moderation/login?"+q.Encode())
			return nil
		}
		if err != nil {
			return err
		}
		names, err := c.cfg.Service.Names(r.Context())
		if err != nil {
			return err
		}
		v := &visit{who: who, l: l, now: c.cfg.Now(), names: names, said: func(site, code, lang string) moderation.ReasonWords {
			return c.cfg.Service.ReasonWords(r.Context(), site, code, lang)
		}}
		if v.attacks, err = c.attacksOf(r.Context(), who); err != nil {
			return err
		}
		return fn(w, r, v)
	})
}

// forAnybody runs a page in the language of the visit.
func (c *Console) forAnybody(fn func(http.ResponseWriter, *http.Request, *templates.Locale) error) http.Handler {
	return c.set.Handler(func(w http.ResponseWriter, r *http.Request) error {
		zone := comments.DefaultSettings().Location()
		l := c.locale(w, r, zone)
		templates.UseLocale(r, l)
		return fn(w, r, l)
	})
}

// langFor is how long a browser remembers the language chosen on the desk.
const langFor = 365 * 24 * time.Hour

// locale is the language of the parameter, which is remembered, else the one remembered,
// else what the browser asks for.
func (c *Console) locale(w http.ResponseWriter, r *http.Request, zone *time.Location) *templates.Locale {
	if lang := r.URL.Query().Get("lang"); templates.Known(lang) {
		http.SetCookie(w, c.cookie(r, langCookie, lang, langFor))
		return c.set.Locale(lang, zone)
	}
	if cookie, err := r.Cookie(langCookie); err == nil && templates.Known(cookie.Value) {
		return c.set.Locale(cookie.Value, zone)
	}
	return c.set.Locale(c.set.Accepted(r.Header.Get("Accept-Language")), zone)
}

// redirect answers with the page to go on to, a path of ours.
func (c *Console) redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, c.set.URL(path), http.StatusSeeOther)
}

// localPath is a path of the desk that somebody may be sent on to after signing in, as it
// stands in a parameter; anything else, such as another site's address, is the desk.
func (c *Console) localPath(raw string) string {
	const desk = "/moderation/"
	if len(raw) > 4<<10 || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return desk
	}
	u, err := url.Parse(strings.TrimPrefix(raw, c.set.URL("")))
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(u.Path, desk) || strings.Contains(u.Path, "..") || strings.Contains(u.Path, "//") {
		return desk
	}
	return u.RequestURI()
}

// other is the link to the same page in the other language.
type other struct{ Lang, Name, URL string }

func (c *Console) otherLanguage(r *http.Request, l *templates.Locale) other {
	o := other{Lang: "en", Name: "English"}
	if l.Lang == "en" {
		o = other{Lang: "vi", Name: "Tiếng Việt"}
	}
	path, q := "/moderation/", url.Values{}
	if r.Method == http.MethodGet {
		path, q = r.URL.EscapedPath(), r.URL.Query()
	}
	q.Set("lang", o.Lang)
	o.URL = c.set.URL(path) + "?" + q.Encode()
	return o
}

// frame is what stands around every page of who is signed in.
type frame struct {
	Page     string // "queues", "journal" or "screening", whichever is current
	Screened bool   // there are pages about the checks
	Email    string
	Initials string
	Role     string
	Other    other
	// MayPeople shows the way to the page of people.
	MayPeople bool
	// Alarms are the attacks that go on.
	Alarms []alarmBar
	// MaySettings shows the way to a site's settings.
	MaySettings bool
	Find        find
}

func (c *Console) frame(r *http.Request, v *visit, page string) frame {
	return frame{
		Page: page, Screened: c.cfg.Screening != nil, Email: v.who.Email, Initials: initials(v.who.Email),
		Role: v.l.Say("role." + string(v.who.Role)), Other: c.otherLanguage(r, v.l),
		MayPeople: v.who.Can(moderation.ManagePeople), Alarms: c.alarmBars(v),
		MaySettings: v.who.Can(moderation.ManageSite),
	}
}

func initials(email string) string {
	letters := []rune(strings.ToUpper(email))
	return string(letters[:min(2, len(letters))])
}

// sites are the sites of a visit, and the one it is about: the one asked for, else the
// first. Asking for one that isn't the moderator's is ErrForbidden.
func (c *Console) sites(ctx context.Context, v *visit, asked string) (all []comments.Site, current comments.Site, err error) {
	if all, err = c.cfg.Service.Sites(ctx, v.who); err != nil {
		return nil, comments.Site{}, err
	}
	for _, s := range all {
		if s.ID == asked || asked == "" {
			return all, s, nil
		}
	}
	if asked != "" {
		return nil, comments.Site{}, comments.ErrForbidden
	}
	return nil, comments.Site{}, nil
}

// inZoneOf makes the visit tell times as the site does.
func (c *Console) inZoneOf(v *visit, s comments.Site) {
	v.l, v.site = c.set.Locale(v.l.Lang, s.Settings.Location()), s.ID
}
