package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

// What readers without script do with comments: each a page with a form of its own, under
// the address of the comment. Cookies prove what is theirs.
const (
	deedEdit     = "edit"
	deedWithdraw = "withdraw"
	deedAppeal   = "appeal"
	deedReport   = "report"
)

// sentDeeds name the notices that tell of them.
var sentDeeds = map[string]string{deedEdit: "edited", deedWithdraw: "withdrawn", deedAppeal: "appealed", deedReport: "reported"}

func (d *Door) ownRoutes(r *mux.Router) {
	const path = "/s/{site}/comments/{id}/{deed:edit|withdraw|appeal|report}"
	r.Handle(path, d.page(d.showDeed)).Methods(http.MethodGet)
	r.Handle(path, d.page(d.doDeed)).Methods(http.MethodPost)
}

// deedData is what the template of such a page sees.
type deedData struct {
	Deed   string
	Action string
	Back   string
	Site   string

	Name, Title string // of the comment
	HTML        template.HTML

	Form    *formData // edit: the words; report: the code, where one is due
	AskCode bool
	Text    string
	TextMax int
	Reason  string
	Reasons []string
	Errors  []slip
	By      map[string]*slip
	Failed  *noticeData
	Dont    bool // what is asked for can't be done any more
}

// about is a deed under way: what it is about, and who does it.
type about struct {
	screen
	deed, id string
}

func (d *Door) aboutDeed(r *http.Request, from url.Values) (about, error) {
	a, err := d.ask(r)
	if err != nil {
		return about{}, err
	}
	s := d.newScreen(r, a, from)
	return about{screen: s, deed: mux.Vars(r)["deed"], id: mux.Vars(r)["id"]}, nil
}

// showDeed answers GET: the page with its form. It changes nothing.
func (d *Door) showDeed(w http.ResponseWriter, r *http.Request) error {
	a, err := d.aboutDeed(r, nil)
	if err != nil {
		return err
	}
	p, err := d.deedPage(r.Context(), &a, nil, "")
	if err != nil {
		return err
	}
	return d.sendDeed(w, http.StatusOK, a, p)
}

// deedPage is the page of a deed with what was typed; without, an edit begins with the
// words as they are.
func (d *Door) deedPage(ctx context.Context, a *about, t *typed, text string) (*deedData, error) {
	p := &deedData{
		Deed: a.deed, Site: a.site.Name, Text: text, Reasons: comments.ReportReasons[:], By: map[string]*slip{},
		Action: d.tpl.URL(pagesPrefix+a.site.ID) + "/comments/" + url.PathEscape(a.id) + "/" + a.deed + "?lang=" + a.l.Lang + a.keep(),
	}
	var c comments.Comment
	var err error
	if a.deed == deedReport {
		p.TextMax = comments.ReportMost
		c, err = d.svc.Public(ctx, a.site, a.id)
	} else {
		p.TextMax = comments.AppealMost
		var o comments.Own
		o, err = d.svc.MyOwn(ctx, a.site, a.id, a.proof)
		c = o.Comment
		p.Dont = a.deed == deedAppeal && !o.MayAppeal || a.deed != deedAppeal && !o.MayEdit
	}
	if err != nil {
		return nil, err
	}
	a.query.Page = c.Page
	p.Back = d.links(a.screen).thread(a.keep(), threadAnchor)
	p.Name, p.Title, p.HTML = c.Name, c.Title, templates.Text(c.Content)
	if t == nil {
		t = &typed{Name: c.Name, Title: c.Title, Content: c.Content}
	}
	p.Form = d.newForm(a.screen, *t)
	return p, nil
}

// doDeed answers POST: done, the reader is sent back to the thread; else the page comes
// again with every word as it was typed.
func (d *Door) doDeed(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	a, err := d.aboutDeed(r, form)
	if err != nil {
		return err
	}
	t := typed{Name: form.Get("name"), Title: form.Get("title"), Content: form.Get("content"), Ticket: form.Get("ticket"), Code: form.Get("code")}
	page, err := d.perform(r.Context(), a, t, form)
	if err == nil {
		a.query.Page = page
		w.Header().Set("Cache-Control", noStore)
		w.Header().Set("Location", d.links(a.screen).thread(a.keep()+"&sent="+a.deed, noticeAnchor))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	if templates.PrefersJSON(r) || errors.Is(err, comments.ErrMalformed) || errors.Is(err, comments.ErrNotFound) || errors.Is(err, comments.ErrNotYours) {
		return err
	}
	p, pageErr := d.deedPage(r.Context(), &a, &t, form.Get("text"))
	if pageErr != nil {
		return pageErr
	}
	p.Reason = form.Get("reason")
	return d.deedFailed(w, r, a, p, err)
}

// perform does it, and says on which page the comment stands.
func (d *Door) perform(ctx context.Context, a about, t typed, form url.Values) (page string, err error) {
	var o comments.Own
	switch a.deed {
	case deedEdit:
		o, err = d.svc.Edit(ctx, a.site, a.id, a.proof, comments.Words{Name: t.Name, Title: t.Title, Content: t.Content})
	case deedWithdraw:
		o, err = d.svc.Withdraw(ctx, a.site, a.id, a.proof)
	case deedAppeal:
		o, err = d.svc.Appeal(ctx, a.site, a.id, a.proof, form.Get("text"))
	case deedReport:
		done, err := d.svc.Flag(ctx, a.site, comments.Flag{
			Comment: a.id, Reason: form.Get("reason"), Text: form.Get("text"), Author: a.proof.Author,
			Ticket: t.Ticket, Code: t.Code, Addr: a.addr,
		})
		return done.Comment.Page, err
	default:
		return "", fmt.Errorf("deed: %w", comments.ErrNotFound)
	}
	return o.Comment.Page, err
}

// deedFailed shows the page with the words that could not be taken, and why.
func (d *Door) deedFailed(w http.ResponseWriter, r *http.Request, a about, p *deedData, err error) error {
	problem := d.tpl.Problem(err, a.l)
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		d.deedSlips(r.Context(), a, p, invalid)
	} else {
		p.Dont = p.Dont || errors.Is(err, comments.ErrTooLate) || errors.Is(err, comments.ErrNoAppeal)
		p.Failed = &noticeData{Kind: "look", Icon: "warn", Role: "alert", ID: noticeAnchor, Focus: true,
			Title: problem.Title, Lines: []string{a.l.Say("deed.intact")}}
	}
	for name, values := range problem.GetHeaders() {
		w.Header()[name] = values
	}
	d.tpl.Log(r.Context(), r.Method, "/s/{site}/comments/{id}/"+a.deed, problem.Status, err)
	return d.sendDeed(w, problem.Status, a, p)
}

// deedSlips puts errors at their fields, with a code where one is due from now on.
func (d *Door) deedSlips(ctx context.Context, a about, p *deedData, invalid *comments.InvalidError) {
	ticket := p.Form.Ticket
	p.Form.fail(a.l, invalid)
	p.Errors, p.By = p.Form.Errors, p.Form.By
	for i := range p.Errors {
		if e := &p.Errors[i]; e.Field == "text" || e.Field == "reason" {
			e.Target = e.Field
			p.By[e.Field] = e
		}
	}
	if p.AskCode = a.deed == deedReport && p.By["code"] != nil; !p.AskCode {
		return
	}
	if d.svc.TicketLives(ctx, a.site, a.query.Page, ticket) {
		d.setCode(p.Form, a.screen, ticket)
	} else if err := d.freshCode(p.Form, a.screen); err != nil {
		p.Form.NoCode = noCode(a.l, err)
	}
}

// sendDeed sends a page that is one reader's own.
func (d *Door) sendDeed(w http.ResponseWriter, status int, a about, p *deedData) error {
	title := a.l.Say("deed." + a.deed)
	if p.Dont && p.Failed == nil {
		said := "problem.too_late"
		if a.deed == deedAppeal {
			said = "problem.no_appeal"
		}
		p.Failed = &noticeData{Kind: "look", Icon: "lock", Title: a.l.Say(said)}
	}
	if status != http.StatusOK {
		title = a.l.Say("deed.error", "Title", title)
	}
	ancestors := "'self'"
	for _, origin := range a.site.Origins {
		ancestors += " " + origin
	}
	setPolicy(w.Header(), ancestors)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Add("Vary", "Accept-Language, Cookie")
	return d.tpl.Page(w, status, "reader/deed", templates.View{L: a.l, D: p, Title: title, NoIndex: true})
}
