package console

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
)

type commentInput struct {
	ID   string `path:"id"`
	Lang string `query:"lang" enum:"vi,en"`
}

type commentOutput struct {
	Body struct {
		Comment apiComment  `json:"comment"`
		History []apiStep   `json:"history" doc:"Oldest first"`
		Reports []apiReport `json:"reports,omitempty" doc:"By readers, oldest first"`
		Appeal  string      `json:"appeal,omitempty" doc:"The author's sentence, while the appeal is open"`
	}
}

// apiReport is a reader's report.
type apiReport struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Text   string    `json:"text,omitempty"`
	Open   bool      `json:"open" doc:"Until a moderator decides"`
}

// apiStep is one thing that happened to a comment.
type apiStep struct {
	At      time.Time `json:"at"`
	Actor   string    `json:"actor" doc:"A moderator's e-mail, or reader, operator or system"`
	Kind    string    `json:"kind"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Version uint64    `json:"version" doc:"Of the comment, after it"`
	Reason  string    `json:"reason,omitempty" doc:"A code of the site's list, or what was typed"`
	Note    string    `json:"note,omitempty"`
}

func (c *Console) registerComment() {
	op := operation("moderation-comment", http.MethodGet, "/comments/{id}", "A comment with its history", http.StatusNotFound)
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *commentInput) (*commentOutput, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		view, err := c.cfg.Service.Comment(ctx, who.who, in.ID)
		if err != nil {
			return nil, err
		}
		names, err := c.cfg.Service.Names(ctx)
		if err != nil {
			return nil, err
		}
		out := &commentOutput{}
		out.Body.Comment = newComment(who, view.Item)
		out.Body.Appeal = view.Appeal
		for _, r := range view.Reports {
			out.Body.Reports = append(out.Body.Reports, apiReport{r.At.UTC(), r.Reason, r.Text, !r.Closed})
		}
		out.Body.History = make([]apiStep, len(view.History))
		for i, t := range view.History {
			out.Body.History[i] = apiStep{
				At: t.At.UTC(), Actor: known(names, t.Actor), Kind: string(t.Kind), From: string(t.From),
				To: string(t.To), Version: t.Version, Reason: given(t), Note: t.Note,
			}
		}
		return out, nil
	})
}

// known is an actor's e-mail where the id is a known moderator's, else the id.
func known(names map[string]string, id string) string {
	if email := names[id]; email != "" {
		return email
	}
	return id
}

// given is the reason given with an event: a code, or what was typed.
func given(t comments.Transition) string {
	if t.Event.Reason != "" && t.Event.Reason != comments.ReasonTyped {
		return t.Event.Reason
	}
	return t.Detail.Reason
}
