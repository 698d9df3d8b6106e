package limit

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
)

var _ comments.Limiter = (*Limiter)(nil)

// clock is a time that only a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time      { return time.Unix(1_700_000_000, c.ns.Load()) }
func (c *clock) add(d time.Duration) { c.ns.Add(int64(d)) }

func limiter(t testing.TB, most int) (*Limiter, *clock) {
	t.Helper()
	c := &clock{}
	l, err := New(DefaultRules(), most, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

var home = netip.MustParseAddr("192.0.2.1")

// wait is what Take says: 0 when it counted.
func wait(t *testing.T, err error) time.Duration {
	t.Helper()
	if err == nil {
		return 0
	}
	var limited *comments.LimitedError
	if !errors.As(err, &limited) || !errors.Is(err, comments.ErrLimited) || limited.RetryAfter < time.Second || limited.RetryAfter%time.Second != 0 {
		t.Fatalf("error %#v", err)
	}
	return limited.RetryAfter
}

func take(t *testing.T, l *Limiter, m comments.Meter, site string, addr netip.Addr) time.Duration {
	t.Helper()
	giveBack, err := l.Take(m, comments.Use{Site: site, Addr: addr})
	if giveBack == nil {
		t.Fatal("giveBack is nil")
	}
	return wait(t, err)
}

func TestFiveAMinute(t *testing.T) {
	l, c := limiter(t, 100)
	for i := range 5 {
		if w := take(t, l, comments.MeterComment, "news", home); w != 0 {
			t.Fatalf("comment %d has to wait %s", i+1, w)
		}
		c.add(time.Second)
	}
	if w := take(t, l, comments.MeterComment, "news", home); w != 55*time.Second {
		t.Fatalf("the sixth has to wait %s", w)
	}
	c.add(54*time.Second + 1)
	if w := take(t, l, comments.MeterComment, "news", home); w != time.Second {
		t.Fatalf("a moment before the minute is over: %s", w)
	}
	c.add(time.Second - 1)
	if w := take(t, l, comments.MeterComment, "news", home); w != 0 {
		t.Fatalf("after the time it named: %s", w)
	}
	if w := take(t, l, comments.MeterComment, "news", home); w != time.Second {
		t.Fatalf("one came free, the next a second later; told %s", w)
	}
}

func TestThirtyAnHour(t *testing.T) {
	l, c := limiter(t, 100)
	for i := range 30 {
		if w := take(t, l, comments.MeterComment, "news", home); w != 0 {
			t.Fatalf("comment %d has to wait %s", i+1, w)
		}
		c.add(time.Minute)
	}
	if w := take(t, l, comments.MeterComment, "news", home); w != 30*time.Minute {
		t.Fatalf("the 31st has to wait %s", w)
	}
	c.add(30 * time.Minute)
	if w := take(t, l, comments.MeterComment, "news", home); w != 0 {
		t.Fatalf("an hour after the first: %s", w)
	}
}

func TestDefaults(t *testing.T) {
	for m, want := range map[comments.Meter]int{comments.MeterTicket: 30, comments.MeterImage: 60, comments.MeterSound: 10} {
		l, _ := limiter(t, 100)
		n := 0
		for take(t, l, m, "news", home) == 0 {
			n++
		}
		if n != want {
			t.Errorf("%s: %d a minute, not %d", m, n, want)
		}
	}
	l, _ := limiter(t, 1)
	for range 1000 {
		if w := take(t, l, "something else", "news", home); w != 0 {
			t.Fatal("a meter without rules is limited")
		}
	}
}

func TestWhoIsOne(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	}
	for _, tt := range tests {
		if got := Network(netip.MustParseAddr(tt.a)) == Network(netip.MustParseAddr(tt.b)); got != tt.same {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
	if Network(netip.Addr{}) == Network(netip.MustParseAddr("0.0.0.0")) {
		t.Error("no address counts as one")
	}
}

func TestSites(t *testing.T) {
	l, _ := limiter(t, 100)
	for take(t, l, comments.MeterComment, "a", home) == 0 {
	}
	if take(t, l, comments.MeterComment, "b", home) != 0 {
		t.Error("comments on one site count on another")
	}
	if take(t, l, comments.MeterTicket, "a", home) != 0 {
		t.Error("comments count as tickets")
	}
	for take(t, l, comments.MeterTicket, "a", home) == 0 {
	}
	if take(t, l, comments.MeterTicket, "b", home) == 0 {
		t.Error("tickets are counted by site")
	}
	if take(t, l, comments.MeterComment, "a", netip.Addr{}) != 0 {
		t.Error("one network's comments count for no network")
	}
}

func TestGiveBack(t *testing.T) {
	l, c := limiter(t, 100)
	var last func()
	for range 5 {
		var err error
		if last, err = l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: home}); err != nil {
			t.Fatal(err)
		}
	}
	last()
	last()
	if take(t, l, comments.MeterComment, "news", home) != 0 {
		t.Error("what is given back is not restored")
	}
	if take(t, l, comments.MeterComment, "news", home) == 0 {
		t.Error("it is restored twice")
	}
	refused, _ := l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: home})
	refused()
	if take(t, l, comments.MeterComment, "news", home) == 0 {
		t.Error("a refusal gives something back")
	}
	c.add(time.Hour)
	giveBack, _ := l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: home})
	giveBack()
	if n := len(l.meters[comments.MeterComment].entries); n != 0 {
		t.Errorf("%d networks that have done nothing are remembered", n)
	}
}

func TestClockStepsBack(t *testing.T) {
	l, c := limiter(t, 100)
	c.add(time.Hour)
	take(t, l, comments.MeterSound, "news", home)
	c.add(-30 * time.Minute)
	n := 1
	for take(t, l, comments.MeterSound, "news", home) == 0 {
		n++
	}
	if n != 10 {
		t.Errorf("%d in a minute", n)
	}
}

func TestBounded(t *testing.T) {
	const most = 50
	l, c := limiter(t, most)
	table := l.meters[comments.MeterSound]
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) }
	for i := range 20 * most {
		take(t, l, comments.MeterSound, "news", address(i))
		if len(table.entries) > 2*most || table.order.Len() != len(table.entries) {
			t.Fatalf("%d entries, %d in order", len(table.entries), table.order.Len())
		}
	}
	if _, ok := table.entries[network{prefix: Network(address(20*most - 1))}]; !ok {
		t.Error("the last network is forgotten")
	}
	c.add(time.Minute)
	for range most {
		take(t, l, comments.MeterSound, "news", home)
	}
	if n := len(table.entries); n != 2 {
		t.Errorf("%d networks are remembered past their time", n)
	}
}

func TestRace(t *testing.T) {
	l, _ := limiter(t, 100)
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, err := l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: home}); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 5 {
		t.Errorf("%d of 200 racing comments are let in", in.Load())
	}
}

func TestBadRules(t *testing.T) {
	for _, r := range []Rules{{"x": nil}, {"x": {{Most: 0, Per: time.Minute}}}, {"x": {{Most: 1}}}, {"x": {{Most: 1, Per: 1, Pause: -1}}}} {
		if _, err := New(r, 10, time.Now); err == nil {
			t.Errorf("rules %v are taken", r)
		}
	}
	if _, err := New(DefaultRules(), 0, time.Now); err == nil {
		t.Error("room for nothing is taken")
	}
}

// TestMemory holds the figures in the comment at NetworksMost.
func TestMemory(t *testing.T) {
	perNetwork := func(uses int) int {
		const n = 10_000
		l, _ := limiter(t, n)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			for range uses {
				if _, err := l.Take(comments.MeterImage, comments.Use{Site: "", Addr: netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1})}); err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(l)
		return int(after.HeapAlloc-before.HeapAlloc) / n
	}
	one, all := perNetwork(1), perNetwork(60)
	t.Logf("%d bytes a network seen once, %d for one that used all it may", one, all)
	if one > 600 || all > 1800 {
		t.Errorf("%d and %d bytes a network", one, all)
	}
}

func BenchmarkTake(b *testing.B) {
	l, c := limiter(b, NetworksMost)
	addrs := make([]netip.Addr, 4096)
	for i := range addrs {
		addrs[i] = netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::1", i))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.add(time.Millisecond)
		l.Take(comments.MeterImage, comments.Use{Site: "news", Addr: addrs[i%len(addrs)]})
		i++
	}
}
