package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"duyet/comments"
	"duyet/comments/search"
	"duyet/moderation"
	"duyet/templates"
)

// find is the search box in the head of every page.
type find struct{ Words, Site string }

// chip is one thing that narrows the list, with the way to the list without it.
type chip struct{ Words, URL string }

// filters are the panel above the list: a form that needs no script.
type filters struct {
	Action  string
	Fields  [][2]string // of the place, that the form keeps
	Open    bool
	Link    bool
	Signals []choice
	Replies []choice
	Langs   []choice
	Chips   []chip
	Save    form
	Saved   []saved
	Full    bool   // no more can be saved
	Help    bool   // nothing was found, or it can't be read: show how to search
	Unread  string // what can't be read
	Marked  bool   // marks or capitals count
	Plain   bool   // words were typed, and none has marks
	Partial bool
	Scoped  string // the page's name, when the list is of one
}

// saved is a filter that somebody has kept.
type saved struct {
	ID      string
	Words   string
	URL     string
	Current bool
	Remove  form
}

// checksKnown are the checks that a list can be narrowed by.
var checksKnown = [...]string{"links", "words", "personal", "contacts", "repeats", "learnt", "shape", "shouting", "filltime", "trap"}

func (c *Console) filters(v *visit, p place, page moderation.QueuePage, asked search.Query) filters {
	n := p.narrow
	f := filters{
		Action: c.set.URL("/moderation/"), Open: n.filtered(), Link: n.Has == "link",
		Marked: asked.Marked(), Plain: len(asked.Phrases) > 0 && !asked.Marked(), Partial: page.Partial,
		Help: n.Words != "" && len(page.Items) == 0,
	}
	keep := p.after("")
	keep.narrow = narrow{Words: n.Words, Page: n.Page}
	f.Fields = fieldsOf(keep)
	f.Signals = append(f.Signals, choice{"", v.l.Say("filter.any"), n.Signal == ""},
		choice{moderation.Unheld, v.l.Say("filter.check." + moderation.Unheld), n.Signal == moderation.Unheld})
	for _, check := range checksKnown {
		f.Signals = append(f.Signals, choice{check, v.l.Say("filter.check." + check), n.Signal == check})
	}
	for _, reply := range []string{"", "yes", "no"} {
		f.Replies = append(f.Replies, choice{reply, v.l.Say("filter.reply." + orAny(reply)), n.Reply == reply})
	}
	for _, lang := range []string{"", "vi", "en"} {
		f.Langs = append(f.Langs, choice{lang, v.l.Say("filter.lang." + orAny(lang)), n.Lang == lang})
	}
	f.Chips = c.chips(v, p, page)
	f.Save = form{Action: c.set.URL("/moderation/filters"), Fields: fieldsOf(p.after(""))}
	return f
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

// fieldsOf are a place as hidden fields, in order.
func fieldsOf(p place) (fields [][2]string) {
	for name, values := range p.values() {
		fields = append(fields, [2]string{name, values[0]})
	}
	slices.SortFunc(fields, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return fields
}

// chips are what narrows the list, each with the way to take it off.
func (c *Console) chips(v *visit, p place, page moderation.QueuePage) (list []chip) {
	without := func(words string, change func(*narrow)) {
		q := p.after("")
		change(&q.narrow)
		list = append(list, chip{words, c.set.URL(q.path(nil))})
	}
	parts := search.Parts(p.Words)
	for i, part := range parts {
		rest := make([]string, 0, len(parts))
		for k, other := range parts {
			if k != i {
				rest = append(rest, other.Text)
			}
		}
		without(part.Text, func(n *narrow) { n.Words = strings.Join(rest, " ") })
	}
	if p.Page != "" {
		title := p.Page
		if len(page.Items) > 0 {
			title = articleTitle(page.Items[0].Page)
		}
		without(title, func(n *narrow) { n.Page = "" })
	}
	if p.Signal != "" {
		words := p.Signal
		if id := "filter.check." + p.Signal; v.l.Has(id) {
			words = v.l.Say(id)
		}
		without(words, func(n *narrow) { n.Signal = "" })
	}
	if p.Has != "" {
		without(v.l.Say("filter.link"), func(n *narrow) { n.Has = "" })
	}
	if p.Reply != "" {
		without(v.l.Say("filter.reply."+p.Reply), func(n *narrow) { n.Reply = "" })
	}
	if p.Lang != "" {
		without(v.l.Say("filter.lang."+p.Lang), func(n *narrow) { n.Lang = "" })
	}
	return list
}

// savedFilters are the person's own, for the rail.
func (c *Console) savedFilters(r *http.Request, v *visit, p place) (list []saved, full bool, err error) {
	kept, err := c.cfg.Service.Filters(r.Context(), v.who)
	if err != nil {
		return nil, false, err
	}
	here := p.after("").values().Encode()
	for _, f := range kept {
		q, err := url.ParseQuery(f.Query)
		if err != nil {
			continue
		}
		at, err := placeFrom(q)
		if err != nil {
			continue // of a release that knew other filters
		}
		at = at.after("")
		one := saved{ID: f.ID, Words: f.Name, URL: c.set.URL(at.path(nil)), Current: at.values().Encode() == here}
		one.Remove = form{Action: c.set.URL("/moderation/filters"), Fields: append(fieldsOf(p.after("")), [2]string{"remove", f.ID})}
		list = append(list, one)
	}
	return list, len(kept) >= moderation.FiltersMost, nil
}

// keepFilter saves a filter under a name, or removes one.
func (c *Console) keepFilter(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	p, err := placeFrom(r.PostForm)
	if err != nil {
		return err
	}
	p = p.after("")
	if id := r.PostForm.Get("remove"); id != "" {
		err = c.cfg.Service.RemoveFilter(r.Context(), v.who, id)
	} else {
		err = c.cfg.Service.SaveFilter(r.Context(), v.who, r.PostForm.Get("name"), p.values().Encode())
	}
	var invalid *comments.InvalidError
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	more := url.Values{}
	if invalid != nil {
		more.Set("unsaved", "1")
	}
	c.redirect(w, r, p.path(more))
	return nil
}

// marked is what of a text answers the search, as spans for the page.
func marked(m *search.Matcher, field, text string) (spans []templates.Span) {
	for _, p := range m.Marks(field, text) {
		spans = append(spans, templates.Span{Start: p.Start, End: p.End})
	}
	return spans
}

// around is the part of a text that a row shows: from a little before the first word that was
// looked for.
func around(m *search.Matcher, text string) string {
	const before = 60
	places := m.Marks("content", text)
	if len(places) == 0 || places[0].Start <= 2*before {
		return excerpt(text)
	}
	at := places[0].Start - before
	if i := strings.IndexAny(text[at:places[0].Start], " \n"); i >= 0 {
		at += i + 1
	} else {
		at = places[0].Start
	}
	return "…" + excerpt(text[at:])
}
