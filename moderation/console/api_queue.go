package console

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/moderation"
)

type queueInput struct {
	Site    string `query:"site" required:"true" doc:"Site id; * for all that are yours"`
	Status  string `query:"status" enum:"pending,approved,rejected,spam,trashed,all" doc:"pending unless q asks; all = whatever the status, which it is with q"`
	Queue   string `query:"queue" enum:"suspect,reported,appeals,edited" doc:"A queue to work on: suspect and edited narrow what is pending; reported and appeals are of any status"`
	Order   string `query:"order" enum:"oldest,newest,risk" default:"oldest" doc:"risk: the highest estimate first, of what is pending"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	After   string `query:"after" doc:"Cursor: next of the page before"`
	Query   string `query:"q" doc:"Words, \"phrases\" and author: page: site: status: before: after: has:link has:signal has:parent lang: ip:. Marks and capitals count for words that have some"`
	Page    string `query:"page" doc:"Key of one page"`
	Signal  string `query:"signal" doc:"Only what this check gave a signal of; none = only what no check holds"`
	Has     string `query:"has" enum:"link" doc:"Only what has a link"`
	Reply   string `query:"reply" enum:"true,false" doc:"Only replies to comments, or only comments on the article"`
	Written string `query:"written" enum:"vi,en" doc:"Only what was written on a page of this language"`
	Lang    string `query:"lang" enum:"vi,en" doc:"Language of reasons and errors; else Accept-Language"`
}

type queueOutput struct {
	Body struct {
		Items  []apiComment `json:"items"`
		Next   string       `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
		Counts apiCounts    `json:"counts" doc:"Of the whole site"`
		Queues apiQueues    `json:"queues" doc:"How many stand in each queue of the whole site"`
		Total  int64        `json:"total" doc:"How many fit; with at_least, there are more"`
		More   bool         `json:"at_least,omitempty" doc:"total is not all: words and filters are counted up to 10,000, and not for long"`
		Part   bool         `json:"partial,omitempty" doc:"The page ended because it took too long; go on with next"`
	}
}

type apiQueues struct {
	Suspect  int64 `json:"suspect"`
	Reported int64 `json:"reported"`
	Appeals  int64 `json:"appeals"`
	Edited   int64 `json:"edited"`
}

type apiCounts struct {
	Pending  int64 `json:"pending"`
	Approved int64 `json:"approved"`
	Rejected int64 `json:"rejected"`
	Spam     int64 `json:"spam"`
	Trashed  int64 `json:"trashed"`
}

func (c *Console) registerQueue() {
	op := operation("moderation-queue", http.MethodGet, "/queue", "A page of a site's queue", http.StatusBadRequest)
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *queueInput) (*queueOutput, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		q, err := c.queueQuery(ctx, who.who, in)
		if err != nil {
			return nil, err
		}
		page, err := c.cfg.Service.Queue(ctx, who.who, q)
		if err != nil {
			return nil, err
		}
		out := &queueOutput{}
		out.Body.Items = make([]apiComment, len(page.Items))
		for i, item := range page.Items {
			out.Body.Items[i] = newComment(who, item)
		}
		out.Body.Next, out.Body.Counts = page.Next, apiCounts(page.Counts)
		out.Body.Queues = apiQueues(page.Queues)
		out.Body.Total, out.Body.More, out.Body.Part = page.Total, page.AtLeast, page.Partial
		return out, nil
	})
}

// queueQuery is what is asked of the service. What it doesn't know is refused, never passed
// over: a client that decides on all it was given must not be given more than it asked for.
func (c *Console) queueQuery(ctx context.Context, who moderation.Moderator, in *queueInput) (moderation.QueueQuery, error) {
	q := moderation.QueueQuery{
		Site: in.Site, Status: comments.Status(in.Status), Queue: moderation.QueueName(in.Queue),
		Newest: in.Order == string(comments.Newest), Risk: in.Order == string(comments.ByRisk), After: in.After, Limit: in.Limit,
	}
	if in.Status == everything || in.Status == "" && in.Query != "" && in.Queue == "" {
		q.Status, q.All = "", true
	}
	switch {
	case in.Site == "":
		return q, fmt.Errorf("site: %w", comments.ErrMalformed)
	case in.Order != string(comments.Oldest) && !q.Newest && !q.Risk:
		return q, fmt.Errorf("order: %w", comments.ErrMalformed)
	case in.Limit < 1:
		return q, fmt.Errorf("limit: %w", comments.ErrMalformed)
	}
	n := narrow{Words: in.Query, Page: in.Page, Signal: in.Signal, Has: in.Has, Lang: in.Written}
	switch in.Reply {
	case "true":
		n.Reply = "yes"
	case "false":
		n.Reply = "no"
	case "":
	default:
		return q, fmt.Errorf("reply: %w", comments.ErrMalformed)
	}
	var err error
	q.Asked, err = n.query(c.location(ctx, who, in.Site))
	return q, err
}
