package storage_test

import (
	"sync"
	"testing"

	"duyet/cmd/internal/storage"
)

// TestTenNodesStartAtOnce on a database that is empty, with both wings.
func TestTenNodesStartAtOnce(t *testing.T) {
	dsn, secret := database(t), storage.NewSecret().Text()
	dirs := make([]string, 10)
	for i := range dirs {
		dirs[i] = t.TempDir()
	}
	var mu sync.Mutex
	var nodes []*storage.Storage
	var wg sync.WaitGroup
	for _, dir := range dirs {
		wg.Go(func() {
			s, err := storage.Open(t.Context(), storage.Options{Dir: dir, DSN: dsn, Secret: secret, Command: "node"})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, s)
		})
	}
	wg.Wait()
	for i, s := range nodes {
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("node %d: %v", i, err)
		}
		if _, err := s.Moderation().Moderators(t.Context()); err != nil {
			t.Errorf("node %d: %v", i, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
