package moderation_test

import (
	"errors"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// edited is an approved comment that its author has edited.
func (h *house) edited() comments.Comment {
	h.Helper()
	c := h.comment("bao", comments.Approved)
	done, err := h.db.Amend(h.Context(), []comments.Amendment{{ID: c.ID, Actor: comments.ActorReader, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		w := c.Words()
		c.Status, c.Public, c.Content, c.EditedAt = comments.Pending, &w, "Lời mới", h.now.Add(time.Minute)
		return &comments.Step{Comment: c, Kind: comments.KindEdited}, nil
	}}})
	h.must(err)
	h.must(done[0].Err)
	return done[0].Comment
}

// TestDecideEdited: approving publishes the new words, keep the earlier ones, anything else
// takes both away; undo brings back what was.
func TestDecideEdited(t *testing.T) {
	for action, want := range map[moderation.Action]string{
		moderation.Approve: "Lời mới", moderation.Keep: "Bài rất hữu ích.", moderation.Reject: "", moderation.Spam: "", moderation.Trash: "",
	} {
		h := newHouse(t)
		an := h.person("an@bao.example", moderation.Editor)
		c := h.edited()
		r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: action, Version: &c.Version})
		h.must(r.Err)
		thread, err := h.db.Thread(t.Context(), "bao", c.Page, comments.Oldest, "", 5)
		h.must(err)
		if shown := len(thread) == 1; shown != (want != "") || shown && thread[0].Content != want {
			t.Errorf("%s: readers see %+v", action, thread)
		}
		if v := h.stands(c.ID); v.Public != nil || v.In(moderation.Edited) {
			t.Errorf("%s: %+v", action, v.Comment)
		}
		r = h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Undo, Version: &r.Version})
		h.must(r.Err)
		if v := h.stands(c.ID); v.Status != comments.Pending || v.Public == nil || v.Public.Content != "Bài rất hữu ích." || v.Content != "Lời mới" {
			t.Errorf("%s undone: %+v", action, v.Comment)
		}
	}
}

// TestDecideReported: keep closes reports and changes nothing else; so does every decision.
func TestDecideReported(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	c := h.comment("bao", comments.Approved)
	_, err := h.db.Report(t.Context(), comments.Report{Comment: c.ID, Reader: [16]byte{1}, Reason: "insult", Text: "Nặng lời", At: h.now})
	h.must(err)
	page, err := h.Queue(t.Context(), an, moderation.QueueQuery{Site: "bao", Queue: moderation.Reported})
	h.must(err)
	if len(page.Items) != 1 || page.Total != 1 || page.Queues.Reported != 1 || page.Items[0].Reports != 1 {
		t.Fatalf("%+v", page)
	}
	if v := h.stands(c.ID); len(v.Reports) != 1 || v.Reports[0].Text != "Nặng lời" || v.Version != c.Version {
		t.Fatalf("%+v", v)
	}
	r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Keep, Version: &c.Version})
	h.must(r.Err)
	if v := h.stands(c.ID); v.Status != comments.Approved || v.Comment.Reports != 0 || !v.Reports[0].Closed {
		t.Errorf("kept: %+v", v)
	}
	again := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Keep, Version: &c.Version})
	if again.Err != nil || again.Version != r.Version {
		t.Errorf("kept again: %+v", again)
	}
	pending := h.comment("bao", comments.Pending)
	var lost *moderation.ConflictError
	if r := h.decideOne(an, moderation.Decision{ID: string(pending.ID), Action: moderation.Keep}); !errors.As(r.Err, &lost) {
		t.Errorf("nothing to keep: %+v", r)
	}
}

// TestDecideAppeal: heard once, whichever way.
func TestDecideAppeal(t *testing.T) {
	for action, status := range map[moderation.Action]comments.Status{moderation.Approve: comments.Approved, moderation.Uphold: comments.Rejected} {
		h := newHouse(t)
		an := h.person("an@bao.example", moderation.Editor)
		c := h.comment("bao", comments.Rejected)
		detail := &comments.Detail{Salt: []byte("salt"), Note: "Xin xem lại"}
		done, err := h.db.Amend(t.Context(), []comments.Amendment{{ID: c.ID, Actor: comments.ActorReader, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
			c.Marks |= comments.Appealed
			return &comments.Step{Comment: c, Kind: comments.KindAppealed, Detail: detail}, nil
		}}})
		h.must(err)
		page, err := h.Queue(t.Context(), an, moderation.QueueQuery{Site: "bao", Queue: moderation.Appeals})
		h.must(err)
		if v := h.stands(c.ID); len(page.Items) != 1 || v.Appeal != "Xin xem lại" {
			t.Fatalf("%+v %+v", page, v)
		}
		r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: action, Version: &done[0].Comment.Version})
		h.must(r.Err)
		v := h.stands(c.ID)
		if v.Status != status || v.Marks.Has(comments.Appealed) || !v.Marks.Has(comments.Heard) || v.Appeal != "" {
			t.Errorf("%s: %+v", action, v)
		}
		var lost *moderation.ConflictError
		if r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Uphold, Version: &v.Version}); action == moderation.Approve && !errors.As(r.Err, &lost) {
			t.Errorf("upheld when nothing is asked: %+v", r)
		}
	}
}

// TestDecideWithdrawn: what its author took back stays back.
func TestDecideWithdrawn(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	c := h.comment("bao", comments.Approved)
	done, err := h.db.Amend(t.Context(), []comments.Amendment{{ID: c.ID, Actor: comments.ActorReader, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		c.Status, c.Marks = comments.Trashed, comments.Withdrawn
		return &comments.Step{Comment: c, Kind: comments.KindWithdrawn}, nil
	}}})
	h.must(err)
	for _, a := range []moderation.Action{moderation.Approve, moderation.Restore, moderation.Undo, moderation.Keep} {
		var lost *moderation.ConflictError
		if r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: a, Version: &done[0].Comment.Version}); !errors.As(r.Err, &lost) || lost.By != comments.ActorReader {
			t.Errorf("%s: %+v", a, r)
		}
	}
}

// TestQueueByRisk pages through what is pending, the highest risk first.
func TestQueueByRisk(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	for _, risk := range []uint16{100, 900, 0, 900} {
		c := h.comment("bao", comments.Pending)
		_, err := h.db.Amend(t.Context(), []comments.Amendment{{ID: c.ID, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
			c.Risk = risk
			return &comments.Step{Comment: c}, nil
		}}})
		h.must(err)
	}
	var got []uint16
	q := moderation.QueueQuery{Site: "bao", Risk: true, Limit: 1}
	for {
		page, err := h.Queue(t.Context(), an, q)
		h.must(err)
		for _, item := range page.Items {
			got = append(got, item.Risk)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if len(got) != 4 || got[0] != 900 || got[1] != 900 || got[2] != 100 || got[3] != 0 {
		t.Errorf("by risk: %v", got)
	}
	for _, bad := range []moderation.QueueQuery{
		{Site: "bao", Risk: true, After: "x"}, {Site: "bao", Risk: true, Status: comments.Spam}, {Site: "bao", Queue: moderation.Reported, Status: comments.Spam},
		{Site: "bao", Queue: "none"},
	} {
		if _, err := h.Queue(t.Context(), an, bad); !errors.Is(err, comments.ErrMalformed) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
