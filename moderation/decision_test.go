package moderation_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

var actions = [...]moderation.Action{
	moderation.Approve, moderation.Reject, moderation.Spam, moderation.Trash, moderation.Restore, moderation.Undo,
}

var targets = map[moderation.Action]comments.Status{
	moderation.Approve: comments.Approved, moderation.Reject: comments.Rejected, moderation.Spam: comments.Spam,
	moderation.Trash: comments.Trashed, moderation.Restore: comments.Pending,
}

var ways = map[comments.Status]moderation.Action{
	comments.Approved: moderation.Approve, comments.Rejected: moderation.Reject, comments.Spam: moderation.Spam,
	comments.Trashed: moderation.Trash,
}

// expected is the contract's word on a decision about a comment that stands in from, put
// there by the same person or another, with the version as the form has it.
func expected(from comments.Status, a moderation.Action, version string, same bool) (to comments.Status, changes, conflict bool) {
	to = targets[a]
	if a == moderation.Undo {
		to = comments.Pending // every state here but pending was reached from pending
		if from == comments.Pending {
			return "", false, true // there is nothing before it
		}
	} else if same && from == to && from != comments.Pending {
		return to, false, false // the same person and target again
	}
	switch {
	case version == "old", version == "missing" && from != comments.Pending:
		return "", false, true
	}
	return to, to != from, false
}

func TestEveryDecision(t *testing.T) {
	h := newHouse(t)
	an, binh := h.person("an@bao.example", moderation.Editor), h.person("binh@bao.example", moderation.Editor)
	for _, from := range comments.Statuses {
		for _, a := range actions {
			for _, version := range []string{"given", "missing", "old"} {
				for _, same := range []bool{true, false} {
					name := fmt.Sprintf("%s, %s, version %s, same person %t", from, a, version, same)
					c := h.comment("bao", comments.Pending)
					if from != comments.Pending {
						before := binh
						if same {
							before = an
						}
						if r := h.decideOne(before, moderation.Decision{ID: string(c.ID), Action: ways[from]}); r.Err != nil {
							t.Fatalf("%s: %v", name, r.Err)
						}
						c = h.stands(c.ID).Comment
					}
					d := moderation.Decision{ID: string(c.ID), Action: a}
					switch v := c.Version; version {
					case "given":
						d.Version = &v
					case "old":
						v--
						d.Version = &v
					}
					r := h.decideOne(an, d)
					to, changes, conflict := expected(from, a, version, same)
					check(t, h, name, c, r, to, changes, conflict)
				}
			}
		}
	}
}

func check(t *testing.T, h *house, name string, before comments.Comment, r moderation.Result, to comments.Status, changes, conflict bool) {
	t.Helper()
	after := h.stands(before.ID)
	if conflict {
		var lost *moderation.ConflictError
		if !errors.As(r.Err, &lost) || !errors.Is(r.Err, comments.ErrConflict) {
			t.Errorf("%s: %v, not a conflict", name, r.Err)
		} else if last := after.History[len(after.History)-1]; lost.By != last.Actor || !lost.At.Equal(last.At) ||
			lost.Status != before.Status || lost.Version != before.Version {
			t.Errorf("%s: the conflict tells %+v of %+v", name, lost, last)
		}
		to = before.Status
	} else if r.Err != nil || r.Status != to {
		t.Errorf("%s: %s, %v, not %s", name, r.Status, r.Err, to)
	}
	version := before.Version
	if changes {
		version++
	}
	if after.Status != to || after.Version != version || uint64(len(after.History)) != version || !conflict && r.Version != version {
		t.Errorf("%s: it stands %s at version %d with %d steps, and the result says %d; not %s at %d",
			name, after.Status, after.Version, len(after.History), r.Version, to, version)
	}
}

func TestUndoOnceAndAgain(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	c := h.comment("bao", comments.Pending)
	done := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Spam})
	undo := moderation.Decision{ID: string(c.ID), Action: moderation.Undo, Version: &done.Version}
	for range 2 { // the second is a repeat whose answer was lost
		if r := h.decideOne(an, undo); r.Err != nil || r.Status != comments.Pending || r.Version != 3 {
			t.Fatalf("undo: %+v", r)
		}
	}
	if history := h.stands(c.ID).History; len(history) != 3 || history[2].Kind != moderation.KindUndone {
		t.Errorf("history: %+v", history)
	}
	published := h.comment("bao", comments.Approved) // as on a site that moderates afterwards
	v := published.Version
	if r := h.decideOne(an, moderation.Decision{ID: string(published.ID), Action: moderation.Undo, Version: &v}); !errors.Is(r.Err, comments.ErrConflict) {
		t.Errorf("a submission was undone: %+v", r)
	}
}

func TestOfRacingDecisionsOneCounts(t *testing.T) {
	h := newHouse(t)
	c := h.comment("bao", comments.Pending)
	var wg sync.WaitGroup
	results := make([]moderation.Result, 8)
	for i := range results {
		who := h.person(fmt.Sprintf("m%d@bao.example", i), moderation.Editor)
		d := moderation.Decision{ID: string(c.ID), Action: actions[i%2], Version: &c.Version}
		wg.Go(func() {
			all, err := h.Decide(t.Context(), who, []moderation.Decision{d})
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = all[0]
		})
	}
	wg.Wait()
	won := 0
	for _, r := range results {
		if r.Err == nil {
			won++
		} else if !errors.Is(r.Err, comments.ErrConflict) {
			t.Error(r.Err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d racing decisions counted", won, len(results))
	}
}

func TestReasonsAndNotes(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	for _, c := range []struct{ reason, note, code, typed, kept string }{
		{"insult", "", "insult", "", ""},
		{"  insult\r\n", "xem lại", "insult", "", "xem lại"},
		{"Gọi tên người khác", "", "", "Gọi tên người khác", ""},
		{"Lời nặng\r\nquá ", " a\u0323 ", "", "Lời nặng\nquá", "ạ"},
		{"", "", "", "", ""},
	} {
		id := h.comment("bao", comments.Pending).ID
		h.decideOne(an, moderation.Decision{ID: string(id), Action: moderation.Reject, Reason: c.reason, Note: c.note})
		last := h.stands(id).History[1]
		if last.Event.Reason != c.code || last.Detail.Reason != c.typed || last.Note != c.kept {
			t.Errorf("%+v is kept as %q, %q, %q", c, last.Event.Reason, last.Detail.Reason, last.Note)
		}
	}
}

func TestWholeRequestsRefused(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	c := h.comment("bao", comments.Pending)
	good := moderation.Decision{ID: string(c.ID), Action: moderation.Approve}
	for name, list := range map[string][]moderation.Decision{
		"action":  {good, {ID: string(c.ID), Action: "explode"}},
		"reason":  {good, {ID: string(c.ID), Action: moderation.Reject, Reason: strings.Repeat("x", moderation.ReasonBytes+1)}},
		"note":    {good, {ID: string(c.ID), Action: moderation.Reject, Note: strings.Repeat("x", moderation.NoteBytes+1)}},
		"control": {good, {ID: string(c.ID), Action: moderation.Reject, Note: "a\x00"}},
		"utf-8":   {good, {ID: string(c.ID), Action: moderation.Reject, Reason: "\xff"}},
		"many":    make([]moderation.Decision, moderation.DecisionsMost+1),
	} {
		if _, err := h.Decide(t.Context(), an, list); !errors.Is(err, comments.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.stands(c.ID).Version != 1 {
		t.Error("a refused request changed something")
	}
	mixed, err := h.Decide(t.Context(), an, []moderation.Decision{{ID: "nope", Action: moderation.Spam}, good, {ID: "khong~x", Action: moderation.Undo}})
	if err != nil || !errors.Is(mixed[0].Err, comments.ErrNotFound) || mixed[1].Err != nil || !errors.Is(mixed[2].Err, comments.ErrNotFound) {
		t.Errorf("unknown ids beside a good one: %+v, %v", mixed, err)
	}
}
