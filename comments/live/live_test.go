package live_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"duyet/comments"
	"duyet/comments/live"
)

var here = netip.MustParseAddr("192.0.2.1")

func commit(seq uint64, page string, from, to comments.Status) comments.Commit {
	return comments.Commit{
		Event: comments.Event{Site: "a", Seq: seq, Kind: comments.KindDecided, From: from, To: to}, Page: page,
	}
}

func newHub(t *testing.T, c live.Config) *live.Hub {
	t.Helper()
	h := live.New(c)
	t.Cleanup(h.Close)
	return h
}

func subscribe(t *testing.T, h *live.Hub, page string, after uint64) *live.Listener {
	t.Helper()
	l, err := h.Subscribe(t.Context(), "a", page, here, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func expect(t *testing.T, l *live.Listener, want live.News) {
	t.Helper()
	got, err := l.Wait(t.Context())
	if err != nil || got != want {
		t.Errorf("told %+v (%v), not %+v", got, err, want)
	}
}

func TestNewsOfAPageGathers(t *testing.T) {
	h := newHub(t, live.Config{})
	x, other := subscribe(t, h, "x", live.Seen), subscribe(t, h, "y", live.Seen)
	h.Observe(commit(7, "x", "", comments.Pending)) // not public
	h.Observe(commit(8, "x", comments.Pending, comments.Approved))
	h.Observe(commit(9, "x", "", comments.Approved))
	h.Observe(commit(10, "x", comments.Approved, comments.Trashed))
	h.Observe(commit(11, "y", comments.Spam, comments.Approved))
	expect(t, x, live.News{Seq: 10, Added: 2, Removed: 1})
	expect(t, other, live.News{Seq: 11, Added: 1})
	h.Observe(commit(12, "x", comments.Pending, comments.Approved))
	expect(t, x, live.News{Seq: 12, Added: 1})
}

func TestWhoComesBackHearsWhatWasMissed(t *testing.T) {
	h := newHub(t, live.Config{Remembered: 4})
	for seq := uint64(5); seq <= 12; seq++ {
		page := "x"
		if seq%2 == 0 {
			page = "y"
		}
		h.Observe(commit(seq, page, comments.Pending, comments.Approved))
	}
	h.Observe(commit(13, "", "", "")) // of settings
	expect(t, subscribe(t, h, "x", 9), live.News{Seq: 13, Added: 1})
	expect(t, subscribe(t, h, "x", 8), live.News{Seq: 13, Added: 2})
	expect(t, subscribe(t, h, "x", 7), live.News{Seq: 13, Unknown: true}) // 8 is forgotten
	expect(t, subscribe(t, h, "x", 0), live.News{Seq: 13, Unknown: true})

	l := subscribe(t, h, "x", 12) // nothing missed
	h.Observe(commit(14, "x", comments.Pending, comments.Approved))
	expect(t, l, live.News{Seq: 14, Added: 1})
}

func TestListenersOfAPageThatMovesComeBackToIt(t *testing.T) {
	for _, kind := range []comments.Kind{comments.KindPageMerged, comments.KindPageRenamed} {
		h := newHub(t, live.Config{})
		h.Observe(commit(5, "x", comments.Pending, comments.Approved))
		x, to, other := subscribe(t, h, "x → y", 5), subscribe(t, h, "z", 5), subscribe(t, h, "z → y", 5)
		m := comments.PageMove{From: "x → y", To: "z"}
		h.Observe(comments.Commit{Event: comments.Event{Site: "a", Seq: 6, Kind: kind, Subject: m.Subject()}})
		if _, err := x.Wait(t.Context()); !errors.Is(err, live.ErrMoved) {
			t.Errorf("%s: who listened to it: %v", kind, err)
		}
		expect(t, to, live.News{Seq: 6, Unknown: true})
		expect(t, subscribe(t, h, "z", 5), live.News{Seq: 6, Unknown: true}) // as the former key is resolved
		h.Observe(commit(7, "z", comments.Pending, comments.Approved))
		expect(t, to, live.News{Seq: 7, Added: 1})
		h.Observe(commit(8, "z → y", comments.Pending, comments.Approved))
		expect(t, other, live.News{Seq: 8, Added: 1})
		if n := h.Listeners(); n != 3 {
			t.Errorf("%s: %d listen", kind, n)
		}
	}
}

func TestAFreshHubAsksForTheHeadOnce(t *testing.T) {
	asked := 0
	h := newHub(t, live.Config{Head: func(context.Context, string) (uint64, error) { asked++; return 20, nil }})
	l := subscribe(t, h, "x", 20)
	h.Observe(commit(20, "x", "", comments.Approved)) // was durable when the head was read
	h.Observe(commit(21, "x", "", comments.Approved))
	expect(t, l, live.News{Seq: 21, Added: 1})
	expect(t, subscribe(t, h, "x", 19), live.News{Seq: 21, Unknown: true})
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}

	blind := newHub(t, live.Config{Head: func(context.Context, string) (uint64, error) { return 0, comments.ErrUnavailable }})
	expect(t, subscribe(t, blind, "x", 3), live.News{Seq: 3, Unknown: true})
}

func TestCaps(t *testing.T) {
	h := newHub(t, live.Config{Most: 5, PerNetwork: 2})
	ctx := t.Context()
	at := func(ip string) (*live.Listener, error) {
		return h.Subscribe(ctx, "a", "x", netip.MustParseAddr(ip), live.Seen)
	}
	var first *live.Listener
	for i, c := range []struct {
		ip   string
		want error
	}{
		{"192.0.2.1", nil}, {"::ffff:192.0.2.1", nil}, {"192.0.2.1", live.ErrFullForOne},
		{"2001:db8::1", nil}, {"2001:db8::2", nil}, {"2001:db8::3", live.ErrFullForOne},
		{"2001:db8:0:1::1", nil}, {"198.51.100.1", live.ErrFull},
	} {
		l, err := at(c.ip)
		if !errors.Is(err, c.want) {
			t.Errorf("%d, %s: %v, not %v", i, c.ip, err, c.want)
		}
		if i == 0 {
			first = l
		}
	}
	first.Close()
	first.Close()
	if n := h.Listeners(); n != 4 {
		t.Errorf("%d listeners, not 4", n)
	}
	if _, err := at("198.51.100.1"); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

func TestHeartbeatsAndTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{Heartbeat: 10 * time.Second})
		defer h.Close()
		start := time.Now()
		l, err := h.Subscribe(t.Context(), "a", "x", here, live.Seen)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := h.Subscribe(t.Context(), "a", "x", here, live.Seen)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			n, err := l.Wait(t.Context())
			if err != nil || !n.Heartbeat() {
				t.Fatalf("%+v, %v", n, err)
			}
		}
		if d := time.Since(start); d < 40*time.Second || d > 51*time.Second {
			t.Errorf("five heartbeats of 10 s in %s", d)
		}
		if _, err := slow.Wait(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Errorf("slow: %v", err)
		}
		if _, err := slow.Wait(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Errorf("slow, again: %v", err)
		}
		if h.Listeners() != 1 {
			t.Error("the slow one still counts")
		}
	})
}

func TestWaitEndsWithItsContextAndTheHub(t *testing.T) {
	h := newHub(t, live.Config{})
	l := subscribe(t, h, "x", live.Seen)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("context: %v", err)
	}
	var waiting sync.WaitGroup
	for i := range 50 {
		l := subscribe(t, h, fmt.Sprint("p", i%7), live.Seen)
		waiting.Go(func() {
			if _, err := l.Wait(context.Background()); !errors.Is(err, live.ErrClosed) {
				t.Errorf("close: %v", err)
			}
		})
	}
	h.Close()
	waiting.Wait()
	if _, err := h.Subscribe(t.Context(), "a", "x", here, live.Seen); !errors.Is(err, live.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

// Listeners come, go and are told at once, in any order; what each is told adds up.
func TestListenersRace(t *testing.T) {
	h := newHub(t, live.Config{Remembered: 10_000})
	const changes = 500
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			seen, added := uint64(0), 0
			for added < changes {
				l, err := h.Subscribe(context.Background(), "a", "x", here, seen)
				if err != nil {
					t.Error(err)
					return
				}
				for range g + 1 {
					if added >= changes {
						break
					}
					n, err := l.Wait(context.Background())
					if err != nil {
						t.Error(err)
					}
					if n.Unknown { // before the first change
						continue
					}
					seen, added = n.Seq, added+n.Added
				}
				l.Close()
			}
			if added != changes {
				t.Errorf("told of %d changes", added)
			}
		})
	}
	for seq := range uint64(changes) {
		h.Observe(commit(seq+1, "x", comments.Pending, comments.Approved))
	}
	all.Wait()
	if h.Listeners() != 0 {
		t.Errorf("%d listeners left", h.Listeners())
	}
}

func TestARemovedSiteIsForgotten(t *testing.T) {
	h := newHub(t, live.Config{})
	h.Observe(commit(3, "x", "", comments.Approved))
	h.Observe(comments.Commit{Event: comments.Event{Site: comments.Installation, Seq: 9, Kind: comments.KindSiteRemoved, Subject: "a"}})
	expect(t, subscribe(t, h, "x", 2), live.News{Seq: 2, Unknown: true})
}

// An edit that waits changes no count, and neither does its approval; told from elsewhere,
// where that can't be known, readers are told to look.
func TestEditsAreNoNews(t *testing.T) {
	h := newHub(t, live.Config{})
	x := subscribe(t, h, "x", live.Seen)
	seq := uint64(0)
	observe := func(kind comments.Kind, from, to comments.Status, public *comments.Words, stood, elsewhere bool, edited time.Time) {
		seq++
		c := commit(seq, "x", from, to)
		c.Event.Kind, c.Comment = kind, comments.Comment{Status: to, Public: public, EditedAt: edited}
		c.Stood, c.Elsewhere = stood, elsewhere
		h.Observe(c)
	}
	words, now := &comments.Words{Content: "a"}, time.Unix(1, 0)
	observe(comments.KindEdited, comments.Approved, comments.Pending, words, true, false, now)
	observe(comments.KindEdited, comments.Pending, comments.Pending, words, true, false, now)
	observe(comments.KindDecided, comments.Pending, comments.Approved, nil, true, false, now)
	observe(comments.KindDecided, comments.Pending, comments.Approved, nil, false, false, now)
	expect(t, x, live.News{Seq: 4, Added: 1})
	observe(comments.KindEdited, comments.Approved, comments.Pending, words, true, false, now)
	observe(comments.KindDecided, comments.Pending, comments.Rejected, nil, true, false, now)
	expect(t, x, live.News{Seq: 6, Removed: 1})

	// Stood is a guess of who tells of another node's commits.
	observe(comments.KindEdited, comments.Approved, comments.Pending, words, true, true, now)
	observe(comments.KindEdited, comments.Pending, comments.Pending, words, true, true, now)
	observe(comments.KindDecided, comments.Pending, comments.Approved, nil, true, true, time.Time{})
	expect(t, x, live.News{Seq: 9, Added: 1})
	observe(comments.KindDecided, comments.Pending, comments.Approved, nil, true, true, now)
	expect(t, x, live.News{Seq: 10, Unknown: true})
	observe(comments.KindWithdrawn, comments.Approved, comments.Trashed, nil, true, true, time.Time{})
	expect(t, x, live.News{Seq: 11, Removed: 1})
}
