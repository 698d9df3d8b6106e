package pgstore

import (
	"context"
	"errors"

	"duyet/comments"
	"duyet/comments/captcha"
)

// DeadTickets judges typed codes and remembers, for all nodes, the tickets that a wrong
// answer killed. It implements comments.Judge.
//
// The table is unlogged: it costs no sync, survives the death of a node, and is empty
// after the server's own crash or failover, when a ticket that had been killed can be tried
// again in what is left of its half hour.
type DeadTickets struct{ db *DB }

// DeadTickets is the judge that the nodes of this database share.
func (db *DB) DeadTickets() *DeadTickets { return &DeadTickets{db} }

// Judge compares in constant time. Each answer is counted in the ticket's row: of any
// number of racing guesses, on any nodes, the first wrong one is looked at and kills the
// ticket for all that come to the row after it. An error is comments.ErrUnavailable or the
// context's; nothing was judged then.
func (d *DeadTickets) Judge(ctx context.Context, t comments.Ticket, typed string) (comments.Verdict, error) {
	if len(t.Digits) == 0 {
		return comments.VerdictDead, errors.New("a ticket without digits")
	}
	right := captcha.Matches(t.Digits, typed)
	var wrong, before int64
	if !right {
		wrong = 1
	}
	err := d.db.Read(ctx, func(q Queryer) error {
		return q.QueryRow(ctx, `INSERT INTO dead_tickets AS d (id, wrong, expires) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET wrong = d.wrong + excluded.wrong RETURNING wrong - $2`,
			ticketUUID(t.ID), wrong, ticketStamp(t.Expires)).Scan(&before)
	})
	switch {
	case err != nil:
		return comments.VerdictDead, err
	case before > 0:
		return comments.VerdictDead, nil
	case right:
		return comments.VerdictRight, nil
	}
	return comments.VerdictWrong, nil
}

// Dead reports whether a wrong answer killed the ticket.
func (d *DeadTickets) Dead(ctx context.Context, id comments.TicketID) (dead bool, err error) {
	err = d.db.Read(ctx, func(q Queryer) error {
		return q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dead_tickets WHERE id = $1 AND wrong > 0)`, ticketUUID(id)).Scan(&dead)
	})
	return dead, err
}
