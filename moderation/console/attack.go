package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
)

const attackPath = "/moderation/attack"

func (c *Console) attackRoutes(r *mux.Router) {
	if c.cfg.Screening == nil {
		return
	}
	r.Handle(attackPath, c.forModerators(c.showAttacks)).Methods(http.MethodGet, http.MethodHead)
	r.Handle(attackPath, c.forModerators(c.switchAttack)).Methods(http.MethodPost)
	c.registerAttacks()
}

// attackOn is an attack that goes on, and on which site.
type attackOn struct {
	moderation.Attack
	site comments.Site
}

// attacksOf are the attacks that go on at somebody's sites.
func (c *Console) attacksOf(ctx context.Context, who moderation.Moderator) (list []attackOn, err error) {
	if c.cfg.Alarm == nil {
		return nil, nil
	}
	sites, err := c.cfg.Service.Sites(ctx, who)
	for _, site := range sites {
		for _, a := range c.cfg.Alarm.Going(ctx, site) {
			list = append(list, attackOn{a, site})
		}
	}
	return list, err
}

// alarmBar says on every page of the desk that an attack goes on: since when, why, and what
// that does.
type alarmBar struct{ Words, URL string }

// alarmsMost is how many bars stand on a page; the page about attacks has them all.
const alarmsMost = 3

func (c *Console) alarmBars(v *visit) []alarmBar {
	var bars []alarmBar
	for _, a := range v.attacks[:min(len(v.attacks), alarmsMost)] {
		l := c.set.Locale(v.l.Lang, a.site.Settings.Location())
		id, args := "attack.bar", []any{"Site", a.site.Name, "Where", v.where(a.Attack), "Since", l.Time(a.At), "Why", v.whyAttack(a.Attack)}
		if a.Why == moderation.AttackBySetting {
			id = "attack.bar_setting"
		}
		bars = append(bars, alarmBar{l.Say(id, args...), c.set.URL(screeningAt(attackPath, a.Site))})
	}
	return bars
}

func (v *visit) where(a moderation.Attack) string {
	if a.Page == "" {
		return v.l.Say("attack.whole")
	}
	return v.l.Say("attack.of_page", "Page", a.Page)
}

func (v *visit) whyAttack(a moderation.Attack) string {
	return v.l.Say("attack.why."+string(a.Why), "By", v.actor(a.By))
}

// attackPage is the attacks of a site, to be begun and ended.
type attackPage struct {
	screeningFrame
	MayDecide bool
	Off       bool // the site's setting keeps it off
	Going     []attackRow
	Typed     string // address of a page
}

type attackRow struct {
	Where, Why, Since, Last string
	Page                    string // key
	ByHand                  bool
}

func (c *Console) showAttacks(w http.ResponseWriter, r *http.Request, v *visit) error {
	return c.answerAttacks(w, r, v, r.URL.Query().Get("site"), "", nil)
}

// answerAttacks sends the page; wrong is what was wrong with what was typed.
func (c *Console) answerAttacks(w http.ResponseWriter, r *http.Request, v *visit, asked, typed string, wrong error) error {
	f, site, err := c.screening(r, v, asked, attackPath)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	d := attackPage{screeningFrame: f, MayDecide: v.who.May(moderation.Decide, site.ID), Typed: typed, Off: site.Settings.AttackMode == comments.AttackOff}
	status := http.StatusOK
	if wrong != nil {
		if status, err = d.refuse(v, wrong); err != nil {
			return err
		}
	}
	list, err := c.cfg.Service.Attacks(r.Context(), v.who, site.ID)
	if err != nil {
		return err
	}
	for _, a := range list {
		row := attackRow{
			Where: v.where(a), Why: v.whyAttack(a), Since: v.l.Say("attack.since", "Since", v.l.Time(a.At)),
			Page: a.Page, ByHand: a.Why == moderation.AttackByHand,
		}
		if !row.ByHand {
			row.Last = v.l.Say("attack.last", "At", v.l.Time(a.Loud))
		}
		d.Going = append(d.Going, row)
	}
	return c.screeningPage(w, v, status, "attack", "attack.title", d)
}

// switchAttack begins or ends one by hand.
func (c *Console) switchAttack(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	if err := readForm(w, r, bodyMost); err != nil {
		return err
	}
	site, page, done := r.PostForm.Get("site"), comments.Clean(r.PostForm.Get("page")), ""
	switch r.PostForm.Get("do") {
	case "begin":
		done = "attack_on"
		_, err = c.cfg.Service.BeginAttack(r.Context(), v.who, site, page)
	case "end":
		done = "attack_off"
		err = c.cfg.Service.EndAttack(r.Context(), v.who, site, page)
	default:
		return comments.ErrMalformed
	}
	if err != nil {
		return c.answerAttacks(w, r, v, site, page, err)
	}
	c.redirect(w, r, screeningAt(attackPath, site, "done", done))
	return nil
}

// apiAttack is a site or a page in attack mode.
type apiAttack struct {
	Site  string `json:"site"`
	Page  string `json:"page,omitempty" doc:"Key of the page; absent for the whole site"`
	Why   string `json:"why,omitempty" readOnly:"true" enum:"hand,arrivals,wrong"`
	By    string `json:"by,omitempty" readOnly:"true"`
	Since string `json:"since,omitempty" readOnly:"true" format:"date-time"`
}

func newAttack(a moderation.Attack) apiAttack {
	return apiAttack{a.Site, a.Page, string(a.Why), a.By, a.At.UTC().Format("2006-01-02T15:04:05.000Z")}
}

type apiAttacks struct {
	Attacks []apiAttack `json:"attacks" doc:"The whole site's first, then the latest first"`
}

func (c *Console) registerAttacks() {
	serve(c, operation("moderation-attacks", http.MethodGet, "/attacks", "The attacks of a site that go on"), func(ctx context.Context, who caller, in *ofSite) (out apiAttacks, err error) {
		list, err := c.cfg.Service.Attacks(ctx, who.who, in.Site)
		out.Attacks = make([]apiAttack, len(list))
		for i, a := range list {
			out.Attacks[i] = newAttack(a)
		}
		return out, err
	})
	op := operation("moderation-attacks-begin", http.MethodPost, "/attacks", "Put a site or a page into attack mode", http.StatusUnprocessableEntity)
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiAttack]) (apiAttack, error) {
		a, err := c.cfg.Service.BeginAttack(ctx, who.who, in.Body.Site, in.Body.Page)
		return newAttack(a), err
	})
	op = operation("moderation-attacks-end", http.MethodDelete, "/attacks", "End attack mode of a site or a page", http.StatusUnprocessableEntity)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		Site string `query:"site" required:"true"`
		Page string `query:"page" doc:"Address or id of the page; absent for the whole site"`
	}) (*struct{}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		return nil, c.cfg.Service.EndAttack(ctx, who.who, in.Site, in.Page)
	})
}
