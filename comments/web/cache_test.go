package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"duyet/comments"
)

const fragmentPath = "/s/" + testSite + "/fragment?page="

func (h *house) count(page string) int {
	h.t.Helper()
	w := h.get(fragmentPath + page)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return len(parse(h.t, w.Body).all("article"))
}

func TestDecisionsShowAtOnceOnOnePageAlone(t *testing.T) {
	h := newHouse(t, "")
	const other = "https://news.example/khac"
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	h.publish(other, "Lộc", "Lời khác", "")
	body := h.body()
	h.postJSON(commentsPath, body)
	var pending comments.ID
	w := h.postJSON(commentsPath, body) // the same again names it
	if _, after, ok := strings.Cut(w.Body.String(), `"id":"`); ok {
		id, _, _ := strings.Cut(after, `"`)
		pending = comments.ID(id)
	}
	counts := apiPath + "/counts?page=" + testPage
	read := func() [3]int {
		n := len(read[threadBody](h, apiPath+"/thread?page="+testPage).Comments)
		latest := len(read[latestBody](h, apiPath+"/latest").Comments)
		return [3]int{h.count(testPage), n + 10*int(read[countsBody](h, counts).Counts[0].Count), latest}
	}
	if got := read(); got != [3]int{1, 11, 2} {
		t.Fatalf("%v", got)
	}
	h.count(other)
	before := h.store.threadReads()
	h.decide(pending, comments.Approved)
	if got := read(); got != [3]int{2, 22, 3} {
		t.Errorf("approved: %v", got)
	}
	h.count(other)
	if n := h.store.threadReads() - before; n != 2 {
		t.Errorf("%d threads were read again for one page's fragment and JSON", n)
	}
	h.decide(pending, comments.Trashed)
	if got := read(); got != [3]int{1, 11, 2} {
		t.Errorf("taken down: %v", got)
	}
	before = h.store.threadReads()
	h.decide(pending, comments.Spam)
	h.postJSON(commentsPath, h.body())
	read()
	if n := h.store.threadReads() - before; n != 0 {
		t.Errorf("%d threads were read again for what was never public", n)
	}
	etag := h.get(fragmentPath + testPage).Header().Get("ETag")
	h.set("timezone=UTC")
	if h.get(fragmentPath+testPage).Header().Get("ETag") == etag {
		t.Error("a setting does not show")
	}
	if err := h.svc.RemoveSite(t.Context(), testSite, true, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	if w := h.get(fragmentPath + testPage); w.Code != http.StatusNotFound {
		t.Errorf("a removed site answers %d", w.Code)
	}
}

func TestCachedReadTouchesNoStore(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	h.count(testPage)
	h.store.fail(nil, comments.ErrUnavailable)
	if h.count(testPage) != 1 {
		t.Error("not from the cache")
	}
	// Another spelling of the same question finds the same entry.
	if h.count("HTTPS://NEWS.example:443/pho-di-bo%23x&lang=vi&sort=oldest&limit=50") != 1 {
		t.Error("another spelling is rendered anew")
	}
}

func TestRenderingFromBeforeACommitIsNeverServedAfter(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	held, release := h.store.hold()
	old := make(chan int, 1)
	go func() { old <- h.count(testPage) }()
	<-held // it has read one comment
	h.publish(testPage, "Lộc", "Lời sau", "")
	// This one neither waits for the old rendering nor is given it.
	after := make(chan int, 1)
	go func() { after <- h.count(testPage) }()
	select {
	case got := <-after:
		if got != 2 {
			t.Errorf("%d comments after the commit", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("a reader after the commit waits for a rendering from before it")
	}
	release()
	if got := <-old; got != 1 {
		t.Errorf("the old rendering has %d", got)
	}
	if got := h.count(testPage); got != 2 {
		t.Errorf("the old rendering took the new one's place: %d", got)
	}
}

func TestSettingsChangedDuringARendering(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	held, release := h.store.hold()
	done := make(chan struct{})
	go func() { defer close(done); h.count(testPage) }()
	<-held
	h.set("lang=en")
	release()
	<-done
	if lang := h.get(fragmentPath + testPage).Header().Get("Content-Language"); lang != "en" {
		t.Errorf("still %s", lang)
	}
}

func TestStampedeRendersOnce(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	held, release := h.store.hold()
	var wg sync.WaitGroup
	wg.Go(func() { h.count(testPage) })
	<-held
	for range 50 {
		wg.Go(func() { h.count(testPage) })
	}
	release()
	wg.Wait()
	// Those that came before the first was done waited for it; those after found it.
	if n := h.store.threadReads(); n != 1 {
		t.Errorf("%d renderings", n)
	}
}

// TestReadersNeverMissACommit lets readers race with writers: whoever asks after a comment
// was published sees it.
func TestReadersNeverMissACommit(t *testing.T) {
	h := newHouse(t, "")
	pages := []string{testPage, "https://news.example/khac"}
	published := make([]int, len(pages))
	var mu sync.Mutex
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := i % len(pages)
				mu.Lock()
				want := published[n]
				mu.Unlock()
				if got := h.count(pages[n] + "&limit=1000"); got < want {
					t.Errorf("%d comments, though %d were published", got, want)
					return
				}
			}
		})
	}
	for range 25 {
		for n, page := range pages {
			h.publish(page, "Hạnh", "Lời", "")
			mu.Lock()
			published[n]++
			mu.Unlock()
		}
	}
	close(stop)
	readers.Wait()
}

func TestEncodings(t *testing.T) {
	h := newHouse(t, "")
	for range 10 {
		h.publish(testPage, "Hạnh", strings.Repeat("Lời dài. ", 30), "")
	}
	plain := h.get(fragmentPath + testPage)
	tags := map[string]bool{plain.Header().Get("ETag"): true}
	for accept, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip": "gzip", "gzip;q=0": "", "identity": "", "deflate": "", "br ; q=0.5": "br", "gzip;q=0.0, br; q=0": "",
	} {
		for range 2 {
			w := h.get(fragmentPath+testPage, "Accept-Encoding", accept)
			expect(t, w, "Content-Encoding", want, "Content-Length", strconv.Itoa(w.Body.Len()))
			var r io.Reader = w.Body
			switch want {
			case "gzip":
				r = must(gzip.NewReader(w.Body))(t)
			case "br":
				r = brotli.NewReader(w.Body)
			}
			if got := must(io.ReadAll(r))(t); !bytes.Equal(got, plain.Body.Bytes()) {
				t.Errorf("%s: another body", accept)
			}
			tags[w.Header().Get("ETag")] = true
			if w := h.get(fragmentPath+testPage, "Accept-Encoding", accept, "If-None-Match", `"x", W/`+w.Header().Get("ETag")); w.Code != http.StatusNotModified {
				t.Errorf("%s: %d", accept, w.Code)
			}
		}
	}
	if len(tags) != 3 {
		t.Errorf("three encodings have the tags %v", tags)
	}
	if w := h.get(fragmentPath+testPage, "If-None-Match", `"x"`); w.Code != http.StatusOK {
		t.Errorf("another tag: %d", w.Code)
	}
}

func TestCacheIsBounded(t *testing.T) {
	h := newHouse(t, "")
	const most = 1 << 20
	small := must(newCache(most, h.clock))(t)
	h.door.cache = small
	for i := range 300 {
		h.count("https://news.example/khong-co-" + strconv.Itoa(i))
	}
	if n := small.entries.EstimatedSize() + small.aliases.EstimatedSize(); n != 0 {
		t.Errorf("unknown pages took %d places", n)
	}
	h.publish(testPage, "Hạnh", strings.Repeat("Lời dài. ", 500), "")
	for i := range 300 {
		h.count(testPage + fmt.Sprintf("&limit=%d&x=%d", 1+i, i))
	}
	deadline := time.Now().Add(10 * time.Second)
	for small.entries.WeightedSize()+small.aliases.WeightedSize() > most && time.Now().Before(deadline) {
		small.entries.CleanUp()
		small.aliases.CleanUp()
	}
	if w := small.entries.WeightedSize() + small.aliases.WeightedSize(); w > most {
		t.Errorf("%d bytes of %d", w, most)
	}
	if small.entries.EstimatedSize() == 0 {
		t.Error("nothing is kept")
	}
}
