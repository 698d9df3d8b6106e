package storage_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/boltstore"
)

func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, storage.Options{Dir: dir})
	b := fill(t, s)
	file := filepath.Join(t.TempDir(), "x.backup")

	// While others write.
	stop, writing := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			b.Post("news", "https://news.example/hot", comments.Approved)
			if i == 5 {
				close(writing)
			}
		}
	})
	<-writing
	manifest, err := s.Backup(t.Context(), file)
	close(stop)
	wg.Wait()
	b.Must(err)
	info, err := os.Stat(file)
	b.Must(err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	verified, err := storage.VerifyBackup(t.Context(), file)
	b.Must(err)
	b.Equal("manifest", verified, manifest)

	fresh := filepath.Join(t.TempDir(), "data")
	_, err = storage.Restore(t.Context(), storage.Options{Dir: fresh}, file)
	b.Must(err)
	restored, closeNow := open(t, storage.Options{Dir: fresh})
	b.Equal("secret", restored.Secret().Text(), s.Secret().Text())
	heads, err := restored.Heads(t.Context())
	b.Must(err)
	for site, h := range heads {
		if manifest.Heads[site].Seq != h.Seq {
			t.Errorf("site %s: head %d, the manifest says %d", site, h.Seq, manifest.Heads[site].Seq)
		}
		if _, err := restored.Comments().VerifyChain(t.Context(), site); err != nil {
			t.Error(err)
		}
	}
	// It goes on from there.
	_, _, err = restored.Comments().Create(t.Context(), b.Creation("news", "p", comments.Pending))
	b.Must(err)
	if _, err := restored.Moderation().Moderator(t.Context(), "m-1"); err != nil {
		t.Error(err)
	}
	closeNow()
}

func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	s, closeNow := open(t, storage.Options{Dir: dir})
	fill(t, s)
	file := filepath.Join(t.TempDir(), "x.backup")
	if _, err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	var locked *boltstore.LockedError
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file); !errors.As(err, &locked) {
		t.Errorf("beside a server: %v", err)
	}
	os.Remove(filepath.Join(dir, storage.DatabaseFile)) // under a server that runs
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file); !errors.As(err, &locked) {
		t.Errorf("beside a server whose file is gone: %v", err)
	}
	closeNow()
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file); err != nil {
		t.Errorf("where the database went missing: %v", err)
	}
	before := contents(t, dir)
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file); !errors.Is(err, storage.ErrDatabaseThere) {
		t.Errorf("over a database: %v", err)
	}
	for name, want := range before {
		if contents(t, dir)[name] != want {
			t.Errorf("%s was changed", name)
		}
	}
}

// TestDamagedBackup: a backup with any byte wrong, or cut anywhere, restores nothing.
func TestDamagedBackup(t *testing.T) {
	s, _ := open(t, storage.Options{Dir: t.TempDir()})
	fill(t, s)
	file := filepath.Join(t.TempDir(), "x.backup")
	if _, err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	try := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file)
		if !errors.Is(err, storage.ErrBadBackup) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
		for name := range contents(t, dir) {
			if name != storage.DatabaseFile+".lock" {
				t.Fatalf("%s: left %s behind", what, name)
			}
		}
	}
	places := covered(t, whole)
	end := places[len(places)-1] // what follows is zeros
	for at := 0; at < end; at += 1 + end/60 {
		try("cut", whole[:at])
	}
	for _, at := range places {
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 0x10
		try("flipped", flipped)
	}
	try("another file", []byte(strings.Repeat("not a backup", 1000)))
}

func TestRestoreSecrets(t *testing.T) {
	dir := t.TempDir()
	s, closeNow := open(t, storage.Options{Dir: dir})
	fill(t, s)
	file := filepath.Join(t.TempDir(), "x.backup")
	if _, err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	closeNow()
	old := s.Secret().Text()
	// Rotated since: what was sealed since must still open.
	rotated, err := storage.RotateSecret(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, storage.DatabaseFile))
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: dir}, file); err != nil {
		t.Fatal(err)
	}
	again, closeNow := open(t, storage.Options{Dir: dir})
	if again.Secret().Text() != rotated.Text() {
		t.Error("the rotated secret was lost")
	}
	if _, err := again.Comments().VerifyChain(t.Context(), "news"); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	closeNow()
	// Another installation's: kept aside.
	other := t.TempDir()
	stranger, err := storage.LoadSecret(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Restore(t.Context(), storage.Options{Dir: other}, file); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, other); got[storage.SecretFile] != old || got[storage.SecretFile+".old"] != stranger.Text() {
		t.Error("the other secret was not kept aside")
	}
	open(t, storage.Options{Dir: other})
}

func TestRotateBackups(t *testing.T) {
	now := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	s, _ := open(t, storage.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	fill(t, s)
	dir := filepath.Join(t.TempDir(), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mine.backup", ".duyet-1.backup-2.partial"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var made []string
	for range 5 {
		name, err := s.RotateBackups(t.Context(), dir, 3)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, name)
		now = now.Add(time.Hour)
	}
	got, err := storage.Backups(dir)
	if err != nil || strings.Join(got, " ") != strings.Join(made[2:], " ") {
		t.Errorf("backups %v, %v; want %v", got, err, made[2:])
	}
	if _, err := os.Stat(filepath.Join(dir, "mine.backup")); err != nil {
		t.Error("a file that is not ours was removed")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 4 {
		t.Errorf("left behind: %v", entries)
	}
	for _, name := range got {
		if _, err := storage.VerifyBackup(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	// One that fails removes nothing.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.RotateBackups(ctx, dir, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
	if left, _ := storage.Backups(dir); len(left) != 3 {
		t.Errorf("left %v", left)
	}
}

// covered are places of a tar file that mean something: in headers and in contents, but
// not in what pads them.
func covered(t *testing.T, file []byte) (places []int) {
	t.Helper()
	r := bytes.NewReader(file)
	entries := tar.NewReader(r)
	for {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return places
		}
		if err != nil {
			t.Fatal(err)
		}
		at := len(file) - r.Len()
		places = append(places, at-512, at-300)
		for i := 0; i < int(h.Size); i += 1 + int(h.Size)/30 {
			places = append(places, at+i)
		}
	}
}
