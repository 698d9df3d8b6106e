package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// journalPage is a site's journal, newest first.
type journalPage struct {
	frame
	Sites     []link
	SiteName  string
	Entries   []entry
	LatestURL string // back to the newest
	OlderURL  string

	Site     string
	Chain    *chainState // what a check has found; nil = none was asked for
	Groups   []choice
	Actors   []choice
	From, To string
	Filtered bool
	ClearURL string
	CSVURL   string
	LinesURL string
}

// entry is one line of the journal.
type entry struct {
	step
	Seq     uint64
	Chain   string // the beginning of the entry's link in the chain
	Subject string
	URL     string // of the comment it is about
}

func (c *Console) showJournal(w http.ResponseWriter, r *http.Request, v *visit) error {
	before, err := sequence(r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return c.journalPage(w, r, v, askedAudit(r.URL.Query()), before, nil)
}

func (c *Console) journalPage(w http.ResponseWriter, r *http.Request, v *visit, a auditAsked, before uint64, chain *chainState) error {
	all, site, err := c.journalSites(r, v, a.site)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	a.site = site.ID
	filter, err := a.filter(site.Settings.Location())
	if err != nil {
		return err
	}
	page, err := c.cfg.Service.Audit(r.Context(), v.who, site.ID, filter, before, moderation.PageDefault)
	if err != nil {
		return err
	}
	known, err := c.cfg.Service.Mentioned(r.Context(), page.Events)
	if err != nil {
		return err
	}
	d := journalPage{
		frame: c.frame(r, v, "journal"), SiteName: site.Name, Chain: chain, Site: site.ID, From: a.from, To: a.to,
		Filtered: filter != (moderation.EventFilter{}), ClearURL: auditAsked{site: site.ID}.path(c, "", 0),
		CSVURL: a.path(c, ".csv", 0), LinesURL: a.path(c, ".jsonl", 0),
	}
	d.Groups, d.Actors = a.choices(v)
	for _, e := range page.Events {
		d.Entries = append(d.Entries, c.entry(v, e, known))
	}
	if page.Next > 0 {
		d.OlderURL = a.path(c, "", page.Next)
	}
	if before > 0 {
		d.LatestURL = a.path(c, "", 0)
	}
	if len(all) > 1 {
		for _, s := range all {
			other := a
			other.site = s.ID
			d.Sites = append(d.Sites, link{Words: s.Name, URL: other.path(c, "", 0), Current: s.ID == site.ID})
		}
	}
	title := v.l.Say("journal.title") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/journal", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// journalSites are the sites of a visit and, for who may read it, the installation itself.
func (c *Console) journalSites(r *http.Request, v *visit, asked string) ([]comments.Site, comments.Site, error) {
	installation := comments.Site{
		ID: comments.Installation, Name: v.l.Say("journal.installation"), Settings: comments.DefaultSettings(),
	}
	mayAll := v.who.May(moderation.ManagePeople, comments.Installation)
	first := asked
	if asked == comments.Installation {
		if !mayAll {
			return nil, comments.Site{}, comments.ErrForbidden
		}
		first = ""
	}
	all, site, err := c.sites(r.Context(), v, first)
	if err != nil {
		return nil, comments.Site{}, err
	}
	all = slices.Clone(all)
	if mayAll {
		all = append(all, installation)
	}
	if asked == comments.Installation || site.ID == "" && mayAll {
		site = installation
	}
	return all, site, nil
}

func (c *Console) entry(v *visit, t comments.Transition, known map[comments.ID]comments.Comment) entry {
	e := entry{step: v.step(t), Seq: t.Seq}
	e.Chain = fmt.Sprintf("%.3x", t.Chain)
	switch comment, ok := known[t.Event.Comment]; {
	case ok:
		e.Subject = comment.Title
		if e.Subject == "" {
			e.Subject = v.l.Say("proof.untitled", "Name", comment.Name)
		}
		e.URL = c.set.URL(place{}.alone(string(comment.ID)).path(nil))
	case strings.HasPrefix(t.Subject, "bulk/"):
		e.Subject, e.URL = v.l.Say("bulk.title"), c.set.URL(bulkPath+"/"+strings.TrimPrefix(t.Subject, "bulk/")+"?"+query("site", t.Site).Encode())
	case strings.HasPrefix(t.Subject, "scheduled/"):
		e.Subject = v.l.Say("schedule.title")
		if id, err := comments.ParseCursor(t.Site, subjectID(t.Subject)); err == nil {
			e.URL = c.set.URL(place{}.alone(string(id)).path(nil))
		}
	case v.names[subjectID(t.Subject)] != "":
		e.Subject = v.names[subjectID(t.Subject)]
		if v.who.Can(moderation.ManagePeople) {
			e.URL = c.set.URL(peoplePath + "/" + subjectID(t.Subject))
		}
	default:
		e.Subject = t.Subject
	}
	return e
}

// subjectID is the id in an event's subject, which of a document has its kind before it.
func subjectID(subject string) string { return subject[strings.LastIndexByte(subject, '/')+1:] }

// sequence reads a sequence number; "" is 0.
func sequence(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("sequence number: %w", comments.ErrMalformed)
	}
	return n, nil
}
