package pgstore

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// byAuthor and byNetwork are the statements of what an author $4, or a network $4, has
// written before a comment $3.
const (
	byAuthor = `SELECT ` + commentColumns + ` FROM (
			SELECT * FROM comments WHERE site = $1 AND author = $4 AND id < $3 ORDER BY id DESC LIMIT $2
		) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY id DESC`

	byNetwork = `SELECT ` + commentColumns + ` FROM (
			SELECT comment FROM addresses WHERE site = $1 AND net = $4::inet AND comment < $3 ORDER BY comment DESC LIMIT $2
		) AS a CROSS JOIN LATERAL (SELECT * FROM comments WHERE site = $1 AND id = a.comment LIMIT 1) AS c
		CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY a.comment DESC`
)

// netOf is how the table has an address's network.
func netOf(addr netip.Addr) string {
	key := comments.NetworkKey(addr)
	if addr.Unmap().Is4() {
		return addr.Unmap().String()
	}
	return netip.PrefixFrom(netip.AddrFrom16(key), 64).String()
}

// Written implements comments.AuthorReader.
func (db *DB) Written(ctx context.Context, by comments.Wrote, after comments.ID, limit int) ([]comments.Comment, error) {
	switch {
	case !by.Author.IsZero():
		return db.list(ctx, by.Site, byAuthor, max(limit, 0), from(after, true), authorUUID(by.Author))
	case by.Addr.IsValid():
		return db.list(ctx, by.Site, byNetwork, max(limit, 0), from(after, true), netOf(by.Addr))
	}
	return nil, db.Read(ctx, func(q Queryer) error { return known(ctx, q, by.Site) })
}

// WrittenCounts implements comments.AuthorReader.
func (db *DB) WrittenCounts(ctx context.Context, by comments.Wrote) (n comments.Counts, err error) {
	list, err := db.Written(ctx, by, "", comments.WrittenCounted)
	for _, c := range list {
		n.Move("", c.Status)
	}
	return n, err
}

// Origin implements comments.AuthorReader.
func (db *DB) Origin(ctx context.Context, id comments.ID) (a comments.Author, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		var addr netip.Prefix
		var expires pgtype.Timestamptz
		err := missing(q.QueryRow(ctx, `SELECT addr, expires FROM addresses WHERE site = $1 AND comment = $2`,
			id.Site(), uuidOf(id)).Scan(&addr, &expires), "origin of comment "+string(id))
		a = comments.Author{Addr: addr.Addr(), Expires: TimeOf(expires)}
		return err
	})
	if err != nil {
		return comments.Author{}, err
	}
	return a, nil
}

// Report implements comments.Reporter.
func (db *DB) Report(ctx context.Context, r comments.Report) (comments.Comment, error) {
	if err := CheckText(r.Reason, r.Text); err != nil {
		return comments.Comment{}, err
	}
	r.At, r.Closed = milli(r.At), false
	op := &reporting{report: r}
	site := r.Comment.Site()
	if !comments.ValidSiteID(site) {
		return comments.Comment{}, fmt.Errorf("comment %s: %w", r.Comment, comments.ErrNotFound)
	}
	if err := db.submit(ctx, site, op); err != nil {
		return comments.Comment{}, err
	}
	return op.done, nil
}

// reporting is a report on its way in.
type reporting struct {
	report comments.Report
	done   comments.Comment
}

type reportKey struct{ comment, reader uuid.UUID }

func (op *reporting) key() reportKey { return reportKey{op.report.Comment.UUID(), op.report.Reader} }

func (op *reporting) want(s *siteSet) {
	s.wantComments[op.report.Comment.UUID()] = true
	s.wantReports = append(s.wantReports, op.key())
	if op.report.Pays.ID != (comments.TicketID{}) {
		s.wantTickets[uuid.UUID(op.report.Pays.ID)] = true
	}
}

func (op *reporting) run(s *siteSet, tx *Tx) error {
	id := op.report.Comment
	h, c := tx.heads[s.site], s.comments[id.UUID()]
	if h == nil || c == nil || c.ID != id || !c.Standing() {
		return fmt.Errorf("comment %s is not in public: %w", id, comments.ErrNotFound)
	}
	if s.reports[op.key()] {
		return fmt.Errorf("report of comment %s: %w", id, comments.ErrExists)
	}
	p := s.pages[comments.PageHash(s.site, c.Page)]
	if p == nil {
		return fmt.Errorf("page of comment %s: %w", id, comments.ErrDamaged)
	}
	if ticket := uuid.UUID(op.report.Pays.ID); ticket != (uuid.UUID{}) {
		if s.tickets[ticket] != nil {
			return comments.ErrTicketSpent
		}
		s.tickets[ticket] = &spentTicket{Spent: comments.Spent{Comment: id, Words: op.report.Pays.Words}, spend: op.report.Pays, fresh: true}
	}
	s.reports[op.key()] = true
	r := op.report
	s.newReports = append(s.newReports, &r)
	next := c.Comment
	next.Reports++
	s.become(tx, h, p, c, next, comments.ActorReader, &comments.Step{Kind: comments.KindReported, Aside: true, Reason: r.Reason})
	op.done = c.Comment
	return nil
}

const reportsByReader = `SELECT k.comment, k.reader FROM unnest($2::uuid[], $3::uuid[]) AS k (comment, reader)
	CROSS JOIN LATERAL (SELECT FROM reports WHERE site = $1 AND comment = k.comment AND reader = k.reader LIMIT 1) AS r`

func (s *siteSet) readReports(q *pgx.Batch) {
	s.reports = map[reportKey]bool{}
	if len(s.wantReports) == 0 {
		return
	}
	var ids, readers []pgtype.UUID
	for _, k := range s.wantReports {
		ids = append(ids, pgtype.UUID{Bytes: k.comment, Valid: true})
		readers = append(readers, pgtype.UUID{Bytes: k.reader, Valid: true})
	}
	q.Queue(reportsByReader, s.site, ids, readers).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			var id, reader pgtype.UUID
			if err := rows.Scan(&id, &reader); err != nil {
				return err
			}
			s.reports[reportKey{id.Bytes, reader.Bytes}] = true
		}
		return rows.Err()
	})
}

// closeReports closes those of a comment that are open, the batch's own included.
func (s *siteSet) closeReports(id comments.ID) {
	s.closed = append(s.closed, id)
	for _, r := range s.newReports {
		if r.Comment == id {
			r.Closed = true
		}
	}
}

// writeReports closes first: what the batch adds is as it should be.
func (s *siteSet) writeReports(q *pgx.Batch) {
	for _, id := range s.closed {
		q.Queue(`UPDATE reports SET closed = true WHERE site = $1 AND comment = $2 AND NOT closed`, s.site, uuidOf(id))
	}
	for _, r := range s.newReports {
		q.Queue(`INSERT INTO reports (site, comment, reader, reason, text, at, closed) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.site, uuidOf(r.Comment), pgtype.UUID{Bytes: r.Reader, Valid: true}, r.Reason, r.Text, Stamp(r.At), r.Closed)
	}
}

const reportColumns = `comment, reader, reason, text, at, closed`

func scanReport(rows pgx.Rows, more ...any) (r comments.Report, id pgtype.UUID, err error) {
	var reader pgtype.UUID
	var at pgtype.Timestamptz
	err = rows.Scan(append(more, &id, &reader, &r.Reason, &r.Text, &at, &r.Closed)...)
	r.Reader, r.At = reader.Bytes, TimeOf(at)
	return r, id, err
}

// Reports implements comments.Reporter.
func (db *DB) Reports(ctx context.Context, id comments.ID) (list []comments.Report, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+reportColumns+` FROM reports WHERE site = $1 AND comment = $2`, id.Site(), uuidOf(id))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, _, err := scanReport(rows)
			if err != nil {
				return err
			}
			r.Comment = id
			list = append(list, r)
		}
		return rows.Err()
	})
	comments.SortReports(list)
	return list, err
}

func movedReports() Shelf[comments.Report] {
	return Shelf[comments.Report]{
		Name: "reports", Tables: []string{"reports"},
		SQL: `SELECT site, ` + reportColumns + ` FROM reports
		WHERE (site, comment, reader) > ($1, $2::uuid, $3::uuid) ORDER BY site, comment, reader LIMIT $4`,
		Start: []string{"", nowhere, nowhere},
		Scan: func(rows pgx.Rows) (comments.Report, error) {
			var site string
			r, id, err := scanReport(rows, &site)
			r.Comment = commentID(site, id)
			return r, err
		},
		Place: func(r comments.Report) []string {
			return []string{r.Comment.Site(), r.Comment.UUID().String(), uuid.UUID(r.Reader).String()}
		},
		Put: func(b *pgx.Batch, list []comments.Report) error {
			sets := sets{}
			for _, r := range list {
				s := sets.of(r.Comment.Site())
				s.newReports = append(s.newReports, &r)
			}
			for _, s := range sets {
				s.writeReports(b)
			}
			return nil
		},
	}
}
