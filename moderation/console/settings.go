package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"crypto/rand"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

func (c *Console) settingsRoutes(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	r.Handle("/moderation/settings", c.forModerators(c.showSettings)).Methods(get...)
	r.Handle("/moderation/settings", c.forModerators(c.saveSettings)).Methods(http.MethodPost)
	r.Handle("/moderation/settings/reasons", c.forModerators(c.showReasons)).Methods(get...)
	r.Handle("/moderation/settings/reasons", c.forModerators(c.saveReasons)).Methods(http.MethodPost)
	r.Handle("/moderation/settings/page", c.forModerators(c.gatePage)).Methods(http.MethodPost)
}

// settingKind is how a setting is typed.
type settingKind struct {
	key     string
	choices []string      // one of these
	unit    time.Duration // a span in this unit
	lines   bool          // a list, one a line
	number  bool
}

// settingGroups are the settings in the order in which they are shown.
var settingGroups = [...]struct {
	id   string
	keys []settingKind
}{
	{"site", []settingKind{{key: "name"}, {key: "newsroom"}, {key: "origins", lines: true}, {key: "lang", choices: []string{"vi", "en", "auto"}}, {key: "timezone"}}},
	{"mode", []settingKind{
		{key: "mode", choices: []string{"pre", "post"}}, {key: "trust_after", number: true}, {key: "on_spam", choices: []string{"hold", "spam"}},
		{key: "warn_after", unit: time.Minute},
	}},
	{"fields", []settingKind{
		{key: "title", choices: []string{"required", "optional", "off"}}, {key: "name_max", number: true}, {key: "title_max", number: true},
		{key: "content_max", number: true}, {key: "reply_depth", number: true}, {key: "rules_url"}, {key: "privacy_url"},
	}},
	{"limits", []settingKind{
		{key: "edit_window", unit: time.Minute}, {key: "close_after", unit: 24 * time.Hour}, {key: "ticket_ttl", unit: time.Minute},
		{key: "addresses_for", unit: 24 * time.Hour}, {key: "rate_limit", choices: []string{"on", "off"}},
		{key: "attack_mode", choices: []string{"auto", "on", "off"}}, {key: "proof", choices: []string{"code", "work"}}, {key: "drop_params", lines: true},
	}},
	{"staff", []settingKind{{key: "staff_names", lines: true}}},
}

// shown is a setting's text as it is typed on the page.
func (k settingKind) shown(value string) string {
	switch {
	case k.lines:
		return strings.ReplaceAll(value, ",", "\n")
	case k.unit > 0:
		if d, err := time.ParseDuration(value); err == nil {
			return strconv.FormatFloat(float64(d)/float64(k.unit), 'f', -1, 64)
		}
	}
	return value
}

// typed is the text that a setting is set from.
func (k settingKind) typed(value string) string {
	value = comments.Clean(value)
	switch {
	case k.lines:
		var items []string
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line != "" {
				items = append(items, line)
			}
		}
		return strings.Join(items, ",")
	case k.unit > 0:
		n, err := strconv.ParseFloat(strings.Replace(value, ",", ".", 1), 64)
		if err != nil || n < 0 || n > 1e6 {
			return "none"
		}
		return (time.Duration(n*float64(k.unit)) / time.Second * time.Second).String()
	}
	return value
}

// settingsPage is a site's settings.
type settingsPage struct {
	frame
	Sites      []link
	Site       string
	SiteName   string
	Version    uint64
	Groups     []settingGroup
	MayManage  bool
	Trouble    string
	Done       string
	Past       string // what trust would have done
	ReasonsURL string
	AuditURL   string
}

type settingGroup struct {
	ID       string
	Settings []setting
}

type setting struct {
	Key, Words, Hint, Unit, Value, Error string
	Choices                              []choice
	Lines, Number                        bool
}

func (c *Console) showSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, site, err := c.settings(r, v, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	if r.URL.Query().Get("done") != "" {
		d.Done = v.l.Say("settings.saved")
	}
	d.fill(v, site, nil, nil)
	return c.set.Page(w, http.StatusOK, "console/settings", templates.View{L: v.l, D: d, Title: v.l.Say("settings.title") + " · Duyet", NoIndex: true, Classes: "wide"})
}

// settings is the frame of the page, for who may see the site.
func (c *Console) settings(r *http.Request, v *visit, asked string) (*settingsPage, comments.Site, error) {
	all, site, err := c.sites(r.Context(), v, asked)
	if err != nil || site.ID == "" {
		return nil, site, err
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	if !v.who.May(moderation.ManageSite, site.ID) {
		return nil, site, comments.ErrForbidden
	}
	d := &settingsPage{
		frame: c.frame(r, v, "settings"), Site: site.ID, SiteName: site.Name, Version: site.Version, MayManage: true,
		ReasonsURL: c.set.URL("/moderation/settings/reasons?" + query("site", site.ID).Encode()),
		AuditURL:   c.set.URL("/moderation/audit?" + query("site", site.ID, "group", "settings").Encode()),
	}
	if len(all) > 1 {
		for _, s := range all {
			d.Sites = append(d.Sites, link{Words: s.Name, URL: c.set.URL("/moderation/settings?" + query("site", s.ID).Encode()), Current: s.ID == site.ID})
		}
	}
	return d, site, nil
}

// fill lays the settings out, as they stand or as they were typed.
func (d *settingsPage) fill(v *visit, site comments.Site, typed map[string]string, wrong map[string]string) {
	for _, g := range settingGroups {
		group := settingGroup{ID: g.id}
		for _, k := range g.keys {
			s := setting{Key: k.key, Words: v.l.Say("setting." + k.key), Value: k.shown(site.Get(k.key)), Error: wrong[k.key], Lines: k.lines, Number: k.number || k.unit > 0}
			if id := "setting_hint." + k.key; v.l.Has(id) {
				s.Hint = v.l.Say(id)
			}
			switch k.unit {
			case time.Minute:
				s.Unit = v.l.Say("settings.minutes")
			case 24 * time.Hour:
				s.Unit = v.l.Say("settings.days")
			}
			if value, ok := typed[k.key]; ok {
				s.Value = value
			}
			for _, one := range k.choices {
				s.Choices = append(s.Choices, choice{Value: one, Words: v.l.Say("setting_value." + k.key + "_" + one), On: one == s.Value})
			}
			group.Settings = append(group.Settings, s)
		}
		d.Groups = append(d.Groups, group)
	}
}

func (c *Console) saveSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, judgeBytes); err != nil {
		return err
	}
	form := r.PostForm
	d, site, err := c.settings(r, v, form.Get("site"))
	if err != nil {
		return err
	}
	if d.Version, err = sequence(form.Get("version")); err != nil {
		return err
	}
	var pairs []comments.Pair
	typed, wrong := map[string]string{}, map[string]string{}
	for _, g := range settingGroups {
		for _, k := range g.keys {
			if !form.Has(k.key) {
				continue
			}
			typed[k.key] = form.Get(k.key)
			if value := k.typed(typed[k.key]); value != k.typed(k.shown(site.Get(k.key))) {
				pairs = append(pairs, comments.Pair{Key: k.key, Value: value})
			}
		}
	}
	status := http.StatusOK
	if form.Get("do") == "past" {
		err = c.trustPast(r, v, site, typed["trust_after"], d)
	} else if len(pairs) > 0 {
		_, err = c.cfg.Service.SetSettings(r.Context(), v.who, site.ID, d.Version, pairs)
	}
	var invalid *comments.InvalidError
	switch {
	case err == nil && form.Get("do") != "past":
		c.redirect(w, r, "/moderation/settings?"+query("site", site.ID, "done", "1").Encode())
		return nil
	case errors.As(err, &invalid):
		status, d.Trouble = http.StatusUnprocessableEntity, v.l.Say("judge.wrong")
		for _, f := range invalid.Fields {
			wrong[f.Field] = v.l.Say("settings.bad")
		}
	case errors.Is(err, comments.ErrConflict):
		status, d.Trouble, d.Version = http.StatusConflict, v.l.Say("settings.changed"), site.Version
	case err != nil:
		return err
	}
	d.fill(v, site, typed, wrong)
	return c.set.Page(w, status, "console/settings", templates.View{L: v.l, D: d, Title: v.l.Say("settings.title") + " · Duyet", NoIndex: true, Classes: "wide"})
}

// trustPast says what trust after some approvals would have done.
func (c *Console) trustPast(r *http.Request, v *visit, site comments.Site, typed string, d *settingsPage) error {
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	if err != nil || n < 1 || n > comments.TrustMost {
		return comments.Invalid("trust_after", moderation.CodeBadSetting)
	}
	past, err := c.cfg.Service.WouldTrust(r.Context(), v.who, site.ID, n)
	if err != nil {
		return err
	}
	p := past.Published
	d.Past = v.l.Say("settings.past", "Looked", v.l.Number(past.Looked), "Total", v.l.Number(p.Total()), "Authors", v.l.Number(past.Authors),
		"Approved", v.l.Number(p.Approved), "Refused", v.l.Number(p.Rejected+p.Spam+p.Trashed))
	return nil
}

// reasonsPage is a site's reasons with what authors read.
type reasonsPage struct {
	frame
	Site, SiteName string
	Version        uint64
	Reasons        []reasonForm
	Langs          []string
	Trouble, Done  string
	BackURL        string
}

// reasonForm is a reason as it is typed.
type reasonForm struct {
	Code  string
	Words []reasonLang
	Error string
	New   bool
}

type reasonLang struct {
	Lang, Name, Label, Text, UsualLabel, UsualText string
}

func (c *Console) showReasons(w http.ResponseWriter, r *http.Request, v *visit) error {
	s, site, err := c.settings(r, v, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	all, err := c.cfg.Service.Reasons(r.Context(), v.who, site.ID)
	if err != nil {
		return err
	}
	d := &reasonsPage{frame: s.frame, Site: site.ID, SiteName: site.Name, Version: all.Version}
	if r.URL.Query().Get("done") != "" {
		d.Done = v.l.Say("settings.saved")
	}
	return c.reasonsPage(w, v, http.StatusOK, d, all.List)
}

func (c *Console) reasonsPage(w http.ResponseWriter, v *visit, status int, d *reasonsPage, list []moderation.Reason) error {
	d.BackURL = c.set.URL("/moderation/settings?" + query("site", d.Site).Encode())
	add := func(reason moderation.Reason) {
		f := reasonForm{Code: reason.Code, New: reason.Code == ""}
		for _, lang := range templates.Languages {
			l, words := c.set.Locale(lang, nil), reason.Words[lang]
			one := reasonLang{Lang: lang, Name: v.l.Say("settings.lang_" + lang), Label: words.Label, Text: words.Text}
			if id := "reason." + reason.Code; l.Has(id) {
				one.UsualLabel = l.Say(id)
			}
			if one.UsualText = l.Say("refused.by_rules"); l.Has("refused." + reason.Code) {
				one.UsualText = l.Say("refused." + reason.Code)
			}
			f.Words = append(f.Words, one)
		}
		d.Reasons = append(d.Reasons, f)
	}
	for _, reason := range list {
		add(reason)
	}
	if len(list) < moderation.ReasonsMost {
		add(moderation.Reason{})
	}
	return c.set.Page(w, status, "console/reasons", templates.View{L: v.l, D: d, Title: v.l.Say("settings.reasons") + " · Duyet", NoIndex: true, Classes: "wide"})
}

func (c *Console) saveReasons(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, judgeBytes); err != nil {
		return err
	}
	form := r.PostForm
	s, site, err := c.settings(r, v, form.Get("site"))
	if err != nil {
		return err
	}
	version, err := sequence(form.Get("version"))
	if err != nil {
		return err
	}
	set := moderation.Reasons{Version: version}
	for i, code := range form["code"] {
		if slices.Contains(form["remove"], code) && code != "" {
			continue
		}
		reason := moderation.Reason{Code: code, Words: map[string]moderation.ReasonWords{}}
		typed := ""
		for _, lang := range templates.Languages {
			at := lang + "-" + strconv.Itoa(i)
			words := moderation.ReasonWords{Label: form.Get("label-" + at), Text: form.Get("text-" + at)}
			reason.Words[lang] = words
			typed += words.Label + words.Text
		}
		if code == "" && strings.TrimSpace(typed) == "" {
			continue
		}
		if code == "" {
			reason.Code = "r-" + strings.ToLower(rand.Text()[:8])
		}
		set.List = append(set.List, reason)
	}
	err = c.cfg.Service.SetReasons(r.Context(), v.who, site.ID, set)
	if err == nil {
		c.redirect(w, r, "/moderation/settings/reasons?"+query("site", site.ID, "done", "1").Encode())
		return nil
	}
	d := &reasonsPage{frame: s.frame, Site: site.ID, SiteName: site.Name, Version: version}
	status := http.StatusUnprocessableEntity
	var invalid *comments.InvalidError
	switch {
	case errors.As(err, &invalid):
		d.Trouble = v.l.Say("settings.bad_reason", "Label", moderation.ReasonLabelMost, "Text", moderation.ReasonTextMost)
	case errors.Is(err, comments.ErrConflict):
		status, d.Trouble = http.StatusConflict, v.l.Say("settings.changed")
	default:
		return err
	}
	return c.reasonsPage(w, v, status, d, set.List)
}

// gatePage closes, re-opens or holds the page of a comment.
func (c *Console) gatePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, judgeBytes); err != nil {
		return err
	}
	f := r.PostForm
	if _, err := c.cfg.Service.GatePage(r.Context(), v.who, f.Get("site"), f.Get("page"), comments.Gate(f.Get("gate"))); err != nil {
		return err
	}
	c.redirect(w, r, c.localPath(f.Get("back")))
	return nil
}
