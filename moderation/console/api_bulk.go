package console

import (
	"context"
	"net/http"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// apiBulk is one decision on all comments that fit a filter.
type apiBulk struct {
	ID     string `json:"id,omitempty" doc:"Letters and digits; naming one makes asking twice start one job"`
	Site   string `json:"site"`
	Queue  string `json:"queue,omitempty" enum:"pending,suspect,reported,appeals,approved,rejected,spam,trashed,all" doc:"pending unless q asks, then all"`
	Query  string `json:"q,omitempty" doc:"As of the queue"`
	Page   string `json:"page,omitempty" doc:"Key of one page"`
	Signal string `json:"signal,omitempty" doc:"Only what this check gave a signal of"`
	Has    string `json:"has,omitempty" enum:"link"`
	Reply  string `json:"reply,omitempty" enum:"yes,no" doc:"Only replies to comments, or only comments on the article"`
	Lang   string `json:"written,omitempty" enum:"vi,en" doc:"Only what was written on a page of this language"`
	Action string `json:"action" enum:"approve,reject,spam,trash,restore,keep,uphold"`
	Reason string `json:"reason,omitempty"`
	Note   string `json:"note,omitempty"`

	State    string        `json:"state,omitempty" readOnly:"true" enum:"running,done,cancelled,stopped,undoing,undone" doc:"stopped: who asked for it may no longer decide on the site"`
	By       string        `json:"by,omitempty" readOnly:"true" doc:"A moderator's id"`
	At       *time.Time    `json:"at,omitempty" readOnly:"true"`
	EndedAt  *time.Time    `json:"ended_at,omitempty" readOnly:"true"`
	Seq      uint64        `json:"seq,omitempty" readOnly:"true" doc:"Place in the journal at which the job is frozen: what came or changed later is passed over"`
	Found    int64         `json:"found" readOnly:"true" doc:"How many fitted when it began"`
	AtLeast  bool          `json:"at_least,omitempty" readOnly:"true" doc:"found is not all"`
	Decided  int64         `json:"decided" readOnly:"true"`
	Passed   int64         `json:"passed" readOnly:"true" doc:"Changed meanwhile, so left alone"`
	Restored int64         `json:"restored,omitempty" readOnly:"true" doc:"Taken back by the undo"`
	Kept     int64         `json:"kept,omitempty" readOnly:"true" doc:"Changed by somebody since, so not taken back"`
	Left     []comments.ID `json:"left,omitempty" readOnly:"true" doc:"The first 100 of those"`
}

func newBulk(b moderation.Bulk) apiBulk {
	at := b.At.UTC()
	a := apiBulk{
		ID: b.ID, Site: b.Site, Queue: b.Queue, Query: b.Filter.Words, Page: b.Filter.Page, Signal: b.Filter.Signal, Has: b.Filter.Has,
		Reply: b.Filter.Reply, Lang: b.Filter.Lang, Action: string(b.Action), Reason: b.Reason, Note: b.Note,
		State: string(b.State), By: b.By, At: &at, Seq: b.Frozen, Found: b.Found, AtLeast: b.AtLeast, Decided: b.Decided, Passed: b.Passed,
		Restored: b.Restored, Kept: b.Kept, Left: b.Left,
	}
	if !b.EndedAt.IsZero() {
		ended := b.EndedAt.UTC()
		a.EndedAt = &ended
	}
	return a
}

func (a apiBulk) ask() moderation.BulkAsk {
	queue := a.Queue
	if queue == "" {
		if queue = string(comments.Pending); a.Query != "" {
			queue = everything
		}
	}
	return moderation.BulkAsk{
		ID: a.ID, Site: a.Site, Queue: queue, Action: moderation.Action(a.Action), Reason: a.Reason, Note: a.Note,
		Filter: moderation.Narrowing{Words: a.Query, Page: a.Page, Signal: a.Signal, Has: a.Has, Reply: a.Reply, Lang: a.Lang},
	}
}

type apiBulks struct {
	Bulks []apiBulk `json:"bulks" doc:"The latest 50, the newest first"`
}

// ofBulk names one job.
type ofBulk struct {
	Site string `path:"site"`
	ID   string `path:"id"`
}

func (c *Console) registerBulk() {
	s := c.cfg.Service
	serve(c, operation("moderation-bulks", http.MethodGet, "/bulk", "The bulk decisions of a site"), func(ctx context.Context, who caller, in *ofSite) (out apiBulks, err error) {
		list, err := s.Bulks(ctx, who.who, in.Site)
		out.Bulks = make([]apiBulk, len(list))
		for i, b := range list {
			out.Bulks[i] = newBulk(b)
		}
		return out, err
	})
	op := operation("moderation-bulk-start", http.MethodPost, "/bulk", "Decide on all comments that fit a filter", http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity)
	op.DefaultStatus = http.StatusAccepted
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiBulk]) (apiBulk, error) {
		b, err := s.StartBulk(ctx, who.who, in.Body.ask())
		return newBulk(b), err
	})
	serve(c, operation("moderation-bulk", http.MethodGet, "/bulk/{site}/{id}", "One bulk decision", http.StatusNotFound), func(ctx context.Context, who caller, in *ofBulk) (apiBulk, error) {
		b, err := s.Bulk(ctx, who.who, in.Site, in.ID)
		return newBulk(b), err
	})
	for does, turn := range map[string]func(context.Context, moderation.Moderator, string, string) (moderation.Bulk, error){"cancel": s.CancelBulk, "undo": s.UndoBulk} {
		op := operation("moderation-bulk-"+does, http.MethodPost, "/bulk/{site}/{id}/"+does, map[string]string{
			"cancel": "Keep a bulk decision from going on", "undo": "Take a bulk decision back",
		}[does], http.StatusConflict, http.StatusNotFound)
		op.DefaultStatus = http.StatusAccepted
		serve(c, op, func(ctx context.Context, who caller, in *ofBulk) (apiBulk, error) {
			b, err := turn(ctx, who.who, in.Site, in.ID)
			return newBulk(b), err
		})
	}
}
