package moderation_test

import (
	"errors"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

func TestWhoMayWhat(t *testing.T) {
	h := newHouse(t)
	c := h.comment("bao", comments.Pending)
	everySite := []string{}
	for _, who := range []struct {
		role                            moderation.Role
		sites                           []string
		disabled                        bool
		see, decide, journal, installed bool
	}{
		{moderation.Owner, everySite, false, true, true, true, true},
		{moderation.Admin, everySite, false, true, true, true, true},
		{moderation.Editor, everySite, false, true, true, true, false},
		{moderation.Viewer, everySite, false, true, false, true, false},
		{moderation.Owner, []string{"bao"}, false, true, true, true, false},
		{moderation.Viewer, []string{"bao"}, false, true, false, true, false},
		{moderation.Owner, []string{"khac"}, false, false, false, false, false},
		{moderation.Editor, []string{"khac"}, false, false, false, false, false},
		{moderation.Owner, everySite, true, false, false, false, false},
		{"nobody", everySite, false, false, false, false, false},
	} {
		m := moderation.Moderator{ID: "m-x", Role: who.role, Sites: who.sites, Disabled: who.disabled}
		ctx := t.Context()
		_, err := h.Queue(ctx, m, moderation.QueueQuery{Site: "bao"})
		allowed(t, m, "queue", err, who.see)
		_, err = h.SuspectCount(ctx, m, "bao")
		allowed(t, m, "suspects", err, who.see)
		_, err = h.Events(ctx, m, "bao", 0, 0)
		allowed(t, m, "events", err, who.journal)
		_, err = h.LatestEvents(ctx, m, "bao", 0, 0)
		allowed(t, m, "latest events", err, who.journal)
		_, err = h.Events(ctx, m, comments.Installation, 0, 0)
		allowed(t, m, "installation's events", err, who.installed)
		_, err = h.Queue(ctx, m, moderation.QueueQuery{Site: "khongco"})
		allowed(t, m, "unknown site", err, false)

		// One comment is not found rather than forbidden, so that an id tells nothing.
		if _, err = h.Comment(ctx, m, string(c.ID)); (err == nil) != who.see || err != nil && !errors.Is(err, comments.ErrNotFound) {
			t.Errorf("%+v: comment: %v", m, err)
		}
		results, err := h.Decide(ctx, m, []moderation.Decision{{ID: string(c.ID), Action: moderation.Undo}})
		switch {
		case who.decide && (err != nil || !errors.Is(results[0].Err, comments.ErrConflict)):
			t.Errorf("%+v: decide: %v, %+v", m, err, results)
		case !who.decide && err == nil && !errors.Is(results[0].Err, comments.ErrNotFound),
			err != nil && !errors.Is(err, comments.ErrForbidden):
			t.Errorf("%+v: decide: %v, %+v", m, err, results)
		}
		sites, err := h.Sites(ctx, m)
		if err != nil || len(sites) > 0 && !m.May(moderation.See, sites[0].ID) {
			t.Errorf("%+v: sites: %v, %v", m, sites, err)
		}
	}
}

func allowed(t *testing.T, m moderation.Moderator, what string, err error, want bool) {
	t.Helper()
	if (err == nil) != want || err != nil && !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("%s of %v, disabled %t: %s: %v", m.Role, m.Sites, m.Disabled, what, err)
	}
}

func TestQueuePages(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Viewer)
	var ids []comments.ID
	for range 5 {
		ids = append(ids, h.comment("bao", comments.Pending).ID)
	}
	h.comment("khac", comments.Pending)
	for _, newest := range []bool{false, true} {
		var got []comments.ID
		q := moderation.QueueQuery{Site: "bao", Newest: newest, Limit: 2}
		for pages := 0; ; pages++ {
			page, err := h.Queue(t.Context(), an, q)
			h.must(err)
			if page.Total != 5 || page.Counts.Pending != 5 {
				t.Fatalf("counts: %+v", page)
			}
			for _, item := range page.Items {
				got = append(got, item.ID)
			}
			if page.Next == "" || pages > 5 {
				break
			}
			q.After = page.Next
		}
		if len(got) != 5 {
			t.Fatalf("newest first %t: %v", newest, got)
		}
		for i := range got {
			want := ids[i]
			if newest {
				want = ids[4-i]
			}
			if got[i] != want {
				t.Errorf("newest first %t: place %d holds %s", newest, i, got[i])
			}
		}
	}
	for name, q := range map[string]moderation.QueueQuery{
		"limit": {Limit: moderation.PageMost + 1}, "below": {Limit: -1}, "status": {Status: "seen"}, "queue": {Queue: "odd"},
		"cursor": {After: "zzz"}, "suspect": {Queue: moderation.Suspect, Status: comments.Approved},
	} {
		q.Site = "bao"
		if _, err := h.Queue(t.Context(), an, q); !errors.Is(err, comments.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJournalBothWays(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Viewer)
	for range 4 {
		h.comment("bao", comments.Pending)
	}
	var forward, back []uint64
	for after := uint64(0); ; {
		page, err := h.Events(t.Context(), an, "bao", after, 2)
		h.must(err)
		for _, e := range page.Events {
			forward = append(forward, e.Seq)
		}
		if after = page.Next; after == 0 {
			break
		}
	}
	for before := uint64(0); ; {
		page, err := h.LatestEvents(t.Context(), an, "bao", before, 2)
		h.must(err)
		for _, e := range page.Events {
			back = append(back, e.Seq)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if len(forward) != 5 || len(back) != 5 { // the site's own and four comments
		t.Fatalf("forward %v, back %v", forward, back)
	}
	for i := range forward {
		if forward[i] != uint64(i+1) || back[i] != uint64(5-i) {
			t.Errorf("forward %v, back %v", forward, back)
		}
	}
	if page, err := h.LatestEvents(t.Context(), an, "bao", 1, 2); err != nil || len(page.Events) != 0 || page.Next != 0 {
		t.Errorf("before the first: %+v, %v", page, err)
	}
	known, err := h.Mentioned(t.Context(), []comments.Transition{{Event: comments.Event{Comment: "bao~nope"}}, {}})
	if err != nil || len(known) != 0 {
		t.Errorf("mentioned: %v, %v", known, err)
	}
}
