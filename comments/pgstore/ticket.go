package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

func ticketUUID(id comments.TicketID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// ticketStamp is a time that is a key to something: never NULL.
func ticketStamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t.UTC().Truncate(time.Millisecond), Valid: true}
}

func newSpent(site string, comment pgtype.UUID, words []byte) (s comments.Spent, err error) {
	if len(words) != len(s.Words) {
		return s, fmt.Errorf("spent ticket of site %s: %w", site, comments.ErrDamaged)
	}
	return comments.Spent{Comment: commentID(site, comment), Words: [32]byte(words)}, nil
}

// Spent implements comments.TicketReader.
func (db *DB) Spent(ctx context.Context, id comments.TicketID, expires time.Time) (s comments.Spent, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		var site string
		var comment pgtype.UUID
		var words []byte
		err := q.QueryRow(ctx, `SELECT site, comment, words FROM spent WHERE expires = $1 AND id = $2`,
			ticketStamp(expires), ticketUUID(id)).Scan(&site, &comment, &words)
		if err != nil {
			return missing(err, "spent ticket")
		}
		s, err = newSpent(site, comment, words)
		return err
	})
	return s, err
}

// sweepMost is how many records of a kind one sweep removes: enough to keep up, few
// enough that nobody waits long.
const sweepMost = 2000

// Sweep implements comments.Sweeper. It also forgets dead tickets and uses that no limit
// asks for any more. Nodes may sweep at once; one is enough, see Leader.
func (db *DB) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	for _, s := range []struct {
		sql    string
		before any
	}{
		{`DELETE FROM spent USING (SELECT site, id FROM spent WHERE expires < $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
			WHERE spent.site = old.site AND spent.id = old.id`, ticketStamp(now.Add(-comments.SpentFor))},
		{`DELETE FROM addresses USING (SELECT site, comment FROM addresses WHERE expires < $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
			WHERE addresses.site = old.site AND addresses.comment = old.comment`, ticketStamp(now)},
		{`DELETE FROM dead_tickets WHERE id IN (SELECT id FROM dead_tickets WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, ticketStamp(now)},
		{`DELETE FROM limits USING (SELECT meter, site, who FROM limits WHERE until < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
			WHERE limits.meter = old.meter AND limits.site = old.site AND limits.who = old.who`, now.UnixMicro()},
		{`DELETE FROM spent_work WHERE id IN (SELECT id FROM spent_work WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, ticketStamp(now)},
		{`DELETE FROM arrivals USING (SELECT site, page, minute FROM arrivals WHERE minute < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
			WHERE arrivals.site = old.site AND arrivals.page = old.page AND arrivals.minute = old.minute`, now.Unix()/60 - 120},
	} {
		n, err := db.Exec(ctx, s.sql, s.before, sweepMost)
		removed += int(n)
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}
