package boltstore_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// BenchmarkMerge is a page of 100,000 standing comments of a year merged into another, and
// so how long whoever writes meanwhile waits.
func BenchmarkMerge(b *testing.B) {
	const many = 100_000
	db, err := boltstore.Open(b.Context(), options(filepath.Join(b.TempDir(), "duyet.db")))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.AddSite(b.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		b.Fatal(err)
	}
	create := func(n int64, page string) {
		c := creation(b, "news", n)
		c.Comment.Page, c.Comment.Status = page, comments.Approved
		c.Comment.CreatedAt = c.Comment.CreatedAt.Add(-time.Duration(n) * 5 * time.Minute)
		if _, _, err := db.Create(b.Context(), c); err != nil {
			b.Error(err)
		}
	}
	pages := []string{"a", "b", "c", "d", "e", "f", "g"}
	var wg sync.WaitGroup
	for k := range int64(256) {
		wg.Go(func() {
			for n := k; n < many; n += 256 {
				create(n, pages[0])
			}
		})
	}
	wg.Wait()
	for n, page := range pages[1:] {
		create(many+int64(n), page)
	}
	for n := 0; b.Loop() && n+1 < len(pages); n++ {
		if _, err := db.MovePage(b.Context(), comments.PageMove{Site: "news", From: pages[n], To: pages[n+1], Merge: true, Actor: "operator"}); err != nil {
			b.Fatal(err)
		}
	}
}
