package boltstore_test

import (
	"context"
	"path/filepath"
	"testing"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
	"duyet/moderation/boltstore"
	"duyet/moderation/storetest"
)

// open opens both wings in one file, which is checked before it is closed.
func open(t testing.TB, path string) (*comments.DB, *boltstore.Store) {
	t.Helper()
	db, err := comments.Open(t.Context(), comments.Options{
		Path: path, Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := boltstore.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context()) // a cleanup's is done
	t.Cleanup(func() {
		report := func(p comments.Problem) { t.Errorf("check: %s", p) }
		if err := db.CheckTree(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Check(ctx, nil, report); err != nil {
			t.Error(err)
		}
		if err := store.Check(ctx, report); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, store
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (core.Store, moderation.Store) {
		return open(t, filepath.Join(t.TempDir(), "duyet.db"))
	})
}
