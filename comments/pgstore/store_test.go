package pgstore_test

import (
	"context"
	"testing"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

var cluster pgtest.Cluster

func TestMain(m *testing.M) { pgtest.Main(m, &cluster) }

// options are those of a store of tests.
func options() pgstore.Options {
	return pgstore.Options{
		Installation: "test", Fingerprint: "fingerprint", Key: []byte("0123456789abcdef0123456789abcdef"),
	}
}

// open opens a store that is checked before it is closed.
func open(t testing.TB, dsn string, o pgstore.Options) *pgstore.DB {
	t.Helper()
	db := unchecked(t, dsn, o)
	t.Cleanup(func() { check(t, db) })
	return db
}

func unchecked(t testing.TB, dsn string, o pgstore.Options) *pgstore.DB {
	t.Helper()
	db, err := pgstore.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// check fails the test on anything that does not add up.
func check(t testing.TB, db *pgstore.DB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a cleanup's is done
	if err := db.Check(ctx, nil, func(p pgstore.Problem) { t.Errorf("check: %s", p) }); err != nil {
		t.Error(err)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) comments.Store {
		return open(t, cluster.Database(t), options())
	})
}
