package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
)

func ticket(n byte, expires time.Time) comments.Ticket {
	return comments.Ticket{ID: comments.TicketID{n}, Site: "news", Digits: []byte{0, 1, 2, 3, 4, 5}, Expires: expires}
}

func TestDeadTickets(t *testing.T) {
	dbs, _ := nodes(t, 2)
	var _ comments.Judge = dbs[0].DeadTickets()
	ctx, now := t.Context(), time.Now()
	judge := func(node int, n byte, typed string, want comments.Verdict) {
		t.Helper()
		if got, err := dbs[node].DeadTickets().Judge(ctx, ticket(n, now.Add(time.Hour)), typed); err != nil || got != want {
			t.Errorf("ticket %d on node %d, typed %q: %v, %v; want %v", n, node, typed, got, err, want)
		}
	}
	dead := func(n byte, want bool) {
		t.Helper()
		if got, err := dbs[1].DeadTickets().Dead(ctx, comments.TicketID{n}); err != nil || got != want {
			t.Errorf("ticket %d is dead: %v, %v", n, got, err)
		}
	}
	judge(0, 1, "012345", comments.VerdictRight)
	judge(1, 1, "０１２ 345", comments.VerdictRight)
	dead(1, false)
	judge(0, 1, "999999", comments.VerdictWrong)
	judge(1, 1, "012345", comments.VerdictDead)
	judge(1, 1, "999999", comments.VerdictDead)
	dead(1, true)
	judge(1, 2, "012345", comments.VerdictRight)
	dead(2, false)
	dead(3, false)

	// Racing guesses get one look between them.
	var looked atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			v, err := dbs[i%2].DeadTickets().Judge(ctx, ticket(9, now.Add(time.Hour)), fmt.Sprintf("9%05d", i))
			if err != nil {
				t.Error(err)
			}
			if v != comments.VerdictDead {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() != 1 {
		t.Errorf("%d of 100 racing guesses got a look", looked.Load())
	}
	if n, err := dbs[0].Sweep(ctx, now.Add(2*time.Hour)); err != nil || n != 3 {
		t.Errorf("the sweep removed %d, %v; want 3", n, err)
	}
	dead(1, false)
}

func TestSharedLimits(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	o := options()
	o.Now = func() time.Time { return now }
	dsn := cluster.Database(t)
	var limiters []comments.Limiter
	var throttles []pgstore.Throttle
	for range 2 {
		db := open(t, dsn, o)
		limiters = append(limiters, db.Limiter(limit.DefaultRules(), forbidden{t}))
		throttles = append(throttles, db.SignIn(silent{t}))
	}
	home := netip.MustParseAddr("192.0.2.1")
	wait := func(err error) time.Duration {
		t.Helper()
		var limited *comments.LimitedError
		if err != nil && !errors.As(err, &limited) {
			t.Fatal(err)
		}
		if limited == nil {
			return 0
		}
		return limited.RetryAfter
	}
	var back []func()
	for i := range 5 {
		giveBack, err := limiters[i%2].Take(comments.MeterComment, comments.Use{Site: "news", Addr: home})
		if w := wait(err); w != 0 {
			t.Fatalf("comment %d has to wait %s", i+1, w)
		}
		back = append(back, giveBack)
		now = now.Add(time.Second)
	}
	take := func(m comments.Meter, site string, addr netip.Addr, want time.Duration) {
		t.Helper()
		giveBack, err := limiters[1].Take(m, comments.Use{Site: site, Addr: addr})
		if w := wait(err); w != want || giveBack == nil {
			t.Errorf("%s of %s by %s has to wait %s, want %s", m, site, addr, w, want)
		}
	}
	take(comments.MeterComment, "news", home, 55*time.Second)
	take(comments.MeterComment, "other", home, 0)
	take(comments.MeterComment, "news", netip.MustParseAddr("192.0.2.2"), 0)
	take("something else", "news", home, 0)
	back[2]()
	back[2]()
	take(comments.MeterComment, "news", home, 0)
	take(comments.MeterComment, "news", home, 55*time.Second)
	now = now.Add(55 * time.Second)
	take(comments.MeterComment, "news", home, 0)
	for range 10 {
		take(comments.MeterSound, "a", home, 0)
	}
	take(comments.MeterSound, "b", home, time.Minute)

	// Thirty an hour, a use at a time.
	elsewhere := netip.MustParseAddr("2001:db8::1")
	for range 30 {
		take(comments.MeterComment, "news", elsewhere, 0)
		now = now.Add(time.Minute)
	}
	take(comments.MeterComment, "news", netip.MustParseAddr("2001:db8::2"), 30*time.Minute)

	for range limit.AccountFailures {
		if err := throttles[0].Allow("a@news.example", home); err != nil {
			t.Fatal(err)
		}
		throttles[0].Failed("a@news.example", home)
	}
	if w := wait(throttles[1].Allow("a@news.example", elsewhere)); w != limit.FailuresPer {
		t.Errorf("after ten failures on another node: %s", w)
	}
	if w := wait(throttles[1].Allow("b@news.example", elsewhere)); w != 0 {
		t.Errorf("another account: %s", w)
	}
}

// forbidden is a limiter that nobody may ask.
type forbidden struct{ t *testing.T }

func (f forbidden) Take(m comments.Meter, _ comments.Use) (func(), error) {
	if m != "something else" {
		f.t.Errorf("%s was counted by this node alone", m)
	}
	return func() {}, nil
}

func (f forbidden) Failed(m comments.Meter, _ comments.Use) {
	f.t.Errorf("a failed %s was counted by this node alone", m)
}

// silent is a throttle that may be told, but not asked.
type silent struct{ t *testing.T }

func (s silent) Allow(string, netip.Addr) error {
	s.t.Error("sign-in was judged by this node alone")
	return nil
}

func (silent) Failed(string, netip.Addr) {}

// TestLeader: one leads at a time, and another follows when it stops.
func TestLeader(t *testing.T) {
	dbs, _ := nodes(t, 3)
	var leading, most atomic.Int64
	started := make(chan int, 10)
	stops := make([]context.CancelFunc, len(dbs))
	var wg sync.WaitGroup
	for i, db := range dbs {
		ctx, cancel := context.WithCancel(t.Context())
		stops[i] = cancel
		wg.Go(func() {
			db.Leader(ctx, func(ctx context.Context) error {
				if n := leading.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer leading.Add(-1)
				started <- i
				<-ctx.Done()
				return ctx.Err()
			})
		})
	}
	var led []int
	for range dbs {
		select {
		case i := <-started:
			led = append(led, i)
			stops[i]()
		case <-time.After(20 * time.Second):
			t.Fatalf("nobody leads after %v", led)
		}
	}
	wg.Wait()
	slices.Sort(led)
	if !slices.Equal(led, []int{0, 1, 2}) || most.Load() != 1 {
		t.Errorf("%v have led, at most %d at once", led, most.Load())
	}
}

// TestLeaderLosesItsSession: it is told, and somebody leads again.
func TestLeaderLosesItsSession(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{}, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		db.Leader(ctx, func(ctx context.Context) error {
			started <- struct{}{}
			<-ctx.Done()
			return nil
		})
	}()
	<-started
	if _, err := connect(t, dsn).Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	select {
	case <-started:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody leads again")
	}
	cancel()
	<-ended
}
