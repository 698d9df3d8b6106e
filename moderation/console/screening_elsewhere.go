package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"duyet/comments"
	elsewhere "duyet/moderation/outside"
)

const elsewherePath = "/moderation/screening/outside"

// elsewhereBytes is the most that a form about services elsewhere may hold.
const elsewhereBytes = 16 << 10

func (c *Console) elsewhereRoutes(r *mux.Router) {
	if c.cfg.Screening.Outside == nil {
		return
	}
	r.Handle(elsewherePath, c.forModerators(c.showElsewhere)).Methods(http.MethodGet, http.MethodHead)
	r.Handle(elsewherePath, c.forModerators(c.workOnElsewhere)).Methods(http.MethodPost)
}

// elsewherePage is which services a site asks, with what is typed as it was typed; never with
// a key or a secret.
type elsewherePage struct {
	screeningFrame
	Akismet akismetForm
	Hook    hookForm
}

type akismetForm struct {
	elsewhere.AkismetSettings
	serviceState
	NoAddresses bool // the site keeps none, so that nothing can be told afterwards
}

type hookForm struct {
	elsewhere.HookSettings
	serviceState
	Limit string // seconds, as typed
}

// serviceState is what is told of a service.
type serviceState struct {
	IsOn    bool   // as it stands, whatever is typed
	Changed string // by whom and when
	SetAt   string // when the key or the secret was typed; "" = there is none
	Lines   []string
	Tried   string
	Failed  bool // what was tried
}

func (c *Console) showElsewhere(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, site, err := c.elsewhere(r, v, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	return c.elsewherePage(w, v, http.StatusOK, d)
}

// elsewhere is the page as it stands, for who manages the site.
func (c *Console) elsewhere(r *http.Request, v *visit, asked string) (d elsewherePage, site comments.Site, err error) {
	f, site, err := c.screening(r, v, asked, elsewherePath)
	if err != nil || site.ID == "" {
		return d, site, err
	}
	s, err := c.cfg.Screening.Outside.Settings(r.Context(), v.who, site.ID)
	if err != nil {
		return d, site, err
	}
	d = elsewherePage{screeningFrame: f}
	d.Akismet = akismetForm{AkismetSettings: s.Akismet, serviceState: v.service(s.Akismet.On, s.Akismet.About), NoAddresses: site.Settings.AddressesFor == 0}
	if s.Akismet.Version == 0 && len(site.Origins) > 0 {
		d.Akismet.Blog = site.Origins[0]
	}
	d.Hook = hookForm{HookSettings: s.Hook, serviceState: v.service(s.Hook.On, s.Hook.About)}
	d.Hook.Limit = v.l.Number(s.Hook.Within.Seconds())
	return d, site, nil
}

// service tells how a service has answered.
func (v *visit) service(on bool, a elsewhere.About) (s serviceState) {
	s.IsOn = on
	if a.Version == 0 {
		return s
	}
	s.Changed = v.l.Say("elsewhere.changed", "By", v.actor(a.By), "At", v.l.Time(a.At))
	if !a.SecretAt.IsZero() {
		s.SetAt = v.l.Time(a.SecretAt)
	}
	if a.Broken {
		s.Lines = append(s.Lines, v.l.Say("elsewhere.broken"))
	}
	st := a.Standing
	if st.Resting {
		s.Lines = append(s.Lines, v.l.Say("elsewhere.resting"))
	}
	if !st.Failed.IsZero() {
		s.Lines = append(s.Lines, v.l.Say("elsewhere.failed", "At", v.l.Time(st.Failed), "Why", v.trouble(st.Trouble, st.Status)))
	}
	if !st.Answered.IsZero() {
		s.Lines = append(s.Lines, v.l.Say("elsewhere.answered", "At", v.l.Time(st.Answered)))
	}
	if st.Alert != "" {
		s.Lines = append(s.Lines, v.l.Say("elsewhere.alert", "At", v.l.Time(st.AlertedAt), "Words", st.Alert))
	}
	return s
}

func (v *visit) trouble(t elsewhere.Trouble, status int) string {
	return v.l.Say("elsewhere.trouble."+string(t), "Status", strconv.Itoa(status))
}

// tell puts what came of a try into words.
func (s *serviceState) tell(v *visit, t elsewhere.Tried) {
	took := v.l.Number(int(t.Took.Milliseconds()))
	if t.Trouble != "" {
		s.Failed, s.Tried = true, v.l.Say("elsewhere.tried_trouble", "Why", v.trouble(t.Trouble, t.Status))
		return
	}
	s.Tried = v.l.Say("elsewhere.tried."+t.Verdict, "Took", took)
	if t.Reason != "" {
		s.Tried += " " + v.l.Say("elsewhere.tried_reason", "Reason", t.Reason)
	}
}

func (c *Console) elsewherePage(w http.ResponseWriter, v *visit, status int, d elsewherePage) error {
	return c.screeningPage(w, v, status, "elsewhere", "elsewhere.title", d)
}

// workOnElsewhere saves what is chosen of a service, takes its key away, or tries it.
func (c *Console) workOnElsewhere(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, elsewhereBytes); err != nil {
		return err
	}
	form := r.PostForm
	d, site, err := c.elsewhere(r, v, form.Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return comments.ErrForbidden
	}
	do, service := form.Get("do"), form.Get("service")
	out, ctx := c.cfg.Screening.Outside, r.Context()
	if do == "try" {
		ask, state := out.TryAkismet, &d.Akismet.serviceState
		switch service {
		case "akismet":
		case "hook":
			ask, state = out.TryHook, &d.Hook.serviceState
		default:
			return comments.ErrMalformed
		}
		t, err := ask(ctx, v.who, site.ID, v.l.Lang)
		if err != nil {
			return err
		}
		state.tell(v, t)
		return c.elsewherePage(w, v, http.StatusOK, d)
	}
	version, err := sequence(form.Get("version"))
	if err != nil || do != "save" && do != "remove" {
		return comments.ErrMalformed
	}
	remove := do == "remove"
	switch service {
	case "akismet":
		a := &d.Akismet
		a.Version = version // somebody else's change is not overwritten by sending again
		a.On, a.Feedback, a.Blog = form.Has("on") && !remove, form.Has("feedback"), comments.Clean(form.Get("blog"))
		err = out.SetAkismet(ctx, v.who, site.ID, elsewhere.AkismetChange{
			On: a.On, Feedback: a.Feedback, Blog: a.Blog, Key: form.Get("key"), RemoveKey: remove, Version: version,
		})
	case "hook":
		h := &d.Hook
		h.Version = version
		h.On, h.URL, h.Limit = form.Has("on") && !remove, comments.Clean(form.Get("url")), comments.Clean(form.Get("limit"))
		err = out.SetHook(ctx, v.who, site.ID, elsewhere.HookChange{
			On: h.On, URL: h.URL, Within: seconds(h.Limit), Secret: form.Get("secret"), RemoveSecret: remove, Version: version,
		})
	default:
		return comments.ErrMalformed
	}
	if err == nil {
		done := "saved"
		if remove {
			done = "removed"
		}
		c.redirect(w, r, screeningAt(elsewherePath, site.ID, "done", done))
		return nil
	}
	status, err := d.refuse(v, err)
	if err != nil {
		return err
	}
	return c.elsewherePage(w, v, status, d)
}

// seconds reads a number of seconds as people type it; what is none is 0.
func seconds(typed string) time.Duration {
	n, err := strconv.ParseFloat(strings.Replace(typed, ",", ".", 1), 64)
	if err != nil || !(n > 0 && n < 1000) {
		return 0
	}
	return time.Duration(n * float64(time.Second)).Round(time.Millisecond)
}
