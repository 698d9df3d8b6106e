package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

const bulkPath = "/moderation/bulk"

func (c *Console) bulkRoutes(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	r.Handle(bulkPath, c.forModerators(c.showBulks)).Methods(get...)
	r.Handle(bulkPath, c.forModerators(c.startBulk)).Methods(http.MethodPost)
	r.Handle(bulkPath+"/new", c.forModerators(c.showNewBulk)).Methods(get...)
	r.Handle(bulkPath+"/{id}", c.forModerators(c.showBulk)).Methods(get...)
	r.Handle(bulkPath+"/{id}", c.forModerators(c.turnBulk)).Methods(http.MethodPost)
}

// bulkURL leads to the decision on all that a place lists: nothing for a list of several
// sites, whose roles and reasons differ, and none for what the page itself shows whole.
func (c *Console) bulkURL(d *deskPage, p place) string {
	if !d.MayDecide || d.Everyone || d.Total < 2 || d.MoreURL == "" && p.After == "" && !p.narrow.any() {
		return ""
	}
	return c.set.URL(bulkPath + "/new?" + p.after("").values().Encode())
}

// newBulkPage asks for the decision on all that fits a list, and shows what that is.
type newBulkPage struct {
	frame
	SiteName string
	Heading  string
	Chips    []chip
	Total    int64
	AtLeast  bool
	Rows     []row
	Buttons  []button
	Reasons  []reason
	Form     form
	BackURL  string
	Trouble  string
	Reason   string
	Note     string
	AllURL   string
}

func (c *Console) showNewBulk(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := placeFrom(r.URL.Query())
	if err != nil {
		return err
	}
	return c.answerNewBulk(w, r, v, http.StatusOK, p, nil)
}

// answerNewBulk sends the form; add completes it.
func (c *Console) answerNewBulk(w http.ResponseWriter, r *http.Request, v *visit, status int, p place, add func(*newBulkPage)) error {
	p = p.after("")
	_, site, err := c.sites(r.Context(), v, p.Site)
	if err != nil {
		return err
	}
	if !v.who.May(moderation.Decide, site.ID) {
		return comments.ErrForbidden
	}
	p.Site = site.ID
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	page, _, unread, err := c.list(r.Context(), v, p, site, true)
	if err != nil {
		return err
	}
	if unread != "" {
		c.redirect(w, r, p.path(nil)) // the desk says what can't be read
		return nil
	}
	d := &newBulkPage{
		frame: c.frame(r, v, "queues"), SiteName: site.Name, Heading: v.l.Say("queue." + p.Queue), Chips: c.chips(v, p, page),
		Total: page.Total, AtLeast: page.AtLeast, Buttons: v.bulk(p), Reasons: v.reasons(site), BackURL: c.set.URL(p.path(nil)),
		AllURL: c.set.URL(bulkPath + "?" + query("site", site.ID).Encode()),
	}
	d.Form = form{Action: c.set.URL(bulkPath), Fields: append(fieldsOf(p), [2]string{"once", strings.ToLower(rand.Text())})}
	for _, item := range page.Items[:min(len(page.Items), 5)] {
		d.Rows = append(d.Rows, c.row(v, p, item, ""))
	}
	if add != nil {
		add(d)
	}
	title := v.l.Say("bulk.new_title") + " · Duyet"
	return c.set.Page(w, status, "console/bulk_new", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// startBulk answers POST /moderation/bulk.
func (c *Console) startBulk(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, decisionBytes); err != nil {
		return err
	}
	q := r.PostForm
	p, err := placeFrom(q)
	if err != nil {
		return err
	}
	f := decisionForm{action: moderation.Action(q.Get("action")), draft: draft{Reason: q.Get("reason"), Note: q.Get("note")}}
	b, err := c.cfg.Service.StartBulk(r.Context(), v.who, moderation.BulkAsk{
		ID: q.Get("once"), Site: p.Site, Queue: p.Queue, Filter: moderation.Narrowing(p.narrow), Action: f.action, Reason: f.reason(), Note: f.draft.Note,
	})
	again := func(status int, trouble string) error {
		return c.answerNewBulk(w, r, v, status, p, func(d *newBulkPage) { d.Trouble, d.Reason, d.Note = trouble, f.draft.Reason, f.draft.Note })
	}
	var invalid *comments.InvalidError
	switch {
	case errors.As(err, &invalid):
		return again(http.StatusUnprocessableEntity, v.l.Field(invalid.Fields[0]))
	case errors.Is(err, comments.ErrConflict):
		return again(http.StatusConflict, v.l.Say("bulk.too_many"))
	case err != nil:
		return err
	}
	c.redirect(w, r, bulkAt(b))
	return nil
}

func bulkAt(b moderation.Bulk) string {
	return bulkPath + "/" + url.PathEscape(b.ID) + "?" + query("site", b.Site).Encode()
}

// bulkPage is one bulk decision, under way or ended.
type bulkPage struct {
	frame
	bulkRow
	SiteName  string
	Chips     []string
	Reason    string
	Note      string
	Trouble   string
	MayCancel bool
	MayUndo   bool
	Site      string
	Left      []leftAlone
	LeftMore  int64
	ListURL   string
	AllURL    string
}

// leftAlone is a comment that an undo did not touch.
type leftAlone struct{ Title, URL, Status, StatusIcon string }

// bulkRow is one in the list of them.
type bulkRow struct {
	ID       string
	URL      string
	Open     bool
	What     string // the action
	Icon     string
	Queue    string
	State    string
	By       string
	At, ISO  string
	Of       int64
	Max      int64 // of the progress, which can't be less than Of
	Decided  int64
	Passed   int64
	Restored int64
	Kept     int64
	AtLeast  bool
	Undoing  bool
	UndoneBy string
}

func (c *Console) bulkRow(v *visit, b moderation.Bulk) bulkRow {
	row := bulkRow{
		ID: b.ID, URL: c.set.URL(bulkAt(b)), Open: b.Open(), What: v.l.Say("action." + string(b.Action)), Icon: actionIcons[b.Action],
		Queue: v.l.Say("queue." + b.Queue), State: v.l.Say("bulk.state." + string(b.State)), By: v.actor(b.By),
		At: v.l.Time(b.At), ISO: v.l.ISO(b.At), Of: b.Decided + b.Passed, Max: max(b.Found, b.Decided+b.Passed), Decided: b.Decided, Passed: b.Passed,
		Restored: b.Restored, Kept: b.Kept, AtLeast: b.AtLeast && b.State == moderation.BulkRunning,
	}
	if b.UndoneBy != "" {
		row.Undoing, row.UndoneBy = true, v.actor(b.UndoneBy)
		row.Of, row.Max = b.Restored+b.Kept, max(b.Decided, b.Restored+b.Kept)
	}
	return row
}

func (c *Console) showBulk(w http.ResponseWriter, r *http.Request, v *visit) error {
	return c.answerBulk(w, r, v, http.StatusOK, r.URL.Query().Get("site"), "")
}

func (c *Console) answerBulk(w http.ResponseWriter, r *http.Request, v *visit, status int, asked, trouble string) error {
	_, site, err := c.sites(r.Context(), v, asked)
	if err != nil {
		return err
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	b, err := c.cfg.Service.Bulk(r.Context(), v.who, site.ID, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	may := v.who.May(moderation.Decide, site.ID)
	p := place{Site: site.ID, Queue: b.Queue, narrow: narrow(b.Filter)}.usual()
	d := &bulkPage{
		frame: c.frame(r, v, "queues"), bulkRow: c.bulkRow(v, b), SiteName: site.Name, Note: b.Note, Trouble: trouble, Site: site.ID,
		MayCancel: may && b.State == moderation.BulkRunning, MayUndo: may && b.MayUndo(),
		ListURL: c.set.URL(p.path(nil)), AllURL: c.set.URL(bulkPath + "?" + query("site", site.ID).Encode()),
	}
	for _, one := range c.chips(v, p, moderation.QueuePage{}) {
		d.Chips = append(d.Chips, one.Words)
	}
	if b.Reason != "" {
		d.Reason = v.reasonWords(b.Reason)
	}
	for _, id := range b.Left[:min(len(b.Left), 20)] {
		view, err := c.cfg.Service.Comment(r.Context(), v.who, string(id))
		if errors.Is(err, comments.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		title := view.Title
		if title == "" {
			title = view.Name
		}
		d.Left = append(d.Left, leftAlone{title, c.set.URL(place{}.alone(string(id)).path(nil)), v.status(view.Status), statusIcons[view.Status]})
	}
	d.LeftMore = b.Kept - int64(len(d.Left))
	title := v.l.Say("bulk.title") + " · Duyet"
	return c.set.Page(w, status, "console/bulk", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// turnBulk cancels or undoes.
func (c *Console) turnBulk(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	site, id := r.PostForm.Get("site"), mux.Vars(r)["id"]
	turn := map[string]func() (moderation.Bulk, error){
		"cancel": func() (moderation.Bulk, error) { return c.cfg.Service.CancelBulk(r.Context(), v.who, site, id) },
		"undo":   func() (moderation.Bulk, error) { return c.cfg.Service.UndoBulk(r.Context(), v.who, site, id) },
	}[r.PostForm.Get("do")]
	if turn == nil {
		return comments.ErrMalformed
	}
	b, err := turn()
	if errors.Is(err, comments.ErrConflict) {
		return c.answerBulk(w, r, v, http.StatusConflict, site, v.l.Say("bulk.too_late"))
	}
	if err != nil {
		return err
	}
	c.redirect(w, r, bulkAt(b))
	return nil
}

// bulksPage lists a site's bulk decisions.
type bulksPage struct {
	frame
	Sites    []link
	SiteName string
	Rows     []bulkRow
	DeskURL  string
}

func (c *Console) showBulks(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, site, err := c.sites(r.Context(), v, r.URL.Query().Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	list, err := c.cfg.Service.Bulks(r.Context(), v.who, site.ID)
	if err != nil {
		return err
	}
	d := &bulksPage{frame: c.frame(r, v, "queues"), SiteName: site.Name, DeskURL: c.set.URL("/moderation/?" + query("site", site.ID).Encode())}
	for _, s := range all {
		d.Sites = append(d.Sites, link{Words: s.Name, URL: c.set.URL(bulkPath + "?" + query("site", s.ID).Encode()), Current: s.ID == site.ID})
	}
	for _, b := range list {
		d.Rows = append(d.Rows, c.bulkRow(v, b))
	}
	title := v.l.Say("bulk.list_title") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/bulks", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// together is a form that decides on comments shown with each other, such as a campaign's, in
// one action; nil for who may not.
type together struct {
	Form    form
	Buttons []button
	Reasons []reason
}

func (c *Console) together(v *visit, site comments.Site) *together {
	if !v.who.May(moderation.Decide, site.ID) {
		return nil
	}
	p := place{Site: site.ID, Queue: string(comments.Pending)}.usual()
	return &together{Form: c.formAt(p), Buttons: v.buttons(comments.Pending, nil), Reasons: v.reasons(site)}
}

// picked is a comment as a form of several decides on it: ticked while it waits.
type picked struct {
	Pick string
	On   bool
}

func pickedOf(c comments.Comment) picked {
	return picked{pick{string(c.ID), c.Version}.value(), c.Status == comments.Pending}
}
