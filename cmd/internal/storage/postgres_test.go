package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
)

func TestPostgres(t *testing.T) {
	dsn := database(t)
	dir := t.TempDir()
	o := storage.Options{Dir: dir, DSN: dsn}
	s, closeNow := open(t, o)
	b := fill(t, s)
	if !s.Shared() {
		t.Error("a server that others may use is not shared")
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if stats, err := s.Stats(t.Context()); err != nil || stats.FileBytes < 1<<20 {
		t.Errorf("stats %+v, %v", stats, err)
	}
	heads, err := s.Heads(t.Context())
	if err != nil || heads["news"].Seq != b.Head("news").Seq {
		t.Errorf("heads %+v, %v", heads, err)
	}
	if _, err := os.Stat(filepath.Join(dir, storage.DatabaseFile)); err == nil {
		t.Error("there is a file of comments as well")
	}
	if _, err := storage.Open(t.Context(), o); !storage.IsLocked(err) {
		t.Errorf("a second node on one folder: %v", err)
	}

	// A second node, with the secret in its environment, knows what the first does.
	second, _ := open(t, storage.Options{Dir: t.TempDir(), DSN: dsn, Secret: s.Secret().Text()})
	judge := captcha.NewJudge(1, nil)
	ticket := comments.Ticket{ID: comments.TicketID{1}, Digits: []byte{1}}
	if v, err := s.Judge(judge).Judge(t.Context(), ticket, "2"); err != nil || v != comments.VerdictWrong {
		t.Errorf("on the first node: %v, %v", v, err)
	}
	if v, err := second.Judge(judge).Judge(t.Context(), ticket, "1"); err != nil || v != comments.VerdictDead {
		t.Errorf("on the second: %v, %v", v, err)
	}
	limiter := s.Limiter(new(limit.Limiter))
	if _, ok := limiter.(*pgstore.Limiter); !ok {
		t.Errorf("limits are %T", limiter)
	}

	// What PostgreSQL's own tools do.
	if _, err := s.Backup(t.Context(), filepath.Join(dir, "x.backup")); !errors.Is(err, storage.ErrPgDump) {
		t.Errorf("backup: %v", err)
	}
	if _, err := storage.Restore(t.Context(), o, "x.backup"); !errors.Is(err, storage.ErrPgDump) {
		t.Errorf("restore: %v", err)
	}
	if _, err := storage.Compact(t.Context(), o); !errors.Is(err, storage.ErrPgDump) {
		t.Errorf("compact: %v", err)
	}

	// A node with another secret is told so in a line.
	stranger := storage.Options{Dir: t.TempDir(), DSN: dsn}
	if _, err := storage.Open(t.Context(), stranger); !errors.Is(err, pgstore.ErrOtherSecret) || strings.Contains(err.Error(), "\n") {
		t.Errorf("with another secret: %v", err)
	}
	// A rotation leaves the database its own.
	if err := s.RotateSecret(); err != nil {
		t.Fatal(err)
	}
	closeNow()
	_, closeNow = open(t, o)
	closeNow()
	if err := os.Remove(filepath.Join(dir, storage.SecretFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Open(t.Context(), o); !errors.Is(err, pgstore.ErrOtherSecret) {
		t.Errorf("without its secret: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, storage.SecretFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a new secret was made for a database that has one")
	}
}
