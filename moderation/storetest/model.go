package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

// desk is what a site should hold, kept the simplest way.
type desk struct {
	mu   sync.Mutex
	list []comments.Comment // in order of writing
}

func isSuspect(c comments.Comment) bool {
	return c.Status == comments.Pending && slices.ContainsFunc(c.Signals, func(s comments.Signal) bool {
		return s.Level == comments.LevelHold || s.Level == comments.LevelSpam
	})
}

// check holds every queue, count, thread and history against the model.
func (d *desk) check(b *bench, site string) {
	b.T.Helper()
	slices.SortFunc(d.list, func(x, y comments.Comment) int { return strings.Compare(string(x.ID), string(y.ID)) })
	var counts comments.Counts
	pages := map[string]*comments.Counts{}
	threads := map[string][]comments.ID{}
	queues := map[comments.Status][]comments.ID{}
	suspects := []comments.ID{}
	for _, c := range d.list {
		counts.Move("", c.Status)
		if pages[c.Page] == nil {
			pages[c.Page], threads[c.Page] = &comments.Counts{}, []comments.ID{}
		}
		pages[c.Page].Move("", c.Status)
		queues[c.Status] = append(queues[c.Status], c.ID)
		if c.Status == comments.Approved {
			threads[c.Page] = append(threads[c.Page], c.ID)
		}
		if isSuspect(c) {
			suspects = append(suspects, c.ID)
		}
		got, err := b.Store.Comment(b.Ctx, c.ID)
		b.Must(err)
		b.Equal("comment", got, c)
		history, err := b.Store.History(b.Ctx, c.ID)
		b.Must(err)
		last := history[len(history)-1]
		if len(history) != int(c.Version) || last.To != c.Status || last.Version != c.Version {
			b.T.Fatalf("history of %+v: %+v", c, history)
		}
	}
	b.Equal("counts", b.Head(site).Counts, counts)
	for key, want := range pages {
		b.Equal("counts of "+key, b.Page(site, key).Counts, *want)
		b.Equal("thread of "+key, b.ThreadIDs(site, key, comments.Oldest, "", 10000), threads[key])
	}
	for _, s := range comments.Statuses {
		f := moderation.QueueFilter{Site: site, Status: s, Limit: 10000}
		b.Equal("queue of "+string(s), b.queue(f), append([]comments.ID{}, queues[s]...))
		b.Equal("count of "+string(s), b.queueCount(f), int64(len(queues[s])))
	}
	f := moderation.QueueFilter{Site: site, Status: comments.Pending, Queue: moderation.Suspect, Limit: 10000}
	b.Equal("suspects", b.queue(f), suspects)
	b.Equal("count of suspects", b.queueCount(f), int64(len(suspects)))
	b.Verify(site)
}

// act does something at random and keeps the model along. Each caller decides on
// comments of its own, so that racing callers know what they should find.
func (d *desk) act(b *bench, site string, random *rand.Rand, mine []comments.Comment) []comments.Comment {
	levels := []comments.Level{comments.LevelInfo, comments.LevelHold, comments.LevelSpam}
	if len(mine) == 0 || random.IntN(3) == 0 {
		c := b.suspected(site, fmt.Sprintf("page-%d", random.IntN(4)), levels[random.IntN(3)], comments.Statuses[random.IntN(5)])
		created, _, err := b.Store.Create(b.Ctx, c)
		if err != nil {
			b.T.Errorf("create: %v", err)
			return mine
		}
		return append(mine, created)
	}
	var changes []moderation.Change
	var at []int
	for range 1 + random.IntN(5) {
		i := random.IntN(len(mine))
		at = append(at, i)
		status := comments.Statuses[random.IntN(5)]
		refuse := random.IntN(4) == 0
		changes = append(changes, moderation.Change{ID: mine[i].ID, Actor: "m", Decide: func(c comments.Comment, _ comments.Transition) (*moderation.Step, error) {
			if refuse {
				return nil, errMoved
			}
			if c.Status == status {
				return nil, nil
			}
			return &moderation.Step{To: status, Kind: comments.KindDecided}, nil
		}})
	}
	done, err := b.desk.Transition(b.Ctx, changes)
	if err != nil {
		b.T.Errorf("transition: %v", err)
		return mine
	}
	for k, i := range at {
		mine[i] = done[k].Comment
	}
	return mine
}

// model compares a store with the model after random sequences of operations.
func model(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	random := rand.New(rand.NewPCG(5, 6))
	d := &desk{}
	for step := range 500 {
		d.list = d.act(b, "news", random, d.list)
		if step%10 == 0 {
			b.Post("news-2", "page-1", comments.Approved)
		}
		if step%100 == 99 {
			d.check(b, "news")
		}
	}
}

// modelRacing does it with many callers at once, each with comments of its own on pages
// and queues that are everybody's.
func modelRacing(t *testing.T, b *bench) {
	b.AddSite("news")
	d := &desk{}
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			var mine []comments.Comment
			for range 25 {
				mine = d.act(b, "news", random, mine)
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.list = append(d.list, mine...)
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	d.check(b, "news")
}
