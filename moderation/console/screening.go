package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	elsewhere "duyet/moderation/outside"
	"duyet/moderation/screen"
	"duyet/templates"
)

// Screening is what the desk shows of the checks that people work with.
type Screening struct {
	Lists   *screen.Lists
	Repeats *screen.Repeats
	Learner *screen.Learner
	Bans    *screen.Bans
	Rules   *screen.Rules
	Outside *elsewhere.Outside // nil = nothing can be asked elsewhere
}

// screeningFormBytes is the most that a form about a word list may hold.
const screeningFormBytes = 2 << 20

func (c *Console) screeningRoutes(r *mux.Router) {
	if c.cfg.Screening == nil {
		return
	}
	get := []string{http.MethodGet, http.MethodHead}
	r.Handle("/moderation/words", c.forModerators(c.showLists)).Methods(get...)
	r.Handle("/moderation/words", c.forModerators(c.tryLists)).Methods(http.MethodPost)
	r.Handle("/moderation/words/list", c.forModerators(c.showList)).Methods(get...)
	r.Handle("/moderation/words/list", c.forModerators(c.workOnList)).Methods(http.MethodPost)
	r.Handle("/moderation/learning", c.forModerators(c.showLearning)).Methods(get...)
	r.Handle("/moderation/learning", c.forModerators(c.setThresholds)).Methods(http.MethodPost)
	r.Handle("/moderation/campaign/{id}", c.forModerators(c.showCampaign)).Methods(get...)
	r.Handle("/moderation/bans", c.forModerators(c.showBans)).Methods(get...)
	r.Handle("/moderation/bans", c.forModerators(c.workOnBan)).Methods(http.MethodPost)
	r.Handle("/moderation/rules", c.forModerators(c.showRules)).Methods(get...)
	r.Handle("/moderation/rules", c.forModerators(c.moveRule)).Methods(http.MethodPost)
	r.Handle("/moderation/rules/rule", c.forModerators(c.showRule)).Methods(get...)
	r.Handle("/moderation/rules/rule", c.forModerators(c.workOnRule)).Methods(http.MethodPost)
	c.elsewhereRoutes(r)
	c.registerScreening()
	c.registerBans()
	c.registerRules()
}

// screeningFrame is what stands around every page about the checks.
type screeningFrame struct {
	frame
	Tabs      []link
	Sites     []link
	Site      string
	SiteName  string
	MayManage bool
	Trouble   string
	Errors    map[string]string // by field
	Done      string            // what the last form did
}

// screeningTabs are the pages about the checks, in order.
var screeningTabs = [...]struct{ path, words string }{
	{"/moderation/words", "screening.words"},
	{"/moderation/bans", "ban.title"},
	{"/moderation/rules", "rule.title"},
	{"/moderation/learning", "screening.learning"},
	{attackPath, "attack.title"},
	{elsewherePath, "elsewhere.title"},
}

// screening is the frame of a page about the checks, for the site asked for.
func (c *Console) screening(r *http.Request, v *visit, asked, path string) (f screeningFrame, site comments.Site, err error) {
	all, site, err := c.sites(r.Context(), v, asked)
	if err != nil || site.ID == "" {
		return f, site, err
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	f = screeningFrame{
		frame: c.frame(r, v, "screening"), Site: site.ID, SiteName: site.Name,
		MayManage: v.who.May(moderation.ManageSite, site.ID), Errors: map[string]string{},
	}
	at := func(path, site string) string { return c.set.URL(path + "?" + query("site", site).Encode()) }
	for _, t := range screeningTabs {
		if t.path == elsewherePath && (!f.MayManage || c.cfg.Screening.Outside == nil) {
			continue
		}
		f.Tabs = append(f.Tabs, link{Words: v.l.Say(t.words), URL: at(t.path, site.ID), Current: t.path == path})
	}
	if len(all) > 1 {
		for _, s := range all {
			f.Sites = append(f.Sites, link{Words: s.Name, URL: at(path, s.ID), Current: s.ID == site.ID})
		}
	}
	if done := r.URL.Query().Get("done"); slices.Contains([]string{"saved", "removed", "added", "banned", "lifted", "attack_on", "attack_off"}, done) {
		f.Done = v.l.Say("screening." + done)
	}
	return f, site, nil
}

// refuse puts what was wrong with a form into words; what is no fault of the form is returned.
func (f *screeningFrame) refuse(v *visit, err error) (status int, _ error) {
	var invalid *comments.InvalidError
	switch {
	case errors.As(err, &invalid):
		f.Trouble = v.l.Say("screening.wrong")
		for _, e := range invalid.Fields {
			field, _, _ := strings.Cut(e.Field, "[")
			if f.Errors[field] != "" {
				continue
			}
			switch {
			case e.Code == screen.CodeBadEntry:
				_, at, _ := strings.Cut(e.Field, "[")
				line, _ := strconv.Atoi(strings.TrimSuffix(at, "]"))
				f.Errors[field] = v.l.Say("screening.bad_entry", "Number", v.l.Number(line+1), "Max", e.Max)
			case field == "when":
				f.Errors[field] = wrongCondition(v.l, e)
			case field == "hold" || field == "spam":
				f.Errors[field] = v.l.Say("screening.bad_threshold")
			default:
				f.Errors[field] = v.l.Field(e)
			}
		}
		return http.StatusUnprocessableEntity, nil
	case errors.Is(err, comments.ErrConflict):
		f.Trouble = v.l.Say("screening.conflict")
		return http.StatusConflict, nil
	}
	return 0, err
}

func (c *Console) screeningPage(w http.ResponseWriter, v *visit, status int, page, title string, d any) error {
	return c.set.Page(w, status, "console/"+page, templates.View{L: v.l, D: d, Title: v.l.Say(title) + " · Duyet", NoIndex: true, Classes: "wide"})
}

// campaignPage lists comments that say nearly the same.
type campaignPage struct {
	screeningFrame
	Rows     []campaignRow
	Together *together
}

type campaignRow struct {
	Title, Name, Text, Lang string
	Status, StatusIcon      string
	At                      string
	ISO                     string
	URL                     string
	picked
}

func (c *Console) showCampaign(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := comments.ParseID(mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	f, site, err := c.screening(r, v, id.Site(), "")
	if errors.Is(err, comments.ErrForbidden) {
		err = comments.ErrNotFound
	}
	if err != nil {
		return err
	}
	list, err := c.cfg.Screening.Repeats.Campaign(r.Context(), v.who, id)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return comments.ErrNotFound
	}
	d := campaignPage{screeningFrame: f, Together: c.together(v, site)}
	for _, m := range list {
		d.Rows = append(d.Rows, campaignRow{
			Title: m.Title, Name: m.Name, Text: m.Content, Lang: m.Lang, Status: v.status(m.Status), StatusIcon: statusIcons[m.Status],
			At: v.l.Time(m.CreatedAt), ISO: v.l.ISO(m.CreatedAt), URL: c.set.URL(place{Site: site.ID}.alone(string(m.ID)).path(nil)), picked: pickedOf(m),
		})
	}
	return c.screeningPage(w, v, http.StatusOK, "campaign", "campaign.title", d)
}

// back is an address of a page about the checks, with what has been done there.
func screeningAt(path, site string, more ...string) string {
	q := query(append([]string{"site", site}, more...)...)
	return path + "?" + url.Values(q).Encode()
}
