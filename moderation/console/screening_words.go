package console

import (
	"net/http"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/moderation/screen"
	"duyet/templates"
)

// listsPage is all lists of a site, and a sentence tried against them.
type listsPage struct {
	screeningFrame
	Lists    []listRow
	NewURL   string
	Starters []string // languages
	tried
}

type listRow struct {
	Name, Lang, Action, State, URL string
	Entries                        int
	Shared                         bool // everybody's
}

// tried is a text that was looked through.
type tried struct {
	Text  string
	Asked bool
	Marks []templates.Span
	Hits  []triedHit
}

type triedHit struct {
	Number             int
	Word, List, Action string
	Disguised          bool
}

func (t *tried) take(v *visit, text string, hits []screen.Hit) {
	t.Text, t.Asked = text, true
	for i, h := range hits {
		t.Marks = append(t.Marks, templates.Span{Start: h.Start, End: h.End, Number: i + 1})
		t.Hits = append(t.Hits, triedHit{i + 1, h.Entry.Text, h.List.Name, v.l.Say("list.action." + string(h.List.Action)), h.Disguised})
	}
}

func (c *Console) showLists(w http.ResponseWriter, r *http.Request, v *visit) error {
	return c.listsPage(w, r, v, r.URL.Query().Get("site"), nil)
}

// tryLists looks a sentence through, or takes a list to begin with into use.
func (c *Console) tryLists(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, screeningFormBytes); err != nil {
		return err
	}
	site := r.PostForm.Get("site")
	if lang := r.PostForm.Get("starter"); lang != "" {
		list, ok := screen.Starter(lang)
		if !ok {
			return comments.ErrMalformed
		}
		list.Site, list.Name = site, v.l.Say("list.starter."+lang)
		if _, err := c.cfg.Screening.Lists.Put(r.Context(), v.who, list); err != nil {
			return err
		}
		c.redirect(w, r, screeningAt("/moderation/words", site, "done", "added"))
		return nil
	}
	text := comments.Clean(r.PostForm.Get("text"))
	return c.listsPage(w, r, v, site, &text)
}

func (c *Console) listsPage(w http.ResponseWriter, r *http.Request, v *visit, asked string, text *string) error {
	f, site, err := c.screening(r, v, asked, "/moderation/words")
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	d, status := listsPage{screeningFrame: f}, http.StatusOK
	all, err := c.cfg.Screening.Lists.All(r.Context(), v.who, site.ID)
	if err != nil {
		return err
	}
	for _, l := range all {
		row := listRow{
			Name: l.Name, Lang: v.l.Say("list.lang." + l.Lang + "x"), Action: v.l.Say("list.action." + string(l.Action)),
			Entries: len(l.Entries), Shared: l.Site != site.ID, State: v.l.Say("list.on"),
		}
		if l.Off {
			row.State = v.l.Say("list.off")
		}
		if !row.Shared {
			row.URL = c.set.URL(screeningAt("/moderation/words/list", site.ID, "list", l.ID))
		}
		d.Lists = append(d.Lists, row)
	}
	if f.MayManage {
		d.NewURL, d.Starters = c.set.URL(screeningAt("/moderation/words/list", site.ID)), screen.Starters()
	}
	if text != nil {
		hits, err := c.cfg.Screening.Lists.Try(r.Context(), v.who, site.ID, *text, nil)
		if err != nil {
			if status, err = d.refuse(v, err); err != nil {
				return err
			}
		}
		d.take(v, *text, hits)
	}
	return c.screeningPage(w, v, status, "words", "screening.words", d)
}

// listPage is one list to work on, with what is typed as it was typed.
type listPage struct {
	screeningFrame
	List    screen.WordList
	Entries string
	Langs   []option
	Actions []option
	BackURL string
	Past    *pastView
	tried
}

type option struct {
	Value, Words, Help string
	Current            bool
}

// pastView is what a list would have hit.
type pastView struct {
	screen.Past
	Said                       string // how many of how many, in words
	Approved, Refused, Waiting int64
	Rows                       []campaignRow
}

func (c *Console) showList(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	f, site, err := c.screening(r, v, q.Get("site"), "/moderation/words")
	if err != nil {
		return err
	}
	list := screen.WordList{Site: site.ID, Action: screen.HoldWords, Lang: v.l.Lang}
	if id := q.Get("list"); id != "" {
		if list, err = c.cfg.Screening.Lists.List(r.Context(), v.who, site.ID, id); err != nil {
			return err
		}
	} else if !f.MayManage {
		return comments.ErrForbidden
	}
	var lines strings.Builder
	for _, e := range list.Entries {
		lines.WriteString(screen.FormatEntry(e) + "\n")
	}
	return c.listPage(w, v, http.StatusOK, listPage{screeningFrame: f, List: list, Entries: lines.String()})
}

func (c *Console) listPage(w http.ResponseWriter, v *visit, status int, d listPage) error {
	for _, lang := range []string{"", "vi", "en"} {
		d.Langs = append(d.Langs, option{Value: lang, Words: v.l.Say("list.lang." + lang + "x"), Current: lang == d.List.Lang})
	}
	for _, a := range screen.ListActions {
		d.Actions = append(d.Actions, option{string(a), v.l.Say("list.action." + string(a)), v.l.Say("list.action_help." + string(a)), a == d.List.Action})
	}
	d.BackURL = c.set.URL(screeningAt("/moderation/words", d.Site))
	title := "list.edit"
	if d.List.ID == "" {
		title = "list.new"
	}
	return c.screeningPage(w, v, status, "wordlist", title, d)
}

// workOnList saves a list, removes it, tries a sentence on it as it stands in the form, or
// tells what it would have hit.
func (c *Console) workOnList(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, screeningFormBytes); err != nil {
		return err
	}
	form := r.PostForm
	f, site, err := c.screening(r, v, form.Get("site"), "/moderation/words")
	if err != nil {
		return err
	}
	version, err := sequence(form.Get("version"))
	if err != nil {
		return err
	}
	d := listPage{screeningFrame: f, Entries: form.Get("entries"), List: screen.WordList{
		Site: site.ID, ID: form.Get("list"), Version: version, Name: form.Get("name"), Lang: form.Get("lang"),
		Action: screen.ListAction(form.Get("action")), Hint: form.Get("hint"), Off: form.Get("off") != "",
		Entries: screen.ParseEntries(form.Get("entries")),
	}}
	lists, ctx := c.cfg.Screening.Lists, r.Context()
	switch form.Get("do") {
	case "save":
		if _, err = lists.Put(ctx, v.who, d.List); err == nil {
			c.redirect(w, r, screeningAt("/moderation/words", site.ID, "done", "saved"))
			return nil
		}
	case "remove":
		if err = lists.Remove(ctx, v.who, site.ID, d.List.ID, version); err == nil {
			c.redirect(w, r, screeningAt("/moderation/words", site.ID, "done", "removed"))
			return nil
		}
	case "try":
		var hits []screen.Hit
		text := comments.Clean(form.Get("text"))
		hits, err = lists.Try(ctx, v.who, site.ID, text, &d.List)
		d.take(v, text, hits)
	case "past":
		var past screen.Past
		if past, err = lists.WouldHave(ctx, v.who, d.List); err == nil {
			d.Past = c.pastView(v, site, past)
		}
	default:
		return comments.ErrMalformed
	}
	status := http.StatusOK
	if err != nil {
		if status, err = d.refuse(v, err); err != nil {
			return err
		}
	}
	return c.listPage(w, v, status, d)
}

func (c *Console) pastView(v *visit, site comments.Site, past screen.Past) *pastView {
	n := past.ByStatus
	p := &pastView{Past: past, Approved: n.Approved, Refused: n.Rejected + n.Spam + n.Trashed, Waiting: n.Pending}
	for _, e := range past.Examples {
		p.Rows = append(p.Rows, campaignRow{
			Title: e.Comment.Title, Name: e.Comment.Name, Text: strings.Join(e.Words, ", "), Lang: e.Comment.Lang,
			Status: v.status(e.Comment.Status), StatusIcon: statusIcons[e.Comment.Status], At: v.l.Time(e.Comment.CreatedAt),
			ISO: v.l.ISO(e.Comment.CreatedAt), URL: c.set.URL(place{Site: site.ID}.alone(string(e.Comment.ID)).path(nil)),
		})
	}
	return p
}

// learningPage is what the classifier has learnt of a site's decisions.
type learningPage struct {
	screeningFrame
	screen.Standing
	Rows       []learningRow
	Curve      []curveRow
	Hold, Spam string // as typed, in percent
	Version    uint64
}

type learningRow struct {
	Threshold, Precision, Recall string
	Flagged, Right               int
	Own                          string // "hold", "spam" or ""
}

type curveRow struct {
	Decisions int
	AUC       string
}

func (c *Console) showLearning(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, site, err := c.screening(r, v, r.URL.Query().Get("site"), "/moderation/learning")
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	return c.learningPage(w, r, v, http.StatusOK, learningPage{screeningFrame: f})
}

func (c *Console) learningPage(w http.ResponseWriter, r *http.Request, v *visit, status int, d learningPage) error {
	s, err := c.cfg.Screening.Learner.Standing(r.Context(), v.who, d.Site)
	if err != nil {
		return err
	}
	d.Standing = s
	if status == http.StatusOK {
		d.Hold, d.Spam, d.Version = percent(s.Thresholds.Hold), percent(s.Thresholds.Spam), s.Thresholds.Version
	}
	for _, at := range s.At {
		row := learningRow{Threshold: v.l.Number(int(at.Threshold*100 + 0.5)), Flagged: at.Flagged, Right: at.Right}
		if at.Flagged > 0 {
			row.Precision = v.l.Number(int(at.Precision()*100 + 0.5))
		}
		if at.Positive > 0 {
			row.Recall = v.l.Number(int(at.Recall()*100 + 0.5))
		}
		switch at.Threshold {
		case s.Thresholds.Hold:
			row.Own = "hold"
		case s.Thresholds.Spam:
			row.Own = "spam"
		}
		d.Rows = append(d.Rows, row)
	}
	for _, b := range s.Curve {
		d.Curve = append(d.Curve, curveRow{b.Decisions, v.l.Number(float64(int(b.AUC*100+0.5)) / 100)})
	}
	return c.screeningPage(w, v, status, "learning", "screening.learning", d)
}

// percent is a share as it is typed; none is "".
func percent(share float64) string {
	if share == 0 {
		return ""
	}
	return strconv.FormatFloat(share*100, 'f', -1, 64)
}

// share reads a percentage as it is typed; what is none is over one, which nobody takes.
func share(typed string) float64 {
	typed = strings.Replace(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(typed), "%")), ",", ".", 1)
	if typed == "" {
		return 0
	}
	p, err := strconv.ParseFloat(typed, 64)
	if err != nil {
		return 2
	}
	return p / 100
}

func (c *Console) setThresholds(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	form := r.PostForm
	f, site, err := c.screening(r, v, form.Get("site"), "/moderation/learning")
	if err != nil {
		return err
	}
	version, err := sequence(form.Get("version"))
	if err != nil {
		return err
	}
	d := learningPage{screeningFrame: f, Hold: form.Get("hold"), Spam: form.Get("spam"), Version: version}
	t := screen.Thresholds{Hold: share(d.Hold), Spam: share(d.Spam), Version: version}
	err = c.cfg.Screening.Learner.SetThresholds(r.Context(), v.who, site.ID, t)
	if err == nil {
		c.redirect(w, r, screeningAt("/moderation/learning", site.ID, "done", "saved"))
		return nil
	}
	status, err := d.refuse(v, err)
	if err != nil {
		return err
	}
	return c.learningPage(w, r, v, status, d)
}
