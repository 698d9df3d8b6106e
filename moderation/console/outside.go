package console

import (
	"html/template"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// outside is what people beyond the desk have to say of a comment: readers who reported it,
// its author who appeals or has edited it.
type outside struct {
	Reports []report
	Appeal  string // the author's sentence
	Changed *changed
	Lang    string
}

// changed is what an author's edit has made of the words that are public, as one text each.
type changed struct{ Name, Title, Content template.HTML }

func (v *visit) changed(from comments.Words, to comments.Comment) *changed {
	set := func(before, after string) template.HTML {
		return templates.Changes(before, after, v.l.Say("outside.removed"), v.l.Say("outside.added"))
	}
	c := &changed{Content: set(from.Content, to.Content)}
	if from.Name != to.Name {
		c.Name = set(from.Name, to.Name)
	}
	if from.Title != to.Title {
		c.Title = set(from.Title, to.Title)
	}
	return c
}

// report is a reader's report that is open.
type report struct {
	At     time.Time
	Reason string // in words
	Text   string
}

func (v *visit) outside(view moderation.View) *outside {
	o := &outside{Appeal: view.Appeal, Lang: view.Lang}
	if view.In(moderation.Edited) {
		o.Changed = v.changed(*view.Public, view.Comment)
	}
	for _, r := range view.Reports {
		if !r.Closed {
			o.Reports = append(o.Reports, report{r.At, v.l.Say("report_reason." + r.Reason), r.Text})
		}
	}
	if o.Changed == nil && o.Appeal == "" && len(o.Reports) == 0 {
		return nil
	}
	return o
}

// more are decisions on what people beyond the desk have said.
func (v *visit) more(c comments.Comment) (list []button) {
	switch {
	case c.In(moderation.Edited):
		list = append(list, v.button(moderation.Keep))
		list[0].Words = v.l.Say("outside.keep_earlier")
	case c.In(moderation.Reported) && c.Status == comments.Approved:
		list = append(list, v.button(moderation.Keep))
		list[0].Main = true
	}
	if c.In(moderation.Appeals) {
		list = append(list, v.button(moderation.Uphold))
	}
	return list
}

// bulk are the decisions on a whole list.
func (v *visit) bulk(p place) []button {
	switch comments.Queue(p.Queue) {
	case moderation.Reported:
		return append([]button{v.button(moderation.Keep)}, v.buttons(comments.Approved, nil)...)
	case moderation.Appeals:
		return append([]button{v.button(moderation.Uphold)}, v.buttons(comments.Rejected, nil)...)
	}
	return v.buttons(p.query().Status, nil)
}

// flags are the marks of a row that people beyond the desk have made.
func (v *visit) flags(item moderation.Item) (list []signal) {
	if item.Reports > 0 {
		words, err := v.l.N("outside.reports", item.Reports)
		if err != nil { // of the catalogue, which was read at start
			words = v.l.Number(item.Reports)
		}
		list = append(list, signal{Words: words, Icon: "flag"})
	}
	if item.In(moderation.Appeals) {
		list = append(list, signal{Words: v.l.Say("outside.appeal"), Icon: "undo"})
	}
	if item.In(moderation.Edited) {
		list = append(list, signal{Words: v.l.Say("outside.edited"), Icon: "pencil"})
	}
	return list
}
