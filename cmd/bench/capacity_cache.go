package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// endless is a store in which every page there could be stands, without a comment, and
// counts how often it is asked for one. All else is a real store's.
type endless struct {
	comments.Store
	asked atomic.Int64
	since time.Time
}

func (e *endless) Page(_ context.Context, site, key string) (comments.Page, error) {
	e.asked.Add(1)
	return comments.Page{Site: site, Key: key, URL: key, Title: "Phố đi bộ", CreatedAt: e.since}, nil
}

// stream is what a node is asked for: pages by how popular they are, after Zipf's law of an
// exponent, and now and then an approval on a page, drawn alike.
type stream struct {
	pages     float64
	exponent  float64
	approvals float64 // for each read
	random    *rand.Rand
}

// page draws one by inverting the law's distribution, taken as continuous: exact but for
// the very first pages.
func (s *stream) page() int {
	u := s.random.Float64()
	if math.Abs(s.exponent-1) < 1e-9 {
		return int(math.Exp(u * math.Log(s.pages)))
	}
	e := 1 - s.exponent
	return int(math.Pow(u*(math.Pow(s.pages, e)-1)+1, 1/e))
}

func address(page int) string { return fmt.Sprint("https://news.example/vi/", page) }

// nobody reads an answer.
type nobody struct {
	header http.Header
	status int
}

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n *nobody) WriteHeader(status int)      { n.status = status }

// weight is what an entry for a page without comments takes in the cache, roughly: it only
// turns a number of entries into bytes.
const emptyWeight = 2400

// hitRate has the readers' door, page cache and all, answer a stream, and returns the share
// of reads that never reached the store. The first half of the reads fills the cache and
// is not counted.
func hitRate(ctx context.Context, dir string, s stream, entries, reads int) (float64, error) {
	sub, err := os.MkdirTemp(dir, "cache-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(sub)
	db, err := boltstore.Open(ctx, boltstore.Options{
		Path: filepath.Join(sub, "duyet.db"), Create: true, Installation: "bench", Fingerprint: "bench", Key: benchKey, Holder: "bench",
	})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	e := &endless{Store: db, since: time.Now()}
	service, _, err := wing(e)
	if err != nil {
		return 0, err
	}
	if err := addBenchSite(ctx, service, benchSite); err != nil {
		return 0, err
	}
	front, observe, err := newFront(service, int64(entries)*emptyWeight)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/sites/"+benchSite+"/thread", nil)
	if err != nil {
		return 0, err
	}
	w := &nobody{header: http.Header{}}
	var due float64
	for i := range reads {
		if i == reads/2 {
			e.asked.Store(0)
		}
		for due += s.approvals; due >= 1; due-- {
			observe(comments.Commit{Page: address(s.page()), Event: comments.Event{Site: benchSite, Kind: comments.KindDecided, To: comments.Approved}})
		}
		again := *r.URL
		again.RawQuery = "page=" + url.QueryEscape(address(s.page()))
		ask := *r
		ask.URL = &again
		clear(w.header)
		w.status = http.StatusOK
		front.ServeHTTP(w, &ask)
		if w.status != http.StatusOK {
			return 0, fmt.Errorf("a read was answered %d", w.status)
		}
	}
	return 1 - float64(e.asked.Load())/float64(reads-reads/2), ctx.Err()
}
