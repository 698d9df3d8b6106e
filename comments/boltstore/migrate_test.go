package boltstore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
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

// TestFrozen opens a file that version 1 has written: everything is there, and fits.
func TestFrozen(t *testing.T) {
	packed, err := os.Open(filepath.Join("testdata", "version1.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	o := testOptions(t)
	if err := os.WriteFile(o.Path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db := testDB(t, o) // which ends with a check
	if s := db.Survey(); len(s.Damaged) != 0 {
		t.Errorf("damaged: %v", s.Damaged)
	}
	if list := problems(t, db); len(list) != 0 {
		t.Errorf("problems: %q", list)
	}
	// 0 was approved; 1 to 4 answer the article, 5 answers 1, 9 answers 5.
	for i, root := range map[int]comments.ID{0: "", 4: "", 5: comments.MakeID("news", one(1)), 9: comments.MakeID("news", one(1)), 8: comments.MakeID("news", one(4))} {
		c, err := db.Comment(t.Context(), comments.MakeID("news", one(i)))
		if err != nil || c.Root != root || c.Name != "Ánh" || c.Content != "Rất hay!" {
			t.Errorf("comment %d: %+v, %v", i, c, err)
		}
	}
	f := comments.QueueFilter{Site: "news", Status: comments.Pending, Order: comments.ByRisk, Limit: 10}
	if list, err := db.Queue(t.Context(), f); err != nil || len(list) != 1 {
		t.Errorf("pending by risk: %+v, %v", list, err)
	}
	p, err := db.Page(t.Context(), "news", "p")
	if err != nil || p.Standing != 3 || p.Counts.Approved != 3 {
		t.Errorf("page %+v, %v", p, err)
	}
}
