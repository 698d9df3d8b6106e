package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"duyet/comments"
)

// TestDeskKeys decides by one key each, undoes, selects, and works on without a network.
func TestDeskKeys(t *testing.T) {
	n := newNewsroom(t, "lan@news.example")
	ids := n.letters(0, 70)
	line := newCable(t, strings.TrimPrefix(n.address, "http://"))
	s := n.seat(newBrowser(t, nil), "lan@news.example", line.address)

	for i, key := range []string{"a", "r", "s", "x"} {
		if id := s.decide(key); id != string(ids[i]) {
			t.Fatalf("comment %d is %s, not %s", i, id, ids[i])
		}
	}
	s.settled()
	for i, want := range []comments.Status{comments.Approved, comments.Rejected, comments.Spam, comments.Trashed, comments.Pending} {
		if got := n.comment(ids[i]).Status; got != want {
			t.Errorf("comment %d is %s, not %s", i, got, want)
		}
	}
	if s.waiting() != 66 || n.pending() != 66 {
		t.Errorf("the page says %d wait, the store %d", s.waiting(), n.pending())
	}
	if title := get(t, s.tab, chromedp.Title()); title != "Chờ duyệt (66) · Duyet" {
		t.Errorf("the tab is called %q", title)
	}
	s.key("u")
	s.settled()
	if c := n.comment(ids[3]); c.Status != comments.Pending || s.waiting() != 67 {
		t.Errorf("undone: %s, %d", c.Status, s.waiting())
	}
	eventually(t, "the comment to be open again", func() bool { return s.facing() == string(ids[3]) })

	// A reason by its digit goes with a rejection.
	s.key("2")
	s.decide("r")
	s.settled()
	if c := n.comment(ids[3]); c.Status != comments.Rejected {
		t.Errorf("rejected: %s", c.Status)
	}

	// Keys mean nothing in a field, and a typed note does not decide.
	eventually(t, "the next", func() bool { return s.facing() == string(ids[4]) })
	s.key("n")
	s.key("arx")
	// The tool sends a letter apart from its key, so that the first one comes along.
	if got := get(t, s.tab, chromedp.Value(chromedp.CSS("#note"))); strings.TrimPrefix(got, "n") != "arx" || s.facing() != string(ids[4]) {
		t.Errorf("the note holds %q", got)
	}
	s.key("\u001b")

	// Space selects, with shift up to here; one key decides all, one undoes all.
	s.key(" ")
	s.key("jjj")
	eventually(t, "the fourth", func() bool { return s.facing() == string(ids[7]) })
	do(t, s.tab, chromedp.KeyEvent(" ", chromedp.KeyModifiers(8)))
	s.key("x")
	s.settled()
	for _, id := range ids[4:8] {
		if c := n.comment(id); c.Status != comments.Trashed {
			t.Errorf("of the selection one is %s", c.Status)
		}
	}
	s.key("u")
	s.settled()
	for _, id := range ids[4:8] {
		if c := n.comment(id); c.Status != comments.Pending {
			t.Errorf("of the undone selection one is %s", c.Status)
		}
	}

	// The network goes: what was read before can still be decided on, and arrives later.
	eventually(t, "a comment as it is now, and the next one read ahead", func() bool {
		return s.facing() == string(ids[4]) && s.sight() == n.comment(ids[4]).Version && s.ahead(ids[5])
	})
	line.set(true)
	s.decide("a")
	s.decide("a")
	do(t, s.tab, chromedp.WaitVisible(chromedp.CSS(".desk-alerts .say-bad")))
	if n.comment(ids[4]).Status != comments.Pending {
		t.Error("the line is not cut")
	}
	line.set(false)
	s.settled()
	for _, id := range ids[4:6] {
		if c := n.comment(id); c.Status != comments.Approved {
			t.Errorf("after the cut one is %s", c.Status)
		}
	}
	if said := seen[string](s, `document.getElementById("desk-alerts").textContent.trim()`); said != "" {
		t.Errorf("still said: %q", said)
	}

	// The keys that lead elsewhere.
	for key, part := range map[string]string{"v": "/thread", "e": "/edit", "b": "/bans?"} {
		do(t, s.tab, chromedp.Navigate(line.address+"/moderation/"), chromedp.WaitVisible(chromedp.CSS("#decide")))
		s.key(key)
		eventually(t, "the page of "+key, func() bool { return strings.Contains(get(t, s.tab, chromedp.Location()), part) })
	}

	// A search shows its first page at once, and how much it finds behind it.
	n.letters(70, 140)
	do(t, s.tab, chromedp.Navigate(line.address+"/moderation/?queue=pending&q=mo+them"), chromedp.WaitVisible(chromedp.CSS(".rows")))
	eventually(t, "how many were found", func() bool {
		return seen[string](s, `document.querySelector(".pane-head h2 .num").textContent`) == fmt.Sprint(n.pending())
	})
}
