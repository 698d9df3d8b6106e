package audience

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"duyet/comments"
)

// Gates keep a flood of views from drowning the counts and the disk. They are wide: a whole
// town's telephones may share one address, and an honest reader must never be refused. Views
// of pages that have some cost a number in memory; a page's first one adds a record, so those
// have narrower gates of their own, for a network and for a site.
const (
	networkEvery = time.Second / 50 // 50 views a second of one network, all pages together
	networkBurst = 3000             // and so many at once
	newEvery     = time.Second / 10 // of these, first views of pages
	newBurst     = 600
	newSiteEvery = time.Second / 20 // first views of a site's pages, all networks together
	newSiteBurst = 20_000           // a site that has just begun: its whole archive is new
	gateSlots    = 1 << 15
)

// gate is a leaky bucket for each of very many keys in a fixed room: a key is hashed to its
// slot, and two that share one share a bucket. A slot holds when the bucket will be empty.
type gate struct {
	every, burst time.Duration
	seed         maphash.Seed
	slots        []atomic.Int64 // Unix nanoseconds
}

func newGate(every time.Duration, burst int, slots int) *gate {
	return &gate{every, every * time.Duration(burst), maphash.MakeSeed(), make([]atomic.Int64, slots)}
}

// wait lets a key through with 0, or says how long until the next of it may come.
func (g *gate) wait(key string, now time.Time) time.Duration {
	slot := &g.slots[maphash.String(g.seed, key)%uint64(len(g.slots))]
	at := now.UnixNano()
	for {
		empty := slot.Load()
		begin := max(empty, at)
		if over := time.Duration(begin-at) + g.every - g.burst; over > 0 {
			return over
		}
		if slot.CompareAndSwap(empty, begin+int64(g.every)) {
			return 0
		}
	}
}

// Admit is nil, or a *comments.LimitedError when the network or the site has had so many
// views that this one is not to be counted. It asks the store for a page that it doesn't
// know yet.
func (a *Audience) Admit(ctx context.Context, in comments.Site, v Visit) error {
	if !in.Settings.RateLimit || v.automated() {
		return nil
	}
	now := a.cfg.Now()
	network := networkOf(v.Addr)
	wait := a.views.wait(string(network), now)
	if wait == 0 && !a.knows(ctx, in.ID, v.Page) {
		// The site's gate comes last: one network can't use it up.
		if wait = a.newPages.wait(string(network)+in.ID, now); wait == 0 {
			wait = a.newOfSite.wait(in.ID, now)
		}
	}
	if wait > 0 {
		return &comments.LimitedError{RetryAfter: max(wait, time.Second).Round(time.Second)}
	}
	return nil
}

// knows reports whether a page has had views. When the store can't say, it counts as one
// that has: what waits in memory is bounded anyway.
func (a *Audience) knows(ctx context.Context, site, page string) bool {
	if _, ok := a.known.GetIfPresent(pageOf{site, page}); ok {
		return true
	}
	s := a.lock(site)
	_, waits := s.pages[page]
	s.mu.Unlock()
	if waits {
		return true
	}
	stored, err := a.cfg.Store.PageViews(ctx, site, []string{page})
	if err == nil && stored[0] == 0 {
		return false
	}
	if err == nil {
		a.known.SetIfAbsent(pageOf{site, page}, storedViews{views: -1})
	}
	return true
}

// networkOf is an address as far as it tells readers apart: IPv4, or an IPv6 /64.
func networkOf(addr netip.Addr) []byte {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return nil
	}
	if addr.Is4() {
		b := addr.As4()
		return b[:]
	}
	b := addr.As16()
	return binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(b[:8]))
}
