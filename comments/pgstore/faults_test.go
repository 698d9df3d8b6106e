package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// through opens a database behind a proxy.
func through(t *testing.T, o pgstore.Options) (*pgstore.DB, *pgtest.Proxy, *storetest.Bench) {
	t.Helper()
	p := pgtest.NewProxy(t, &cluster)
	db := open(t, p.Database(t), o)
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	return db, p, b
}

func approve(db *pgstore.DB, ctx context.Context, c comments.Comment, actor string) (comments.Comment, error) {
	done, err := db.Amend(ctx, []comments.Amendment{{ID: c.ID, Actor: actor, Decide: func(now comments.Comment, last comments.Transition) (*comments.Step, error) {
		if now.Version != c.Version {
			return nil, fmt.Errorf("at version %d by %s", now.Version, last.Actor)
		}
		now.Status = comments.Approved
		return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
	}}})
	if err != nil {
		return comments.Comment{}, err
	}
	return done[0].Comment, done[0].Err
}

// TestLostAnswers: a commit that was made and not answered is known when the server is
// asked again, whatever it was, and is not made twice; one that was not made is made.
func TestLostAnswers(t *testing.T) {
	for _, fault := range []struct {
		name  string
		lose  func(*pgtest.Proxy, int)
		times int
	}{
		{"answer", (*pgtest.Proxy).LoseAnswers, 1},
		{"commit", (*pgtest.Proxy).LoseCommits, 1},
		{"three commits", (*pgtest.Proxy).LoseCommits, 3},
	} {
		t.Run(fault.name, func(t *testing.T) {
			db, p, b := through(t, options())
			e := &ear{t: t, seqs: map[string]uint64{"news": 1}, heard: map[string]comments.Commit{}}
			db.Observe(e.hear)
			lost := 0
			losing := func(what string, do func() error) {
				t.Helper()
				before := b.Head("news").Seq + b.Head(comments.Installation).Seq
				fault.lose(p, fault.times)
				if err := do(); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if lost += fault.times; p.Lost() != lost {
					t.Fatalf("%s: %d lost, want %d", what, p.Lost(), lost)
				}
				if now := b.Head("news").Seq + b.Head(comments.Installation).Seq; now != before+1 {
					t.Fatalf("%s: %d events", what, now-before)
				}
			}
			var made comments.Comment
			losing("create with a ticket", func() (err error) {
				var repeated bool
				made, repeated, err = db.Create(t.Context(), b.Creation("news", "p", comments.Pending))
				if repeated {
					t.Error("its own comment is told to be a repetition")
				}
				return err
			})
			losing("create without", func() error {
				c := b.Creation("news", "p", comments.Pending)
				c.Ticket = comments.Spend{}
				_, _, err := db.Create(t.Context(), c)
				return err
			})
			losing("decision", func() error {
				c, err := approve(db, t.Context(), made, "m-1")
				if c.Version != 2 || c.Status != comments.Approved {
					t.Errorf("decision: %+v", c)
				}
				return err
			})
			losing("site", func() error {
				_, err := db.ChangeSite(t.Context(), comments.Site{ID: "news", Name: "x", Version: 1}, "operator", "name")
				return err
			})
			losing("person", func() error {
				return db.Do(t.Context(), []string{comments.Installation}, func(_ context.Context, tx *pgstore.Tx) error {
					_, err := tx.Append(comments.Event{Site: comments.Installation, Kind: "moderator.added", Actor: "operator"})
					return err
				})
			})
			for seq := uint64(2); seq <= 5; seq++ {
				if c, ok := e.knows("news", seq); !ok || c.Elsewhere {
					t.Errorf("told of event %d: %v, as another's: %v", seq, ok, c.Elsewhere)
				}
			}
			b.Verify("news")
		})
	}
}

// TestUnreachable: while the server can't be reached every call says so in time, and all
// goes on by itself when it can.
func TestUnreachable(t *testing.T) {
	o := options()
	o.Patience = 50 * time.Millisecond
	db, p, b := through(t, o)
	made := b.Post("news", "p", comments.Approved)
	waiting := b.Creation("news", "p", comments.Pending)
	p.Cut()
	for name, call := range map[string]func() error{
		"Create":  func() error { _, _, err := db.Create(t.Context(), waiting); return err },
		"decide":  func() error { _, err := approve(db, t.Context(), made, "m-1"); return err },
		"Thread":  func() error { _, err := db.Thread(t.Context(), "news", "p", comments.Oldest, "", 1); return err },
		"Comment": func() error { _, err := db.Comment(t.Context(), made.ID); return err },
		"Sites":   func() error { _, err := db.Sites(t.Context()); return err },
		"AddSite": func() error { _, err := db.AddSite(t.Context(), comments.Site{ID: "x"}, "operator"); return err },
		"Sweep":   func() error { _, err := db.Sweep(t.Context(), time.Now()); return err },
		"Ping":    func() error { return db.Ping(t.Context()) },
		"Judge":   func() error { _, err := db.DeadTickets().Judge(t.Context(), ticket(1, time.Now()), "1"); return err },
	} {
		if err := call(); !errors.Is(err, comments.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	until(t, "behind", 5*time.Second, func() bool { return db.Behind() > 700*time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := db.Create(ctx, waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	p.Mend()
	until(t, "answering", 10*time.Second, func() bool { return db.Ping(t.Context()) == nil })
	_, repeated, err := db.Create(t.Context(), waiting)
	if err != nil || repeated {
		t.Errorf("afterwards: %v, %v", repeated, err)
	}
	until(t, "up to date", 5*time.Second, func() bool { return db.Behind() < 700*time.Millisecond })
}

// TestNoServer: where there is none, Open says so in one line.
func TestNoServer(t *testing.T) {
	o := options()
	o.Patience = 10 * time.Millisecond
	for _, dsn := range []string{
		pgtest.DSN(t.TempDir(), "x"),
		"postgres://127.0.0.1:1,127.0.0.1:2/x?target_session_attrs=read-write&connect_timeout=1",
	} {
		_, err := pgstore.Open(t.Context(), dsn, o)
		if !errors.Is(err, comments.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	if _, err := pgstore.Open(t.Context(), "postgres://%zz", o); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("an address that is none: %v", err)
	}
}

// TestOneBadNeighbour: what the server refuses of one operation fails it alone, though it
// shares a transaction.
func TestOneBadNeighbour(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	if _, err := connect(t, dsn).Exec(t.Context(), `ALTER TABLE comments ADD CONSTRAINT refuse CHECK (name <> 'refused')`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			c := b.Creation("news", "p", comments.Pending)
			if i%10 == 0 {
				c.Comment.Name = "refused"
			}
			if _, _, err := db.Create(t.Context(), c); (err != nil) != (i%10 == 0) {
				t.Errorf("comment by %s: %v", c.Comment.Name, err)
			} else if err != nil && strings.Contains(err.Error(), c.Comment.Content) {
				t.Errorf("the error tells what was written: %v", err)
			}
		})
	}
	wg.Wait()
	if h := b.Head("news"); h.Counts.Pending != 54 {
		t.Errorf("head %+v", h)
	}
}

// TestSeveralHosts: where one way to the server ends, the next is taken, under load.
func TestSeveralHosts(t *testing.T) {
	first, second := pgtest.NewProxy(t, &cluster), pgtest.NewProxy(t, &cluster)
	dsn := pgtest.Hosts(first.Database(t), second) + "&target_session_attrs=read-write"
	db := open(t, dsn, options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	l := newLoad(t, db, b, 8)
	for range 3 {
		l.more(50)
		first.Cut()
		l.more(50)
		first.Mend()
		second.Cut()
		l.more(50)
		second.Mend()
	}
	l.end()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
}

// TestDemotedPrimary: a server that serves reads only is away for writers until it, or
// another, takes writes again.
func TestDemotedPrimary(t *testing.T) {
	dsn := cluster.Database(t) + "&target_session_attrs=read-write"
	o := options()
	o.Patience = 100 * time.Millisecond
	db := open(t, dsn, o)
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	conn := connect(t, strings.TrimSuffix(dsn, "&target_session_attrs=read-write"))
	var name string
	if err := conn.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`ALTER DATABASE ` + name + ` SET default_transaction_read_only = on`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c := b.Creation("news", "p", comments.Pending)
	if _, _, err := db.Create(t.Context(), c); !errors.Is(err, comments.ErrUnavailable) {
		t.Errorf("on a server for reads only: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `ALTER DATABASE `+name+` RESET default_transaction_read_only`); err != nil {
		t.Fatal(err)
	}
	until(t, "writing again", 10*time.Second, func() bool {
		_, _, err := db.Create(t.Context(), c)
		return err == nil
	})
}
