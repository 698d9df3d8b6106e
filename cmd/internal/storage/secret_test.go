package storage_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"duyet/cmd/internal/storage"
)

func TestSecretRotation(t *testing.T) {
	s := storage.NewSecret()
	lasting, fingerprint := s.Lasting("journal"), s.Fingerprint()
	before := s.Keys("tickets")
	if len(before) != 1 || bytes.Equal(before[0], s.Keys("receipts")[0]) || bytes.Equal(before[0], s.Lasting("tickets")) {
		t.Fatal("a new secret has one key, another for each purpose")
	}
	for i := range 4 {
		s = s.Rotated()
		keys := s.Keys("tickets")
		if len(keys) != 2 || !bytes.Equal(keys[1], before[0]) || bytes.Equal(keys[0], before[0]) {
			t.Fatalf("rotation %d: the key that sealed before does not open", i)
		}
		before = keys
		if !bytes.Equal(s.Lasting("journal"), lasting) || s.Fingerprint() != fingerprint {
			t.Fatalf("rotation %d: what lasts changed", i)
		}
		read, err := storage.ParseSecret(s.Text())
		if err != nil || read.Text() != s.Text() {
			t.Fatalf("rotation %d: its text reads as %v, %v", i, read, err)
		}
		if one, err := storage.ParseSecret(strings.ReplaceAll(s.Text()[strings.Index(s.Text(), "\n")+1:], "\n", ",")); err != nil || one.Text() != s.Text() {
			t.Fatalf("rotation %d: on one line it reads as %v, %v", i, one, err)
		}
	}
}

func TestParseSecretRefuses(t *testing.T) {
	key := strings.Split(storage.NewSecret().Text(), "\n")[1]
	for _, text := range []string{"", "\n", "# only\n", "x", key[:40], key + "=", key + "\n" + key[1:], strings.Repeat(key+"\n", 4)} {
		if _, err := storage.ParseSecret(text); !errors.Is(err, storage.ErrBadSecret) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestLoadSecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, storage.SecretFile)
	// Of many that start together one makes it, and all have it.
	texts := make([]string, 16)
	var wg sync.WaitGroup
	for i := range texts {
		wg.Go(func() {
			s, err := storage.LoadSecret(dir)
			if err != nil {
				t.Error(err)
				return
			}
			texts[i] = s.Text()
		})
	}
	wg.Wait()
	for _, text := range texts {
		if text != texts[0] {
			t.Fatal("two secrets were made")
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.LoadSecret(dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	rotated, err := storage.RotateSecret(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := storage.LoadSecret(dir)
	if err != nil || again.Text() != rotated.Text() || again.Text() == texts[0] {
		t.Errorf("after rotation: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
