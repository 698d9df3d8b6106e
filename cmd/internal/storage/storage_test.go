package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/storetest"
	"duyet/moderation"
)

// open opens a store that is checked before it is closed; close may be called earlier.
func open(t *testing.T, o storage.Options) (s *storage.Storage, closeNow func()) {
	t.Helper()
	o.Command = "storage test"
	s, err := storage.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	closeNow = func() {
		if closed {
			return
		}
		closed = true
		problems, err := s.Check(context.Background(), nil)
		if err != nil {
			t.Error(err)
		}
		for _, p := range problems {
			t.Errorf("check: %s", p)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(closeNow)
	return s, closeNow
}

// fill puts something of everything into a store.
func fill(t *testing.T, s *storage.Storage) *storetest.Bench {
	t.Helper()
	b := storetest.NewBench(t, s.Comments())
	b.AddSite("news")
	for i := range 20 {
		c := b.Creation("news", fmt.Sprintf("https://news.example/%d", i%3), comments.Statuses[i%5])
		c.Comment.Signals = []comments.Signal{{Check: "x", Level: comments.LevelHold}}
		b.Create(c)
	}
	desk := s.Moderation()
	if _, err := desk.AddModerator(t.Context(), moderation.Moderator{ID: "m-1", Email: "a@example.org", Role: moderation.Owner}, "operator"); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Hour)
	for _, err := range []error{
		desk.AddToken(t.Context(), moderation.Token{Hash: moderation.HashOf("t"), Moderator: "m-1"}, "operator"),
		desk.AddLink(t.Context(), moderation.Link{Hash: moderation.HashOf("l"), Moderator: "m-1", Expires: at}),
		desk.PutSession(t.Context(), moderation.HashOf("s"), []byte("s"), at),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestOpenMakesAndFinds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, closeNow := open(t, storage.Options{Dir: dir})
	b := fill(t, s)
	head := b.Head("news")
	secret := s.Secret().Text()
	closeNow()
	for _, name := range []string{storage.SecretFile, storage.DatabaseFile, storage.SentinelFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	again, _ := open(t, storage.Options{Dir: dir})
	if again.Secret().Text() != secret {
		t.Error("the secret changed")
	}
	got, err := again.Comments().VerifyChain(t.Context(), "news")
	if err != nil {
		t.Fatal(err)
	}
	b.Equal("head", got, head)
	if stats, err := again.Stats(t.Context()); err != nil || stats.FileBytes == 0 || stats.UsedBytes == 0 {
		t.Errorf("stats %+v, %v", stats, err)
	}
	if err := again.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// refused opens a folder that must be refused with one line, and left as it is.
func refused(t *testing.T, o storage.Options, want error, says string) {
	t.Helper()
	before := contents(t, o.Dir)
	o.Command = "storage test"
	s, err := storage.Open(t.Context(), o)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q does not say %q in one line", err, says)
	}
	after := contents(t, o.Dir)
	for _, name := range []string{storage.SecretFile, storage.DatabaseFile, storage.SentinelFile} {
		if before[name] != after[name] {
			t.Errorf("%s was changed", name)
		}
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func TestOpenRefuses(t *testing.T) {
	made := func(t *testing.T) string {
		dir := t.TempDir()
		s, closeNow := open(t, storage.Options{Dir: dir})
		fill(t, s)
		closeNow()
		return dir
	}
	t.Run("database missing", func(t *testing.T) {
		dir := made(t)
		os.Remove(filepath.Join(dir, storage.DatabaseFile))
		refused(t, storage.Options{Dir: dir}, storage.ErrDatabaseGone, "restore")
		if _, err := os.Stat(filepath.Join(dir, storage.DatabaseFile)); err == nil {
			t.Error("a new one was made")
		}
	})
	t.Run("database emptied", func(t *testing.T) {
		dir := made(t)
		os.Truncate(filepath.Join(dir, storage.DatabaseFile), 0)
		refused(t, storage.Options{Dir: dir}, comments.ErrDamaged, "restore")
	})
	t.Run("another installation's database", func(t *testing.T) {
		dir, other := made(t), made(t)
		for _, name := range []string{storage.DatabaseFile, storage.SecretFile} {
			b, err := os.ReadFile(filepath.Join(other, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, storage.Options{Dir: dir}, storage.ErrOtherDatabase, "another installation")
	})
	t.Run("another secret", func(t *testing.T) {
		dir := made(t)
		refused(t, storage.Options{Dir: dir, Secret: storage.NewSecret().Text()}, boltstore.ErrOtherSecret, "secret")
	})
	t.Run("no secret", func(t *testing.T) {
		dir := made(t)
		os.Remove(filepath.Join(dir, storage.SecretFile))
		refused(t, storage.Options{Dir: dir}, nil, "put back the secret")
	})
	t.Run("bad secret", func(t *testing.T) {
		dir := made(t)
		os.WriteFile(filepath.Join(dir, storage.SecretFile), []byte("password123\n"), 0o600)
		refused(t, storage.Options{Dir: dir}, storage.ErrBadSecret, "put back")
		refused(t, storage.Options{Dir: dir, Secret: "x"}, storage.ErrBadSecret, "DUYET_SECRET")
	})
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		_, closeNow := open(t, storage.Options{Dir: dir})
		var locked *boltstore.LockedError
		_, err := storage.Open(t.Context(), storage.Options{Dir: dir, Command: "second"})
		if !errors.As(err, &locked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d (storage test)", os.Getpid())) {
			t.Fatalf("error %v does not name the holder", err)
		}
		if _, err := storage.Compact(t.Context(), storage.Options{Dir: dir}); !errors.As(err, &locked) {
			t.Errorf("compact beside a server: %v", err)
		}
		// One that waits gets it when the first lets go.
		opened := make(chan error)
		go func() {
			s, err := storage.Open(t.Context(), storage.Options{Dir: dir, Wait: time.Minute})
			if err == nil {
				err = s.Close()
			}
			opened <- err
		}()
		closeNow()
		if err := <-opened; err != nil {
			t.Error(err)
		}
	})
}

// TestCrashWhileMaking: whatever of the three files a crash left, in the order in which
// they are made, the next start completes them.
func TestCrashWhileMaking(t *testing.T) {
	dir := t.TempDir()
	s, closeNow := open(t, storage.Options{Dir: dir})
	secret := s.Secret().Text()
	closeNow()
	whole := contents(t, dir)
	for _, left := range [][]string{
		{}, {storage.SecretFile}, {storage.SecretFile, storage.DatabaseFile},
	} {
		dir := t.TempDir()
		for _, name := range left {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(whole[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// What was being written when the crash came.
		if err := os.WriteFile(filepath.Join(dir, storage.DatabaseFile+".new"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, closeNow := open(t, storage.Options{Dir: dir})
		if len(left) > 0 && s.Secret().Text() != secret {
			t.Errorf("after %v: the secret changed", left)
		}
		storetest.NewBench(t, s.Comments()).AddSite("news")
		closeNow()
		again, _ := open(t, storage.Options{Dir: dir})
		if sites, err := again.Comments().Sites(t.Context()); err != nil || len(sites) != 1 {
			t.Errorf("after %v: sites %v, %v", left, sites, err)
		}
	}
}

func TestCompact(t *testing.T) {
	dir := t.TempDir()
	s, closeNow := open(t, storage.Options{Dir: dir})
	b := fill(t, s)
	b.AddSite("gone")
	for range 300 {
		c := b.Creation("gone", "p", comments.Approved)
		c.Comment.Content = strings.Repeat("x", 3000)
		b.Create(c)
	}
	b.Must(s.Comments().RemoveSite(b.Ctx, "gone", "operator"))
	heads, err := s.Heads(t.Context())
	b.Must(err)
	closeNow()
	got, err := storage.Compact(t.Context(), storage.Options{Dir: dir})
	b.Must(err)
	if got.After >= got.Before {
		t.Errorf("compacted from %d to %d", got.Before, got.After)
	}
	again, _ := open(t, storage.Options{Dir: dir})
	after, err := again.Heads(t.Context())
	b.Must(err)
	b.Equal("heads", after, heads)
	if _, err := storage.Compact(t.Context(), storage.Options{Dir: t.TempDir()}); !errors.Is(err, boltstore.ErrMissing) {
		t.Errorf("compact of nothing: %v", err)
	}
}
