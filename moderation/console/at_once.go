package console

import (
	"errors"
	"net/http"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// The desk's script shows a decision at once and sends the form behind it, asking for JSON:
// what became of each comment, and the counts as they stand after it. Without the script the
// same form leads to the next page.

// decided is what the script is told of a form of decisions.
type decided struct {
	Results []outcome `json:"results"`
	tally
}

// outcome is what became of one comment: its status and version, or what is in the way.
type outcome struct {
	ID      string   `json:"id"`
	Pick    string   `json:"pick,omitempty"` // as it stands now
	Status  string   `json:"status,omitempty"`
	Vouched string   `json:"vouched,omitempty"` // what to say when a second person has to approve
	Error   *refusal `json:"error,omitempty"`
}

// refusal says why a decision doesn't count, in the words of the page that shows it.
type refusal struct {
	Code   string     `json:"code"` // "conflict" or "not_found"
	Title  string     `json:"title"`
	Help   string     `json:"help,omitempty"`
	Anyway string     `json:"anyway,omitempty"` // words of the button that overrules; "" = nothing to overrule
	At     *time.Time `json:"at,omitempty"`
}

// tally is how much stands in each queue, at which point of the journal.
type tally struct {
	Seq    uint64           `json:"seq"`
	Counts map[string]int64 `json:"counts"`
}

// decidedAtOnce answers the script.
func (c *Console) decidedAtOnce(w http.ResponseWriter, r *http.Request, v *visit, f decisionForm, results []moderation.Result) error {
	all, site, err := c.scope(r.Context(), v, f.place.Site)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		c.inZoneOf(v, site)
	}
	d := decided{Results: make([]outcome, len(results))}
	for i, one := range results {
		if d.Results[i], err = c.outcome(v, f, i, one); err != nil {
			return err
		}
	}
	if d.tally, err = c.tally(r, v, within(f.place.Site, site.ID)); err != nil {
		return err
	}
	return answerJSON(w, d)
}

func (c *Console) outcome(v *visit, f decisionForm, i int, r moderation.Result) (outcome, error) {
	o := outcome{ID: r.ID}
	var lost *moderation.ConflictError
	switch {
	case r.Err == nil:
		o.Status, o.Pick = string(r.Status), pick{r.ID, r.Version}.value()
		if f.action == moderation.Approve && r.Status == comments.Pending {
			o.Vouched = v.l.Say("live.vouched")
		}
	case errors.As(r.Err, &lost):
		one := f
		one.picks = f.picks[i : i+1]
		k, at := c.conflict(v, one, lost, f.place.at(r.ID)), lost.At
		o.Pick, o.Status = k.Pick, string(lost.Status)
		o.Error = &refusal{Code: "conflict", Title: k.Title, Help: k.Help, At: &at}
		if k.Anyway != nil {
			o.Error.Anyway = k.Anyway.Words
		}
	case errors.Is(r.Err, comments.ErrNotFound):
		o.Error = &refusal{Code: "not_found", Title: v.l.Say("decision.not_found")}
	default:
		return o, r.Err
	}
	return o, nil
}

func (c *Console) tally(r *http.Request, v *visit, site string) (tally, error) {
	t, err := c.cfg.Service.Tally(r.Context(), v.who, site)
	return tally{t.Seq, t.Counts}, err
}

// script is what the desk's script reads off the page.
type script struct {
	Site, Queue, Order, Comment string

	Seq     uint64 // of the journal, when the counts were read
	ListURL string
	Title   string // of the page, with {n} for how many wait
	Actions []sayings
	Keys    []keyGroup
}

// sayings are the words for one kind of decision.
type sayings struct{ Action, Icon, Done string }

func (c *Console) script(v *visit, p place, d *deskPage) script {
	s := script{
		Site: p.Site, Queue: p.Queue, Order: p.Order, Seq: d.Seq, ListURL: c.set.URL(p.after("").path(nil)),
		Title: v.l.Say("desk.title", "Queue", d.Heading, "Count", "{n}"), Keys: v.keys(),
	}
	if d.Proof != nil {
		s.Comment = d.Proof.ID
	}
	for _, r := range results {
		s.Actions = append(s.Actions, sayings{string(r.action), statusIcons[r.status], v.l.Say("notice." + string(r.status))})
	}
	return s
}
