//go:build !race

package audience_test

import (
	"fmt"
	"runtime"
	"testing"

	"duyet/comments/audience/audiencetest"
)

// The race detector has memory of its own; make test runs this once without it.
func TestAMillionViewsNeedLittleMemory(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	store := &discard{}
	a := newAudience(store, c, 1)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	highest := uint64(0)
	for i := range uint32(1_000_000) {
		page := fmt.Sprintf("https://news.example/2026/11/21/an-article-with-a-usual-address-%d", i%200_000)
		a.View(t.Context(), site, visit(page, i%100_000))
		if i%50_000 == 49_999 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			highest = max(highest, after.HeapAlloc-before.HeapAlloc)
			if err := a.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("highest %d KiB above the start", highest>>10)
	if highest > 64<<20 {
		t.Errorf("%d MiB", highest>>20)
	}
	if store.views != 1_000_000 {
		t.Errorf("%d views arrived", store.views)
	}
	runtime.KeepAlive(a)
}
