package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"duyet/comments/limit"
)

// takeMost is how long a use may wait for the server.
const takeMost = 500 * time.Millisecond

// window remembers when each of a meter's users was last busy, as often as its rules need
// to know.
type window struct {
	db    *DB
	meter string
	rules []limit.Rule
	span  int64 // microseconds for which a use matters
}

func newWindow(db *DB, meter string, rules []limit.Rule) *window {
	w := &window{db: db, meter: meter, rules: rules}
	for _, r := range rules {
		w.span = max(w.span, r.Per.Microseconds(), r.Pause.Microseconds())
	}
	return w
}

// counting adds a use at $5 for each of $3, or right after the last one where a clock is
// behind it, and forgets those that no rule asks for: more than $4 of each.
const counting = `INSERT INTO limits AS l (meter, site, who, uses, until)
	SELECT $1, $2, who, ARRAY[$5::bigint], $5 + $6 FROM unnest($3::text[]) AS who
	ON CONFLICT (meter, site, who) DO UPDATE SET
		uses = (l.uses || greatest($5, l.uses[cardinality(l.uses)] + 1))[greatest(1, cardinality(l.uses) + 2 -
			(SELECT k.keep FROM unnest($3::text[], $4::int[]) AS k (who, keep) WHERE k.who = l.who)):],
		until = greatest($5, l.uses[cardinality(l.uses)] + 1) + $6`

// allowing lets a use count only where every rule allows it: a rule of $7 allows $8 in $9.
const allowing = ` WHERE NOT EXISTS (SELECT FROM unnest($7::text[], $8::bigint[], $9::bigint[]) AS rule (who, most, per)
		WHERE rule.who = l.who AND cardinality(l.uses) >= most
		AND l.uses[(cardinality(l.uses) - most + 1)::int] + per > greatest($5, l.uses[cardinality(l.uses)]))
	RETURNING l.who, l.uses[cardinality(l.uses)], EXISTS (SELECT FROM limits AS g
		WHERE g.meter = ANY ($10::text[]) AND g.site = $2 AND g.who = ANY ($3) AND g.until > $5)`

// used is when a use of somebody was counted, in Unix microseconds.
type used map[string]int64

// take counts a use against every share and returns their times, and whether one of the
// gates may be shut; or how long to wait, in whole seconds, and counts nothing.
func (w *window) take(site string, by []share, gates []string, now time.Time) (at used, failed bool, wait time.Duration, err error) {
	who, keep := w.names(by)
	var ruled []string
	var most, per []int64
	for _, s := range by {
		for _, r := range w.rules {
			ruled, most, per = append(ruled, s.who), append(most, int64(s.scale.Of(r.Most))), append(per, r.Per.Microseconds())
		}
	}
	err = w.ask(func(ctx context.Context, q Queryer) error {
		at, failed, wait = used{}, false, 0
		rows, err := q.Query(ctx, counting+allowing, w.meter, site, who, keep, now.UnixMicro(), w.span, ruled, most, per, gates)
		if err != nil {
			return err
		}
		var one string
		var when int64
		var shut bool
		_, err = pgx.ForEachRow(rows, []any{&one, &when, &shut}, func() error {
			at[one], failed = when, failed || shut
			return nil
		})
		if err != nil || len(at) == len(by) {
			return err
		}
		if err := w.forget(ctx, q, site, at); err != nil {
			return err
		}
		wait, err = w.wait(ctx, q, site, now, by)
		wait = max(wait, time.Second)
		return err
	})
	return at, failed, wait, err
}

func (w *window) names(by []share) (who []string, keep []int32) {
	for _, s := range by {
		who, keep = append(who, s.who), append(keep, int32(limit.Keep(w.rules, s.keep)))
	}
	return who, keep
}

// add counts a use whether or not it is one too many.
func (w *window) add(site string, now time.Time, by ...share) error {
	who, keep := w.names(by)
	return w.ask(func(ctx context.Context, q Queryer) error {
		_, err := q.Exec(ctx, counting, w.meter, site, who, keep, now.UnixMicro(), w.span)
		return err
	})
}

// peek is how long the shares have to wait; it counts nothing.
func (w *window) peek(site string, now time.Time, by ...share) (wait time.Duration, err error) {
	err = w.ask(func(ctx context.Context, q Queryer) (err error) {
		wait, err = w.wait(ctx, q, site, now, by)
		return err
	})
	return wait, err
}

// giveBack forgets a use; times of one user differ.
func (w *window) giveBack(site string, at used) error {
	return w.ask(func(ctx context.Context, q Queryer) error { return w.forget(ctx, q, site, at) })
}

func (w *window) forget(ctx context.Context, q Queryer, site string, at used) error {
	for who, when := range at {
		if _, err := q.Exec(ctx, `UPDATE limits SET uses = array_remove(uses, $4) WHERE meter = $1 AND site = $2 AND who = $3`,
			w.meter, site, who, when); err != nil {
			return err
		}
	}
	return nil
}

// wait is how long until every rule allows every share another use, rounded up to seconds.
func (w *window) wait(ctx context.Context, q Queryer, site string, now time.Time, by []share) (wait time.Duration, err error) {
	who, _ := w.names(by)
	rows, err := q.Query(ctx, `SELECT who, uses FROM limits WHERE meter = $1 AND site = $2 AND who = ANY ($3)`, w.meter, site, who)
	if err != nil {
		return 0, err
	}
	var one string
	var uses []int64
	_, err = pgx.ForEachRow(rows, []any{&one, &uses}, func() error {
		since := make([]time.Duration, len(uses))
		at := time.Duration(0)
		for i, u := range uses {
			since[i] = time.Duration(u-now.UnixMicro()) * time.Microsecond
			at = max(at, since[i]) // where a clock is behind it
		}
		for _, s := range by {
			if s.who == one {
				wait = max(wait, limit.Wait(w.rules, s.scale, since, at))
			}
		}
		return nil
	})
	return wait, err
}

func (w *window) ask(run func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := context.WithTimeout(w.db.background, takeMost)
	defer cancel()
	return w.db.Read(ctx, func(q Queryer) error { return run(ctx, q) })
}
