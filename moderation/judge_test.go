package moderation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// A moderator's change of words stands beside what it changed: compare-and-set, original kept,
// readers told, and undone like any decision.
func TestWordsAreCorrectedAndMasked(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor, "bao")
	c := h.comment("bao", comments.Approved)
	w := comments.Words{Name: c.Name, Title: c.Title, Content: "Gọi tôi ở 0912 345 678 nhé, 0912 345 678."}
	fixed, err := h.Correct(t.Context(), an, moderation.Correction{ID: string(c.ID), Version: c.Version, Words: w, Note: "lỗi gõ"})
	h.must(err)
	if fixed.Content != w.Content || !fixed.Marks.Has(comments.EditedByDesk) || fixed.EditedAt.IsZero() || fixed.Status != comments.Approved {
		t.Fatalf("corrected: %+v", fixed)
	}
	var lost *moderation.ConflictError
	if _, err := h.Correct(t.Context(), an, moderation.Correction{ID: string(c.ID), Version: c.Version, Words: w}); !errors.As(err, &lost) {
		t.Fatalf("a second correction of the same version: %v", err)
	}
	var invalid *comments.InvalidError
	if _, err := h.Correct(t.Context(), an, moderation.Correction{ID: string(c.ID), Version: fixed.Version, Words: comments.Words{Name: " ", Title: "x", Content: "y"}}); !errors.As(err, &invalid) || invalid.Fields[0].Field != "name" {
		t.Fatalf("no name: %v", err)
	}
	at := strings.Index(w.Content, "0912")
	hidden, err := h.Mask(t.Context(), an, moderation.Redaction{
		ID: string(c.ID), Version: fixed.Version, Mask: "[…]", Texts: []string{"0912 345 678"},
		Places: []comments.Place{{Field: "content", Start: at, End: at + 4}, {Field: "content", Start: -1, End: 900}},
	})
	h.must(err)
	if hidden.Content != "Gọi tôi ở […] nhé, […]." {
		t.Fatalf("masked: %q", hidden.Content)
	}
	if _, err := h.Mask(t.Context(), an, moderation.Redaction{ID: string(c.ID), Version: hidden.Version, Mask: "x", Texts: []string{"không có"}}); !errors.As(err, &invalid) {
		t.Fatalf("nothing to mask: %v", err)
	}
	was, err := h.Revisions(t.Context(), an, c.ID)
	h.must(err)
	if len(was) != 2 || was[0].Words.Content != c.Content || was[1].Words.Content != w.Content || was[1].By != an.ID {
		t.Fatalf("revisions: %+v", was)
	}
	r := h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Undo, Version: &hidden.Version})
	h.must(r.Err)
	v := h.stands(c.ID)
	if v.Content != w.Content {
		t.Fatalf("undone: %q", v.Content)
	}
	kinds := ""
	for _, s := range v.History {
		kinds += string(s.Kind) + " "
	}
	if kinds != "comment.submitted comment.corrected comment.masked comment.undone " {
		t.Fatalf("history: %s", kinds)
	}
}

// An answer of the newsroom is public at once under its name and badge, approves what it
// answers, and comes once however often the form is sent.
func TestTheNewsroomAnswers(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor, "bao")
	c := h.comment("bao", comments.Pending)
	_, err := h.sites.SetSite(t.Context(), "bao", []comments.Pair{{Key: "newsroom", Value: "Tòa soạn Báo"}}, comments.ActorOperator)
	h.must(err)
	r := moderation.Reply{ID: string(c.ID), Version: c.Version, Content: "Cảm ơn bạn.", Once: comments.TicketID{1}, Until: h.now.Add(time.Hour)}
	first, err := h.Answer(t.Context(), an, r)
	h.must(err)
	again, err := h.Answer(t.Context(), an, r)
	h.must(err)
	if first.ID != again.ID || first.Name != "Tòa soạn Báo" || !first.Marks.Has(comments.Newsroom) || first.Status != comments.Approved || first.Parent != c.ID {
		t.Fatalf("answers: %+v, %+v", first, again)
	}
	if v := h.stands(c.ID); v.Status != comments.Approved {
		t.Fatalf("what is answered is %s", v.Status)
	}
	if v := h.stands(first.ID); len(v.History) != 1 || v.History[0].Actor != an.ID {
		t.Fatalf("history of the answer: %+v", v.History)
	}
	r.Content = "Lời khác."
	if _, err := h.Answer(t.Context(), an, r); !errors.Is(err, comments.ErrTicketSpent) {
		t.Fatalf("other words by the same form: %v", err)
	}
	gone := h.comment("bao", comments.Rejected)
	r = moderation.Reply{ID: string(gone.ID), Version: 1, Content: "x", Once: comments.TicketID{2}, Until: h.now.Add(time.Hour)}
	if _, err := h.Answer(t.Context(), an, r); !errors.Is(err, moderation.ErrNotPublic) {
		t.Fatalf("an answer to what is not public: %v", err)
	}
	r.Until = h.now.Add(48 * time.Hour)
	if _, err := h.Answer(t.Context(), an, r); err == nil {
		t.Fatal("a form that never ends")
	}
}

func TestNotesAndPicks(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor, "bao")
	c := h.comment("bao", comments.Pending)
	noted, err := h.NoteOn(t.Context(), an, string(c.ID), "Hỏi lại tác giả bài.")
	h.must(err)
	var lost *moderation.ConflictError
	if _, err := h.PickOut(t.Context(), an, string(c.ID), 1, true); noted.Version != 1 || !errors.As(err, &lost) {
		t.Fatalf("version %d after a note; a pick of what waits: %v", noted.Version, err)
	}
	one := uint64(1)
	h.must(h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Approve, Version: &one}).Err)
	picked, err := h.PickOut(t.Context(), an, string(c.ID), 2, true)
	h.must(err)
	again, err := h.PickOut(t.Context(), an, string(c.ID), 2, true)
	h.must(err)
	if !picked.Marks.Has(comments.Pick) || again.Version != picked.Version {
		t.Fatalf("picked: %+v, %+v", picked, again)
	}
	v := h.stands(c.ID)
	if v.History[1].Kind != moderation.KindNoted || v.History[1].Note != "Hỏi lại tác giả bài." {
		t.Fatalf("history: %+v", v.History)
	}
}

// Nothing here is for who may only look, nor for who has another site.
func TestJudgingByRole(t *testing.T) {
	h := newHouse(t)
	c := h.comment("bao", comments.Approved)
	for _, one := range []struct {
		who  moderation.Moderator
		want error
	}{
		{h.person("xem@bao.example", moderation.Viewer, "bao"), comments.ErrForbidden},
		{h.person("khac@bao.example", moderation.Editor, "khac"), comments.ErrNotFound},
	} {
		id := string(c.ID)
		_, correct := h.Correct(t.Context(), one.who, moderation.Correction{ID: id, Version: 1, Words: comments.Words{Name: "x", Title: "x", Content: "x"}})
		_, mask := h.Mask(t.Context(), one.who, moderation.Redaction{ID: id, Version: 1, Texts: []string{"Bài"}})
		_, note := h.NoteOn(t.Context(), one.who, id, "x")
		_, pick := h.PickOut(t.Context(), one.who, id, 1, true)
		_, answer := h.Answer(t.Context(), one.who, moderation.Reply{ID: id, Version: 1, Content: "x", Once: comments.TicketID{1}, Until: h.now.Add(time.Hour)})
		for what, err := range map[string]error{"correct": correct, "mask": mask, "note": note, "pick": pick, "answer": answer} {
			if !errors.Is(err, one.want) {
				t.Errorf("%s by %s: %v", what, one.who.Email, err)
			}
		}
		if err := h.SetReasons(t.Context(), one.who, "bao", moderation.Reasons{}); !errors.Is(err, comments.ErrForbidden) {
			t.Errorf("reasons by %s: %v", one.who.Email, err)
		}
	}
	if v := h.stands(c.ID); v.Version != 1 {
		t.Fatalf("something was done: %+v", v)
	}
}

func TestReasonsHaveTheSitesWords(t *testing.T) {
	h := newHouse(t)
	admin := h.person("chu@bao.example", moderation.Admin, "bao")
	r, err := h.Reasons(t.Context(), admin, "bao")
	h.must(err)
	r.List[0].Words = map[string]moderation.ReasonWords{"vi": {Label: "Lạc đề rồi", Text: "Xin viết về bài này."}}
	r.List = append(r.List[:2], moderation.Reason{Code: "hoax", Words: map[string]moderation.ReasonWords{"en": {Label: "Hoax"}}})
	h.must(h.SetReasons(t.Context(), admin, "bao", r))
	if err := h.SetReasons(t.Context(), admin, "bao", r); !errors.Is(err, comments.ErrConflict) {
		t.Fatalf("the same version twice: %v", err)
	}
	h.Observe(comments.Commit{Event: comments.Event{Site: "bao", Subject: "reasons/words"}})
	got, err := h.Reasons(t.Context(), admin, "bao")
	h.must(err)
	if len(got.List) != 3 || got.Version != 1 || got.List[2].Code != "hoax" || h.ReasonWords(t.Context(), "bao", r.List[0].Code, "vi").Text != "Xin viết về bài này." {
		t.Fatalf("reasons: %+v", got)
	}
	var invalid *comments.InvalidError
	got.List[0].Words = map[string]moderation.ReasonWords{"vi": {Label: strings.Repeat("x", 61)}}
	got.List[1].Code = "a,b"
	if err := h.SetReasons(t.Context(), admin, "bao", got); !errors.As(err, &invalid) || len(invalid.Fields) != 2 {
		t.Fatalf("wrong reasons: %v", err)
	}
}
