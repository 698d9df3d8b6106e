package moderation_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func TestSpans(t *testing.T) {
	s := moderation.Spans{}
	var exact []float64
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		v := math.Exp(random.NormFloat64()*2 + 6)
		exact = append(exact, v)
		s.Add(v, 1)
	}
	slices.Sort(exact)
	for _, q := range []float64{0, .25, .5, .95, 1} {
		want := exact[max(int(math.Ceil(q*float64(len(exact))))-1, 0)]
		if got := s.Quantile(q); want > 1 && math.Abs(got/want-1) > 0.091 {
			t.Errorf("quantile %v is %v, not %v", q, got, want)
		}
	}
	for _, v := range exact {
		s.Add(v, -1)
	}
	if len(s) != 0 || s.Quantile(.5) != 0 {
		t.Errorf("all taken back: %v", s)
	}
}

// TestStatsAreExact decides, undoes and redoes at random over three days, counts with a
// service that is cut at random, and compares with what the comments and their histories say.
func TestStatsAreExact(t *testing.T) { onBoth(t, testStatsAreExact) }

func testStatsAreExact(t *testing.T, h *house) {
	random := rand.New(rand.NewPCG(3, 4))
	people := []moderation.Moderator{h.person("an@bao.example", moderation.Editor), h.person("binh@bao.example", moderation.Owner)}
	store := &flaky{Store: h.cfg.Store, every: 3}
	cfg := h.cfg
	cfg.Store = store
	count := func(end bool) {
		for end || random.IntN(2) == 0 { // or more happens before it is tried again
			store.after, store.every, store.writes = random.IntN(2) == 0, 2+random.IntN(3), random.IntN(2)
			err := moderation.NewService(cfg).CountSite(t.Context(), "bao")
			if err == nil {
				return
			}
			if !errors.Is(err, comments.ErrUnavailable) && !errors.Is(err, comments.ErrVersion) {
				t.Fatal(err)
			}
		}
	}
	var all []comments.ID
	actions := []moderation.Action{moderation.Approve, moderation.Reject, moderation.Spam, moderation.Undo, moderation.Undo, moderation.Restore}
	for range 400 {
		h.now = h.now.Add(time.Duration(random.IntN(20)) * time.Minute)
		if len(all) < 5 || random.IntN(3) == 0 {
			all = append(all, h.comment("bao", comments.Pending).ID)
			continue
		}
		id := all[random.IntN(len(all))]
		v := h.stands(id).Version
		h.decideOne(people[random.IntN(2)], moderation.Decision{ID: string(id), Action: actions[random.IntN(len(actions))], Version: &v, Reason: "insult"})
		if random.IntN(10) == 0 {
			count(false)
		}
	}
	count(true)

	// The truth: of each comment, the decisions that no undo has taken back.
	want := struct {
		arrived, restored, undone int64
		to                        map[comments.Status]int64
		by                        map[string]int64
		took                      moderation.Spans
		insults                   int64
	}{to: map[comments.Status]int64{}, by: map[string]int64{}, took: moderation.Spans{}}
	for _, id := range all {
		want.arrived++
		var stack []comments.Transition // an undo's partner, alternating
		history := h.stands(id).History
		for _, e := range history[1:] {
			switch e.Kind {
			case moderation.KindUndone:
				want.undone++
			case moderation.KindRestored:
				want.restored++
			}
			stack = append(stack, e)
		}
		for i := 0; i < len(stack); i++ {
			undos := 0
			for i+undos+1 < len(stack) && stack[i+undos+1].Kind == moderation.KindUndone {
				undos++
			}
			if e := stack[i]; e.Kind == comments.KindDecided && undos%2 == 0 {
				want.to[e.To]++
				want.by[e.Actor]++
				if e.To != comments.Approved {
					want.insults++
				}
				if e.From == comments.Pending {
					since := history[0].At
					for _, p := range history[1:] {
						if p.Seq < e.Seq && p.To == comments.Pending && p.From != comments.Pending {
							since = p.At
						}
					}
					want.took.Add(e.At.Sub(since).Seconds(), 1)
				}
			}
			i += undos
		}
	}
	st, err := h.Stats(t.Context(), people[1], "bao", moderation.StatsMonth)
	h.must(err)
	got := st.Total
	by := map[string]int64{}
	for who, share := range got.By {
		by[who] = share.Decided()
	}
	if got.Arrived != want.arrived || got.Restored != want.restored || got.Undone != want.undone || !maps.Equal(got.All.To, want.to) ||
		!maps.Equal(by, want.by) || !reflect.DeepEqual(got.All.Took, want.took) {
		t.Errorf("counted %+v, %v,\nnot %+v", got, by, want)
	}
	if insults := got.Reasons["insult"]; insults == nil || insults.Decided() != want.insults || len(got.Reasons) != 1 {
		t.Errorf("refused: %v, not %d", got.Reasons, want.insults)
	}
	if st.Behind || st.Waiting != h.pendingOf("bao") || len(st.Points) != 30 {
		t.Errorf("behind %t, %d wait, %d points", st.Behind, st.Waiting, len(st.Points))
	}
	var flow moderation.Flow
	for _, p := range st.Points {
		flow.Arrived += p.Flow.Arrived
		flow.Decided += p.Flow.Decided
	}
	if n := got.All.Decided(); flow.Arrived != want.arrived || flow.Decided != n {
		t.Errorf("the points add up to %+v, not %d and %d", flow, want.arrived, n)
	}

	// A moderator sees their own work, not the others'.
	st, err = h.Stats(t.Context(), people[0], "bao", moderation.StatsYear)
	h.must(err)
	if len(st.Total.By) != 1 || st.Total.By[people[0].ID].Decided() != want.by[people[0].ID] {
		t.Errorf("seen by an editor: %v", st.Total.By)
	}
	parts, err := h.Report(t.Context(), people[0], "bao", moderation.ByQuarter, 0)
	h.must(err)
	if last := parts[len(parts)-1]; len(parts) != 4 || last.Arrived != want.arrived || last.By != nil || !maps.Equal(last.All.To, want.to) {
		t.Errorf("reported: %+v", parts)
	}
	for name, err := range map[string]error{
		"another site": second(h.Stats(t.Context(), h.person("khac@bao.example", moderation.Owner, "khac"), "bao", moderation.StatsWeek)),
		"a period":     second(h.Stats(t.Context(), people[0], "bao", "eon")),
		"a division":   second(h.Report(t.Context(), people[0], "bao", "day", 0)),
		"a year":       second(h.Report(t.Context(), people[0], "bao", moderation.ByMonth, 99999)),
	} {
		if want := map[bool]error{true: comments.ErrForbidden, false: comments.ErrMalformed}[name == "another site"]; !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func (h *house) pendingOf(site string) int64 {
	h.Helper()
	head, err := h.db.Head(h.Context(), site)
	h.must(err)
	return head.Counts.Pending
}

// TestStatsTellOfAppeals: what was appealed, in vain or not, and why comments were refused.
func TestStatsTellOfAppeals(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Admin)
	for i := range 3 {
		c := h.comment("bao", comments.Pending)
		h.now = h.now.Add(time.Minute)
		h.decideOne(an, moderation.Decision{ID: string(c.ID), Action: moderation.Reject, Reason: []string{"insult", "insult", "của riêng tôi"}[i]})
	}
	h.must(h.CountSite(t.Context(), "bao"))
	st, err := h.Stats(t.Context(), an, "bao", moderation.StatsToday)
	h.must(err)
	reasons := map[string]int64{}
	for code, share := range st.Total.Reasons {
		reasons[code] = share.Decided()
	}
	if fmt.Sprint(reasons) != "map[:1 insult:2]" {
		t.Errorf("reasons: %v", reasons)
	}
	if m := st.Total.All.Took.Quantile(.5); m < 55 || m > 200 {
		t.Errorf("took %v s at the median", m)
	}
	site, err := h.sites.Site(t.Context(), "bao")
	h.must(err)
	h.comment("bao", comments.Pending)
	for wait, want := range map[time.Duration]bool{time.Minute: false, site.Settings.WarnAfter + time.Minute: true} {
		before := h.now
		h.now = h.now.Add(wait)
		overdue, err := h.Overdue(t.Context(), an, site)
		h.must(err)
		if (overdue > 0) != want {
			t.Errorf("after %s: overdue by %s", wait, overdue)
		}
		h.now = before
	}
}

// appeal is what its author says against a rejection.
func (h *house) appeal(id comments.ID) {
	h.Helper()
	done, err := h.cfg.Store.Transition(h.Context(), []moderation.Change{{ID: id, Actor: comments.ActorReader, Decide: func(c comments.Comment, _ comments.Transition) (*moderation.Step, error) {
		c.Marks |= comments.Appealed
		return &moderation.Step{To: c.Status, Comment: &c, Kind: comments.KindAppealed}, nil
	}}})
	h.must(errors.Join(err, done[0].Err))
}

// TestAppealsAreCounted: whether one was heard is what stands in the end.
func TestAppealsAreCounted(t *testing.T) { onBoth(t, testAppealsAreCounted) }

func testAppealsAreCounted(t *testing.T, h *house) {
	an := h.person("an@bao.example", moderation.Admin)
	decide := func(id comments.ID, actions ...moderation.Action) {
		for _, a := range actions {
			v := h.stands(id).Version
			if r := h.decideOne(an, moderation.Decision{ID: string(id), Action: a, Version: &v}); r.Err != nil {
				t.Fatal(r.Err)
			}
			h.must(h.CountSite(t.Context(), "bao"))
		}
	}
	for _, after := range [][]moderation.Action{
		{moderation.Approve}, {moderation.Uphold}, {moderation.Spam}, {moderation.Approve, moderation.Undo, moderation.Uphold},
		{moderation.Approve, moderation.Undo, moderation.Undo}, {moderation.Approve, moderation.Undo},
	} {
		id := h.comment("bao", comments.Pending).ID
		decide(id, moderation.Reject)
		h.appeal(id)
		decide(id, after...)
	}
	list, err := h.Queue(t.Context(), an, moderation.QueueQuery{Site: "bao", Queue: moderation.Appeals})
	h.must(err)
	if len(list.Items) != 1 { // the last, whose approval was taken back
		t.Errorf("%d appeals are open", len(list.Items))
	}
	st, err := h.Stats(t.Context(), an, "bao", moderation.StatsToday)
	h.must(err)
	if got := st.Total; got.Appealed != 6 || got.Granted != 2 || got.Upheld != 3 {
		t.Errorf("%d appeals, %d granted, %d in vain", got.Appealed, got.Granted, got.Upheld)
	}
}

// TestStatsAfterEditsAndMoves: an undo that is counted after the author has edited takes no
// signal away that was never counted, and one after the site has moved finds its day.
func TestStatsAfterEditsAndMoves(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Admin)
	h.now = time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC) // already the 22nd in Vietnam
	id := h.comment("bao", comments.Pending).ID
	set := func(kind comments.Kind, check string) {
		done, err := h.cfg.Store.Transition(t.Context(), []moderation.Change{{ID: id, Actor: comments.ActorReader, Decide: func(c comments.Comment, _ comments.Transition) (*moderation.Step, error) {
			c.Signals = []comments.Signal{{Check: check, Level: comments.LevelHold, Code: "x"}}
			return &moderation.Step{To: comments.Pending, Comment: &c, Kind: kind}, nil
		}}})
		h.must(errors.Join(err, done[0].Err))
	}
	set(comments.KindEdited, "links")
	v := h.stands(id).Version
	h.decideOne(an, moderation.Decision{ID: string(id), Action: moderation.Approve, Version: &v})
	h.must(h.CountSite(t.Context(), "bao"))
	_, err := h.sites.SetSite(t.Context(), "bao", []comments.Pair{{Key: "timezone", Value: "Europe/Berlin"}}, comments.ActorOperator)
	h.must(err)
	v = h.stands(id).Version
	h.decideOne(an, moderation.Decision{ID: string(id), Action: moderation.Undo, Version: &v})
	set(comments.KindEdited, "shouting")
	h.must(h.CountSite(t.Context(), "bao"))
	st, err := h.Stats(t.Context(), an, "bao", moderation.StatsMonth)
	h.must(err)
	if st.Total.All.Decided() != 0 || st.Total.Checks["shouting"] != nil {
		t.Errorf("after all was undone: %+v, %v", st.Total.All, st.Total.Checks)
	}
	for _, part := range st.Parts {
		for to, n := range part.All.To {
			if n < 0 {
				t.Errorf("%s has %d %s", part.From, n, to)
			}
		}
	}
}

// TestOldestIsSinceItWaits: a comment of last week that was put back has waited since then.
func TestOldestIsSinceItWaits(t *testing.T) { onBoth(t, testOldestIsSinceItWaits) }

func testOldestIsSinceItWaits(t *testing.T, h *house) {
	an := h.person("an@bao.example", moderation.Admin)
	old := h.comment("bao", comments.Pending)
	h.decideOne(an, moderation.Decision{ID: string(old.ID), Action: moderation.Reject})
	h.now = h.now.Add(7 * 24 * time.Hour)
	h.comment("bao", comments.Pending)
	waits := h.now
	h.now = h.now.Add(time.Hour)
	v := h.stands(old.ID).Version
	h.decideOne(an, moderation.Decision{ID: string(old.ID), Action: moderation.Restore, Version: &v})
	st, err := h.Stats(t.Context(), an, "bao", moderation.StatsToday)
	h.must(err)
	if st.Oldest.Sub(waits).Abs() > time.Second {
		t.Errorf("the oldest waits since %s, not %s", st.Oldest, waits)
	}
}
