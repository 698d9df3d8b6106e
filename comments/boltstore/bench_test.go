package boltstore_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// words are of the length of readers' comments in Vietnamese newspapers.
var words = strings.Repeat("Rất đồng tình với ý kiến của bài viết này. ", 5)

func creation(t testing.TB, site string, n int64) comments.Creation {
	id, err := comments.NewID(site)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	c := comments.Creation{
		Comment: comments.Comment{
			ID: id, Site: site, Page: fmt.Sprintf("https://news.example/bai-viet-%d.html", n%50), Status: comments.Pending,
			Name: "Nguyễn Văn An", Title: "Góp ý", Content: words, Lang: "vi", CreatedAt: now,
		},
		Ticket: comments.Spend{Expires: now.Add(30 * time.Minute)},
		Author: comments.Author{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), Expires: now.Add(90 * 24 * time.Hour)},
		Actor:  comments.ActorReader,
	}
	binary.BigEndian.PutUint64(c.Ticket.ID[:], uint64(n)*0x9E3779B97F4A7C15+1)
	return c
}

// in runs b.N calls by so many callers at once, each calling again when it is answered.
func in(b *testing.B, writers int, call func(n int64)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				call(n)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}

// BenchmarkCreate is comments stored durably, by so many callers at once.
func BenchmarkCreate(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			o := options(filepath.Join(b.TempDir(), "duyet.db"))
			var commits, took int64
			o.OnCommit = func(_ int, t time.Duration) { commits++; took += int64(t) }
			db, err := boltstore.Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if _, err := db.AddSite(b.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
				b.Fatal(err)
			}
			in(b, writers, func(n int64) {
				if _, _, err := db.Create(b.Context(), creation(b, "news", n)); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "comments/s")
			b.ReportMetric(float64(b.N)/float64(commits), "comments/commit")
		})
	}
}

// BenchmarkBare is bbolt's own limit: one writer that puts as many keys of the same sizes
// into as many buckets, for whoever waits, and commits.
func BenchmarkBare(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bbolt.Options{
				FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, NoStatistics: true, InitialMmapSize: 8 << 30,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			w := newBareWriter(b, db)
			in(b, writers, w.put)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "comments/s")
			close(w.queue)
			b.ReportMetric(float64(b.N)/float64(<-w.commits), "comments/commit")
		})
	}
}

// bareKeys are the sizes of what a comment puts: key, value. The last two are written
// once a commit: page and head.
var bareKeys = [][2]int{{20, 430}, {12, 130}, {24, 57}, {21, 0}, {28, 9}, {45, 50}, {4, 106}}

type bareWriter struct {
	queue   chan chan struct{}
	commits chan int
}

func newBareWriter(b *testing.B, db *bbolt.DB) *bareWriter {
	w := &bareWriter{queue: make(chan chan struct{}, 1024), commits: make(chan int, 1)}
	names := make([][]byte, len(bareKeys))
	err := db.Update(func(tx *bbolt.Tx) error {
		for i := range names {
			names[i] = []byte{byte('a' + i)}
			if _, err := tx.CreateBucket(names[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		commits, seq := 0, uint64(0)
		for done := range w.queue {
			batch := []chan struct{}{done}
			for len(w.queue) > 0 {
				batch = append(batch, <-w.queue)
			}
			if err := db.Update(func(tx *bbolt.Tx) error { return bareBatch(tx, names, len(batch), &seq) }); err != nil {
				b.Error(err)
			}
			commits++
			for _, done := range batch {
				close(done)
			}
		}
		w.commits <- commits
	}()
	return w
}

func bareBatch(tx *bbolt.Tx, names [][]byte, n int, seq *uint64) error {
	for range n {
		*seq++
		for i, size := range bareKeys[:5] {
			if err := barePut(tx, names[i], *seq, size); err != nil {
				return err
			}
		}
		if err := barePut(tx, names[5], *seq%50, bareKeys[5]); err != nil {
			return err
		}
	}
	return barePut(tx, names[6], 1, bareKeys[6])
}

func barePut(tx *bbolt.Tx, name []byte, n uint64, size [2]int) error {
	key := make([]byte, max(size[0], 8))
	binary.BigEndian.PutUint64(key, n)
	bucket := tx.Bucket(name)
	bucket.FillPercent = 0.9
	return bucket.Put(key[:size[0]], make([]byte, size[1]))
}

func (w *bareWriter) put(int64) {
	done := make(chan struct{})
	w.queue <- done
	<-done
}

// BenchmarkOpen is a start with 100,000 comments.
func BenchmarkOpen(b *testing.B) {
	o := options(filepath.Join(b.TempDir(), "duyet.db"))
	db, err := boltstore.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.AddSite(b.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		b.Fatal(err)
	}
	const callers, each = 500, 200
	var wg sync.WaitGroup
	for caller := range int64(callers) {
		wg.Go(func() {
			for i := range int64(each) {
				if _, _, err := db.Create(b.Context(), creation(b, "news", caller*each+i)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := boltstore.Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(db.Survey().Bytes)/(1<<20), "MiB")
		if len(db.Survey().Damaged) > 0 {
			b.Fatal(db.Survey().Damaged)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThread is a page's thread of 50 comments read and decoded.
func BenchmarkThread(b *testing.B) {
	db := open(b, options(filepath.Join(b.TempDir(), "duyet.db")))
	if _, err := db.AddSite(b.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range int64(2500) {
		wg.Go(func() {
			c := creation(b, "news", n)
			c.Comment.Status = comments.Approved
			if _, _, err := db.Create(b.Context(), c); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportAllocs()
	for b.Loop() {
		list, err := db.Thread(b.Context(), "news", "https://news.example/bai-viet-7.html", comments.Oldest, "", 50)
		if err != nil || len(list) != 50 {
			b.Fatal(len(list), err)
		}
	}
}
