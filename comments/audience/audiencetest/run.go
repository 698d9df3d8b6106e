// Package audiencetest tests what audience.Store promises.
package audiencetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/axiomhq/hyperloglog"

	"duyet/comments/audience"
)

// Store is a store with a way to make it forget what isn't on its disk.
type Store struct {
	audience.Store
	// Reopen closes the store and opens it anew; nil when it keeps nothing.
	Reopen func(t *testing.T) audience.Store
	// Site makes a site that may be counted for; nil when any id will do.
	Site func(t *testing.T, id string)
}

// Run runs every promise as a test, each with a store of its own.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"SaltsAreSharedAndForgotten": salts,
		"ViewsAdd":                   views,
		"SketchesMerge":              merge,
		"FlushIsAllOrNothing":        atomic,
		"NodesRace":                  race,
		"SurvivesReopening":          reopen,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if s.Site != nil {
				s.Site(t, "a")
				s.Site(t, "b")
			}
			test(t, s)
		})
	}
}

func load(t *testing.T, s audience.Store, site string, day audience.Day, proposed byte) audience.State {
	t.Helper()
	var p audience.Salts
	p.Day[0], p.Live[0] = proposed, proposed
	state, err := s.LoadAudience(t.Context(), site, day, p)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func flush(t *testing.T, s audience.Store, deltas ...audience.Delta) {
	t.Helper()
	if err := s.FlushAudience(t.Context(), deltas); err != nil {
		t.Fatal(err)
	}
}

// sketch holds n visitors, the first of them number from.
func sketch(t *testing.T, from, n uint64) []byte {
	t.Helper()
	sk := hyperloglog.New16()
	for i := from; i < from+n; i++ {
		sk.Insert(fmt.Append(nil, i))
	}
	b, err := sk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func estimate(t *testing.T, b []byte) uint64 {
	t.Helper()
	if b == nil {
		return 0
	}
	var sk hyperloglog.Sketch
	if err := sk.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return sk.Estimate()
}

func salts(t *testing.T, s Store) {
	first := load(t, s, "a", 100, 1)
	if first.Day[0] != 1 || first.Live[0] != 1 {
		t.Errorf("the proposed salts were not kept: %v", first.Salts)
	}
	if again := load(t, s, "a", 100, 2); again.Salts != first.Salts {
		t.Error("the second node of a day got other salts than the first")
	}
	if other := load(t, s, "b", 100, 3); other.Day[0] != 3 {
		t.Error("two sites share a salt")
	}
	if next := load(t, s, "a", 101, 4); next.Day[0] != 4 || next.Live[0] != 1 {
		t.Errorf("next day: %v", next.Salts)
	}
}

func views(t *testing.T, s Store) {
	flush(t, s,
		audience.Delta{Site: "a", Day: 100, Pages: map[string]int64{"x": 2, "y": 1}},
		audience.Delta{Site: "a", Day: 100, Pages: map[string]int64{"x": 3}},
		audience.Delta{Site: "b", Pages: map[string]int64{"x": 7}})
	flush(t, s, audience.Delta{Site: "a", Day: 101, Pages: map[string]int64{"x": 10}})
	got, err := s.PageViews(t.Context(), "a", []string{"y", "none", "x", "x"})
	if err != nil || fmt.Sprint(got) != "[1 0 15 15]" {
		t.Errorf("a: %v, %v", got, err)
	}
	got, err = s.PageViews(t.Context(), "b", []string{"x"})
	if err != nil || fmt.Sprint(got) != "[7]" {
		t.Errorf("b: %v, %v", got, err)
	}
}

func merge(t *testing.T, s Store) {
	flush(t, s, audience.Delta{Site: "a", Day: 100, Sketch: sketch(t, 0, 500)})
	flush(t, s,
		audience.Delta{Site: "a", Day: 100, Sketch: sketch(t, 250, 500)},
		audience.Delta{Site: "a", Day: 101, Sketch: sketch(t, 0, 10)},
		audience.Delta{Site: "b", Day: 100, Sketch: sketch(t, 0, 20)})
	for _, c := range []struct {
		site string
		day  audience.Day
		want uint64
	}{{"a", 100, 750}, {"a", 101, 10}, {"b", 100, 20}, {"b", 99, 0}} {
		if got := estimate(t, load(t, s, c.site, c.day, 1).Sketch); got != c.want {
			t.Errorf("%s on day %d: %d visitors, not %d", c.site, c.day, got, c.want)
		}
	}
}

func atomic(t *testing.T, s Store) {
	err := s.FlushAudience(t.Context(), []audience.Delta{
		{Site: "a", Day: 100, Pages: map[string]int64{"x": 1}},
		{Site: "a", Day: 100, Sketch: []byte("no sketch at all")},
	})
	if err == nil {
		t.Fatal("a broken sketch was taken")
	}
	if got, err := s.PageViews(t.Context(), "a", []string{"x"}); err != nil || got[0] != 0 {
		t.Errorf("half of a refused flush stands: %v, %v", got, err)
	}
}

func race(t *testing.T, s Store) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for node := range errs {
		wg.Go(func() {
			for i := range uint64(10) {
				errs[node] = errors.Join(errs[node], s.FlushAudience(context.Background(), []audience.Delta{
					{Site: "a", Day: 100, Pages: map[string]int64{"x": 1}, Sketch: sketch(t, uint64(node)*100+i*10, 10)},
				}))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got, err := s.PageViews(t.Context(), "a", []string{"x"}); err != nil || got[0] != 80 {
		t.Errorf("views: %v, %v", got, err)
	}
	if got := estimate(t, load(t, s, "a", 100, 1).Sketch); got < 792 || got > 808 {
		t.Errorf("%d visitors, not 800", got)
	}
}

func reopen(t *testing.T, s Store) {
	if s.Reopen == nil {
		t.Skip("keeps nothing")
	}
	first := load(t, s, "a", 100, 1)
	flush(t, s, audience.Delta{Site: "a", Day: 100, Pages: map[string]int64{"x": 5}, Sketch: sketch(t, 0, 40)})
	again := s.Reopen(t)
	state := load(t, again, "a", 100, 2)
	if state.Salts != first.Salts || estimate(t, state.Sketch) != 40 {
		t.Error("salts or sketch are gone")
	}
	if got, err := again.PageViews(t.Context(), "a", []string{"x"}); err != nil || got[0] != 5 {
		t.Errorf("views: %v, %v", got, err)
	}
	a := audience.New(audience.Config{Store: again, Now: func() time.Time { return time.Unix(100*86400, 0) }})
	c, err := a.Counts(t.Context(), Site("a"), "")
	if err != nil || c.PageViews != 5 || c.Today != 40 || c.Total != 40 {
		t.Errorf("%+v, %v", c, err)
	}
}
