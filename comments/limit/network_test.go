package limit

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"duyet/comments"
)

func use(t *testing.T, l *Limiter, u comments.Use) time.Duration {
	t.Helper()
	u.Site = "news"
	giveBack, err := l.Take(comments.MeterComment, u)
	if giveBack == nil {
		t.Fatal("giveBack is nil")
	}
	return wait(t, err)
}

// TestWiderNetwork: five people of one /24 or /48 may do what five networks may, and no
// number of addresses in it may do more.
func TestWiderNetwork(t *testing.T) {
	for name, address := range map[string]func(i int) netip.Addr{
		"IPv4 /24": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) },
		"IPv6 /48": func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, byte(i), 15: byte(i)})
		},
	} {
		l, c := limiter(t, 100)
		for i := range 25 {
			if w := use(t, l, comments.Use{Addr: address(i)}); w != 0 {
				t.Fatalf("%s: comment %d has to wait %s", name, i+1, w)
			}
		}
		if w := use(t, l, comments.Use{Addr: address(99)}); w != time.Minute {
			t.Errorf("%s: the 26th has to wait %s", name, w)
		}
		c.add(time.Minute)
		giveBack, err := l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: address(99)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 24 {
			use(t, l, comments.Use{Addr: address(i)})
		}
		giveBack()
		giveBack()
		if w := use(t, l, comments.Use{Addr: address(98)}); w != 0 {
			t.Errorf("%s: what is given back is not given back to the wider network: %s", name, w)
		}
		if w := use(t, l, comments.Use{Addr: address(97)}); w == 0 {
			t.Errorf("%s: it is given back twice", name)
		}
	}
	l, _ := limiter(t, 100)
	for range 4 {
		use(t, l, comments.Use{Addr: home})
	}
	if w := use(t, l, comments.Use{Addr: netip.MustParseAddr("198.51.100.1")}); w != 0 {
		t.Errorf("another network has to wait %s", w)
	}
}

// TestProven: a proof of work is worth five times the limit, and what came by it counts.
func TestProven(t *testing.T) {
	l, _ := limiter(t, 100)
	for range 5 {
		use(t, l, comments.Use{Addr: home})
	}
	for i := range 20 {
		if w := use(t, l, comments.Use{Addr: home}); w == 0 {
			t.Fatal("a sixth without work")
		}
		if w := use(t, l, comments.Use{Addr: home, Proven: true}); w != 0 {
			t.Fatalf("comment %d with work has to wait %s", i+6, w)
		}
	}
	if w := use(t, l, comments.Use{Addr: home, Proven: true}); w != time.Minute {
		t.Errorf("the 26th with work: %s", w)
	}
}

func TestHalved(t *testing.T) {
	l, _ := limiter(t, 100)
	for i, want := range []time.Duration{0, 0, time.Minute} {
		if w := use(t, l, comments.Use{Addr: home, Halved: true}); w != want {
			t.Errorf("comment %d under attack has to wait %s", i+1, w)
		}
	}
	if w := use(t, l, comments.Use{Addr: home}); w != 0 {
		t.Errorf("when it is over: %s", w)
	}
	n := 0
	for {
		if _, err := l.Take(comments.MeterImage, comments.Use{Addr: home, Halved: true}); err != nil {
			break
		}
		n++
	}
	if n != 30 {
		t.Errorf("%d images under attack", n)
	}
}

// TestTenWrongCodes in ten minutes are followed by ten minutes' pause, counted from the last.
func TestTenWrongCodes(t *testing.T) {
	l, c := limiter(t, 100)
	here := comments.Use{Site: "news", Addr: home}
	for range 9 {
		l.Failed(comments.MeterWrong, here)
		c.add(time.Minute)
	}
	if w := use(t, l, here); w != 0 {
		t.Fatalf("after nine: %s", w)
	}
	l.Failed(comments.MeterWrong, here)
	c.add(5 * time.Minute) // the first is long out of its ten minutes
	_, err := l.Take(comments.MeterComment, comments.Use{Site: "news", Addr: home, Proven: true})
	var limited *comments.LimitedError
	if !errors.As(err, &limited) || !limited.Failures || limited.RetryAfter != 5*time.Minute {
		t.Errorf("five minutes after the tenth: %v", err)
	}
	if w := use(t, l, comments.Use{Addr: netip.MustParseAddr("192.0.2.77")}); w != 0 {
		t.Errorf("a neighbour has to wait %s", w)
	}
	if _, err := l.Take(comments.MeterComment, comments.Use{Site: "other", Addr: home}); err != nil {
		t.Errorf("on another site: %v", err)
	}
	if _, err := l.Take(comments.MeterTicket, here); err != nil {
		t.Errorf("a ticket: %v", err)
	}
	c.add(5 * time.Minute)
	if w := use(t, l, here); w != 0 {
		t.Errorf("after the pause: %s", w)
	}
	// Spread thinly they are slips of one who types badly.
	l, c = limiter(t, 100)
	for range 30 {
		l.Failed(comments.MeterWrong, here)
		c.add(70 * time.Second)
	}
	if w := use(t, l, here); w != 0 {
		t.Errorf("thirty in 35 minutes: %s", w)
	}
}

func TestFailedTries(t *testing.T) {
	l, _ := limiter(t, 100)
	here := comments.Use{Site: "news", Addr: home}
	for range 29 {
		l.Failed(comments.MeterFailed, here)
	}
	if w := use(t, l, here); w != 0 {
		t.Fatalf("after 29: %s", w)
	}
	l.Failed(comments.MeterFailed, here)
	if w := use(t, l, here); w != time.Minute {
		t.Errorf("after 30: %s", w)
	}
}
