// Package limit counts what a network does and says when it is too much: posting,
// asking for codes, images and sounds (Limiter), and failing to sign in (SignIn). It
// keeps everything in bounded memory and knows nothing of pages, people or settings.
package limit

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"duyet/comments"
)

// Rule allows Most uses in any stretch of time as long as Per.
type Rule struct {
	Most int
	Per  time.Duration
}

// Rules are the rules of each meter. A use has to keep to all of them.
type Rules map[comments.Meter][]Rule

// DefaultRules are what one network may do.
func DefaultRules() Rules {
	return Rules{
		comments.MeterComment: {{5, time.Minute}, {30, time.Hour}},
		comments.MeterTicket:  {{30, time.Minute}},
		comments.MeterImage:   {{60, time.Minute}},
		comments.MeterSound:   {{10, time.Minute}},
	}
}

// NetworksMost is how many networks each meter remembers by default. One that used all it
// may takes about 700 bytes, one seen once about 250.
const NetworksMost = 100_000

// Limiter limits what one network may do: an IPv4 address, or an IPv6 /64. Comments are
// counted for each site by itself, tickets, images and sounds for all sites together,
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

// New makes a Limiter that remembers at most most networks for each meter.
func New(rules Rules, most int, now func() time.Time) (*Limiter, error) {
	l := &Limiter{meters: make(map[comments.Meter]*table[network], len(rules))}
	for meter, r := range rules {
		t, err := newTable[network](r, most, now)
		if err != nil {
			return nil, fmt.Errorf("limits of %s: %w", meter, err)
		}
		l.meters[meter] = t
	}
	return l, nil
}

// Take counts one use of a meter against the network of addr, or returns a
// *comments.LimitedError, in whole seconds of at least one, and counts nothing. giveBack
// takes the count back, once however often it is called. A meter without rules is not
// limited. Uses without a valid address share one count.
func (l *Limiter) Take(m comments.Meter, site string, addr netip.Addr) (giveBack func(), err error) {
	t := l.meters[m]
	if t == nil {
		return func() {}, nil
	}
	key := network{prefix: Network(addr)}
	if m == comments.MeterComment {
		key.site = site
	}
	at, wait := t.take(key)
	if wait > 0 {
		return func() {}, &comments.LimitedError{RetryAfter: wait}
	}
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			t.giveBack(key, at)
		}
	}, nil
}

// Network is what one reader can be taken to have for themselves: an IPv4 address, also
// when it is written as IPv6, or an IPv6 /64, which is what a home or a telephone gets.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
