package moderation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// eventually waits for something that another goroutine brings about.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// bulkRun carries out what is asked of a service until a job is no longer under way.
func (h *house) bulkRun(s *moderation.Service, who moderation.Moderator, site, id string) moderation.Bulk {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.RunBulk(ctx, func(err error) { h.Error(err) }) }()
	var b moderation.Bulk
	eventually(h, func() (ok bool) {
		var err error
		b, err = s.Bulk(h.Context(), who, site, id)
		h.must(err)
		return !b.Open()
	})
	cancel()
	h.must(<-ended)
	return b
}

func (h *house) startBulk(who moderation.Moderator, ask moderation.BulkAsk) moderation.Bulk {
	h.Helper()
	b, err := h.StartBulk(h.Context(), who, ask)
	h.must(err)
	return b
}

func TestBulkDecidesWhatStoodAndUndoesIt(t *testing.T) {
	onBoth(t, testBulkDecidesWhatStoodAndUndoesIt)
}

func testBulkDecidesWhatStoodAndUndoesIt(t *testing.T, h *house) {
	an, binh := h.person("an@bao.example", moderation.Editor, "bao"), h.person("binh@bao.example", moderation.Admin, "bao")
	var before []comments.Comment
	for range 250 {
		before = append(before, h.comment("bao", comments.Pending))
	}
	other := h.comment("khac", comments.Pending)
	done := h.comment("bao", comments.Approved)

	ask := moderation.BulkAsk{ID: "once", Site: "bao", Queue: "pending", Action: moderation.Spam, Note: "quảng cáo"}
	b := h.startBulk(an, ask)
	if b.Found != 250 || b.AtLeast || b.State != moderation.BulkRunning {
		t.Errorf("begun: %+v", b)
	}
	if again := h.startBulk(an, ask); again.ID != b.ID || again.Version != b.Version {
		t.Errorf("asked again: %+v", again)
	}
	// What comes, and what changes, after the job began is none of its business.
	late := h.comment("bao", comments.Pending)
	h.decideOne(binh, moderation.Decision{ID: string(before[7].ID), Action: moderation.Approve})
	v := h.stands(before[8].ID).Version
	_, err := h.Correct(t.Context(), binh, moderation.Correction{ID: string(before[8].ID), Version: v, Words: comments.Words{Name: "Hạnh", Title: "Khác", Content: "Lời khác."}})
	h.must(err)

	b = h.bulkRun(h.Service, an, "bao", b.ID)
	if b.State != moderation.BulkDone || b.Decided != 248 || b.Passed != 2 {
		t.Errorf("ended: %+v", b)
	}
	for i, c := range before {
		got := h.stands(c.ID)
		switch i {
		case 7:
			if got.Status != comments.Approved {
				t.Errorf("what was decided before is %s", got.Status)
			}
		case 8:
			if got.Status != comments.Pending {
				t.Errorf("what was corrected meanwhile is %s", got.Status)
			}
		default:
			last := got.History[len(got.History)-1]
			if got.Status != comments.Spam || last.Actor != an.ID || last.Note != "quảng cáo" {
				t.Fatalf("comment %d is %s by %s: %q", i, got.Status, last.Actor, last.Note)
			}
		}
	}
	for _, c := range []comments.Comment{other, late} {
		if got := h.stands(c.ID).Status; got != comments.Pending {
			t.Errorf("%s is %s", c.ID, got)
		}
	}
	if got := h.stands(done.ID).Status; got != comments.Approved {
		t.Errorf("what was approved is %s", got)
	}

	// Undone by another: all but what somebody has changed since, which is named.
	h.decideOne(binh, moderation.Decision{ID: string(before[3].ID), Action: moderation.Restore, Version: new(h.stands(before[3].ID).Version)})
	_, err = h.UndoBulk(t.Context(), binh, "bao", b.ID)
	h.must(err)
	b = h.bulkRun(h.Service, an, "bao", b.ID)
	if b.State != moderation.BulkUndone || b.Restored != 247 || b.Kept != 1 || !slices.Equal(b.Left, []comments.ID{before[3].ID}) {
		t.Errorf("undone: %+v", b)
	}
	for i, c := range before {
		want := comments.Pending
		if i == 7 {
			want = comments.Approved
		}
		if got := h.stands(c.ID).Status; got != want {
			t.Fatalf("after the undo comment %d is %s", i, got)
		}
	}
	if _, err := h.UndoBulk(t.Context(), binh, "bao", b.ID); !errors.Is(err, comments.ErrConflict) {
		t.Errorf("undone twice: %v", err)
	}
	h.tellsOfBulk("bao", moderation.KindBulkStarted, moderation.KindBulkEnded, moderation.KindBulkUndoing, moderation.KindBulkUndone)
}

// tellsOfBulk compares the events about bulk decisions.
func (h *house) tellsOfBulk(site string, want ...comments.Kind) {
	h.Helper()
	var got []comments.Kind
	for after := uint64(0); ; {
		events, err := h.db.Events(h.Context(), site, after, 500)
		h.must(err)
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if e.Comment == "" && len(e.Subject) > 5 && e.Subject[:5] == "bulk/" {
				got = append(got, e.Kind)
			}
			after = e.Seq
		}
	}
	if !slices.Equal(got, want) {
		h.Errorf("the journal tells %v, not %v", got, want)
	}
}

// flaky is a store of which every so many writes fail, before or after they were done.
type flaky struct {
	moderation.Store
	writes, every int
	after         bool
}

var errFlaky = fmt.Errorf("the line is cut: %w", comments.ErrUnavailable)

func (f *flaky) cut() bool { f.writes++; return f.every > 0 && f.writes%f.every == 0 }

func (f *flaky) PutDocument(ctx context.Context, d moderation.Document, kind comments.Kind) (moderation.Document, error) {
	cut := f.cut()
	if cut && !f.after {
		return d, errFlaky
	}
	got, err := f.Store.PutDocument(ctx, d, kind)
	if cut {
		return d, errFlaky
	}
	return got, err
}

func (f *flaky) Transition(ctx context.Context, changes []moderation.Change) ([]moderation.Changed, error) {
	cut := f.cut()
	if cut && !f.after {
		return nil, errFlaky
	}
	got, err := f.Store.Transition(ctx, changes)
	if cut {
		return nil, errFlaky
	}
	return got, err
}

// TestBulkOutlivesEveryCut cuts a job at every write, before and after it was done, has
// another run go on, and counts: nothing is decided twice, and one undo takes all back.
func TestBulkOutlivesEveryCut(t *testing.T) {
	for _, after := range []bool{false, true} {
		for every := 4; every <= 9; every++ {
			t.Run(fmt.Sprintf("every %d, done %t", every, after), func(t *testing.T) {
				h := newHouse(t)
				an := h.person("an@bao.example", moderation.Editor)
				var all []comments.Comment
				for range 230 {
					all = append(all, h.comment("bao", comments.Pending))
				}
				b := h.startBulk(an, moderation.BulkAsk{Site: "bao", Queue: "pending", Action: moderation.Reject})
				store := &flaky{Store: h.cfg.Store, every: every, after: after}
				b = h.cutRun(store, an, b)
				if b.Decided != 230 || b.Passed != 0 || b.State != moderation.BulkDone {
					t.Errorf("after the cuts: %+v", b)
				}
				for _, c := range all {
					if v := h.stands(c.ID); v.Status != comments.Rejected || len(v.History) != 2 {
						t.Fatalf("%s with %d events", v.Status, len(v.History))
					}
				}
				_, err := h.UndoBulk(t.Context(), an, "bao", b.ID)
				h.must(err)
				b = h.cutRun(store, an, b)
				if b.Restored != 230 || b.Kept != 0 || b.State != moderation.BulkUndone {
					t.Errorf("undone after the cuts: %+v", b)
				}
				for _, c := range all {
					if v := h.stands(c.ID); v.Status != comments.Pending || len(v.History) != 3 {
						t.Fatalf("undone: %s with %d events", v.Status, len(v.History))
					}
				}
			})
		}
	}
}

// cutRun goes on with a job, by a new run after each cut.
func (h *house) cutRun(store *flaky, who moderation.Moderator, b moderation.Bulk) moderation.Bulk {
	h.Helper()
	cfg := h.cfg
	cfg.Store = store
	for range 1000 {
		ctx, cancel := context.WithCancel(h.Context())
		cut := make(chan struct{})
		ended := make(chan error, 1)
		s := moderation.NewService(cfg)
		go func() {
			ended <- s.RunBulk(ctx, func(err error) {
				if !errors.Is(err, comments.ErrUnavailable) {
					h.Error(err)
				}
				close(cut)
				<-ctx.Done()
			})
		}()
		open := true
		eventually(h, func() bool {
			select {
			case <-cut:
				return true
			default:
			}
			got, err := h.Bulk(h.Context(), who, b.Site, b.ID)
			h.must(err)
			open = got.Open()
			return !open
		})
		cancel()
		h.must(<-ended)
		if !open {
			got, err := h.Bulk(h.Context(), who, b.Site, b.ID)
			h.must(err)
			return got
		}
	}
	h.Fatal("the job never ends")
	return b
}

func TestBulkCancelledAndStopped(t *testing.T) {
	h := newHouse(t)
	an, chu := h.person("an@bao.example", moderation.Editor), h.person("chu@bao.example", moderation.Owner)
	c := h.comment("bao", comments.Pending)
	ask := moderation.BulkAsk{Site: "bao", Queue: "pending", Action: moderation.Approve}

	b := h.startBulk(an, ask)
	_, err := h.CancelBulk(t.Context(), an, "bao", b.ID)
	h.must(err)
	if b = h.bulkRun(h.Service, an, "bao", b.ID); b.State != moderation.BulkCancelled || b.Decided != 0 || b.MayUndo() {
		t.Errorf("cancelled before it began: %+v", b)
	}
	if _, err := h.CancelBulk(t.Context(), an, "bao", b.ID); !errors.Is(err, comments.ErrConflict) {
		t.Errorf("cancelled twice: %v", err)
	}

	// Who may no longer decide has nothing decided in their name.
	b = h.startBulk(an, ask)
	role := moderation.Viewer
	_, err = h.ChangePerson(t.Context(), an.Email, moderation.PersonChange{Role: &role})
	h.must(err)
	if b = h.bulkRun(h.Service, chu, "bao", b.ID); b.State != moderation.BulkStopped {
		t.Errorf("after losing the role: %+v", b)
	}
	if got := h.stands(c.ID).Status; got != comments.Pending {
		t.Errorf("decided by a viewer: %s", got)
	}
}

func TestBulkRefuses(t *testing.T) {
	h := newHouse(t)
	h.comment("bao", comments.Pending)
	an, xem := h.person("an@bao.example", moderation.Editor, "bao"), h.person("xem@bao.example", moderation.Viewer)
	good := moderation.BulkAsk{Site: "bao", Queue: "pending", Action: moderation.Approve}
	for name, one := range map[string]struct {
		who    moderation.Moderator
		change func(*moderation.BulkAsk)
		want   error
	}{
		"a viewer":            {xem, func(*moderation.BulkAsk) {}, comments.ErrForbidden},
		"another site":        {an, func(a *moderation.BulkAsk) { a.Site = "khac" }, comments.ErrForbidden},
		"no site":             {an, func(a *moderation.BulkAsk) { a.Site = "nirgends" }, comments.ErrForbidden},
		"words of other site": {an, func(a *moderation.BulkAsk) { a.Filter.Words = "site:khac" }, comments.ErrInvalid},
		"undo":                {an, func(a *moderation.BulkAsk) { a.Action = moderation.Undo }, comments.ErrInvalid},
		"no action":           {an, func(a *moderation.BulkAsk) { a.Action = "" }, comments.ErrInvalid},
		"no queue":            {an, func(a *moderation.BulkAsk) { a.Queue = "hàng" }, comments.ErrMalformed},
		"words":               {an, func(a *moderation.BulkAsk) { a.Filter.Words = "before:bao giờ" }, comments.ErrMalformed},
		"a filter":            {an, func(a *moderation.BulkAsk) { a.Filter.Has = "ảnh" }, comments.ErrMalformed},
	} {
		ask := good
		one.change(&ask)
		if _, err := h.StartBulk(t.Context(), one.who, ask); !errors.Is(err, one.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range moderation.BulkAtOnce {
		h.startBulk(an, good)
	}
	if _, err := h.StartBulk(t.Context(), an, good); !errors.Is(err, comments.ErrConflict) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := h.CancelBulk(t.Context(), xem, "bao", "x"); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("cancelled by a viewer: %v", err)
	}
	if _, err := h.Bulk(t.Context(), an, "bao", "khong-co"); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
}

// TestBulkNarrowed decides on what a search finds, and forgets the network it was found by.
func TestBulkNarrowed(t *testing.T) { onBoth(t, testBulkNarrowed) }

func testBulkNarrowed(t *testing.T, h *house) {
	an := h.person("an@bao.example", moderation.Editor)
	h.comment("bao", comments.Pending)
	id, err := comments.NewID("bao")
	h.must(err)
	_, _, err = h.db.Create(t.Context(), comments.Creation{
		Comment: comments.Comment{ID: id, Site: "bao", Page: "bai", Name: "A", Title: "Bán sim", Content: "Bán sim số đẹp.", Lang: "vi", Status: comments.Pending, CreatedAt: h.now},
		Page:    comments.Page{Site: "bao", Key: "bai", CreatedAt: h.now}, Actor: comments.ActorReader, Author: comments.Author{Addr: someAddr, Expires: h.now.AddDate(0, 0, 90)},
	})
	h.must(err)
	b := h.startBulk(an, moderation.BulkAsk{Site: "bao", Queue: "pending", Action: moderation.Spam, Filter: moderation.Narrowing{Words: "ban sim ip:203.0.113.7"}})
	if b.Found != 1 {
		t.Errorf("found %d", b.Found)
	}
	if b = h.bulkRun(h.Service, an, "bao", b.ID); b.Decided != 1 || b.Filter.Words != "ban sim" {
		t.Errorf("ended: %+v", b)
	}
	if got := h.stands(id).Status; got != comments.Spam {
		t.Errorf("what was found is %s", got)
	}
}

// TestBulkUndoGoesOn: an undo whose owner loses the role in the middle is finished by
// somebody else, and every comment is counted once.
func TestBulkUndoGoesOn(t *testing.T) {
	h := newHouse(t)
	an, binh := h.person("an@bao.example", moderation.Editor), h.person("binh@bao.example", moderation.Owner)
	for range 250 {
		h.comment("bao", comments.Pending)
	}
	b := h.startBulk(an, moderation.BulkAsk{Site: "bao", Queue: "pending", Action: moderation.Spam})
	b = h.bulkRun(h.Service, an, "bao", b.ID)
	_, err := h.UndoBulk(t.Context(), an, "bao", b.ID)
	h.must(err)
	// The first chunk is taken back and the line cut behind it; then An may decide no more.
	b = h.cutOnce(b)
	if b.State != moderation.BulkUndoing || b.Restored != 100 {
		t.Fatalf("in the middle: %+v", b)
	}
	role := moderation.Viewer
	_, err = h.ChangePerson(t.Context(), an.Email, moderation.PersonChange{Role: &role})
	h.must(err)
	if b = h.bulkRun(h.Service, binh, "bao", b.ID); b.State != moderation.BulkStopped || !b.MayUndo() {
		t.Fatalf("after losing the role: %+v", b)
	}
	_, err = h.UndoBulk(t.Context(), binh, "bao", b.ID)
	h.must(err)
	if b = h.bulkRun(h.Service, binh, "bao", b.ID); b.State != moderation.BulkUndone || b.Restored != 250 || b.Kept != 0 || len(b.Left) != 0 {
		t.Errorf("finished by another: %+v", b)
	}
	if n := h.pendingOf("bao"); n != 250 {
		t.Errorf("%d wait again", n)
	}
}

// cutOnce runs a job until its third write fails, and no further.
func (h *house) cutOnce(b moderation.Bulk) moderation.Bulk {
	h.Helper()
	cfg := h.cfg
	cfg.Store = &flaky{Store: h.cfg.Store, every: 3}
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	h.must(moderation.NewService(cfg).RunBulk(ctx, func(error) { cancel() }))
	b, err := h.Bulk(h.Context(), moderation.Moderator{Role: moderation.Viewer}, b.Site, b.ID)
	h.must(err)
	return b
}
