package audience_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/audience/audiencetest"
)

// A town's readers behind one address are let through at any pace a town has; a flood isn't.
func TestFloodsAreKeptOutAndTownsAreNot(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	a := newAudience(&audience.Memory{}, c, 1)
	pass := func(page string, network uint32) error {
		v := visit(page, network)
		err := a.Admit(t.Context(), site, v)
		if err == nil {
			a.View(t.Context(), site, v)
		}
		return err
	}
	for range 60 { // a minute of 40 views a second, of a newspaper's pages
		for i := range 40 {
			if err := pass(fmt.Sprint("page ", i%20), 1); err != nil {
				t.Fatal(err)
			}
		}
		c.now = c.now.Add(time.Second)
	}
	refused := 0
	var limited *comments.LimitedError
	for range 10_000 {
		if errors.As(pass("page 1", 2), &limited) {
			refused++
		}
	}
	if refused < 6000 || limited == nil || limited.RetryAfter < time.Second {
		t.Errorf("%d of a flood of 10,000 refused, %+v", refused, limited)
	}
	if err := pass("page 1", 3); err != nil {
		t.Errorf("a neighbour: %v", err)
	}
	c.now = c.now.Add(time.Second)
	if err := pass("page 1", 2); err != nil {
		t.Errorf("a second later: %v", err)
	}
	site.Settings.RateLimit = false
	for range 10_000 {
		if err := pass("page 1", 2); err != nil {
			t.Fatalf("limits are lifted: %v", err)
		}
	}
}

// Made-up addresses cost a record each, so few are taken of one network, and not too many of
// all together; pages that have views are not among them.
func TestMadeUpPagesAreFew(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	a := newAudience(&audience.Memory{}, c, 1)
	a.View(t.Context(), site, visit("known", 1))
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken := func(network uint32, n int) (taken int) {
		for i := range n {
			if a.Admit(t.Context(), site, visit(fmt.Sprint(network, " ", i), network)) == nil {
				taken++
			}
		}
		return taken
	}
	if n := taken(1, 2000); n != 600 {
		t.Errorf("%d new pages of one network", n)
	}
	if err := a.Admit(t.Context(), site, visit("known", 1)); err != nil {
		t.Errorf("a page that has views: %v", err)
	}
	all := 0
	for network := range uint32(60) {
		all += taken(2+network, 600)
	}
	if all > 20_000 {
		t.Errorf("%d new pages of a site at once", all)
	}
}
