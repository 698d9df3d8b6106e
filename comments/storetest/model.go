package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"duyet/comments"
)

// modelled is what a store should hold, kept the simplest way.
type modelled struct {
	sites map[string][]comments.Comment // in order of writing
	seqs  map[string]uint64
}

func (m *modelled) check(b *Bench) {
	b.T.Helper()
	var ids []string
	for id, list := range m.sites {
		ids = append(ids, id)
		var counts comments.Counts
		pages := map[string]*comments.Counts{}
		threads := map[string][]comments.ID{}
		var approved []comments.ID
		var tally comments.QueueCounts
		queues := map[comments.Queue][]comments.ID{}
		for _, c := range list {
			counts.Move("", c.Status)
			if pages[c.Page] == nil {
				pages[c.Page] = &comments.Counts{}
			}
			pages[c.Page].Move("", c.Status)
			tally.Move(nil, &c)
			for _, q := range comments.Queues {
				if c.In(q) {
					queues[q] = append(queues[q], c.ID)
				}
			}
			if c.Standing() {
				threads[c.Page] = append(threads[c.Page], c.ID)
				approved = append([]comments.ID{c.ID}, approved...)
			}
			got, err := b.Store.Comment(b.Ctx, c.ID)
			b.Must(err)
			b.Equal("comment", got, c)
		}
		h := b.Head(id)
		b.Equal("counts of "+id, h.Counts, counts)
		b.Equal("tally of "+id, h.Queues, tally)
		for _, q := range comments.Queues {
			list := b.paged(comments.QueueFilter{Site: id, Queue: q, Limit: 50})
			b.Equal("queue "+string(q), list, append([]comments.ID{}, queues[q]...))
		}
		b.Equal("seq of "+id, h.Seq, m.seqs[id])
		for key, want := range pages {
			b.Equal("counts of page "+key, b.Page(id, key).Counts, *want)
			if threads[key] == nil {
				threads[key] = []comments.ID{}
			}
			b.Equal("standing on "+key, b.Page(id, key).Standing, int64(len(threads[key])))
			b.Equal("thread of "+key, b.ThreadIDs(id, key, comments.Oldest, "", 10000), threads[key])
		}
		latest, err := b.Store.Latest(b.Ctx, id, 10)
		b.Must(err)
		b.Equal("latest of "+id, IDs(latest), append([]comments.ID{}, approved[:min(10, len(approved))]...))
	}
	b.Verify(ids...)
}

// model compares a store with the model after random sequences of operations.
func model(t *testing.T, b *Bench) {
	random := rand.New(rand.NewPCG(1, 2))
	m := &modelled{sites: map[string][]comments.Comment{}, seqs: map[string]uint64{}}
	names := []string{"a", "a-b", "news"}
	for step := range 600 {
		site := names[random.IntN(len(names))]
		_, known := m.sites[site]
		switch {
		case !known:
			b.AddSite(site)
			m.sites[site], m.seqs[site] = nil, 1
		case random.IntN(150) == 0:
			b.Must(b.Store.RemoveSite(b.Ctx, site, "operator"))
			delete(m.sites, site)
			delete(m.seqs, site)
		case random.IntN(5) == 0 && len(m.sites[site]) > 0:
			i := random.IntN(len(m.sites[site]))
			c, err := b.Store.Report(b.Ctx, comments.Report{Comment: m.sites[site][i].ID, Reader: [16]byte{byte(random.IntN(4)), 1}, Reason: "spam", At: start})
			if err != nil {
				if !errors.Is(err, comments.ErrExists) {
					b.Is(err, comments.ErrNotFound)
				}
				continue
			}
			m.sites[site][i] = c
			m.seqs[site]++
		case random.IntN(3) == 0 && len(m.sites[site]) > 0:
			i := random.IntN(len(m.sites[site]))
			m.sites[site][i] = b.Change(m.sites[site][i].ID, anyChange(random))
			m.seqs[site]++
		default:
			c := b.Creation(site, fmt.Sprintf("page-%d", random.IntN(5)), comments.Statuses[random.IntN(5)])
			if n := len(m.sites[site]); n > 0 && random.IntN(3) == 0 {
				c.Comment.Parent = m.sites[site][random.IntN(n)].ID
			}
			created, _, err := b.Store.Create(b.Ctx, c)
			if err != nil {
				b.Is(err, comments.ErrNotFound) // a parent on another page
				continue
			}
			m.sites[site] = append(m.sites[site], created)
			m.seqs[site]++
		}
		if step%100 == 99 {
			m.check(b)
		}
	}
	m.check(b)
}

// anyChange is something that might become of a comment.
func anyChange(random *rand.Rand) func(*comments.Comment) {
	status, what, n := comments.Statuses[random.IntN(5)], random.IntN(5), random.IntN(3)
	return func(c *comments.Comment) {
		switch what {
		case 0:
			c.Status, c.Public = status, nil
		case 1:
			w := c.Words()
			c.Status, c.Public, c.Content = comments.Pending, &w, fmt.Sprint("Lời khác ", n)
		case 2:
			c.Reports = 0
		case 3:
			c.Marks ^= comments.Appealed
		case 4:
			c.Risk = uint16(n * 100)
			c.Signals = []comments.Signal{{Check: "x", Level: []comments.Level{comments.LevelInfo, comments.LevelHold}[n%2]}}
		}
	}
}

// modelRacing does it with many callers at once; the order is the store's.
func modelRacing(t *testing.T, b *Bench) {
	m := &modelled{sites: map[string][]comments.Comment{"a": nil, "b": nil}, seqs: map[string]uint64{"a": 1, "b": 1}}
	b.AddSite("a")
	b.AddSite("b")
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(worker)))
			for range 20 {
				site := []string{"a", "b"}[random.IntN(2)]
				c := b.Creation(site, fmt.Sprintf("page-%d", random.IntN(3)), comments.Statuses[random.IntN(5)])
				created, _, err := b.Store.Create(b.Ctx, c)
				if err != nil {
					t.Errorf("create: %v", err)
					return
				}
				// Whoever was answered reads what was written, counts included.
				h, err := b.Store.Head(b.Ctx, site)
				p, err2 := b.Store.Page(b.Ctx, site, created.Page)
				got, err3 := b.Store.Comment(b.Ctx, created.ID)
				if err := errors.Join(err, err2, err3); err != nil || h.Counts.Of(c.Comment.Status) < 1 ||
					p.Counts.Of(c.Comment.Status) < 1 || got.Content != c.Comment.Content {
					t.Errorf("read after write: %v %+v %+v", err, h, p)
				}
				mu.Lock()
				m.sites[site] = append(m.sites[site], created)
				m.seqs[site]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for _, list := range m.sites {
		sortByID(list)
	}
	m.check(b)
}

// sortByID is order of writing: ids sort by time.
func sortByID(list []comments.Comment) {
	slices.SortFunc(list, func(a, b comments.Comment) int { return strings.Compare(string(a.ID), string(b.ID)) })
}
