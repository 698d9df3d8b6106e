package pgstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

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

// Take counts one use of a meter against the network of addr, or returns a
// *comments.LimitedError, in whole seconds of at least one, and counts nothing.
func (l *Limiter) Take(m comments.Meter, site string, addr netip.Addr) (giveBack func(), err error) {
	w := l.windows[m]
	if w == nil || l.away.open(l.now()) {
		return l.alone.Take(m, site, addr)
	}
	if m != comments.MeterComment {
		site = "" // what costs the machine is counted for all sites together
	}
	who := limit.Network(addr).String()
	at, wait, err := w.take(site, who, l.now())
	if err != nil {
		l.away.trip(l.now())
		return l.alone.Take(m, site, addr)
	}
	if wait > 0 {
		return func() {}, &comments.LimitedError{RetryAfter: wait}
	}
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) && w.giveBack(site, who, at) != nil {
			l.away.trip(l.now())
		}
	}, nil
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
	wait, err := s.networks.peek("", limit.Network(addr).String(), now)
	if err == nil && email != "" {
		var w time.Duration
		w, err = s.accounts.peek("", account(email), now)
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
	err := s.networks.add("", limit.Network(addr).String(), now)
	if err == nil && email != "" {
		err = s.accounts.add("", account(email), now)
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

// takeMost is how long a use may wait for the server.
const takeMost = 500 * time.Millisecond

// window remembers when each of a meter's users was last busy, as often as its rules need
// to know.
type window struct {
	db    *DB
	meter string
	most  []int64 // by rule
	per   []int64 // microseconds, by rule
	keep  int64   // uses that matter: the greatest of most
	span  int64   // for how long: the greatest of per
}

func newWindow(db *DB, meter string, rules []limit.Rule) *window {
	w := &window{db: db, meter: meter}
	for _, r := range rules {
		w.most, w.per = append(w.most, int64(r.Most)), append(w.per, r.Per.Microseconds())
		w.keep, w.span = max(w.keep, int64(r.Most)), max(w.span, r.Per.Microseconds())
	}
	return w
}

// counting adds a use at $4, or right after the last one where a clock is behind it, and
// forgets those that no rule asks for.
const counting = `INSERT INTO limits AS l (meter, site, who, uses, until) VALUES ($1, $2, $3, ARRAY[$4::bigint], $4 + $6)
	ON CONFLICT (meter, site, who) DO UPDATE SET
		uses = (l.uses || greatest($4, l.uses[cardinality(l.uses)] + 1))[greatest(1, cardinality(l.uses) + 2 - $5::int):],
		until = greatest($4, l.uses[cardinality(l.uses)] + 1) + $6`

// allowing lets a use count only where every rule allows it.
const allowing = ` WHERE NOT EXISTS (SELECT FROM unnest($7::bigint[], $8::bigint[]) AS rule (most, per)
		WHERE cardinality(l.uses) >= most
		AND l.uses[(cardinality(l.uses) - most + 1)::int] + per > greatest($4, l.uses[cardinality(l.uses)]))`

// take counts a use and returns its time, or how long to wait, in whole seconds, and
// counts nothing.
func (w *window) take(site, who string, now time.Time) (at int64, wait time.Duration, err error) {
	err = w.ask(func(ctx context.Context, q Queryer) error {
		err := q.QueryRow(ctx, counting+allowing+` RETURNING uses[cardinality(uses)]`,
			w.meter, site, who, now.UnixMicro(), w.keep, w.span, w.most, w.per).Scan(&at)
		if !errors.Is(err, pgx.ErrNoRows) {
			wait = 0
			return err
		}
		wait, err = w.wait(ctx, q, site, who, now)
		wait = max(wait, time.Second)
		return err
	})
	return at, wait, err
}

// add counts a use whether or not it is one too many.
func (w *window) add(site, who string, now time.Time) error {
	return w.ask(func(ctx context.Context, q Queryer) error {
		_, err := q.Exec(ctx, counting, w.meter, site, who, now.UnixMicro(), w.keep, w.span)
		return err
	})
}

// peek is how long a user has to wait; it counts nothing.
func (w *window) peek(site, who string, now time.Time) (wait time.Duration, err error) {
	err = w.ask(func(ctx context.Context, q Queryer) (err error) {
		wait, err = w.wait(ctx, q, site, who, now)
		return err
	})
	return wait, err
}

// giveBack forgets a use; times of one user differ.
func (w *window) giveBack(site, who string, at int64) error {
	return w.ask(func(ctx context.Context, q Queryer) error {
		_, err := q.Exec(ctx, `UPDATE limits SET uses = array_remove(uses, $4) WHERE meter = $1 AND site = $2 AND who = $3`,
			w.meter, site, who, at)
		return err
	})
}

// wait is how long until every rule allows another use, rounded up to seconds.
func (w *window) wait(ctx context.Context, q Queryer, site, who string, now time.Time) (wait time.Duration, err error) {
	var uses []int64
	err = q.QueryRow(ctx, `SELECT uses FROM limits WHERE meter = $1 AND site = $2 AND who = $3`, w.meter, site, who).Scan(&uses)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil || len(uses) == 0 {
		return 0, err
	}
	at := max(now.UnixMicro(), uses[len(uses)-1])
	for i, most := range w.most {
		if n := len(uses) - int(most); n >= 0 {
			wait = max(wait, time.Duration(uses[n]+w.per[i]-at)*time.Microsecond)
		}
	}
	if wait <= 0 {
		return 0, nil
	}
	return (wait + time.Second - 1).Truncate(time.Second), nil
}

func (w *window) ask(run func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := context.WithTimeout(w.db.background, takeMost)
	defer cancel()
	return w.db.Read(ctx, func(q Queryer) error { return run(ctx, q) })
}
