package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
)

// database is one of a PostgreSQL server that lives as long as the test.
func database(t *testing.T) string {
	t.Helper()
	cluster := new(pgtest.Cluster)
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	dsn, err := cluster.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// TestMoveSurvivesKill kills moves again and again while they are at work: the next goes on
// where the one before had come, and in the end everything is there.
func TestMoveSurvivesKill(t *testing.T) {
	dsn, data := database(t), filepath.Join(t.TempDir(), "data")
	const many = 5000
	store, err := storage.Open(t.Context(), storage.Options{Dir: data, Command: "the test"})
	if err != nil {
		t.Fatal(err)
	}
	b := storetest.NewBench(t, store.Comments())
	b.AddSite(testSite)
	creations := make([]comments.Creation, many)
	for i := range creations {
		creations[i] = b.Creation(testSite, fmt.Sprintf("bài %d", i%50), comments.Approved)
	}
	var wg sync.WaitGroup
	for part := range 100 {
		wg.Go(func() {
			for i := part; i < many; i += 100 {
				if _, _, err := store.Comments().Create(context.Background(), creations[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	come := 0
	for kills := range 2 {
		mover := duyet(t, "move", "--from", data, "--to", dsn)
		if err := mover.Start(); err != nil {
			t.Fatal(err)
		}
		come = await(t, conn, come)
		if err := mover.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := mover.Wait(); err == nil {
			t.Fatalf("move %d ended before it was killed", kills)
		}
	}
	out := must(t, "move", "--from", data, "--to", dsn)
	if !strings.Contains(out, "went on where a move was interrupted") || !strings.Contains(out, fmt.Sprintf("comments %17d  ", many)) {
		t.Errorf("it says %s", out)
	}
	node, err := storage.Open(t.Context(), storage.Options{Dir: data, DSN: dsn, Command: "the test"})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	if h, err := node.Comments().VerifyChain(t.Context(), testSite); err != nil || h.Counts.Approved != many {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := os.Stat(filepath.Join(data, storage.DatabaseFile)); err != nil {
		t.Errorf("the source: %v", err)
	}
}

// await waits until a move has brought more than there was.
func await(t *testing.T, conn *pgx.Conn, come int) int {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var text *string
		var note struct {
			Noun string `json:"noun"`
			Done int    `json:"done"`
		}
		// Until the mover has made the table there is none.
		if err := conn.QueryRow(t.Context(), `SELECT moving FROM about`).Scan(&text); err != nil || text == nil {
			continue
		}
		if err := json.Unmarshal([]byte(*text), &note); err != nil {
			t.Fatal(err)
		}
		if note.Done > come && (note.Noun == "comments" || note.Noun == "events") {
			return note.Done
		}
	}
	t.Fatal("no move came on")
	return 0
}
