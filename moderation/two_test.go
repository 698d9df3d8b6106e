package moderation_test

import (
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

// TestTwoModerators: where a rule asks for two, the first approval publishes nothing.
func TestTwoModerators(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.person("ann@bao.example", moderation.Editor), h.person("bob@bao.example", moderation.Editor)
	post := func() comments.Comment {
		t.Helper()
		id, err := comments.NewID("bao")
		h.must(err)
		c, _, err := h.db.Create(t.Context(), comments.Creation{
			Comment: comments.Comment{
				ID: id, Site: "bao", Page: "p", Name: "An", Content: "c", Lang: "vi", Status: comments.Pending, CreatedAt: h.now,
				Signals: []comments.Signal{{Check: comments.CheckRule, Level: comments.LevelHold, Code: comments.CodeTwo}},
			},
			Page: comments.Page{Site: "bao", Key: "p", CreatedAt: h.now}, Actor: comments.ActorReader,
		})
		h.must(err)
		return c
	}
	decide := func(who moderation.Moderator, c comments.Comment, a moderation.Action, version uint64, want comments.Status) uint64 {
		t.Helper()
		d := moderation.Decision{ID: string(c.ID), Action: a}
		if version > 0 {
			d.Version = &version
		}
		r := h.decideOne(who, d)
		if r.Err != nil || r.Status != want {
			t.Errorf("%s: %s, %v; want %s", a, r.Status, r.Err, want)
		}
		return r.Version
	}
	c := post()
	if v := decide(ann, c, moderation.Approve, 0, comments.Pending); v != 2 {
		t.Errorf("the first approval makes version %d", v)
	}
	if v := decide(ann, c, moderation.Approve, 0, comments.Pending); v != 2 {
		t.Errorf("the same person again makes version %d", v)
	}
	decide(bob, c, moderation.Approve, 0, comments.Approved)
	history := h.stands(c.ID).History
	if len(history) != 3 || history[1].Kind != moderation.KindVouched || history[1].Actor != ann.ID || history[2].Actor != bob.ID {
		t.Errorf("%+v", history)
	}
	c = post()
	v := decide(ann, c, moderation.Approve, 0, comments.Pending)
	decide(ann, c, moderation.Undo, v, comments.Pending)
	decide(bob, c, moderation.Approve, 0, comments.Pending)
	c = post()
	decide(ann, c, moderation.Reject, 0, comments.Rejected)
}
