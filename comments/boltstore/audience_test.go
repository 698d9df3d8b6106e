package boltstore_test

import (
	"path/filepath"
	"testing"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/audience/audiencetest"
	"duyet/comments/boltstore"
)

func TestAudience(t *testing.T) {
	audiencetest.Run(t, func(t *testing.T) audiencetest.Store {
		o := options(filepath.Join(t.TempDir(), "duyet.db"))
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
		s := audiencetest.Store{Store: db, Comments: db}
		s.Reopen = func(t *testing.T) (audience.Store, comments.Store) {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if db, err = boltstore.Open(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			return db, db
		}
		return s
	})
}
