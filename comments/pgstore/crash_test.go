package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// load posts and decides until it is stopped, and then holds the store to every answer.
type load struct {
	t              *testing.T
	db             *pgstore.DB
	b              *storetest.Bench
	stop           chan struct{}
	wg             sync.WaitGroup
	mu             sync.Mutex
	made           []comments.Creation
	decided        map[comments.ID]string
	posted, failed atomic.Int64
}

func newLoad(t *testing.T, db *pgstore.DB, b *storetest.Bench, writers int) *load {
	l := &load{t: t, db: db, b: b, stop: make(chan struct{}), decided: map[comments.ID]string{}}
	for i := range writers {
		l.wg.Go(func() { l.write(fmt.Sprint("m-", i)) })
	}
	return l
}

func (l *load) write(actor string) {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		c := l.b.Creation("news", "p", comments.Pending)
		made, _, err := l.db.Create(context.Background(), c)
		if !l.counts(err) {
			continue
		}
		l.posted.Add(1)
		l.mu.Lock()
		l.made = append(l.made, c)
		l.mu.Unlock()
		if _, err := approve(l.db, context.Background(), made, actor); l.counts(err) {
			l.mu.Lock()
			l.decided[made.ID] = actor
			l.mu.Unlock()
		}
	}
}

// counts: failures are ErrUnavailable, or what they are must not be.
func (l *load) counts(err error) bool {
	if err != nil {
		l.failed.Add(1)
		if !errors.Is(err, comments.ErrUnavailable) {
			l.t.Errorf("a writer got %v", err)
		}
	}
	return err == nil
}

// more waits until n more are posted: the store works.
func (l *load) more(n int64) {
	l.t.Helper()
	from := l.posted.Load()
	until(l.t, fmt.Sprintf("%d posted", n), 30*time.Second, func() bool { return l.posted.Load() >= from+n })
}

func (l *load) end() {
	l.t.Helper()
	close(l.stop)
	l.wg.Wait()
	ctx := l.t.Context()
	for _, c := range l.made {
		s, err := l.db.Spent(ctx, c.Ticket.ID, c.Ticket.Expires)
		if err != nil || s.Comment != c.Comment.ID {
			l.t.Fatalf("comment %s was answered and its ticket let in %s: %v", c.Comment.ID, s.Comment, err)
		}
		history, err := l.db.History(ctx, c.Comment.ID)
		if err != nil {
			l.t.Fatalf("comment %s was answered: %v", c.Comment.ID, err)
		}
		if len(history) > 2 {
			l.t.Errorf("comment %s was decided %d times", c.Comment.ID, len(history)-1)
		}
		if actor, ok := l.decided[c.Comment.ID]; ok && (len(history) != 2 || history[1].Actor != actor) {
			l.t.Errorf("comment %s: a decision that was answered is not there", c.Comment.ID)
		}
	}
	l.b.Verify("news")
	l.t.Logf("%d posted, %d decided, %d failed", len(l.made), len(l.decided), l.failed.Load())
}

// TestBackendsKilled: connections that die under load cost nobody a thing.
func TestBackendsKilled(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	l := newLoad(t, db, b, 16)
	conn := connect(t, dsn)
	for range 20 {
		l.more(20)
		if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
	l.more(20)
	l.end()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
}

// TestServerRestarts under load: by order, and as after a crash. Nothing that was answered
// is lost, and the store works again by itself.
func TestServerRestarts(t *testing.T) {
	own := &pgtest.Cluster{Settings: []string{"fsync=on", "full_page_writes=on"}}
	t.Cleanup(func() {
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	})
	dsn := own.Database(t)
	db := open(t, dsn, options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	l := newLoad(t, db, b, 16)
	for _, how := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGINT, syscall.SIGQUIT} {
		l.more(100)
		if err := own.Stop(how); err != nil {
			t.Fatal(err)
		}
		if err := own.Start(); err != nil {
			t.Fatal(err)
		}
	}
	l.more(100)
	l.end()
}
