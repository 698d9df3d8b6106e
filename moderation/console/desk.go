package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"duyet/comments"
	"duyet/comments/search"
	"duyet/moderation"
	"duyet/templates"
)

// lateAfter is how long a comment may wait before the desk points at it.
const lateAfter = 15 * time.Minute

// deskPage is the desk: queues, the list of one, and the proof of a comment beside it (on
// phones each has an address of its own).
type deskPage struct {
	frame
	SiteName  string
	Sites     []link // to change to; none with one site
	Work      []link
	Rest      []link
	Orders    []link
	Heading   string
	Total     int64
	Rows      []row
	Shown     int
	FirstURL  string // back to the start of the list
	MoreURL   string
	NextWork  *link // a queue with something left, when this one is empty
	Proof     *proof
	Notice    *notice
	Trouble   string // what kept a bulk form from being taken
	Form      form
	Bulk      []button
	Reasons   []reason
	MayDecide bool
	AtProof   bool
	Seq       uint64 // of the journal, before the list was read
	Script    script
	AtLeast   bool   // there are more than Total
	CountURL  string // tells how many, where the page didn't wait for it
	Filters   filters
	Everyone  bool // all sites
	HandOver  handOver
	AllURL    string // to a decision on all that the list holds
	BulksURL  string // to those there have been
	Overdue   *link  // says for how long the oldest has waited, if that is too long
}

// link is a place to go to, with a number where it counts something.
type link struct {
	Name    string // of the queue
	Words   string
	URL     string
	Count   int64
	Current bool
}

// row is a comment in the list.
type row struct {
	ID      string
	Pick    string
	URL     string
	Title   string
	Excerpt string // the beginning of the text
	Lang    string
	Name    string
	Article string
	At      time.Time
	Age     string
	Late    bool
	Signals []signal
	Current bool
	By      *reading // a colleague who has it open
	Site    string   // where the list is of several
	Status  string   // where it is of several
	Icon    string   // of the status

	TitleMarks, ExcerptMarks []templates.Span
}

// form is where a form's answer leads back to.
type form struct {
	Action string
	Fields [][2]string
}

func (c *Console) formAt(p place) form {
	f := form{Action: c.set.URL("/moderation/decisions")}
	for name, values := range p.values() {
		f.Fields = append(f.Fields, [2]string{name, values[0]})
	}
	if p.Alone {
		f.Fields = append(f.Fields, [2]string{"view", "comment"})
	}
	return f
}

func (c *Console) showDesk(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := placeFrom(r.URL.Query())
	if err != nil {
		return err
	}
	return c.answerDesk(w, r, v, http.StatusOK, p, func(d *deskPage, p place) error {
		d.Notice, err = c.notice(r, v, p)
		return err
	})
}

// answerDesk sends the desk at a place; add completes it, with the place's site known.
func (c *Console) answerDesk(w http.ResponseWriter, r *http.Request, v *visit, status int, p place, add func(*deskPage, place) error) error {
	all, site, err := c.scope(r.Context(), v, p.Site)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	if p.Site != comments.Installation {
		p.Site = site.ID
	}
	d, err := c.desk(r, v, p, all, site)
	if err != nil {
		return err
	}
	if err := add(d, p); err != nil {
		return err
	}
	d.Script = c.script(v, p, d)
	classes := "desk at-list"
	if d.AtProof {
		classes = "desk at-proof"
	}
	title := v.l.Say("desk.title", "Queue", d.Heading, "Count", v.l.Number(d.Total)+d.Plus())
	if p.Words != "" {
		title = v.l.Say("search.title", "Words", p.Words)
	}
	if d.AtProof && d.Proof != nil {
		title = d.Proof.Heading(v.l) + " · Duyet"
	}
	return c.set.Page(w, status, "console/desk", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: classes})
}

func (c *Console) noSite(w http.ResponseWriter, r *http.Request, v *visit) error {
	page := struct {
		frame
		Limited bool // the moderator has sites, but none of them is there
	}{c.frame(r, v, "queues"), len(v.who.Sites) > 0}
	title := v.l.Say("nosite.title") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/nosite", templates.View{L: v.l, D: page, Title: title, NoIndex: true, Classes: "wide"})
}

func (c *Console) desk(r *http.Request, v *visit, p place, all []comments.Site, site comments.Site) (*deskPage, error) {
	ctx := r.Context()
	tally, err := c.tally(r, v, p.Site) // before the list: what comes between is told of by the stream
	if err != nil {
		return nil, err
	}
	queue, asked, mistyped, err := c.list(ctx, v, p, site, r.URL.Query().Has("count"))
	if err != nil {
		return nil, err
	}
	d := &deskPage{
		frame: c.frame(r, v, "queues"), SiteName: site.Name, Heading: v.l.Say("queue." + p.Queue),
		Total: queue.Total, Form: c.formAt(p), Reasons: v.reasons(site), AtProof: p.Comment != "",
		MayDecide: slices.ContainsFunc(all, func(s comments.Site) bool {
			return v.who.May(moderation.Decide, s.ID) && (s.ID == p.Site || p.Site == comments.Installation)
		}),
		Bulk: v.bulk(p), Seq: tally.Seq, AtLeast: queue.AtLeast, Everyone: p.Site == comments.Installation,
	}
	if queue.Uncounted {
		d.CountURL = c.set.URL(p.path(query("count", "1")))
	}
	if d.Find = (find{p.Words, p.Site}); p.Words != "" && p.Queue == everything {
		d.Heading = v.l.Say("search.results")
	}
	d.Filters = c.filters(v, p, queue, asked)
	d.Filters.Unread = mistyped
	d.Filters.Help = d.Filters.Help || mistyped != ""
	if d.Filters.Saved, d.Filters.Full, err = c.savedFilters(r, v, p); err != nil {
		return nil, err
	}
	if p.Page != "" && !d.Everyone {
		if queue.Counts, queue.Queues, err = c.cfg.Service.QueuesOn(ctx, v.who, p.Site, p.Page); err != nil {
			return nil, err
		}
		d.Filters.Scoped = p.Page
		if len(queue.Items) > 0 {
			d.Filters.Scoped = articleTitle(queue.Items[0].Page)
		}
	}
	c.links(d, v, p, all, queue)
	var readings []reading
	var appointments map[comments.ID]moderation.Schedule
	if readings, err = c.readings(r, v, p.Site); err != nil {
		return nil, err
	}
	if !d.Everyone {
		if appointments, err = c.cfg.Service.Scheduled(ctx, v.who, p.Site); err != nil {
			return nil, err
		}
		if d.HandOver, err = c.handOver(r, v, p.Site); err != nil {
			return nil, err
		}
		waited, err := c.cfg.Service.Overdue(ctx, v.who, site)
		if err != nil {
			return nil, err
		}
		if waited > 0 {
			d.Overdue = &link{Words: v.l.Say("stats.overdue", "Age", v.l.Age(v.now.Add(-waited), v.now)), URL: c.set.URL(statsPath + "?" + query("site", site.ID).Encode())}
		}
	}
	open := p.Comment
	if open == "" {
		open = unread(queue.Items, readings)
	}
	c.articles(d, v, p, queue.Items, open)
	for _, item := range queue.Items {
		row := c.row(v, p, item, open)
		if asked.Phrases != nil || asked.Author != nil {
			m := search.NewMatcher(asked)
			row.Excerpt = around(m, item.Content)
			row.TitleMarks, row.ExcerptMarks = marked(m, "title", row.Title), marked(m, "content", row.Excerpt)
		}
		if p.Queue == everything {
			row.Status, row.Icon = v.status(item.Status), statusIcons[item.Status]
		}
		if d.Everyone {
			row.Site = siteName(all, item.Site)
		}
		row.By = readBy(readings, row.ID)
		if one, ok := appointments[item.ID]; ok && one.Version == item.Version {
			row.Signals = append(row.Signals, signal{Words: v.l.Say("schedule.row", "At", v.l.Time(one.At)), Icon: "clock"})
		}
		d.Rows = append(d.Rows, row)
	}
	d.Shown = len(d.Rows)
	if queue.Next != "" {
		d.MoreURL = c.set.URL(p.after(queue.Next).path(nil))
	}
	if p.After != "" {
		d.FirstURL = c.set.URL(p.after("").path(nil))
	}
	if d.AllURL = c.bulkURL(d, p); !d.Everyone {
		d.BulksURL = c.set.URL(bulkPath + "?" + query("site", p.Site).Encode())
	}
	if open == "" {
		return d, nil
	}
	if d.Everyone {
		if i := slices.IndexFunc(all, func(s comments.Site) bool { return s.ID == comments.ID(open).Site() }); i >= 0 {
			site = all[i]
		}
	}
	d.Proof, err = c.proof(r, v, site, p.at(open))
	if err != nil {
		return nil, err
	}
	c.neighbours(d, p, queue.Items, open, readings)
	return d, nil
}

// articles adds to the scopes: the article of the open comment, or all of them again.
func (c *Console) articles(d *deskPage, v *visit, p place, items []moderation.Item, open string) {
	if len(d.Sites) == 0 && !d.Everyone {
		whole := p.after("")
		whole.Page = ""
		d.Sites = append(d.Sites, link{Words: d.SiteName, URL: c.set.URL(whole.path(nil)), Current: p.Page == ""})
	}
	if p.Page != "" {
		d.Sites = append(d.Sites, link{Words: d.Filters.Scoped, URL: c.set.URL(p.after("").path(nil)), Current: true})
		return
	}
	for _, item := range items {
		if string(item.ID) == open {
			one := place{Site: item.Site, Queue: p.Queue, narrow: p.narrow}.usual()
			one.Page = item.Page.Key
			d.Sites = append(d.Sites, link{Words: v.l.Say("filter.article") + ": " + articleTitle(item.Page), URL: c.set.URL(one.path(nil))})
		}
	}
}

// Plus stands behind a number that is not all.
func (d *deskPage) Plus() string {
	if d.AtLeast {
		return "+"
	}
	return ""
}

// list reads the place's list, and counts what is narrowed if that is to be waited for. unread is what was typed and can't be read: then there is none.
func (c *Console) list(ctx context.Context, v *visit, p place, site comments.Site, counted bool) (page moderation.QueuePage, asked search.Query, unread string, err error) {
	asked, err = p.narrow.query(site.Settings.Location())
	var bad *search.UnreadError
	if errors.As(err, &bad) {
		tally, err := c.cfg.Service.Queue(ctx, v.who, moderation.QueueQuery{Site: p.Site, Limit: 1})
		return moderation.QueuePage{Counts: tally.Counts, Queues: tally.Queues}, asked, bad.Part, err
	}
	if err != nil {
		return page, asked, "", err
	}
	q := p.query()
	q.Asked, q.Uncounted = asked, !counted
	page, err = c.cfg.Service.Queue(ctx, v.who, q)
	return page, asked, "", err
}

func siteName(all []comments.Site, id string) string {
	for _, s := range all {
		if s.ID == id {
			return s.Name
		}
	}
	return id
}

// scope is sites for a place on the desk, which may be all of them: what is needed of one
// site is then taken from the first.
func (c *Console) scope(ctx context.Context, v *visit, asked string) ([]comments.Site, comments.Site, error) {
	if asked == comments.Installation {
		asked = ""
	}
	return c.sites(ctx, v, asked)
}

// links fills the rail and the orders.
func (c *Console) links(d *deskPage, v *visit, p place, all []comments.Site, counted moderation.QueuePage) {
	at := func(queue string) link {
		n := counted.Counts.Of(comments.Status(queue))
		if q := comments.Queue(queue); q.Valid() {
			n = counted.Queues.Of(q)
		}
		return link{Name: queue, Words: v.l.Say("queue." + queue), URL: c.set.URL(p.in(queue).path(nil)), Count: n, Current: queue == p.Queue}
	}
	for _, q := range workQueues {
		one := at(q)
		if q != p.Queue && one.Count > 0 && d.Total == 0 && d.NextWork == nil {
			d.NextWork = &one
		}
		d.Work = append(d.Work, one)
	}
	for _, q := range restQueues {
		d.Rest = append(d.Rest, at(q))
	}
	for _, by := range p.orders() {
		d.Orders = append(d.Orders, link{
			Words: v.l.Say("order." + string(by)), URL: c.set.URL(p.sorted(string(by)).path(nil)), Current: string(by) == p.Order,
		})
	}
	if len(all) < 2 {
		return
	}
	d.Sites = append(d.Sites, link{Words: v.l.Say("filter.all_sites"), URL: c.set.URL(p.on(comments.Installation).path(nil)), Current: d.Everyone})
	if d.Everyone {
		d.SiteName = v.l.Say("filter.all_sites")
	}
	for _, s := range all {
		d.Sites = append(d.Sites, link{Words: s.Name, URL: c.set.URL(p.on(s.ID).path(nil)), Current: s.ID == p.Site && p.Page == ""})
	}
}

func (c *Console) row(v *visit, p place, item moderation.Item, open string) row {
	id := string(item.ID)
	r := row{
		ID: id, Pick: pick{id, item.Version}.value(), URL: c.set.URL(p.at(id).path(nil)),
		Title: item.Title, Excerpt: excerpt(item.Content), Lang: item.Lang, Name: item.Name, Article: articleTitle(item.Page),
		At: item.CreatedAt, Age: v.l.Age(item.CreatedAt, v.now), Current: id == open,
		Late: item.Status == comments.Pending && v.now.Sub(item.CreatedAt) >= lateAfter,
	}
	r.Signals = v.flags(item)
	for _, s := range v.signals(item.Signals) {
		if item.Signals[s.Number-1].Level != comments.LevelInfo {
			r.Signals = append(r.Signals, s)
		}
	}
	return r
}

// excerptBytes is a little more than a row shows of a text.
const excerptBytes = 400

func excerpt(text string) string {
	if len(text) <= excerptBytes {
		return text
	}
	text = strings.ToValidUTF8(text[:excerptBytes], "")
	if i := strings.LastIndexAny(text, " \n"); i > 0 { // never inside a word, where a letter's marks might be
		text = text[:i]
	}
	return text + "…"
}

func articleTitle(p comments.Page) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Key
}

// neighbours lead from the open comment to the ones beside it in the list, and from a
// decision to the next one.
func (c *Console) neighbours(d *deskPage, p place, items []moderation.Item, open string, readings []reading) {
	d.Proof.BackURL, d.Proof.Back = c.set.URL(p.list().path(nil)), d.Heading
	next := ""
	for i, item := range items {
		if string(item.ID) != open {
			continue
		}
		if i > 0 {
			d.Proof.PrevURL = c.set.URL(p.at(string(items[i-1].ID)).path(nil))
		}
		if i+1 < len(items) {
			d.Proof.NextURL = c.set.URL(p.at(string(items[i+1].ID)).path(nil))
			next = unread(items[i+1:], readings)
		}
	}
	d.Proof.Form = c.formAt(p)
	if p.Comment != "" && next != "" {
		d.Proof.Form.Fields = append(d.Proof.Form.Fields, [2]string{"next", next})
	}
}

// query is a shorthand for parameters of one value each.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}
