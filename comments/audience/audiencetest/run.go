// Package audiencetest tests what audience.Store promises.
package audiencetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/axiomhq/hyperloglog"

	"duyet/comments"
	"duyet/comments/audience"
)

// Store is a store with a way to make it forget what isn't on its disk.
type Store struct {
	audience.Store
	// Comments is the same store as it keeps sites and pages; nil when any id will do.
	Comments comments.Store
	// Reopen closes the store and opens it anew; nil when it keeps nothing.
	Reopen func(t *testing.T) (audience.Store, comments.Store)
}

// add makes a site that may be counted for.
func (s Store) add(t *testing.T, id string) {
	t.Helper()
	if s.Comments == nil {
		return
	}
	site := Site(id)
	site.Name, site.Origins = "Báo "+id, []string{"https://" + id + ".example"}
	if _, err := s.Comments.AddSite(t.Context(), site, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
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
		"SitesTakeTheirCountsAlong":  removal,
		"PagesTakeTheirViewsAlong":   moved,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.add(t, "a")
			s.add(t, "b")
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
	again, _ := s.Reopen(t)
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

// removal: a site that is gone leaves nothing to one that takes its name, and what was
// still on its way for it troubles nobody.
func removal(t *testing.T, s Store) {
	if s.Comments == nil {
		t.Skip("knows no sites")
	}
	first := load(t, s, "a", 100, 1)
	flush(t, s,
		audience.Delta{Site: "a", Day: 100, Pages: map[string]int64{"x": 5}, Sketch: sketch(t, 0, 40)},
		audience.Delta{Site: "b", Day: 100, Pages: map[string]int64{"x": 1}})
	if err := s.Comments.RemoveSite(t.Context(), "a", comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	flush(t, s,
		audience.Delta{Site: "a", Day: 100, Pages: map[string]int64{"x": 7}},
		audience.Delta{Site: "b", Day: 100, Pages: map[string]int64{"x": 2}})
	s.add(t, "a")
	got, err := s.PageViews(t.Context(), "a", []string{"x"})
	if err != nil || got[0] != 0 {
		t.Errorf("views of a site of the same name: %v, %v", got, err)
	}
	if again := load(t, s, "a", 100, 2); again.Salts == first.Salts || again.Sketch != nil {
		t.Error("visitors of a site of the same name")
	}
	if got, err = s.PageViews(t.Context(), "b", []string{"x"}); err != nil || got[0] != 3 {
		t.Errorf("views of the other: %v, %v", got, err)
	}
}

// Nodes are audiences over several openings of one store: what each counts adds up, and a
// visitor of all is one.
func Nodes(t *testing.T, c comments.Store, nodes ...audience.Store) {
	Store{Comments: c}.add(t, "a")
	now := time.Unix(100*86400+3600, 0)
	all := make([]*audience.Audience, len(nodes))
	for i, n := range nodes {
		all[i] = audience.New(audience.Config{Store: n, Shared: true, Now: func() time.Time { return now }})
	}
	for i, a := range all {
		for v := range 30 {
			a.View(t.Context(), Site("a"), audience.Visit{
				Page: "x", UserAgent: "Mozilla/5.0 Firefox/140.0", Addr: netip.AddrFrom4([4]byte{10, 0, byte(i), byte(v / 2)}),
			})
			a.View(t.Context(), Site("a"), audience.Visit{Page: "y", UserAgent: "Mozilla/5.0 Firefox/140.0", Addr: netip.AddrFrom4([4]byte{10, 9, 9, 9})})
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(20 * time.Second)
	visitors := int64(15*len(nodes) + 1)
	want := audience.Counts{PageViews: int64(30 * len(nodes)), Online: visitors, Today: visitors, Week: visitors, Total: visitors}
	for i, a := range all {
		got, err := a.Counts(t.Context(), Site("a"), "x")
		if err != nil || got != want {
			t.Errorf("node %d: %+v, %v, not %+v", i, got, err, want)
		}
	}
}

// moved: a page's views go where the page goes, and those counted under its former key, too.
func moved(t *testing.T, s Store) {
	if s.Comments == nil {
		t.Skip("knows no pages")
	}
	for _, page := range []string{"x", "y"} {
		id, err := comments.NewID("a")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Comments.Create(t.Context(), comments.Creation{
			Comment: comments.Comment{ID: id, Site: "a", Page: page, Status: comments.Approved, CreatedAt: time.Unix(1, 0)},
			Page:    comments.Page{Site: "a", Key: page}, Actor: comments.ActorReader,
		}); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, s, audience.Delta{Site: "a", Pages: map[string]int64{"x": 5, "y": 7}})
	if _, err := s.Comments.MovePage(t.Context(), comments.PageMove{Site: "a", From: "x", To: "y", Merge: true}); err != nil {
		t.Fatal(err)
	}
	flush(t, s, audience.Delta{Site: "a", Pages: map[string]int64{"x": 1, "y": 2}})
	if _, err := s.Comments.MovePage(t.Context(), comments.PageMove{Site: "a", From: "y", To: "z"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.PageViews(t.Context(), "a", []string{"x", "y", "z"})
	if err != nil || fmt.Sprint(got) != "[15 15 15]" {
		t.Errorf("%v, %v", got, err)
	}
}
