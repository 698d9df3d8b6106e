package boltstore

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"duyet/comments"
)

func TestMigrate(t *testing.T) {
	o := testOptions(t)
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var ran []int
	step := func(n int, err error) Migration {
		return func(tx *Tx) error {
			ran = append(ran, n)
			tx.putAbout("step", string(rune('0'+n)))
			return err
		}
	}
	broken := errors.New("broken")
	if err := db.Migrate(t.Context(), "test", []Migration{step(1, nil), step(2, broken)}); !errors.Is(err, broken) {
		t.Fatalf("a step that fails: %v", err)
	}
	if version, err := db.version(t.Context(), "test"); version != 1 || err != nil {
		t.Fatalf("version %d, %v", version, err)
	}
	// What failed has left nothing; the next attempt begins where it stands.
	steps := []Migration{step(1, nil), step(2, nil), step(3, nil)}
	if err := db.Migrate(t.Context(), "test", steps); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), "test", steps); err != nil {
		t.Fatal(err)
	}
	if got := ran; len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 2 || got[3] != 3 {
		t.Errorf("ran %v", got)
	}
	if err := db.Migrate(t.Context(), "test", steps[:2]); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
	// A file that a later release has written is refused, and left as it is.
	if err := db.Do(t.Context(), func(tx *Tx) error { tx.putAbout(aboutVersion+wing, "99"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), o)
	if !errors.Is(err, ErrNewer) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if after, err := os.ReadFile(o.Path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestOpenRefuses(t *testing.T) {
	o := testOptions(t)
	o.Create = false
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrMissing) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := os.Stat(o.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	o.Create = true
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o.Fingerprint = "other"
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrOtherSecret) {
		t.Errorf("another secret: %v", err)
	}
	o.Path = t.TempDir()
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrForeign) && !errors.Is(err, comments.ErrUnavailable) {
		t.Errorf("a folder: %v", err)
	}
}
