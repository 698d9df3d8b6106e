package limit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func signIn(t *testing.T) (*SignIn, *clock) {
	t.Helper()
	c := &clock{}
	s, err := NewSignIn(1000, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestSignInByAccount(t *testing.T) {
	s, c := signIn(t)
	for i := range 10 {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if err := s.Allow("a@news.example", addr); err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
		s.Failed("a@news.example", addr)
		c.add(time.Minute)
	}
	elsewhere := netip.MustParseAddr("198.51.100.1")
	if w := wait(t, s.Allow("a@news.example", elsewhere)); w != 5*time.Minute {
		t.Errorf("after ten failures: %s", w)
	}
	if w := wait(t, s.Allow("b@news.example", elsewhere)); w != 0 {
		t.Errorf("another account has to wait %s", w)
	}
	c.add(5 * time.Minute)
	if w := wait(t, s.Allow("a@news.example", elsewhere)); w != 0 {
		t.Errorf("after 15 minutes: %s", w)
	}
}

func TestSignInByNetwork(t *testing.T) {
	s, _ := signIn(t)
	for i := range 30 {
		email := fmt.Sprintf("%d@news.example", i)
		if i%2 == 0 {
			email = "" // what is no address counts for the network alone
		}
		if err := s.Allow(email, home); err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
		s.Failed(email, home)
	}
	if w := wait(t, s.Allow("new@news.example", home)); w != 15*time.Minute {
		t.Errorf("after thirty failures: %s", w)
	}
	if w := wait(t, s.Allow("", netip.MustParseAddr("198.51.100.1"))); w != 0 {
		t.Errorf("no account has to wait %s elsewhere", w)
	}
}

// TestFailuresAreNotLost: failures past the limit, which racing attempts can make, put the
// end of the wait off.
func TestFailuresAreNotLost(t *testing.T) {
	s, c := signIn(t)
	for range 15 {
		s.Failed("a@news.example", home)
		c.add(time.Second)
	}
	if w := wait(t, s.Allow("a@news.example", home)); w != 15*time.Minute-10*time.Second {
		t.Errorf("after 15 failures: %s", w)
	}
}
