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
	Site   string `query:"site" required:"true" doc:"Site id"`
	Status string `query:"status" enum:"pending,approved,rejected,spam,trashed" default:"pending"`
	Queue  string `query:"queue" enum:"suspect,reported,appeals,edited" doc:"Narrows what is pending to suspect or edited; reported and appeals are of any status, and status is left out or pending"`
	Order  string `query:"order" enum:"oldest,newest,risk" default:"oldest" doc:"risk: the highest first, for all that is pending"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	After  string `query:"after" doc:"Cursor: next of the page before"`
	Query  string `query:"q" doc:"Search words; not available yet, so anything here is refused" hidden:"true"`
	Lang   string `query:"lang" enum:"vi,en" doc:"Language of reasons and errors; else Accept-Language"`
}

type queueOutput struct {
	Body struct {
		Items  []apiComment `json:"items"`
		Next   string       `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
		Counts apiCounts    `json:"counts" doc:"Of the whole site"`
		Queues apiQueues    `json:"queues" doc:"How many stand in each queue of the whole site"`
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
		q, err := in.query()
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
		return out, nil
	})
}

// query is what is asked of the service. What it doesn't know is refused, never passed
// over: a client that decides on all it was given must not be given more than it asked for.
func (in *queueInput) query() (moderation.QueueQuery, error) {
	q := moderation.QueueQuery{
		Site: in.Site, Status: comments.Status(in.Status), Queue: moderation.QueueName(in.Queue),
		Newest: in.Order == string(comments.Newest), Risk: in.Order == string(comments.ByRisk), After: in.After, Limit: in.Limit,
	}
	switch {
	case in.Site == "":
		return q, fmt.Errorf("site: %w", comments.ErrMalformed)
	case in.Order != string(comments.Oldest) && !q.Newest && !q.Risk:
		return q, fmt.Errorf("order: %w", comments.ErrMalformed)
	case in.Query != "":
		return q, fmt.Errorf("q: %w", comments.ErrMalformed)
	case in.Limit < 1:
		return q, fmt.Errorf("limit: %w", comments.ErrMalformed)
	}
	return q, nil
}
