package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// decisionBytes is the most that a form of decisions may hold: a full page of comments, a
// reason and a note.
const decisionBytes = 256 << 10

// decisionForm is a form of decisions as it was sent.
type decisionForm struct {
	place  place
	next   string // the comment to open after this one
	action moderation.Action
	picks  []pick
	draft  draft
}

func readDecisions(w http.ResponseWriter, r *http.Request) (f decisionForm, err error) {
	if err := readForm(w, r, decisionBytes); err != nil {
		return f, err
	}
	q := r.PostForm
	if f.place, err = placeFrom(q); err != nil {
		return f, err
	}
	f.next, f.action = q.Get("next"), moderation.Action(q.Get("action"))
	f.draft = draft{Reason: q.Get("reason"), Typed: strings.TrimSpace(q.Get("reason_text")), Note: q.Get("note"), Tell: q.Has("tell")}
	for _, raw := range q["pick"] {
		p, err := parsePick(raw)
		if err != nil {
			return f, err
		}
		f.picks = append(f.picks, p)
	}
	if len(f.picks) > moderation.PageMost {
		return f, fmt.Errorf("picks: %w", comments.ErrTooLarge)
	}
	return f, nil
}

// reason is the typed one, else the code; a code is a reason against a comment, so it
// doesn't go with an approval, beside whose button the codes stand too.
func (f decisionForm) reason() string {
	switch f.action {
	case moderation.Reject, moderation.Spam, moderation.Trash:
		if f.draft.Typed == "" {
			return f.draft.Reason
		}
	}
	return f.draft.Typed
}

func (f decisionForm) decisions() []moderation.Decision {
	list := make([]moderation.Decision, len(f.picks))
	for i, p := range f.picks {
		list[i] = moderation.Decision{
			ID: p.ID, Action: f.action, Version: &p.Version, Reason: f.reason(), Note: f.draft.Note, Tell: f.draft.Tell,
		}
	}
	return list
}

// decide takes one decision or a page of them. What was decided is told on the page it
// leads to; a conflict about a single comment is answered at once, with every word kept.
func (c *Console) decide(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := readDecisions(w, r)
	if err != nil {
		return err
	}
	results, err := c.cfg.Service.Decide(r.Context(), v.who, f.decisions())
	if invalid := (*comments.InvalidError)(nil); errors.As(err, &invalid) && !templates.PrefersJSON(r) {
		return c.again(w, r, v, f, v.l.Field(invalid.Fields[0]))
	}
	if err != nil {
		return err
	}
	if templates.PrefersJSON(r) {
		return c.decidedAtOnce(w, r, v, f, results)
	}
	if len(results) == 0 {
		return c.again(w, r, v, f, v.l.Say("desk.nothing_picked"))
	}
	if len(results) == 1 {
		var lost *moderation.ConflictError
		if errors.As(results[0].Err, &lost) {
			return c.lost(w, r, v, f, lost)
		}
		if results[0].Err != nil {
			return results[0].Err
		}
	}
	c.redirect(w, r, f.onward().path(f.told(results)))
	return nil
}

// onward is where a decision leads: from the page of one comment back to it, from an open
// comment to the next one, from the list to the list.
func (f decisionForm) onward() place {
	p := f.place
	if p.Alone || len(f.picks) > 1 && p.Comment == "" {
		return p
	}
	if f.action == moderation.Undo && p.Comment != "" {
		return p
	}
	p.Comment = f.next
	return p
}

// told says in an address what became of decisions, for the notice; see Console.notice.
func (f decisionForm) told(results []moderation.Result) url.Values {
	q := url.Values{}
	for _, r := range results {
		p := pick{r.ID, r.Version}
		var lost *moderation.ConflictError
		switch {
		case r.Err == nil:
			q.Add("done", p.shortOn(f.place.Site))
		case errors.As(r.Err, &lost):
			p.Version = lost.Version
			q.Add("lost", p.shortOn(f.place.Site))
		}
	}
	if q.Has("lost") {
		q.Set("tried", string(f.action))
	}
	return q
}

// again shows the form a second time, its words kept, with what was wrong.
func (c *Console) again(w http.ResponseWriter, r *http.Request, v *visit, f decisionForm, trouble string) error {
	const status = http.StatusUnprocessableEntity
	if f.place.Alone {
		return c.answerComment(w, r, v, status, f.place, func(d *commentPage) error {
			d.Proof.Draft, d.Proof.Trouble = f.draft, trouble
			return nil
		})
	}
	p := f.place
	if len(f.picks) == 1 {
		p.Comment = f.picks[0].ID
	}
	return c.answerDesk(w, r, v, status, p, func(d *deskPage, p place) error {
		if len(f.picks) == 1 && d.Proof != nil {
			d.Proof.Draft, d.Proof.Trouble = f.draft, trouble
		} else {
			d.Trouble = trouble
		}
		return nil
	})
}

// lost answers the slower of two moderators.
func (c *Console) lost(w http.ResponseWriter, r *http.Request, v *visit, f decisionForm, lost *moderation.ConflictError) error {
	const status = http.StatusConflict
	id := f.picks[0].ID
	if f.place.Alone {
		return c.answerComment(w, r, v, status, f.place, func(d *commentPage) error {
			d.Proof.Conflict = c.conflict(v, f, lost, f.place)
			return nil
		})
	}
	p := f.place.at(id)
	return c.answerDesk(w, r, v, status, p, func(d *deskPage, p place) error {
		if d.Proof != nil {
			d.Proof.Conflict = c.conflict(v, f, lost, p)
		}
		return nil
	})
}

func (c *Console) conflict(v *visit, f decisionForm, lost *moderation.ConflictError, p place) *conflict {
	who, at := v.actor(lost.By), v.l.Time(lost.At)
	k := &conflict{
		Title:  v.l.Say("conflict."+string(lost.Status), "Who", who, "At", at),
		Help:   v.l.Say("conflict.not_kept", "Action", v.l.Say("action."+string(f.action))),
		SeeURL: c.set.URL(p.path(nil)), Pick: pick{f.picks[0].ID, lost.Version}.value(), Decided: f.draft,
	}
	for _, r := range results {
		if r.action == f.action && r.status != lost.Status {
			b := v.button(f.action)
			b.Words = v.l.Say("conflict.anyway." + string(f.action))
			k.Anyway = &b
		}
		if r.action == f.action && r.status == lost.Status {
			k.Help = v.l.Say("conflict.same")
		}
	}
	return k
}

func notFoundIfForbidden(err error) error {
	if errors.Is(err, comments.ErrForbidden) {
		return comments.ErrNotFound
	}
	return err
}
