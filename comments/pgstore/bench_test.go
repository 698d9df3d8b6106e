package pgstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// The benchmarks write to a server that syncs, with the settings it comes with. "store" is
// this package; "plain" are the same statements for one comment, in two messages as the
// store sends them, by as many connections as there are writers: what a server does for a
// program that doesn't batch. All write to one site, whose head they share, or each to its
// own. Run them with -benchtime=5s or so.

var writerCounts = []int{1, 16, 64}

func durable(b *testing.B) string {
	b.Helper()
	own := &pgtest.Cluster{Settings: []string{"fsync=on", "full_page_writes=on", "shared_buffers=512MB"}}
	b.Cleanup(func() {
		if err := own.Close(); err != nil {
			b.Error(err)
		}
	})
	return own.Database(b)
}

// spread runs b.N operations on some writers, each with its number.
func spread(b *testing.B, writers int, op func(writer int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := op(w); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// each runs a benchmark for every number of writers, on one site and on one each.
func each(b *testing.B, run func(b *testing.B, dsn string, db *pgstore.DB, writers int, site func(writer int) string)) {
	dsn := durable(b)
	db := unchecked(b, dsn, options())
	bench := storetest.NewBench(b, db)
	for w := range writerCounts[len(writerCounts)-1] {
		bench.AddSite(fmt.Sprint("site-", w))
	}
	for _, writers := range writerCounts {
		b.Run(fmt.Sprintf("one site/writers=%d", writers), func(b *testing.B) {
			run(b, dsn, db, writers, func(int) string { return "site-0" })
		})
		if writers > 1 {
			b.Run(fmt.Sprintf("own sites/writers=%d", writers), func(b *testing.B) {
				run(b, dsn, db, writers, func(w int) string { return fmt.Sprint("site-", w) })
			})
		}
	}
}

var count atomic.Int64

// creation is one that no other is like.
func creation(bench *storetest.Bench, site string) comments.Creation {
	c := bench.Creation(site, fmt.Sprint("https://news.example/", count.Add(1)%100), comments.Pending)
	id, err := comments.NewID(site)
	if err != nil {
		bench.T.Fatal(err)
	}
	c.Comment.ID = id
	rand.Read(c.Ticket.ID[:])
	return c
}

func BenchmarkCreate(b *testing.B) {
	each(b, func(b *testing.B, _ string, db *pgstore.DB, writers int, site func(int) string) {
		bench := storetest.NewBench(b, db)
		spread(b, writers, func(w int) error {
			_, _, err := db.Create(context.Background(), creation(bench, site(w)))
			return err
		})
	})
}

func BenchmarkAmend(b *testing.B) {
	each(b, func(b *testing.B, _ string, db *pgstore.DB, writers int, site func(int) string) {
		bench := storetest.NewBench(b, db)
		made := make([]comments.Comment, writers)
		for w := range made {
			made[w] = bench.Create(creation(bench, site(w)))
		}
		spread(b, writers, func(w int) error {
			done, err := db.Amend(context.Background(), []comments.Amendment{{
				ID: made[w].ID, Actor: "m-1", Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
					if now.Status == comments.Approved {
						now.Status = comments.Pending
					} else {
						now.Status = comments.Approved
					}
					return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
				},
			}})
			if err == nil {
				err = done[0].Err
			}
			return err
		})
	})
}

// BenchmarkPlainCreate is what Create is measured against.
func BenchmarkPlainCreate(b *testing.B) {
	each(b, func(b *testing.B, dsn string, db *pgstore.DB, writers int, site func(int) string) {
		bench := storetest.NewBench(b, db)
		conns := plainConns(b, dsn, writers)
		for w := range writers {
			bench.Create(creation(bench, site(w)))
		}
		spread(b, writers, func(w int) error { return plainCreate(conns[w], creation(bench, site(w))) })
	})
}

// BenchmarkPlainTransition is what Transition is measured against.
func BenchmarkPlainTransition(b *testing.B) {
	each(b, func(b *testing.B, dsn string, db *pgstore.DB, writers int, site func(int) string) {
		bench := storetest.NewBench(b, db)
		conns := plainConns(b, dsn, writers)
		made := make([]comments.Comment, writers)
		for w := range made {
			made[w] = bench.Create(creation(bench, site(w)))
		}
		spread(b, writers, func(w int) error { return plainTransition(conns[w], made[w]) })
	})
}

func plainConns(b *testing.B, dsn string, n int) []*pgx.Conn {
	conns := make([]*pgx.Conn, n)
	for i := range conns {
		conns[i] = connect(b, dsn)
	}
	return conns
}

func id(c comments.ID) pgtype.UUID { return pgtype.UUID{Bytes: c.UUID(), Valid: true} }

// plainHead begins, locks a head and gives it the next number.
func plainHead(conn *pgx.Conn, site string, reads func(*pgx.Batch)) (seq int64, err error) {
	q := &pgx.Batch{}
	q.Queue(`BEGIN`)
	q.Queue(`SELECT seq FROM heads WHERE site = $1 FOR NO KEY UPDATE`, site).QueryRow(func(row pgx.Row) error { return row.Scan(&seq) })
	reads(q)
	return seq + 1, conn.SendBatch(context.Background(), q).Close()
}

const plainEvent = `INSERT INTO events VALUES ($1, $2, now(), 'reader', 'comment.submitted', $3, '', '', 'pending', 1, '', NULL, $4)`

func plainCreate(conn *pgx.Conn, c comments.Creation) error {
	page := pgtype.UUID{Bytes: comments.PageHash(c.Comment.Site, c.Comment.Page), Valid: true}
	ticket := pgtype.UUID{Bytes: c.Ticket.ID, Valid: true}
	site := c.Comment.Site
	seq, err := plainHead(conn, site, func(q *pgx.Batch) {
		q.Queue(`SELECT comment FROM spent WHERE site = $1 AND id = $2`, site, ticket)
		q.Queue(`SELECT status FROM comments WHERE site = $1 AND id = $2`, site, id(c.Comment.ID))
		q.Queue(`SELECT closed FROM pages WHERE site = $1 AND id = $2`, site, page)
	})
	if err != nil {
		return err
	}
	chain := make([]byte, 32)
	rand.Read(chain)
	q := &pgx.Batch{}
	q.Queue(`INSERT INTO pages VALUES ($1, $2, $3, '', '', false, 1, 0, 0, 0, 0, now())
		ON CONFLICT (site, id) DO UPDATE SET pending = pages.pending + 1`, site, page, c.Comment.Page)
	q.Queue(`INSERT INTO comments VALUES ($1, $2, $3, NULL, $4, $5, $6, 'vi', 'pending', 1, $7, NULL, false, now(), NULL)`,
		site, id(c.Comment.ID), page, c.Comment.Name, c.Comment.Title, c.Comment.Content, seq)
	q.Queue(`INSERT INTO spent VALUES ($1, $2, now(), $3, $4)`, site, ticket, id(c.Comment.ID), c.Ticket.Words[:])
	q.Queue(`INSERT INTO addresses VALUES ($1, $2, '192.0.2.1', now())`, site, id(c.Comment.ID))
	q.Queue(plainEvent, site, seq, id(c.Comment.ID), chain)
	q.Queue(`UPDATE heads SET seq = $2, chain = $3, pending = pending + 1 WHERE site = $1`, site, seq, chain)
	q.Queue(`COMMIT`)
	return conn.SendBatch(context.Background(), q).Close()
}

func plainTransition(conn *pgx.Conn, c comments.Comment) error {
	page := pgtype.UUID{Bytes: comments.PageHash(c.Site, c.Page), Valid: true}
	seq, err := plainHead(conn, c.Site, func(q *pgx.Batch) {
		q.Queue(`SELECT c.name, c.title, c.content, c.status, e.actor, e.at FROM comments c
			JOIN events e ON e.site = c.site AND e.seq = c.seq WHERE c.site = $1 AND c.id = $2`, c.Site, id(c.ID))
		q.Queue(`SELECT closed FROM pages WHERE site = $1 AND id = $2`, c.Site, page)
	})
	if err != nil {
		return err
	}
	chain := make([]byte, 32)
	rand.Read(chain)
	q := &pgx.Batch{}
	q.Queue(`UPDATE pages SET approved = approved + 1 WHERE site = $1 AND id = $2`, c.Site, page)
	q.Queue(`UPDATE comments SET status = CASE status WHEN 'pending' THEN 'approved' ELSE 'pending' END, version = version + 1, seq = $3
		WHERE site = $1 AND id = $2`, c.Site, id(c.ID), seq)
	q.Queue(plainEvent, c.Site, seq, id(c.ID), chain)
	q.Queue(`UPDATE heads SET seq = $2, chain = $3, approved = approved + 1 WHERE site = $1`, c.Site, seq, chain)
	q.Queue(`COMMIT`)
	return conn.SendBatch(context.Background(), q).Close()
}

// BenchmarkLists: the first page of the queue and of a thread, of ten thousand comments and
// of a million, a fifth of them in each status.
func BenchmarkLists(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		dsn := durable(b)
		db := unchecked(b, dsn, options())
		storetest.NewBench(b, db).AddSite("news")
		for _, err := range pgstore.Grow(b.Context(), connect(b, dsn), "news", "p", n) {
			if err != nil {
				b.Fatal(err)
			}
		}
		for name, read := range map[string]func() ([]comments.Comment, error){
			"queue": func() ([]comments.Comment, error) {
				return db.Queue(context.Background(), comments.QueueFilter{Site: "news", Status: comments.Pending, Limit: 50})
			},
			"thread": func() ([]comments.Comment, error) {
				return db.Thread(context.Background(), "news", "p", comments.Newest, "", 50)
			},
		} {
			b.Run(fmt.Sprintf("%s/comments=%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if list, err := read(); err != nil || len(list) != 50 {
						b.Fatal(len(list), err)
					}
				}
			})
		}
	}
}
