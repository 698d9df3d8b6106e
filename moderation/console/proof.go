package console

import (
	"net/http"
	"slices"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// proof is a comment laid out to be decided on: its words, what the checks say in its
// margin, what happened to it, and what can be done.
type proof struct {
	ID           string
	Pick         string
	Title        string
	Name         string
	Text         string
	Lang         string
	Marks        []templates.Span
	At           time.Time
	Age          string
	Waiting      bool
	status       comments.Status
	Status       string // in words
	StatusIcon   string
	ArticleTitle string
	ArticleURL   string
	Parent       *parent
	Level        *level
	Signals      []signal
	History      []step
	URL          string // its own page
	BackURL      string
	Back         string // words of where BackURL leads
	PrevURL      string
	NextURL      string

	// Left tells, where the comment is no longer in the queue it was opened from, who saw to
	// that: whoever works by keys is not to decide on it unawares.
	Left string

	MayDecide bool
	Form      form
	Buttons   []button
	Rest      []button
	Reasons   []reason
	Draft     draft
	Conflict  *conflict
	Trouble   string // what was wrong with the form

	Judge   *judging
	view    moderation.View
	Outside *outside
}

// Heading is what the comment is called in a page's title.
func (p *proof) Heading(l *templates.Locale) string {
	if p.Title != "" {
		return p.Title
	}
	return l.Say("proof.untitled", "Name", p.Name)
}

// parent is what a comment replies to.
type parent struct {
	Name string
	At   time.Time
	Text string
	URL  string
}

// button submits a decision.
type button struct {
	Action string
	Words  string
	Icon   string
	Main   bool
}

var actionIcons = map[moderation.Action]string{
	moderation.Approve: "check", moderation.Reject: "cross", moderation.Spam: "spam",
	moderation.Trash: "trash", moderation.Restore: "refresh", moderation.Undo: "undo",
	moderation.Keep: "check", moderation.Uphold: "cross",
}

// results are the statuses that actions lead to, in the order of the buttons.
var results = [...]struct {
	action moderation.Action
	status comments.Status
}{
	{moderation.Approve, comments.Approved}, {moderation.Reject, comments.Rejected},
	{moderation.Spam, comments.Spam}, {moderation.Trash, comments.Trashed}, {moderation.Restore, comments.Pending},
}

func (v *visit) button(a moderation.Action) button {
	return button{Action: string(a), Words: v.l.Say("action." + string(a)), Icon: actionIcons[a]}
}

// buttons are the decisions that change a comment of a status. last, when known, adds the
// way back to the state before.
func (v *visit) buttons(from comments.Status, last *comments.Transition) []button {
	var list []button
	for _, r := range results {
		if r.status == from || last != nil && r.action == moderation.Restore && last.From == comments.Pending {
			continue
		}
		b := v.button(r.action)
		b.Main = r.action == moderation.Approve && from == comments.Pending
		list = append(list, b)
	}
	if last != nil && last.From.Valid() {
		list = append(list, v.button(moderation.Undo))
	}
	return list
}

// draft is what a moderator had typed, kept when a form is shown again.
type draft struct {
	Reason string // code
	Typed  string
	Note   string
	Tell   bool // the typed reason is for the author to read
}

// conflict tells the slower of two moderators who decided what.
type conflict struct {
	Title   string
	Help    string
	SeeURL  string
	Anyway  *button // nil when the comment stands already where it was to go
	Pick    string  // as it stands now
	Decided draft
}

// proof reads a comment of a site for the place p.
func (c *Console) proof(r *http.Request, v *visit, site comments.Site, p place) (*proof, error) {
	view, err := c.cfg.Service.Comment(r.Context(), v.who, p.Comment)
	if err != nil {
		return nil, err
	}
	if view.Site != site.ID {
		return nil, comments.ErrNotFound
	}
	id := string(view.ID)
	d := &proof{
		ID: id, Pick: pick{id, view.Version}.value(), Title: view.Title, Name: view.Name, Text: view.Content,
		Lang: view.Lang, Marks: marks(view.Signals, "content"), At: view.CreatedAt, Age: v.l.Age(view.CreatedAt, v.now),
		Waiting: view.Status == comments.Pending, status: view.Status, Status: v.status(view.Status), StatusIcon: statusIcons[view.Status],
		ArticleTitle: articleTitle(view.Page), ArticleURL: view.Page.URL, Level: v.level(view.Signals),
		Signals: v.signals(view.Signals), History: v.history(view.History), URL: c.set.URL(p.alone(id).path(nil)),
		Form: c.formAt(p), MayDecide: v.who.May(moderation.Decide, site.ID), Reasons: v.reasons(site),
	}
	for i, one := range d.Reasons {
		d.Reasons[i].Tells, d.Reasons[i].Lang = v.tells(c.set, one.Code, view.Lang), view.Lang
	}
	if view.Parent != nil {
		d.Parent = &parent{
			Name: view.Parent.Name, At: view.Parent.CreatedAt, Text: view.Parent.Content,
			URL: c.set.URL(p.alone(string(view.Parent.ID)).path(nil)),
		}
	}
	d.Outside, d.view = v.outside(view), view
	if d.Judge, err = c.judging(r, v, site, view, p); err != nil {
		return nil, err
	}
	d.Left = v.left(view, p)
	var last *comments.Transition
	for i, t := range view.History { // what moved no version can't be undone, nor can a pick
		if (i == 0 || t.Version != view.History[i-1].Version) && t.Kind != moderation.KindPicked && t.Kind != moderation.KindUnpicked {
			last = &view.History[i]
		}
	}
	d.Buttons = v.more(view.Comment)
	for _, b := range v.buttons(view.Status, last) {
		if b.Action == string(moderation.Restore) || b.Action == string(moderation.Undo) {
			d.Rest = append(d.Rest, b)
		} else {
			d.Buttons = append(d.Buttons, b)
		}
	}
	return d, nil
}

// left says who took a comment out of the queue of a place, and when; "" while it is in it.
func (v *visit) left(view moderation.View, p place) string {
	queue := comments.Queue(p.Queue)
	if p.Queue == everything || view.Status == comments.Status(p.Queue) || queue.Valid() && view.In(queue) {
		return ""
	}
	for _, t := range slices.Backward(view.History) {
		if t.To == view.Status {
			return v.l.Say("conflict."+string(t.To), "Who", v.actor(t.Actor), "At", v.l.Time(t.At))
		}
	}
	return ""
}
