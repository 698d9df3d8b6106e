package pgstore_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/storetest"
)

// nodes opens a database as several nodes would, each with what it is told.
func nodes(t *testing.T, n int) ([]*pgstore.DB, []*ear) {
	t.Helper()
	dsn := cluster.Database(t)
	var dbs []*pgstore.DB
	var ears []*ear
	for range n {
		db := open(t, dsn, options())
		e := &ear{t: t, seqs: map[string]uint64{}, heard: map[string]comments.Commit{}}
		db.Observe(e.hear)
		dbs, ears = append(dbs, db), append(ears, e)
	}
	return dbs, ears
}

// ear holds what a node is told to its promises: each commit once, in order.
type ear struct {
	t     *testing.T
	mu    sync.Mutex
	seqs  map[string]uint64
	heard map[string]comments.Commit
}

func key(site string, seq uint64) string { return fmt.Sprint(site, "/", seq) }

func (e *ear) hear(c comments.Commit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.Event.Seq != e.seqs[c.Event.Site]+1 {
		e.t.Errorf("site %s: told of %d after %d", c.Event.Site, c.Event.Seq, e.seqs[c.Event.Site])
	}
	e.seqs[c.Event.Site] = c.Event.Seq
	e.heard[key(c.Event.Site, c.Event.Seq)] = c
}

func (e *ear) knows(site string, seq uint64) (comments.Commit, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.heard[key(site, seq)]
	return c, ok
}

// until waits for a condition.
func until(t testing.TB, what string, most time.Duration, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: not %s", most, what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNodesHearOfEachOther(t *testing.T) {
	dbs, ears := nodes(t, 3)
	b := storetest.NewBench(t, dbs[0])
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	for i, e := range ears {
		until(t, fmt.Sprintf("node %d knows", i), time.Second, func() bool { _, ok := e.knows("news", 2); return ok })
		got, _ := e.knows("news", 2)
		if got.Elsewhere != (i > 0) || got.Page != "p" || got.Comment.ID != c.ID || got.Comment.Status != comments.Approved {
			t.Errorf("node %d is told %+v", i, got)
		}
	}
	if err := dbs[1].RemoveSite(t.Context(), "news", "operator"); err != nil {
		t.Fatal(err)
	}
	for i, e := range ears {
		until(t, fmt.Sprintf("node %d knows of the removal", i), time.Second, func() bool { _, ok := e.knows(comments.Installation, 1); return ok })
	}
	// A site of the same name begins again at 1, for every node.
	for _, e := range ears {
		e.mu.Lock()
		delete(e.seqs, "news")
		e.heard = map[string]comments.Commit{}
		e.mu.Unlock()
	}
	storetest.NewBench(t, dbs[2]).AddSite("news")
	for i, e := range ears {
		until(t, fmt.Sprintf("node %d knows of the new site", i), time.Second, func() bool { _, ok := e.knows("news", 1); return ok })
	}
}

// TestNodesRace: all write to the same site at once. Each is told of everything once, in
// order, its own before it is answered, and the chain holds.
func TestNodesRace(t *testing.T) {
	dbs, ears := nodes(t, 3)
	b := storetest.NewBench(t, dbs[0])
	b.AddSite("news")
	for _, db := range dbs {
		// Settled, so that each counts from the same event.
		_, _, err := db.Create(t.Context(), b.Creation("news", "p", comments.Pending))
		b.Must(err)
	}
	const each = 60
	var wg sync.WaitGroup
	for i, db := range dbs {
		for range each {
			wg.Go(func() {
				c := b.Creation("news", "p", comments.Pending)
				made, _, err := db.Create(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				h, err := db.History(t.Context(), made.ID)
				if err != nil {
					t.Error(err)
					return
				}
				told, ok := ears[i].knows("news", h[0].Seq)
				if !ok || told.Elsewhere {
					t.Errorf("node %d was answered before it was told of %d, or told it was another's: %v", i, h[0].Seq, told.Elsewhere)
				}
				to := comments.Approved
				done, err := db.Amend(t.Context(), []comments.Amendment{{ID: made.ID, Actor: "m-1", Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
					now.Status = to
					return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
				}}})
				if err != nil || done[0].Err != nil {
					t.Error(err, done)
				}
			})
		}
	}
	wg.Wait()
	last := uint64(1 + len(dbs) + 2*each*len(dbs))
	for i, e := range ears {
		until(t, fmt.Sprintf("node %d knows all", i), 2*time.Second, func() bool { _, ok := e.knows("news", last); return ok })
	}
	if h := b.Head("news"); h.Seq != last || h.Counts.Approved != int64(each*len(dbs)) {
		t.Errorf("head %+v", h)
	}
	b.Verify("news")
}

// TestOneDecides: of nodes that decide on one comment, one does, and the others see what
// it made of it.
func TestOneDecides(t *testing.T) {
	dbs, _ := nodes(t, 3)
	b := storetest.NewBench(t, dbs[0])
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	taken := errors.New("taken")
	var won atomic.Int64
	var wg sync.WaitGroup
	for i, db := range dbs {
		for j := range 10 {
			wg.Go(func() {
				done, err := db.Amend(t.Context(), []comments.Amendment{{ID: c.ID, Actor: fmt.Sprint("m-", i, "-", j), Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
					if now.Version != c.Version {
						return nil, taken
					}
					now.Status = comments.Rejected
					return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
				}}})
				switch {
				case err != nil:
					t.Error(err)
				case done[0].Err == nil:
					won.Add(1)
				case !errors.Is(done[0].Err, taken) || done[0].Comment.Version != 2:
					t.Errorf("a loser got %+v", done[0])
				}
			})
		}
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d decided", won.Load())
	}
}

// TestSeveralSitesAtOnce: decisions on several sites share a transaction, and two such
// never wait for each other in a circle.
func TestSeveralSitesAtOnce(t *testing.T) {
	dbs, ears := nodes(t, 2)
	b := storetest.NewBench(t, dbs[0])
	sites := []string{"a", "b", "c"}
	for _, s := range sites {
		b.AddSite(s)
	}
	var wg sync.WaitGroup
	for i := range 30 {
		var changes []comments.Amendment
		for j := range sites {
			c := b.Post(sites[(i+j)%len(sites)], "p", comments.Pending) // in every order
			changes = append(changes, comments.Amendment{ID: c.ID, Actor: "m-1", Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
				now.Status = comments.Spam
				return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
			}})
		}
		wg.Go(func() {
			done, err := dbs[i%2].Amend(t.Context(), changes)
			if err != nil {
				t.Error(err)
			}
			for k, d := range done {
				if d.Err != nil || d.Comment.ID != changes[k].ID || d.Comment.Status != comments.Spam {
					t.Errorf("change %d: %+v", k, d)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range sites {
		h := b.Head(s)
		if h.Counts != (comments.Counts{Spam: 30}) {
			t.Errorf("site %s: %+v", s, h.Counts)
		}
		for i, e := range ears {
			until(t, fmt.Sprintf("node %d knows all of %s", i, s), 2*time.Second, func() bool { _, ok := e.knows(s, h.Seq); return ok })
		}
	}
	b.Verify(sites...)
}

// TestFarBehind: a node that has much to hear of reads on in steps, and a write of its own
// waits for that.
func TestFarBehind(t *testing.T) {
	dbs, ears := nodes(t, 2)
	b := storetest.NewBench(t, dbs[0])
	b.AddSite("news")
	until(t, "told of the site", time.Second, func() bool { _, ok := ears[1].knows("news", 1); return ok })
	back := pgstore.Remember(dbs[1], "news")
	var wg sync.WaitGroup
	for range 700 {
		wg.Go(func() {
			if _, _, err := dbs[0].Create(t.Context(), b.Creation("news", "p", comments.Pending)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	until(t, "told of all", 2*time.Second, func() bool { _, ok := ears[1].knows("news", 701); return ok })
	back(func() {
		ears[1].mu.Lock()
		defer ears[1].mu.Unlock()
		ears[1].seqs["news"] = 1
	})
	_, _, err := dbs[1].Create(t.Context(), b.Creation("news", "p", comments.Pending))
	b.Must(err)
	if _, ok := ears[1].knows("news", b.Head("news").Seq); !ok {
		t.Error("not told of its own commit")
	}
}

// TestNodesHearOfLikes: a like at one node is told at the others, though no journal holds
// it; and one that could not listen for a while takes it that every page has changed.
func TestNodesHearOfLikes(t *testing.T) {
	dsn := cluster.Database(t)
	dbs := []*pgstore.DB{open(t, dsn, options()), open(t, dsn, options())}
	var mu sync.Mutex
	told := map[string]int{}
	dbs[1].ObserveLikes(func(site, page string) {
		mu.Lock()
		defer mu.Unlock()
		told[site+"/"+page]++
	})
	times := func(page string) int { mu.Lock(); defer mu.Unlock(); return told[page] }
	b := storetest.NewBench(t, dbs[0])
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	b.Like(c.ID, 1, true)
	until(t, "the other node knows of the like", 2*time.Second, func() bool { return times("news/p") > 0 })
	got, err := dbs[1].Comment(t.Context(), c.ID)
	b.Must(err)
	b.Equal("likes at the other node", got.Likes, int64(1))

	before := times("/")
	if _, err := connect(t, dsn).Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`); err != nil {
		t.Fatal(err)
	}
	until(t, "every page counts as changed", 10*time.Second, func() bool { return times("/") > before })
}
