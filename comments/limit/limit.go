// Package limit counts what a network does and says when it is too much: posting,
// asking for codes, images and sounds, failing (Limiter), and failing to sign in (SignIn).
// It keeps everything in bounded memory and knows nothing of pages, people or settings.
package limit

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"duyet/comments"
)

// NetworksMost is how many networks each meter remembers by default. One that used all it
// may takes about 1,500 bytes, one seen once about 500, with what is kept of the network
// around it.
const NetworksMost = 100_000

// Limiter limits what a network may do: an IPv4 address and the /24 around it, or an IPv6
// /64 and the /48 around it, which may do five times as much. Comments and failed tries
// are counted for each site by itself, tickets, images and sounds for all sites together,
// since they cost the machine and not the site. It is safe for concurrent use and
// implements comments.Limiter.
//
// A meter that is full forgets the network that has been quiet the longest; that takes
// more networks at once than an ordinary attacker has, and refusing newcomers instead
// would lock every reader out.
type Limiter struct {
	meters map[comments.Meter]*table[network]
}

// network is whom a use is counted against.
type network struct {
	site   string // "" when the sites are counted together
	prefix netip.Prefix
}

// New makes a Limiter that remembers at most most networks for each meter, and as many
// around them.
func New(rules Rules, most int, now func() time.Time) (*Limiter, error) {
	l := &Limiter{meters: make(map[comments.Meter]*table[network], len(rules))}
	for meter, r := range rules {
		t, err := newTable[network](r, 2*most, now)
		if err != nil {
			return nil, fmt.Errorf("limits of %s: %w", meter, err)
		}
		l.meters[meter] = t
	}
	return l, nil
}

// Take counts one use of a meter against the networks of its address, or returns a
// *comments.LimitedError, in whole seconds of at least one, and counts nothing. giveBack
// takes the count back, once however often it is called. A meter without rules is not
// limited. Uses without a valid address share one count.
func (l *Limiter) Take(m comments.Meter, u comments.Use) (giveBack func(), err error) {
	for _, gate := range Gates(m) {
		if t := l.meters[gate]; t != nil {
			if wait := t.peek(shares(gate, u)...); wait > 0 {
				return func() {}, &comments.LimitedError{RetryAfter: wait, Failures: true}
			}
		}
	}
	t := l.meters[m]
	if t == nil {
		return func() {}, nil
	}
	by := shares(m, u)
	at, wait := t.take(by...)
	if wait > 0 {
		return func() {}, &comments.LimitedError{RetryAfter: wait}
	}
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			t.giveBack(at, by...)
		}
	}, nil
}

// Failed counts a failed try against the networks of its address.
func (l *Limiter) Failed(m comments.Meter, u comments.Use) {
	if t := l.meters[m]; t != nil {
		t.add(shares(m, u)...)
	}
}

// shares are the networks that a use counts against, each with what it may.
func shares(m comments.Meter, u comments.Use) []share[network] {
	site := ""
	if BySite(m) {
		site = u.Site
	}
	scale, keep := ScaleOf(m, u), KeepOf(m)
	one := share[network]{network{site, Network(u.Addr)}, scale, keep}
	if !u.Addr.IsValid() {
		return []share[network]{one}
	}
	return []share[network]{one, {network{site, Around(u.Addr)}, scale * Wide, keep * Wide}}
}

// Network is what one reader can be taken to have for themselves: an IPv4 address, also
// when it is written as IPv6, or an IPv6 /64, which is what a home or a telephone gets.
func Network(addr netip.Addr) netip.Prefix { return prefix(addr, 32, 64) }

// Around is what may be one office, or one attacker who rents a block: an IPv4 /24 or an
// IPv6 /48.
func Around(addr netip.Addr) netip.Prefix { return prefix(addr, 24, 48) }

func prefix(addr netip.Addr, bits4, bits6 int) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := bits4
	if addr.Is6() {
		bits = bits6
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
