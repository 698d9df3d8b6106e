package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
)

// Problem is something in the database that does not fit: which record, and what about it.
type Problem struct {
	Record string // "comment news~0197…", "page https://… of site news", "event 12 of site news"
	What   string
}

func (p Problem) String() string { return p.Record + ": " + p.What }

// checks are queries whose every row is a problem: of site $1, a record, and what about
// it. Indexes are PostgreSQL's to hold against their tables; amcheck does.
var checks = [...]string{
	`SELECT 'comment ' || c.site || '~' || c.id, 'its page does not exist' FROM comments c
		WHERE c.site = $1 AND NOT EXISTS (SELECT FROM pages p WHERE p.site = c.site AND p.id = c.page)`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'the comment it answers is not on its page' FROM comments c
		WHERE c.site = $1 AND c.parent IS NOT NULL
		AND NOT EXISTS (SELECT FROM comments a WHERE a.site = c.site AND a.id = c.parent AND a.page = c.page)`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'its last event is missing, or another''s' FROM comments c
		WHERE c.site = $1 AND NOT EXISTS (SELECT FROM events e WHERE e.site = c.site AND e.seq = c.seq
			AND e.comment = c.id AND e.to_status = c.status AND e.version = c.version)`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'the topmost comment it answers is another' FROM comments c
		LEFT JOIN comments a ON a.site = c.site AND a.id = c.parent
		WHERE c.site = $1 AND c.root IS DISTINCT FROM coalesce(a.root, a.id)`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'it counts ' || c.reports || ' open reports, and there are ' || n.open
		FROM comments c CROSS JOIN LATERAL (SELECT count(*) AS open FROM reports r
			WHERE r.site = c.site AND r.comment = c.id AND NOT r.closed) AS n
		WHERE c.site = $1 AND c.reports <> n.open`,
	`SELECT 'revision ' || r.version || ' of comment ' || r.site || '~' || r.comment, 'it is not of a past version'
		FROM revisions r JOIN comments c ON c.site = r.site AND c.id = r.comment
		WHERE r.site = $1 AND r.version >= c.version`,
	`SELECT 'event ' || e.seq || ' of site ' || e.site, 'it does not follow the one before of its comment'
		FROM (SELECT *, lag(to_status, 1, '') OVER w AS before, lag(version, 1, 0::bigint) OVER w AS past
			FROM events WHERE site = $1 AND comment IS NOT NULL WINDOW w AS (PARTITION BY comment ORDER BY seq)) AS e
		WHERE e.from_status <> e.before OR e.version <> e.past + 1 AND (e.version <> e.past OR e.past = 0)`,
	`SELECT 'event ' || e.seq || ' of site ' || e.site, 'its comment does not exist' FROM events e
		WHERE e.site = $1 AND e.comment IS NOT NULL
		AND NOT EXISTS (SELECT FROM comments c WHERE c.site = e.site AND c.id = e.comment)`,
	`SELECT 'event ' || d.seq || ' of site ' || d.site, 'it knows nothing of what was typed with it' FROM details d
		JOIN events e ON e.site = d.site AND e.seq = d.seq WHERE d.site = $1 AND e.detail IS NULL`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'it counts ' || c.answers || ' standing replies, and there are ' || count(r.id)
		FROM comments c LEFT JOIN comments r ON r.site = c.site AND r.root = c.id AND
			(r.status = 'approved' OR r.status = 'pending' AND r.public IS NOT NULL)
		WHERE c.site = $1 GROUP BY c.site, c.id HAVING c.answers <> count(r.id)`,
	`SELECT 'comment ' || c.site || '~' || c.id, 'it counts ' || c.likes || ' likes, and there are ' || count(l.author)
		FROM comments c LEFT JOIN likes l ON l.site = c.site AND l.comment = c.id
		WHERE c.site = $1 GROUP BY c.site, c.id HAVING c.likes <> count(l.author)`,
	`SELECT 'spent ticket ' || s.id || ' of site ' || s.site, 'the comment it let in does not exist' FROM spent s
		WHERE s.site = $1 AND NOT EXISTS (SELECT FROM comments c WHERE c.site = s.site AND c.id = s.comment)`,
	`SELECT 'page ' || d.page || ' of site ' || $1, 'it counts ' || coalesce(k.standing, 0) || ' comments of day ' || d.day || ', and there are ' || coalesce(n.standing, 0)
		FROM (SELECT day, page FROM page_days WHERE site = $1 UNION SELECT (created_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01', page
			FROM comments WHERE site = $1 AND (status = 'approved' OR status = 'pending' AND public IS NOT NULL)) AS d
		LEFT JOIN page_days k ON k.site = $1 AND k.day = d.day AND k.page = d.page
		LEFT JOIN (SELECT (created_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' AS day, page, count(*) AS standing
			FROM comments WHERE site = $1 AND (status = 'approved' OR status = 'pending' AND public IS NOT NULL) GROUP BY 1, 2) AS n ON n.day = d.day AND n.page = d.page
		WHERE coalesce(k.standing, 0) <> coalesce(n.standing, 0)`,
	`SELECT 'page ' || p.key || ' of site ' || p.site, 'it counts ' ||
			concat_ws('/', p.pending, p.approved, p.rejected, p.spam, p.trashed, p.edited) || ', and there are ' ||
			concat_ws('/', n.pending, n.approved, n.rejected, n.spam, n.trashed, n.edited)
		FROM pages p LEFT JOIN (SELECT ` + counted + ` FROM comments c WHERE c.site = $1 GROUP BY c.page) AS n (` + countedAs + `) ON n.page = p.id
		WHERE p.site = $1 AND (p.pending, p.approved, p.rejected, p.spam, p.trashed, p.edited) IS DISTINCT FROM
			(coalesce(n.pending, 0), coalesce(n.approved, 0), coalesce(n.rejected, 0), coalesce(n.spam, 0), coalesce(n.trashed, 0), coalesce(n.edited, 0))`,
}

// counted are the counts that a page and a site keep.
const (
	countedAs = `page, pending, approved, rejected, spam, trashed, suspect, reported, appeals, edited`

	counted = `c.page, count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'approved'),
	count(*) FILTER (WHERE status = 'rejected'), count(*) FILTER (WHERE status = 'spam'),
	count(*) FILTER (WHERE status = 'trashed'), count(*) FILTER (WHERE status = 'pending' AND suspect),
	count(*) FILTER (WHERE reports > 0), count(*) FILTER (WHERE appealed), count(*) FILTER (WHERE status = 'pending' AND public IS NOT NULL)`
)

// Check recounts everything that is counted, holds records against those they refer to,
// and every journal against its chain. It sees one moment and runs beside readers and
// writers. report is told of each problem; progress, if not nil, of the share done. The
// error is the context's or comments.ErrUnavailable: problems are no errors.
func (db *DB) Check(ctx context.Context, progress func(done, total int64), report func(Problem)) error {
	return db.Read(ctx, func(q Queryer) error {
		return moment(ctx, q, func() error { return db.check(ctx, q, progress, report) })
	})
}

func (db *DB) check(ctx context.Context, q Queryer, progress func(done, total int64), report func(Problem)) error {
	ends, err := readEnds(ctx, q)
	if err != nil {
		return err
	}
	if err := reportAll(ctx, q, report, `SELECT 'site ' || coalesce(s.id, h.site), CASE WHEN s.id IS NULL
			THEN 'it has a journal but no record' ELSE 'its journal is missing' END
		FROM sites s FULL JOIN heads h ON h.site = s.id
		WHERE (s.id IS NULL OR h.site IS NULL) AND h.site IS DISTINCT FROM $1`, comments.Installation); err != nil {
		return err
	}
	done, total := int64(0), int64(len(ends)*(len(checks)+3))
	step := func(err error) error {
		if done++; err == nil && progress != nil {
			progress(done, total)
		}
		return err
	}
	for site := range ends {
		for _, sql := range checks {
			if err := step(reportAll(ctx, q, report, sql, site)); err != nil {
				return err
			}
		}
		for _, look := range []func(context.Context, Queryer, string, func(Problem)) error{checkKeys, checkHead, db.checkChain} {
			if err := step(look(ctx, q, site, report)); err != nil {
				return err
			}
		}
	}
	return nil
}

func reportAll(ctx context.Context, q Queryer, report func(Problem), sql string, args ...any) error {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p Problem
		if err := rows.Scan(&p.Record, &p.What); err != nil {
			return err
		}
		report(p)
	}
	return rows.Err()
}

// checkKeys holds each page's id against its key.
func checkKeys(ctx context.Context, q Queryer, site string, report func(Problem)) error {
	rows, err := q.Query(ctx, `SELECT id, key FROM pages WHERE site = $1`, site)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id [16]byte
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		if id != comments.PageHash(site, key) {
			report(Problem{Record: fmt.Sprintf("page %s of site %s", key, site), What: "its id is another's"})
		}
	}
	return rows.Err()
}

// checkHead recounts what a site counts.
func checkHead(ctx context.Context, q Queryer, site string, report func(Problem)) error {
	h, err := readHead(ctx, q, site)
	if err != nil {
		return err
	}
	var c comments.Counts
	var t comments.QueueCounts
	err = q.QueryRow(ctx, `SELECT sum(pending)::bigint, sum(approved)::bigint, sum(rejected)::bigint, sum(spam)::bigint, sum(trashed)::bigint,
			sum(suspect)::bigint, sum(reported)::bigint, sum(appeals)::bigint, sum(edited)::bigint
		FROM (SELECT `+counted+` FROM comments c WHERE site = $1 GROUP BY c.page) AS n (`+countedAs+`)
		HAVING count(*) > 0`, site).Scan(&c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed,
		&t.Suspect, &t.Reported, &t.Appeals, &t.Edited)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if c != h.Counts {
		report(Problem{Record: "site " + site, What: fmt.Sprintf("it counts %+v, and there are %+v", h.Counts, c)})
	}
	if t != h.Queues {
		report(Problem{Record: "site " + site, What: fmt.Sprintf("it tallies %+v, and there are %+v", h.Queues, t)})
	}
	return nil
}

func (db *DB) checkChain(ctx context.Context, q Queryer, site string, report func(Problem)) error {
	h, err := readHead(ctx, q, site)
	if err != nil {
		return err
	}
	err = db.verifyChain(ctx, q, h.Head, site)
	if errors.Is(err, comments.ErrDamaged) {
		report(Problem{Record: "journal of site " + site, What: err.Error()})
		return nil
	}
	return err
}
