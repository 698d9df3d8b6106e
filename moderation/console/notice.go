package console

import (
	"errors"
	"net/http"

	"duyet/comments"
	"duyet/moderation"
)

// notice tells what the last form did. It is made from the comments as they stand, at the
// versions that the address names: an address alone can't make it say what isn't so, a
// reload repeats it, and no session has to hold it.
type notice struct {
	Title     string // "Approved", or "24 comments rejected"
	Icon      string
	What      string // the one comment's title
	Picks     []string
	Undo      bool
	Form      form
	Lost      []lostOne
	LostTitle string
}

// lostOne is a comment that somebody else decided on first.
type lostOne struct {
	Title string
	URL   string
	Words string // "Approved by minh@… at 20:14"
}

// notice is nil when the address tells of nothing that still stands.
func (c *Console) notice(r *http.Request, v *visit, p place) (*notice, error) {
	q := r.URL.Query()
	done, lost := q["done"], q["lost"]
	if len(done)+len(lost) == 0 || len(done)+len(lost) > moderation.PageMost {
		return nil, nil
	}
	n := &notice{Form: c.formAt(p)}
	var stand []moderation.View
	for _, raw := range done {
		view, ok, err := c.pointedAt(r, v, p.Site, raw)
		if err != nil {
			return nil, err
		}
		if ok && len(view.History) > 0 && view.History[len(view.History)-1].Actor == v.who.ID {
			stand = append(stand, view)
			n.Picks = append(n.Picks, pick{string(view.ID), view.Version}.value())
		}
	}
	for _, raw := range lost {
		view, ok, err := c.pointedAt(r, v, p.Site, raw)
		if err != nil {
			return nil, err
		}
		if ok && len(view.History) > 0 {
			n.Lost = append(n.Lost, c.lostOne(v, p, view))
		}
	}
	if len(stand)+len(n.Lost) == 0 {
		return nil, nil
	}
	if err := c.tell(v, n, stand); err != nil {
		return nil, err
	}
	if action := moderation.Action(q.Get("tried")); len(n.Lost) > 0 && action.Valid() {
		words, err := v.l.N("notice.lost", len(n.Lost), "Action", v.l.Say("action."+string(action)))
		if err != nil {
			return nil, err
		}
		n.LostTitle = words
	}
	return n, nil
}

// pointedAt is the comment that a notice's parameter names, if it is still at that version.
func (c *Console) pointedAt(r *http.Request, v *visit, site, raw string) (moderation.View, bool, error) {
	p, ok := parseShort(site, raw)
	if !ok {
		return moderation.View{}, false, nil
	}
	view, err := c.cfg.Service.Comment(r.Context(), v.who, p.ID)
	if errors.Is(err, comments.ErrNotFound) {
		return moderation.View{}, false, nil
	}
	return view, err == nil && view.Version == p.Version, err
}

// tell puts what was done into words: by name for one comment, by number for several.
func (c *Console) tell(v *visit, n *notice, stand []moderation.View) error {
	if len(stand) == 0 {
		return nil
	}
	status := stand[0].Status
	for _, view := range stand {
		if view.Status != status {
			status = ""
		}
		last := view.History[len(view.History)-1]
		n.Undo = last.Kind != moderation.KindUndone && last.From.Valid() && v.who.May(moderation.Decide, view.Site)
	}
	n.Icon = statusIcons[status]
	if len(stand) == 1 {
		n.Title, n.What = v.l.Say("notice."+string(status)), stand[0].Title
		if n.What == "" {
			n.What = v.l.Say("proof.untitled", "Name", stand[0].Name)
		}
		return nil
	}
	id := "notices." + string(status)
	if status == "" {
		id, n.Icon = "notices.several", "check"
	}
	words, err := v.l.N(id, len(stand))
	n.Title = words
	return err
}

func (c *Console) lostOne(v *visit, p place, view moderation.View) lostOne {
	last := view.History[len(view.History)-1]
	one := lostOne{
		Title: view.Title, URL: c.set.URL(p.at(string(view.ID)).path(nil)),
		Words: v.l.Say("conflict."+string(view.Status), "Who", v.actor(last.Actor), "At", v.l.Time(last.At)),
	}
	if one.Title == "" {
		one.Title = v.l.Say("proof.untitled", "Name", view.Name)
	}
	return one
}
