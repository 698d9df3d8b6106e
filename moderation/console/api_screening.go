package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/moderation/screen"
)

// apiEntry is a word or phrase of a list.
type apiEntry struct {
	Text   string `json:"text"`
	Inside bool   `json:"inside,omitempty" doc:"Within words too, not as whole syllables alone"`
	Loose  bool   `json:"loose,omitempty" doc:"Without regard to diacritics"`
	Allow  bool   `json:"allow,omitempty" doc:"An exception: what other entries match within it is let be"`
}

type apiWordList struct {
	ID      string     `json:"id,omitempty" doc:"Empty makes a new list"`
	Version uint64     `json:"version,omitempty" doc:"As it was read; a list that has changed since is a conflict"`
	Site    string     `json:"site" doc:"Site id, or * for every site's"`
	Name    string     `json:"name"`
	Lang    string     `json:"lang" enum:"vi,en," doc:"Which language its words are of; empty for several"`
	Action  string     `json:"action" enum:"hold,spam,hint"`
	Hint    string     `json:"hint,omitempty" doc:"What a reader is told by a list of action hint"`
	Off     bool       `json:"off,omitempty"`
	Entries []apiEntry `json:"entries"`
}

func newWordList(l screen.WordList) apiWordList {
	a := apiWordList{
		ID: l.ID, Version: l.Version, Site: l.Site, Name: l.Name, Lang: l.Lang, Action: string(l.Action),
		Hint: l.Hint, Off: l.Off, Entries: make([]apiEntry, len(l.Entries)),
	}
	for i, e := range l.Entries {
		a.Entries[i] = apiEntry(e)
	}
	return a
}

func (a apiWordList) list() screen.WordList {
	l := screen.WordList{
		ID: a.ID, Version: a.Version, Site: a.Site, Name: a.Name, Lang: a.Lang, Action: screen.ListAction(a.Action),
		Hint: a.Hint, Off: a.Off, Entries: make([]screen.Entry, len(a.Entries)),
	}
	for i, e := range a.Entries {
		l.Entries[i] = screen.Entry(e)
	}
	return l
}

type wordListsOutput struct {
	Body struct {
		Lists []apiWordList `json:"lists" doc:"Those of every site and the site's own"`
	}
}

type apiHit struct {
	Word      string `json:"word"`
	List      string `json:"list" doc:"Name of the list"`
	Action    string `json:"action"`
	Start     int    `json:"start" doc:"In bytes of the text"`
	End       int    `json:"end"`
	Disguised bool   `json:"disguised"`
}

func (c *Console) registerScreening() {
	lists := c.cfg.Screening.Lists
	op := operation("moderation-words", http.MethodGet, "/words", "The word lists of a site")
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		Site string `query:"site" required:"true"`
	}) (*wordListsOutput, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		all, err := lists.All(ctx, who.who, in.Site)
		if err != nil {
			return nil, err
		}
		out := &wordListsOutput{}
		out.Body.Lists = make([]apiWordList, len(all))
		for i, l := range all {
			out.Body.Lists[i] = newWordList(l)
		}
		return out, nil
	})
	op = operation("moderation-words-put", http.MethodPost, "/words", "Store a word list", http.StatusConflict, http.StatusUnprocessableEntity)
	op.MaxBodyBytes = screeningFormBytes
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct{ Body apiWordList }) (*struct{ Body apiWordList }, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		l, err := lists.Put(ctx, who.who, in.Body.list())
		if err != nil {
			return nil, err
		}
		return &struct{ Body apiWordList }{newWordList(l)}, nil
	})
	op = operation("moderation-words-remove", http.MethodDelete, "/words/{site}/{id}", "Remove a word list", http.StatusConflict, http.StatusNotFound)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		Site    string `path:"site"`
		ID      string `path:"id"`
		Version uint64 `query:"version" required:"true"`
	}) (*struct{}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		return nil, lists.Remove(ctx, who.who, in.Site, in.ID, in.Version)
	})
	c.registerTry()
	c.registerCampaign()
}

func (c *Console) registerTry() {
	op := operation("moderation-words-try", http.MethodPost, "/words/try", "Look a text through for the words of a site's lists", http.StatusUnprocessableEntity)
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		Body struct {
			Site string `json:"site"`
			Text string `json:"text"`
		}
	}) (*struct {
		Body struct {
			Hits []apiHit `json:"hits"`
		}
	}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		hits, err := c.cfg.Screening.Lists.Try(ctx, who.who, in.Body.Site, in.Body.Text, nil)
		if err != nil {
			return nil, err
		}
		out := &struct {
			Body struct {
				Hits []apiHit `json:"hits"`
			}
		}{}
		out.Body.Hits = make([]apiHit, len(hits))
		for i, h := range hits {
			out.Body.Hits[i] = apiHit{h.Entry.Text, h.List.Name, string(h.List.Action), h.Start, h.End, h.Disguised}
		}
		return out, nil
	})
}

func (c *Console) registerCampaign() {
	op := operation("moderation-campaign", http.MethodGet, "/comments/{id}/campaign", "Recent comments that say nearly the same", http.StatusNotFound)
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*struct {
		Body struct {
			IDs []string `json:"ids" doc:"Oldest first; empty when it is alone"`
		}
	}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		id, err := comments.ParseID(in.ID)
		if err != nil || !who.who.On(id.Site()) {
			return nil, comments.ErrNotFound
		}
		list, err := c.cfg.Screening.Repeats.Campaign(ctx, who.who, id)
		if err != nil {
			return nil, err
		}
		out := &struct {
			Body struct {
				IDs []string `json:"ids" doc:"Oldest first; empty when it is alone"`
			}
		}{}
		out.Body.IDs = make([]string, len(list))
		for i, m := range list {
			out.Body.IDs[i] = string(m.ID)
		}
		return out, nil
	})
}
