package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
)

type eventsInput struct {
	Site  string `query:"site" required:"true" doc:"Site id, or * for what concerns no one site"`
	After uint64 `query:"after" doc:"Sequence number to go on after"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Lang  string `query:"lang" enum:"vi,en"`
}

type eventsOutput struct {
	Body struct {
		Events []apiEvent `json:"events" doc:"In order of their sequence numbers, which have no gap"`
		Next   uint64     `json:"next,omitempty" doc:"Go on after this; absent at the end"`
	}
}

// apiEvent is one entry of a journal.
type apiEvent struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor" doc:"A moderator's e-mail, or reader, operator or system"`
	Kind      string    `json:"kind"`
	CommentID string    `json:"comment_id,omitempty"`
	Subject   string    `json:"subject,omitempty" doc:"What it is about when that is no comment: a moderator's e-mail, a setting"`
	From      string    `json:"from,omitempty"`
	To        string    `json:"to,omitempty"`
	Reason    string    `json:"reason,omitempty" doc:"A code of the site's list, or what was typed"`
}

func (c *Console) registerEvents() {
	op := operation("moderation-events", http.MethodGet, "/events", "A part of a site's journal", http.StatusBadRequest)
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		if in.Site == "" || in.Limit < 1 {
			return nil, fmt.Errorf("site or limit: %w", comments.ErrMalformed)
		}
		page, err := c.cfg.Service.Events(ctx, who.who, in.Site, in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		names, err := c.cfg.Service.Names(ctx)
		if err != nil {
			return nil, err
		}
		out := &eventsOutput{}
		out.Body.Next, out.Body.Events = page.Next, make([]apiEvent, len(page.Events))
		for i, t := range page.Events {
			out.Body.Events[i] = apiEvent{
				Seq: t.Seq, At: t.At.UTC(), Actor: known(names, t.Actor), Kind: string(t.Kind),
				CommentID: string(t.Event.Comment), Subject: known(names, t.Subject),
				From: string(t.From), To: string(t.To), Reason: given(t),
			}
		}
		return out, nil
	})
}
