package pgstore_test

import (
	"context"
	"testing"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/moderation"
	"duyet/moderation/pgstore"
	"duyet/moderation/storetest"
)

var cluster pgtest.Cluster

func TestMain(m *testing.M) { pgtest.Main(m, &cluster) }

// open opens both wings of a database that is checked before it is closed.
func open(t testing.TB, dsn string) (*comments.DB, *pgstore.Store) {
	t.Helper()
	db, err := comments.Open(t.Context(), dsn, comments.Options{
		Installation: "test", Fingerprint: "fingerprint", Key: []byte("0123456789abcdef0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context()) // a cleanup's is done
		if err := db.Check(ctx, nil, func(p comments.Problem) { t.Errorf("check: %s", p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := pgstore.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return db, s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (core.Store, moderation.Store) { return open(t, cluster.Database(t)) })
}
