package boltstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/storetest"
)

// options are those of a store of tests.
func options(path string) boltstore.Options {
	return boltstore.Options{
		Path: path, Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test",
	}
}

// open opens a store that is checked, tree and records, before it is closed.
func open(t testing.TB, o boltstore.Options) *boltstore.DB {
	t.Helper()
	db, err := boltstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		check(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// check fails the test on anything that bbolt's check or ours finds.
func check(t testing.TB, db *boltstore.DB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a cleanup's is done
	if err := db.CheckTree(ctx); err != nil {
		t.Error(err)
	}
	if err := db.Check(ctx, nil, func(p boltstore.Problem) { t.Errorf("check: %s", p) }); err != nil {
		t.Error(err)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) comments.Store {
		return open(t, options(filepath.Join(t.TempDir(), "duyet.db")))
	})
}
