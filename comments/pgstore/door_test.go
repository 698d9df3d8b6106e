package pgstore_test

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
	"duyet/comments/work"
)

// TestSharedDoor: what limit's own tests say of wider networks, proofs of work, halved
// limits and failed tries holds between nodes.
func TestSharedDoor(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	o := options()
	o.Now = func() time.Time { return now }
	dsn := cluster.Database(t)
	var limiters []*pgstore.Limiter
	for range 2 {
		limiters = append(limiters, open(t, dsn, o).Limiter(limit.DefaultRules(), forbidden{t}))
	}
	turn := 0
	take := func(what string, u comments.Use, want time.Duration) (giveBack func()) {
		t.Helper()
		u.Site = "news"
		turn++
		giveBack, err := limiters[turn%2].Take(comments.MeterComment, u)
		var limited *comments.LimitedError
		if errors.As(err, &limited) {
			err = nil
		} else {
			limited = &comments.LimitedError{}
		}
		if err != nil || limited.RetryAfter != want {
			t.Errorf("%s has to wait %s, %v; want %s", what, limited.RetryAfter, err, want)
		}
		return giveBack
	}
	home := netip.MustParseAddr("192.0.2.1")
	for range 2 {
		take("half", comments.Use{Addr: home, Halved: true}, 0)
	}
	take("half", comments.Use{Addr: home, Halved: true}, time.Minute)
	for range 3 {
		take("whole", comments.Use{Addr: home}, 0)
	}
	for range 19 {
		take("without work", comments.Use{Addr: home}, time.Minute)
		take("with work", comments.Use{Addr: home, Proven: true}, 0)
	}
	back := take("the 25th", comments.Use{Addr: home, Proven: true}, 0)
	take("with work", comments.Use{Addr: home, Proven: true}, time.Minute)
	take("the /24", comments.Use{Addr: netip.MustParseAddr("192.0.2.9")}, time.Minute)
	back()
	back()
	take("the /24 with room for one", comments.Use{Addr: netip.MustParseAddr("192.0.2.9")}, 0)
	take("the /24", comments.Use{Addr: netip.MustParseAddr("192.0.2.10")}, time.Minute)
	take("elsewhere", comments.Use{Addr: netip.MustParseAddr("198.51.100.1")}, 0)

	wrong := comments.Use{Site: "news", Addr: netip.MustParseAddr("2001:db8::1")}
	for i := range 10 {
		limiters[i%2].Failed(comments.MeterWrong, wrong)
		now = now.Add(time.Second)
	}
	now = now.Add(4*time.Minute + 59*time.Second)
	take("after ten wrong codes", comments.Use{Addr: wrong.Addr, Proven: true}, 5*time.Minute)
	take("a neighbour", comments.Use{Addr: netip.MustParseAddr("2001:db8:0:1::1")}, 0)
	now = now.Add(5 * time.Minute)
	take("after the pause", comments.Use{Addr: wrong.Addr}, 0)
}

func TestSharedWork(t *testing.T) {
	dbs, _ := nodes(t, 2)
	ctx, expires := t.Context(), time.Now().Add(time.Hour)
	stands := func(node int, id byte, want work.Standing) {
		t.Helper()
		if got, err := dbs[node].SpentWork().Take(ctx, [16]byte{id}, expires); err != nil || got != want {
			t.Errorf("challenge %d on node %d stands %v, %v; want %v", id, node, got, err, want)
		}
	}
	stands(0, 1, work.Fresh)
	stands(1, 1, work.Spent)
	if err := dbs[0].SpentWork().Return(ctx, [16]byte{1}); err != nil {
		t.Fatal(err)
	}
	stands(1, 1, work.Solved)
	stands(0, 1, work.Spent)
	if err := dbs[0].SpentWork().Return(ctx, [16]byte{9}); err != nil {
		t.Error(err)
	}
	var fresh atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s, err := dbs[i%2].SpentWork().Take(ctx, [16]byte{7}, expires)
			if err != nil {
				t.Error(err)
			}
			if s == work.Fresh {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	if fresh.Load() != 1 {
		t.Errorf("of fifty who bring a challenge at once, %d found it fresh", fresh.Load())
	}
	if n, err := dbs[0].Sweep(ctx, expires.Add(time.Second)); err != nil || n != 2 {
		t.Errorf("swept %d, %v", n, err)
	}
}

func TestSharedArrivals(t *testing.T) {
	dbs, _ := nodes(t, 2)
	page := [16]byte{1}
	add := func(node int, news, want []comments.Arrival) {
		t.Helper()
		got, err := dbs[node].Arrivals().Add(t.Context(), news)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v, %v", got, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%+v, want %+v", got[i], want[i])
			}
		}
	}
	add(0, []comments.Arrival{{Site: "news", Minute: 10, Came: 3, Wrong: 1}, {Site: "news", Page: page, Minute: 10, Came: 2}},
		[]comments.Arrival{{Site: "news", Minute: 10, Came: 3, Wrong: 1}, {Site: "news", Page: page, Minute: 10, Came: 2}})
	add(1, []comments.Arrival{{Site: "news", Page: page, Minute: 10, Came: 5, Wrong: 1}, {Site: "other", Minute: 10}, {Site: "news", Minute: 11, Came: 1}},
		[]comments.Arrival{{Site: "news", Page: page, Minute: 10, Came: 7, Wrong: 1}, {Site: "other", Minute: 10}, {Site: "news", Minute: 11, Came: 1}})
	add(0, nil, nil)
	if n, err := dbs[0].Sweep(t.Context(), time.Unix(131*60, 0)); err != nil || n != 3 {
		t.Errorf("swept %d, %v", n, err)
	}
}
