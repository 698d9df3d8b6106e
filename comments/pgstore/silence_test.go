package pgstore_test

import (
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// TestServerGoesSilent: a primary whose machine dies ends no connection. Whoever waits for
// it is let go, and the node finds the standby that was promoted meanwhile.
func TestServerGoesSilent(t *testing.T) {
	primary := new(pgtest.Cluster)
	dsn, err := primary.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	standby, err := primary.Standby(t.Context())
	t.Cleanup(func() {
		for _, server := range []*pgtest.Cluster{standby, primary} {
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	way := pgtest.NewProxy(t, primary)
	other := pgtest.NewProxy(t, standby)
	db := unchecked(t, pgtest.Hosts(way.Through(dsn), other)+"&target_session_attrs=read-write", options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	before := b.Post("news", "p", comments.Approved)

	way.Stall()
	asked := make(chan error, 1)
	go func() {
		_, err := db.Comment(t.Context(), before.ID) // it has no time limit of its own
		asked <- err
	}()
	if err := standby.Promote(t.Context()); err != nil { // the old one is fenced: nobody reaches it
		t.Fatal(err)
	}
	<-asked // by whatever answer
	until(t, "writing again", 30*time.Second, func() bool {
		_, _, err := db.Create(t.Context(), b.Creation("news", "p", comments.Pending))
		return err == nil
	})
	if _, err := db.Comment(t.Context(), before.ID); err != nil {
		t.Error(err)
	}
	b.Verify("news")
	way.Mend()
}

// TestLongStatementsCutNothing: one that takes its time does so in peace.
func TestLongStatementsCutNothing(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	n, err := db.Exec(t.Context(), `SELECT pg_sleep(3.5)`)
	if err != nil || n != 1 {
		t.Error(n, err)
	}
}
