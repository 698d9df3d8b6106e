package storetest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"duyet/comments"
)

func journal(t *testing.T, b *Bench) {
	if h := b.Head(comments.Installation); h.Seq != 0 || h.Counts.Total() != 0 {
		t.Fatalf("head of an empty installation: %+v", h)
	}
	b.AddSite("news")
	for range 9 {
		b.Post("news", "p", comments.Pending)
	}
	all, err := b.Store.Events(b.Ctx, "news", 0, 100)
	b.Must(err)
	if len(all) != 10 {
		t.Fatalf("%d events, want 10", len(all))
	}
	chains := map[string]bool{}
	for i, e := range all {
		if e.Seq != uint64(i+1) || e.Site != "news" || len(e.Chain) != comments.ChainSize || chains[string(e.Chain)] {
			t.Fatalf("event %d: %+v", i+1, e)
		}
		chains[string(e.Chain)] = true
	}
	if h := b.Head("news"); h.Seq != 10 || !bytes.Equal(h.Chain, all[9].Chain) {
		t.Fatalf("head %+v does not end at %+v", h, all[9])
	}
	var paged []comments.Transition
	for after := uint64(0); ; {
		list, err := b.Store.Events(b.Ctx, "news", after, 3)
		b.Must(err)
		if len(list) == 0 {
			break
		}
		paged = append(paged, list...)
		after = list[len(list)-1].Seq
	}
	b.Equal("page by page", paged, all)
	list, err := b.Store.Events(b.Ctx, "news", 1000, 3)
	b.Must(err)
	if len(list) != 0 {
		t.Fatalf("events after the end: %+v", list)
	}
}

func history(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.Post("news", "p", comments.Pending)
	c := b.Post("news", "p", comments.Approved)
	list, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	events, err := b.Store.Events(b.Ctx, "news", 2, 10)
	b.Must(err)
	b.Equal("history", list, events)
	if len(list) != 1 || list[0].Comment != c.ID || list[0].To != comments.Approved {
		t.Fatalf("history: %+v", list)
	}
}

func chain(t *testing.T, b *Bench) {
	b.Verify()
	b.AddSite("news")
	b.AddSite("other")
	for range 30 {
		b.Post("news", "p", comments.Pending)
		b.Post("other", "p", comments.Pending)
	}
	b.Verify("news", "other")
	// Two journals of the same length don't end alike.
	if bytes.Equal(b.Head("news").Chain, b.Head("other").Chain) {
		t.Fatal("two sites have one chain")
	}
}

func sweep(t *testing.T, b *Bench) {
	b.AddSite("news")
	var made []comments.Creation
	for i := range 6 {
		c := b.Creation("news", "p", comments.Pending)
		c.Ticket.Expires = start.Add(time.Duration(i) * time.Hour)
		c.Author.Expires = start.Add(time.Duration(100+i) * time.Hour)
		if i == 5 {
			c.Author = comments.Author{}
		}
		b.Create(c)
		made = append(made, c)
	}
	expect := func(now time.Time, want int) {
		t.Helper()
		total := 0
		for {
			n, err := b.Store.Sweep(b.Ctx, now)
			b.Must(err)
			if n == 0 {
				break
			}
			total += n
		}
		if total != want {
			t.Fatalf("sweep at %s removed %d, want %d", now, total, want)
		}
	}
	stands := func(i int) bool {
		t.Helper()
		_, err := b.Store.Spent(b.Ctx, made[i].Ticket.ID, made[i].Ticket.Expires)
		if err != nil {
			b.Is(err, comments.ErrNotFound)
		}
		return err == nil
	}
	before := b.Head("news")
	expect(start.Add(comments.SpentFor), 0) // to the moment
	expect(start.Add(comments.SpentFor+time.Millisecond), 1)
	if stands(0) || !stands(1) {
		t.Fatal("the sweep took the wrong ticket")
	}
	expect(start.Add(comments.SpentFor+2*time.Hour+time.Minute), 2)
	if stands(2) || !stands(3) {
		t.Fatal("the sweep took the wrong tickets")
	}
	expect(start.Add(100*time.Hour+time.Millisecond), 3+1) // the other tickets, the first address
	expect(start.Add(1000*time.Hour), 4)
	expect(start.Add(1000*time.Hour), 0)
	b.Unchanged("news", before)
	for _, c := range made {
		_, err := b.Store.Comment(b.Ctx, c.Comment.ID)
		b.Must(err)
	}
	// A ticket that was forgotten is unspent again.
	b.Create(comments.Creation{Comment: b.Creation("news", "p", comments.Pending).Comment, Ticket: made[0].Ticket, Actor: "reader"})
}

func observers(t *testing.T, b *Bench) {
	var told []comments.Commit
	b.Store.Observe(func(c comments.Commit) {
		if c.Event.Comment != "" { // what is told of can be read
			got, err := b.Store.Comment(context.Background(), c.Event.Comment)
			if err != nil || got.Version < c.Event.Version {
				t.Errorf("told of %s before it can be read: %v", c.Event.Comment, err)
			}
		}
		told = append(told, c)
	})
	second := 0
	b.Store.Observe(func(comments.Commit) { second++ })
	b.AddSite("news")
	c := b.Creation("news", "p", comments.Pending)
	created := b.Create(c)
	if len(told) != 2 || second != 2 {
		t.Fatalf("told %d and %d times, want 2", len(told), second)
	}
	events, err := b.Store.Events(b.Ctx, "news", 0, 10)
	b.Must(err)
	b.Equal("told of the site", told[0], comments.Commit{Event: events[0].Event})
	b.Equal("told of the comment", told[1], comments.Commit{Event: events[1].Event, Page: "p", Comment: created})

	// What changes nothing is not told of.
	_, _, err = b.Store.Create(b.Ctx, c)
	b.Must(err)
	other := c
	other.Ticket.Words[5]++
	_, _, err = b.Store.Create(b.Ctx, other)
	b.Is(err, comments.ErrTicketSpent)
	if len(told) != 2 {
		t.Fatalf("told of nothing: %+v", told[2:])
	}
}

func observersRacing(t *testing.T, b *Bench) {
	sites := []string{"a", "b"}
	for _, s := range sites {
		b.AddSite(s)
	}
	var mu sync.Mutex
	seqs := map[string]uint64{"a": 1, "b": 1}
	heard := map[comments.ID]bool{}
	b.Store.Observe(func(c comments.Commit) {
		mu.Lock()
		defer mu.Unlock()
		if c.Event.Seq != seqs[c.Event.Site]+1 {
			t.Errorf("site %s: told of %d after %d", c.Event.Site, c.Event.Seq, seqs[c.Event.Site])
		}
		seqs[c.Event.Site] = c.Event.Seq
		heard[c.Event.Comment] = true
	})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			c := b.Creation(sites[i%2], "p", comments.Approved)
			if _, _, err := b.Store.Create(b.Ctx, c); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if !heard[c.Comment.ID] {
				t.Error("answered before observers heard of it")
			}
		})
	}
	wg.Wait()
	b.Equal("last told of", seqs, map[string]uint64{"a": 51, "b": 51})
}

func contexts(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	before := b.Head("news")
	ctx, cancel := context.WithCancel(b.Ctx)
	cancel()
	creation := b.Creation("news", "p", comments.Pending)
	for name, call := range map[string]func() error{
		"Create":     func() error { _, _, err := b.Store.Create(ctx, creation); return err },
		"AddSite":    func() error { _, err := b.Store.AddSite(ctx, comments.Site{ID: "x"}, "operator"); return err },
		"RemoveSite": func() error { return b.Store.RemoveSite(ctx, "news", "operator") },
		"Sweep":      func() error { _, err := b.Store.Sweep(ctx, start.Add(1e6*time.Hour)); return err },
		"Comment":    func() error { _, err := b.Store.Comment(ctx, c.ID); return err },
		"Thread":     func() error { _, err := b.Store.Thread(ctx, "news", "p", comments.Oldest, "", 1); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s with a context that is done: no error", name)
		} else {
			b.Is(err, context.Canceled)
		}
	}
	b.Unchanged("news", before)
	_, err := b.Store.Site(b.Ctx, "x")
	b.Is(err, comments.ErrUnknownSite)
	// The ticket is unspent.
	b.Create(creation)
}

func times(t *testing.T, b *Bench) {
	site := b.AddSite("news")
	zone := time.FixedZone("", 7*3600)
	c := b.Creation("news", "p", comments.Pending)
	c.Comment.CreatedAt = time.Date(2025, 3, 1, 8, 0, 0, 123_456_789, zone)
	c.Page.CreatedAt = c.Comment.CreatedAt
	want := time.Date(2025, 3, 1, 1, 0, 0, 123_000_000, time.UTC)
	created := b.Create(c)
	b.Equal("created at, as returned", created.CreatedAt, want)
	got, err := b.Store.Comment(b.Ctx, created.ID)
	b.Must(err)
	b.Equal("created at", got.CreatedAt, want)
	b.Equal("edited at", got.EditedAt, time.Time{})
	b.Equal("page created at", b.Page("news", "p").CreatedAt, want)
	list, err := b.Store.Events(b.Ctx, "news", 0, 10)
	b.Must(err)
	for _, e := range list {
		if e.At.Location() != time.UTC || !e.At.Equal(e.At.Truncate(time.Millisecond)) || e.At.IsZero() {
			t.Fatalf("time of event %d: %v", e.Seq, e.At)
		}
	}
	if site.CreatedAt.Location() != time.UTC {
		t.Fatalf("site created at %v", site.CreatedAt)
	}
}

// slicesOwned: what is returned can be written to.
func slicesOwned(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Creation("news", "p", comments.Approved)
	c.Comment.Signals = []comments.Signal{{Check: "x", Level: comments.LevelInfo, Args: map[string]string{"a": "b"}, Places: []comments.Place{{Field: "name"}}}}
	b.Create(c)
	read := func() (comments.Comment, comments.Site, []comments.Transition, comments.Head) {
		list, err := b.Store.Thread(b.Ctx, "news", "p", comments.Oldest, "", 1)
		b.Must(err)
		site, err := b.Store.Site(b.Ctx, "news")
		b.Must(err)
		events, err := b.Store.Events(b.Ctx, "news", 0, 10)
		b.Must(err)
		return list[0], site, events, b.Head("news")
	}
	comment, site, events, head := read()
	comment.Signals[0].Check = "y"
	comment.Signals[0].Args["a"] = "c"
	comment.Signals[0].Places[0].Field = "title"
	site.Origins[0] = "https://evil.example"
	site.Settings.Reasons[0] = "evil"
	events[0].Chain[0]++
	head.Chain[0]++
	again, site2, events2, head2 := read()
	if again.Signals[0].Check != "x" || again.Signals[0].Args["a"] != "b" || again.Signals[0].Places[0].Field != "name" ||
		site2.Origins[0] == site.Origins[0] || site2.Settings.Reasons[0] == "evil" ||
		events2[0].Chain[0] == events[0].Chain[0] || head2.Chain[0] == head.Chain[0] {
		t.Fatal("writing to what was returned changed the store")
	}
	b.Verify("news")
}
