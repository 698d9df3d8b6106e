package moderation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func TestSchedule(t *testing.T) { onBoth(t, testSchedule) }

func testSchedule(t *testing.T, h *house) {
	h.db.Observe(h.Observe)
	an, xem := h.person("an@bao.example", moderation.Editor, "bao"), h.person("xem@bao.example", moderation.Viewer)
	c, edited, orphan, other := h.comment("bao", comments.Pending), h.comment("bao", comments.Pending), h.comment("bao", comments.Pending), h.comment("khac", comments.Pending)
	binh := h.person("binh@bao.example", moderation.Editor)
	soon := h.now.Add(time.Hour)
	set := func(who moderation.Moderator, c comments.Comment, version uint64, at time.Time) error {
		_, err := h.Schedule(t.Context(), who, string(c.ID), version, at)
		return err
	}
	for name, one := range map[string]struct{ got, want error }{
		"a viewer":       {set(xem, c, 1, soon), comments.ErrForbidden},
		"another site's": {set(an, other, 1, soon), comments.ErrNotFound},
		"the past":       {set(an, c, 1, h.now), comments.ErrInvalid},
		"in two years":   {set(an, c, 1, h.now.AddDate(2, 0, 0)), comments.ErrInvalid},
		"another one":    {set(an, c, 7, soon), comments.ErrConflict},
		"none to clear":  {h.Unschedule(t.Context(), an, string(c.ID)), comments.ErrNotFound},
		"a viewer clear": {h.Unschedule(t.Context(), xem, string(c.ID)), comments.ErrForbidden},
	} {
		if !errors.Is(one.got, one.want) {
			t.Errorf("%s: %v", name, one.got)
		}
	}
	h.must(set(an, c, 1, soon.Add(time.Hour)))
	h.must(set(an, c, 1, soon)) // instead
	h.must(set(an, edited, 1, soon))
	h.must(set(binh, orphan, 1, soon))
	h.must(set(an, h.comment("bao", comments.Pending), 1, soon.Add(48*time.Hour)))
	list, err := h.Scheduled(t.Context(), xem, "bao")
	h.must(err)
	if len(list) != 4 || !list[c.ID].At.Equal(soon) || list[c.ID].By != an.ID {
		t.Errorf("set: %+v", list)
	}
	_, err = h.Correct(t.Context(), an, moderation.Correction{ID: string(edited.ID), Version: 1, Words: comments.Words{Name: "Hạnh", Title: "Khác", Content: "Lời khác."}})
	h.must(err)
	h.must(h.RemovePerson(t.Context(), binh.Email))

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.RunSchedule(ctx, func(err error) { t.Error(err) }) }()
	time.Sleep(20 * time.Millisecond)
	if got := h.stands(c.ID).Status; got != comments.Pending {
		t.Errorf("before its time it is %s", got)
	}
	cancel()
	h.must(<-ended)
	h.now = soon.Add(time.Second)
	ctx, cancel = context.WithCancel(t.Context())
	go func() { ended <- h.RunSchedule(ctx, func(err error) { t.Error(err) }) }()
	eventually(t, func() bool {
		list, err = h.Scheduled(t.Context(), an, "bao")
		h.must(err)
		return len(list) == 1
	})
	cancel()
	h.must(<-ended)
	v := h.stands(c.ID)
	if last := v.History[len(v.History)-1]; v.Status != comments.Approved || last.Actor != an.ID {
		t.Errorf("at its time it is %s by %s", v.Status, last.Actor)
	}
	for name, c := range map[string]comments.Comment{"what was edited": edited, "what nobody stands for": orphan} {
		if got := h.stands(c.ID).Status; got != comments.Pending {
			t.Errorf("%s is %s", name, got)
		}
	}
}
