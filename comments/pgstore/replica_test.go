package pgstore_test

import (
	"context"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// TestReplica: a streaming standby answers what all readers are given alike, as long as it
// knows of all that this node has told of; nothing else is asked of it.
func TestReplica(t *testing.T) {
	primary := new(pgtest.Cluster)
	t.Cleanup(func() {
		if err := primary.Close(); err != nil {
			t.Error(err)
		}
	})
	dsn, err := primary.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	standby, err := primary.Standby(t.Context())
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	way := pgtest.NewProxy(t, standby)
	o := options()
	o.ReadDSN = way.Through(dsn)
	db := unchecked(t, dsn, o)
	other := unchecked(t, dsn, options())
	b, elsewhere := storetest.NewBench(t, db), storetest.NewBench(t, other)
	b.AddSite("news")
	b.Post("news", "p", comments.Approved)

	shared := comments.Shared(t.Context(), "news")
	thread := func(ctx context.Context, want int) {
		t.Helper()
		list, err := db.Thread(ctx, "news", "p", comments.Oldest, "", 10)
		if err != nil || len(list) != want {
			t.Fatalf("%d comments, not %d, %v", len(list), want, err)
		}
		page, err := db.Page(ctx, "news", "p")
		if err != nil || page.Counts.Approved != int64(want) {
			t.Fatalf("%+v %v", page, err)
		}
	}
	stats := db.Replica
	answers := func(want int) {
		t.Helper()
		before := stats().Reads
		until(t, "answered by the standby", time.Minute, func() bool {
			thread(shared, want)
			return stats().Reads >= before+2
		})
	}
	answers(1)
	before := stats()
	thread(t.Context(), 1)
	if stats() != before {
		t.Error("an author's or a moderator's read went to the standby")
	}

	// It stands still: what this node knows of, by itself or from another, is read from
	// the primary.
	paused := connect(t, standby.Address(dsn))
	exec := func(sql string) {
		t.Helper()
		if _, err := paused.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`SELECT pg_wal_replay_pause()`)
	until(t, "paused", time.Minute, func() bool {
		var state string
		return paused.QueryRow(t.Context(), `SELECT pg_get_wal_replay_pause_state()`).Scan(&state) == nil && state == "paused"
	})
	b.Post("news", "p", comments.Approved)
	before = stats()
	thread(shared, 2)
	if now := stats(); now.Reads != before.Reads || now.Lags < before.Lags+2 {
		t.Errorf("with a standby that lags: %+v, then %+v", before, now)
	}
	told := make(chan comments.Commit, 10)
	db.Observe(func(c comments.Commit) { told <- c })
	c := elsewhere.Creation("news", "p", comments.Approved)
	c.Ticket = comments.Spend{}
	elsewhere.Create(c)
	<-told
	thread(shared, 3)
	exec(`SELECT pg_wal_replay_resume()`)
	answers(3)

	// It is gone, hangs, and comes back.
	way.Cut()
	before = stats()
	thread(shared, 3)
	if now := stats(); now.Failures == before.Failures {
		t.Errorf("with a standby that is gone: %+v, then %+v", before, now)
	}
	way.Mend()
	answers(3)
	way.Stall()
	thread(shared, 3)
	way.Mend()
	answers(3)
	if _, err := db.Thread(comments.Shared(t.Context(), "nowhere"), "nowhere", "p", comments.Oldest, "", 1); err == nil {
		t.Error("a site that is not there has a thread")
	}
}

// TestReplicaNeedNotBeUp: a node starts and serves without its standby.
func TestReplicaNeedNotBeUp(t *testing.T) {
	o := options()
	o.ReadDSN = pgtest.DSN(t.TempDir(), "x")
	db := open(t, cluster.Database(t), o)
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	b.Post("news", "p", comments.Approved)
	list, err := db.Thread(comments.Shared(t.Context(), "news"), "news", "p", comments.Oldest, "", 1)
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if s := db.Replica(); s != (pgstore.ReplicaStats{Failures: 1}) {
		t.Errorf("%+v", s)
	}
}
