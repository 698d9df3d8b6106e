package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// peoplePage lists who may sign in, with the form that invites somebody.
type peoplePage struct {
	frame
	People  []personRow
	Roles   []choice
	Sites   []choice
	AllToo  bool   // the visitor may appoint for all sites
	All     bool   // that box is marked
	Address string // as typed into the form
	Done    string
	Link    string // a one-time link just made, shown once
	LinkOf  string
	Errors  map[string]string
}

type personRow struct {
	Email, Role, Sites, State string
	URL                       string
	Off                       bool
}

// choice is a choice in a form.
type choice struct {
	Value, Words string
	On           bool
}

// personPage is one person.
type personPage struct {
	frame
	Person   moderation.Account
	RoleWord string
	SiteWord string
	May      bool // change them
	Roles    []choice
	Sites    []choice
	AllToo   bool
	All      bool
	Sessions []sessionRow
	Action   string
	Done     string
	Link     string
	Errors   map[string]string
}

const peoplePath = "/moderation/people"

func (c *Console) showPeople(w http.ResponseWriter, r *http.Request, v *visit) error {
	return c.peoplePage(w, r, v, http.StatusOK, func(p *peoplePage) {
		if r.URL.Query().Get("done") == "removed" {
			p.Done = v.l.Say("people.done.removed")
		}
		p.pick(moderation.Editor, nil)
	})
}

func (c *Console) peoplePage(w http.ResponseWriter, r *http.Request, v *visit, status int, add func(*peoplePage)) error {
	people, err := c.cfg.Service.People(r.Context(), v.who)
	if err != nil {
		return err
	}
	sites, err := c.cfg.Service.Sites(r.Context(), v.who)
	if err != nil {
		return err
	}
	p := &peoplePage{frame: c.frame(r, v, "people"), AllToo: len(v.who.Sites) == 0, Errors: map[string]string{}}
	for _, m := range people {
		row := personRow{Email: m.Email, Role: v.l.Say("role." + string(m.Role)), Sites: v.sitesOf(m, sites), Off: m.Disabled}
		row.State = v.l.Say("people.on")
		if m.Disabled {
			row.State = v.l.Say("people.off")
		}
		row.URL = c.set.URL(peoplePath + "/" + m.ID)
		if m.ID == v.who.ID {
			row.URL = c.set.URL(accountPath)
		}
		p.People = append(p.People, row)
	}
	p.Roles, p.Sites = v.roles(), siteOptions(sites)
	add(p)
	title := v.l.Say("people.title")
	if len(p.Errors) > 0 {
		title = v.l.Say("desk.error_title", "Title", title)
	}
	return c.set.Page(w, status, "console/people", templates.View{L: v.l, D: p, Title: title + " · Duyet", NoIndex: true, Classes: "wide"})
}

// pick marks a role and sites as chosen.
func (p *peoplePage) pick(role moderation.Role, sites []string) {
	choose(p.Roles, string(role))
	choose(p.Sites, sites...)
}

func choose(options []choice, values ...string) {
	for i := range options {
		options[i].On = slices.Contains(values, options[i].Value)
	}
}

// roles are those that the person may give.
func (v *visit) roles() (list []choice) {
	for _, role := range moderation.Roles {
		if v.who.MayAppoint(role, v.who.Sites) {
			list = append(list, choice{Value: string(role), Words: v.l.Say("role." + string(role))})
		}
	}
	return list
}

func siteOptions(sites []comments.Site) (list []choice) {
	for _, s := range sites {
		list = append(list, choice{Value: s.ID, Words: s.Name})
	}
	return list
}

// sitesOf names a person's sites, by name where the visitor may see them.
func (v *visit) sitesOf(m moderation.Moderator, sites []comments.Site) string {
	if len(m.Sites) == 0 {
		return v.l.Say("people.all_sites")
	}
	names := make([]string, len(m.Sites))
	for i, id := range m.Sites {
		names[i] = id
		for _, s := range sites {
			if s.ID == id {
				names[i] = s.Name
			}
		}
	}
	return strings.Join(names, ", ")
}

// invite adds a person and shows the link by which they sign in the first time.
func (c *Console) invite(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	email, role := r.PostForm.Get("email"), moderation.Role(r.PostForm.Get("role"))
	sites, err := pickedSites(r, v)
	if err == nil {
		var m moderation.Moderator
		var link string
		if m, link, err = c.cfg.Service.Invite(r.Context(), v.who, email, role, sites); err == nil {
			return c.peoplePage(w, r, v, http.StatusOK, func(p *peoplePage) {
				p.LinkOf, p.Link = m.Email, c.linkAddress(r, link)
				p.pick(moderation.Editor, nil)
			})
		}
	}
	wrong, status := peopleErrors(v.l, err)
	if wrong == nil {
		return err
	}
	return c.peoplePage(w, r, v, status, func(p *peoplePage) {
		p.Errors, p.Address = wrong, email
		p.pick(role, sites)
		p.All = r.PostForm.Get("scope") == "all"
	})
}

// pickedSites are the sites of a form; none chosen is an error where "all" is not.
func pickedSites(r *http.Request, v *visit) ([]string, error) {
	if r.PostForm.Get("scope") == "all" && len(v.who.Sites) == 0 {
		return nil, nil
	}
	sites := r.PostForm["site"]
	if len(sites) == 0 {
		return nil, comments.Invalid("site", comments.CodeRequired)
	}
	if len(sites) > 1000 {
		return nil, comments.ErrTooLarge
	}
	return sites, nil
}

// linkAddress is a one-time link as it is given to a person.
func (c *Console) linkAddress(r *http.Request, secret string) string {
	origin := c.deskOrigin(r)
	return origin.Scheme + "://" + origin.Host + c.set.URL("/moderation/link?"+query("token", secret).Encode())
}

// peopleErrors are what was wrong with a form, by field; nil for errors of another kind.
func peopleErrors(l *templates.Locale, err error) (map[string]string, int) {
	var invalid *comments.InvalidError
	switch {
	case errors.As(err, &invalid):
		wrong := map[string]string{}
		for _, f := range invalid.Fields {
			wrong[f.Field] = l.Field(f)
			if id := "people.wrong." + f.Field + "_" + f.Code; l.Has(id) {
				wrong[f.Field] = l.Say(id)
			}
		}
		return wrong, http.StatusUnprocessableEntity
	case errors.Is(err, comments.ErrExists):
		return map[string]string{"email": l.Say("people.wrong.exists")}, http.StatusConflict
	case errors.Is(err, comments.ErrVersion):
		return map[string]string{"role": l.Say("people.wrong.version")}, http.StatusConflict
	}
	return nil, 0
}

func (c *Console) showPerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	done := r.URL.Query().Get("done")
	return c.personPage(w, r, v, http.StatusOK, func(p *personPage) {
		if id := "people.done." + done; done != "" && v.l.Has(id) {
			p.Done = v.l.Say(id)
		}
	})
}

func (c *Console) personPage(w http.ResponseWriter, r *http.Request, v *visit, status int, add func(*personPage)) error {
	a, err := c.cfg.Service.Managed(r.Context(), v.who, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	sites, err := c.cfg.Service.Sites(r.Context(), v.who)
	if err != nil {
		return err
	}
	p := &personPage{
		frame: c.frame(r, v, "people"), Person: a, May: v.who.Manages(a.Moderator), Roles: v.roles(), Sites: siteOptions(sites),
		RoleWord: v.l.Say("role." + string(a.Role)), SiteWord: v.sitesOf(a.Moderator, sites),
		AllToo: len(v.who.Sites) == 0, All: len(a.Moderator.Sites) == 0, Action: c.set.URL(peoplePath + "/" + a.ID), Errors: map[string]string{},
	}
	choose(p.Roles, string(a.Role))
	choose(p.Sites, a.Moderator.Sites...)
	for _, s := range a.Sessions {
		p.Sessions = append(p.Sessions, sessionRow{ID: s.ID(), Agent: v.agent(s.Agent), Began: s.Began})
	}
	add(p)
	return c.set.Page(w, status, "console/person", templates.View{L: v.l, D: p, Title: a.Email + " · Duyet", NoIndex: true, Classes: "wide"})
}

// changePerson takes a form of a person's page: its field "do" says which.
func (c *Console) changePerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	id, do := mux.Vars(r)["id"], r.PostForm.Get("do")
	ctx, svc := r.Context(), c.cfg.Service
	var err error
	switch do {
	case "appoint":
		err = c.reappoint(r, v, id)
	case "disable", "enable":
		err = svc.SetDisabled(ctx, v.who, id, do == "disable")
	case "sign_out":
		err = svc.EndSessions(ctx, v.who, id)
	case "keys":
		err = svc.ResetKeys(ctx, v.who, id)
	case "remove":
		if err := svc.Remove(ctx, v.who, id); err != nil {
			return err
		}
		c.redirect(w, r, peoplePath+"?done=removed")
		return nil
	case "link":
		secret, err := svc.LinkFor(ctx, v.who, id)
		if err != nil {
			return err
		}
		return c.personPage(w, r, v, http.StatusOK, func(p *personPage) { p.Link = c.linkAddress(r, secret) })
	default:
		return comments.ErrMalformed
	}
	if wrong, status := peopleErrors(v.l, err); wrong != nil {
		return c.personPage(w, r, v, status, func(p *personPage) { p.Errors = wrong })
	}
	if err != nil {
		return err
	}
	c.redirect(w, r, peoplePath+"/"+id+"?done="+do)
	return nil
}

func (c *Console) reappoint(r *http.Request, v *visit, id string) error {
	version, err := strconv.ParseUint(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return errors.Join(comments.ErrMalformed, err)
	}
	sites, err := pickedSites(r, v)
	if err != nil {
		return err
	}
	return c.cfg.Service.Reappoint(r.Context(), v.who, id, version, moderation.Role(r.PostForm.Get("role")), sites)
}
