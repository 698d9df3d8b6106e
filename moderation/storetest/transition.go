package storetest

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

func transition(t *testing.T, b *bench) {
	b.AddSite("news")
	b.Post("news", "p", comments.Pending)
	c := b.Post("news", "p", comments.Pending)
	var saw comments.Comment
	var sawLast comments.Transition
	done, err := b.desk.Transition(b.Ctx, []moderation.Change{{ID: c.ID, Actor: "m-1",
		Decide: func(now comments.Comment, last comments.Transition) (*moderation.Step, error) {
			saw, sawLast = now, last
			return &moderation.Step{To: comments.Rejected, Kind: comments.KindDecided, Reason: "insult"}, nil
		}}})
	b.Must(err)
	b.Must(done[0].Err)
	b.Equal("what Decide saw", saw, c)
	if sawLast.Kind != comments.KindSubmitted || sawLast.To != comments.Pending || sawLast.Comment != c.ID {
		t.Fatalf("last transition: %+v", sawLast)
	}
	want := c
	want.Status, want.Version = comments.Rejected, 2
	b.Equal("changed", done[0].Comment, want)
	got, err := b.Store.Comment(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("stored", got, want)

	counts := comments.Counts{Pending: 1, Rejected: 1}
	b.Equal("counts of the site", b.Head("news").Counts, counts)
	b.Equal("counts of the page", b.Page("news", "p").Counts, counts)
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	if len(history) != 2 {
		t.Fatalf("history: %+v", history)
	}
	e := history[1]
	if e.Actor != "m-1" || e.Kind != comments.KindDecided || e.From != comments.Pending || e.To != comments.Rejected ||
		e.Version != 2 || e.Event.Reason != "insult" || e.Event.Detail != nil || e.Seq != b.Head("news").Seq || e.Comment != c.ID {
		t.Fatalf("event: %+v", e)
	}
	events, err := b.Store.Events(b.Ctx, "news", e.Seq-1, 10)
	b.Must(err)
	b.Equal("the journal's event", events, history[1:])
	b.Verify("news")
}

func transitionDetail(t *testing.T, b *bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	detail := comments.Detail{Salt: []byte("0123456789abcdef"), Reason: "nói quá", Note: "đã gọi\ncho bạn đọc"}
	b.move(moderation.Change{ID: c.ID, Actor: "m-1", Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) {
		return &moderation.Step{To: comments.Trashed, Kind: comments.KindDecided, Detail: &detail}, nil
	}})
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("detail", history[1].Detail, detail)
	if !bytes.Equal(history[1].Event.Detail, detail.Sum()) {
		t.Fatalf("the event holds %x, not the detail's sum", history[1].Event.Detail)
	}
	var last comments.Transition
	b.move(moderation.Change{ID: c.ID, Actor: "m-2", Decide: func(_ comments.Comment, l comments.Transition) (*moderation.Step, error) {
		last = l
		return nil, nil
	}})
	b.Equal("last transition, with what was typed", last, history[1])
	b.Verify("news")
}

// transitionResults: each change has a result of its own.
func transitionResults(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("other")
	c1, c2, c3 := b.Post("news", "p", comments.Pending), b.Post("news", "p", comments.Pending), b.Post("other", "p", comments.Pending)
	unknown, err := comments.NewID("news")
	b.Must(err)
	nowhere, err := comments.NewID("nowhere")
	b.Must(err)
	refused := from(c2.ID, 99, comments.Spam, "m-1")
	nothing := moderation.Change{ID: c2.ID, Actor: "m-1", Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) { return nil, nil }}
	before := b.Head("news").Seq
	done, err := b.desk.Transition(b.Ctx, []moderation.Change{
		to(unknown, comments.Approved), to(c1.ID, comments.Approved), refused, to(nowhere, comments.Approved),
		nothing, to(c3.ID, comments.Spam), to("", comments.Approved), to(c2.ID, "no status"),
	})
	b.Must(err)
	for i, want := range []error{comments.ErrNotFound, nil, errMoved, comments.ErrNotFound, nil, nil, comments.ErrNotFound, comments.ErrInvalid} {
		if want == nil {
			b.Must(done[i].Err)
			continue
		}
		b.Is(done[i].Err, want)
	}
	b.Equal("approved", done[1].Comment.Status, comments.Approved)
	b.Equal("refused, as it stands", done[2].Comment, c2)
	b.Equal("left alone, as it stands", done[4].Comment, c2)
	b.Equal("spam", done[5].Comment.Status, comments.Spam)
	b.Equal("events of the site", b.Head("news").Seq, before+1)
	got, err := b.Store.Comment(b.Ctx, c2.ID)
	b.Must(err)
	b.Equal("the comment left alone", got, c2)
	done, err = b.desk.Transition(b.Ctx, nil)
	b.Must(err)
	if len(done) != 0 {
		t.Fatalf("results of nothing: %+v", done)
	}
	b.Verify("news", "other")
}

// transitionInOrder: a later change sees what an earlier one of the same call made.
func transitionInOrder(t *testing.T, b *bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	list := b.move(
		from(c.ID, 1, comments.Approved, "m-1"), from(c.ID, 2, comments.Spam, "m-2"), from(c.ID, 3, comments.Pending, "m-3"))
	for i, want := range []comments.Status{comments.Approved, comments.Spam, comments.Pending} {
		if list[i].Status != want || list[i].Version != uint64(i+2) {
			t.Fatalf("after change %d: %+v", i, list[i])
		}
	}
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	var actors []string
	var status comments.Status
	for _, h := range history {
		actors = append(actors, h.Actor)
		b.Equal("from", h.From, status)
		status = h.To
	}
	b.Equal("actors", actors, []string{comments.ActorReader, "m-1", "m-2", "m-3"})
	b.Equal("counts", b.Head("news").Counts, comments.Counts{Pending: 1})
}

// transitionThread: what is approved is public, in order of writing, and nothing else is.
func transitionThread(t *testing.T, b *bench) {
	b.AddSite("news")
	var ids []comments.ID
	for range 4 {
		ids = append(ids, b.Post("news", "p", comments.Pending).ID)
	}
	thread := func() []comments.ID { return b.ThreadIDs("news", "p", comments.Oldest, "", 10) }
	b.Equal("none approved", thread(), []comments.ID{})
	b.move(to(ids[3], comments.Approved))
	b.move(to(ids[1], comments.Approved))
	b.Equal("two approved", thread(), []comments.ID{ids[1], ids[3]})
	latest, err := b.Store.Latest(b.Ctx, "news", 1)
	b.Must(err)
	b.Equal("latest", latest[0].ID, ids[3])
	b.move(to(ids[3], comments.Trashed))
	b.Equal("one withdrawn", thread(), []comments.ID{ids[1]})
	b.move(to(ids[1], comments.Approved)) // where it is already
	b.Equal("approved twice", thread(), []comments.ID{ids[1]})
	b.Equal("counts", b.Page("news", "p").Counts, comments.Counts{Pending: 2, Approved: 1, Trashed: 1})
}

// transitionRace: of racing compare-and-sets one wins, and the others see what it made.
func transitionRace(t *testing.T, b *bench) {
	b.AddSite("news")
	for _, racers := range []int{2, 40} {
		c := b.Post("news", "p", comments.Pending)
		done := make([]moderation.Changed, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				status := comments.Statuses[1+i%4]
				list, err := b.desk.Transition(context.WithoutCancel(b.Ctx), []moderation.Change{from(c.ID, 1, status, "m-"+string(status))})
				if err != nil {
					t.Error(err)
					return
				}
				done[i] = list[0]
			})
		}
		wg.Wait()
		winners := 0
		got, err := b.Store.Comment(b.Ctx, c.ID)
		b.Must(err)
		for _, d := range done {
			if d.Err == nil {
				winners++
			} else {
				b.Is(d.Err, errMoved)
			}
			b.Equal("what each was told", d.Comment, got)
		}
		if winners != 1 || got.Version != 2 {
			t.Fatalf("%d of %d won, version %d", winners, racers, got.Version)
		}
	}
	b.Verify("news")
}

// transitionIsolation: decisions that fail and comments that are refused fail alone,
// though they may share a commit with others.
func transitionIsolation(t *testing.T, b *bench) {
	b.AddSite("news")
	var list []comments.Comment
	for range 30 {
		list = append(list, b.Post("news", "p", comments.Pending))
	}
	var wg sync.WaitGroup
	for i, c := range list {
		orphan := b.Creation("news", "p", comments.Pending)
		orphan.Comment.Parent = comments.ID("news~" + "00000000-0000-7000-8000-000000000000")
		wg.Go(func() {
			if _, _, err := b.Store.Create(b.Ctx, orphan); err == nil {
				t.Error("an orphan was let in")
			}
		})
		wg.Go(func() {
			done, err := b.desk.Transition(b.Ctx, []moderation.Change{to(c.ID, comments.Approved), from(c.ID, 99, comments.Spam, "m")})
			if err != nil || done[0].Err != nil || done[1].Err == nil {
				t.Errorf("decision %d: %v %+v", i, err, done)
			}
		})
	}
	wg.Wait()
	b.Equal("counts", b.Head("news").Counts, comments.Counts{Approved: 30})
	b.Verify("news")
}

func transitionObserved(t *testing.T, b *bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	var told []comments.Commit
	b.Store.Observe(func(commit comments.Commit) { told = append(told, commit) })
	list := b.move(to(c.ID, comments.Approved), to(c.ID, comments.Spam))
	events, err := b.Store.Events(b.Ctx, "news", 2, 10)
	b.Must(err)
	b.Equal("told", told, []comments.Commit{
		{Event: events[0].Event, Page: "p", Comment: list[0]},
		{Event: events[1].Event, Page: "p", Comment: list[1], Stood: true},
	})
	_, err = b.desk.Transition(b.Ctx, []moderation.Change{from(c.ID, 99, comments.Approved, "m")})
	b.Must(err)
	if len(told) != 2 {
		t.Fatalf("told of nothing: %+v", told[2:])
	}
}

func contexts(t *testing.T, b *bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	before := b.Head("news")
	ctx, cancel := context.WithCancel(b.Ctx)
	cancel()
	_, err := b.desk.Transition(ctx, []moderation.Change{to(c.ID, comments.Approved)})
	b.Is(err, context.Canceled)
	_, err = b.desk.Queue(ctx, moderation.QueueFilter{Site: "news", Status: comments.Pending, Limit: 1})
	b.Is(err, context.Canceled)
	_, err = b.desk.AddModerator(ctx, moderation.Moderator{ID: "m-1", Email: "a@example.org"}, "operator")
	b.Is(err, context.Canceled)
	b.Unchanged("news", before)
	if len(b.events(0)) != 0 {
		t.Fatal("a call that was never queued left an event")
	}
}

// transitionInPlace: a step to the status that stands is an event and a version like any
// other, and changes no count and no queue.
func transitionInPlace(t *testing.T, b *bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	before, err := b.Store.Head(b.Ctx, "news")
	b.Must(err)
	moved := b.move(moderation.Change{ID: c.ID, Actor: "m-1", Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) {
		return &moderation.Step{To: comments.Pending, Kind: moderation.KindVouched}, nil
	}})
	b.Equal("status", moved[0].Status, comments.Pending)
	b.Equal("version", moved[0].Version, c.Version+1)
	after, err := b.Store.Head(b.Ctx, "news")
	b.Must(err)
	b.Equal("counts", after.Counts, before.Counts)
	b.Equal("sequence", after.Seq, before.Seq+1)
	b.Equal("queue", b.queue(moderation.QueueFilter{Site: "news", Status: comments.Pending, Limit: 10}), []comments.ID{c.ID})
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("kind", history[1].Kind, moderation.KindVouched)
}
