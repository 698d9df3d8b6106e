package pgstore

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"sync/atomic"
	"time"

	"duyet/comments"
	"duyet/comments/limit"
)

// Limits that nodes share. Like those of package limit they are exact: "5 a minute" holds
// for any minute, so what is kept is the time of each use that a rule still asks for. A
// use is one statement, on one row of an unlogged table. While the server can't be
// reached, each node counts for itself.

// Limiter limits what one network may do on all nodes together. It implements
// comments.Limiter.
type Limiter struct {
	windows map[comments.Meter]*window
	alone   comments.Limiter
	away    breaker
	now     func() time.Time
}

// Limiter is the limiter that the nodes of this database share; alone counts while the
// server can't be reached.
func (db *DB) Limiter(rules limit.Rules, alone comments.Limiter) *Limiter {
	l := &Limiter{windows: map[comments.Meter]*window{}, alone: alone, now: db.now}
	for m, r := range rules {
		l.windows[m] = newWindow(db, string(m), r)
	}
	return l
}

// Take counts one use of a meter against the networks of its address, or returns a
// *comments.LimitedError, in whole seconds of at least one, and counts nothing.
func (l *Limiter) Take(m comments.Meter, u comments.Use) (giveBack func(), err error) {
	w := l.windows[m]
	if w == nil || l.away.open(l.now()) {
		return l.alone.Take(m, u)
	}
	site, by := shares(m, u)
	var gates []string
	for _, gate := range limit.Gates(m) {
		gates = append(gates, string(gate))
	}
	at, failed, wait, err := w.take(site, by, gates, l.now())
	if err == nil && failed {
		wait, err = l.gates(m, u)
		if err != nil || wait > 0 {
			if back := w.giveBack(site, at); err == nil {
				err = back
			}
		}
		if err == nil && wait > 0 {
			return func() {}, &comments.LimitedError{RetryAfter: wait, Failures: true}
		}
	}
	switch {
	case err != nil:
		l.away.trip(l.now())
		return l.alone.Take(m, u)
	case wait > 0:
		return func() {}, &comments.LimitedError{RetryAfter: wait}
	}
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) && w.giveBack(site, at) != nil {
			l.away.trip(l.now())
		}
	}, nil
}

// gates is how long the failed tries before a meter make its network wait.
func (l *Limiter) gates(m comments.Meter, u comments.Use) (wait time.Duration, err error) {
	for _, gate := range limit.Gates(m) {
		w := l.windows[gate]
		if w == nil {
			continue
		}
		site, by := shares(gate, u)
		one, err := w.peek(site, l.now(), by...)
		if err != nil {
			return 0, err
		}
		wait = max(wait, one)
	}
	return wait, nil
}

// Failed counts a failed try against the networks of its address.
func (l *Limiter) Failed(m comments.Meter, u comments.Use) {
	w := l.windows[m]
	if w == nil || l.away.open(l.now()) {
		l.alone.Failed(m, u)
		return
	}
	site, by := shares(m, u)
	if w.add(site, l.now(), by...) != nil {
		l.away.trip(l.now())
		l.alone.Failed(m, u)
	}
}

// share is whom a use counts against, and what part of the rules they may use up.
type share struct {
	who         string
	scale, keep limit.Scale
}

// whole is a share of somebody for whom the rules hold as they stand.
func whole(who string) share { return share{who, 1, 1} }

// shares are the networks that a use counts against, each with what it may.
func shares(m comments.Meter, u comments.Use) (site string, by []share) {
	if limit.BySite(m) {
		site = u.Site
	}
	scale, keep := limit.ScaleOf(m, u), limit.KeepOf(m)
	by = []share{{limit.Network(u.Addr).String(), scale, keep}}
	if u.Addr.IsValid() {
		by = append(by, share{limit.Around(u.Addr).String(), scale * limit.Wide, keep * limit.Wide})
	}
	return site, by
}

// Throttle slows sign-in down after failures on any node.
type Throttle interface {
	Allow(email string, addr netip.Addr) error
	Failed(email string, addr netip.Addr)
}

// SignIn slows sign-in down after failures, by the rules of limit.SignIn, on all nodes
// together. It implements moderation.Throttle.
type SignIn struct {
	accounts, networks *window
	alone              Throttle
	away               breaker
	now                func() time.Time
}

// SignIn is the throttle that the nodes of this database share; alone counts while the
// server can't be reached.
func (db *DB) SignIn(alone Throttle) *SignIn {
	return &SignIn{
		accounts: newWindow(db, "sign-in account", []limit.Rule{{Most: limit.AccountFailures, Per: limit.FailuresPer}}),
		networks: newWindow(db, "sign-in network", []limit.Rule{{Most: limit.NetworkFailures, Per: limit.FailuresPer}}),
		alone:    alone, now: db.now,
	}
}

// account has a fixed size however long the address is, and is no address.
func account(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:])
}

// Allow is a *comments.LimitedError while the account or the network has failed too often,
// and counts nothing.
func (s *SignIn) Allow(email string, addr netip.Addr) error {
	now := s.now()
	if s.away.open(now) {
		return s.alone.Allow(email, addr)
	}
	wait, err := s.networks.peek("", now, whole(limit.Network(addr).String()))
	if err == nil && email != "" {
		var w time.Duration
		w, err = s.accounts.peek("", now, whole(account(email)))
		wait = max(wait, w)
	}
	switch {
	case err != nil:
		s.away.trip(now)
		return s.alone.Allow(email, addr)
	case wait > 0:
		return &comments.LimitedError{RetryAfter: wait}
	}
	return nil
}

// Failed counts a failure of the account and from the network.
func (s *SignIn) Failed(email string, addr netip.Addr) {
	s.alone.Failed(email, addr) // should the server go away next
	now := s.now()
	if s.away.open(now) {
		return
	}
	err := s.networks.add("", now, whole(limit.Network(addr).String()))
	if err == nil && email != "" {
		err = s.accounts.add("", now, whole(account(email)))
	}
	if err != nil {
		s.away.trip(now)
	}
}

// breaker spares readers the wait for a server that was just found away.
type breaker struct{ until atomic.Int64 }

const breakFor = time.Second

func (b *breaker) open(now time.Time) bool { return now.UnixNano() < b.until.Load() }

func (b *breaker) trip(now time.Time) { b.until.Store(now.Add(breakFor).UnixNano()) }
