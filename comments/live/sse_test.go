package live_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/live"
)

func serve(h *live.Hub) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := h.Subscribe(r.Context(), "a", r.FormValue("page"), here, live.After(r))
		if err != nil {
			live.Refuse(w)
			return
		}
		live.Serve(w, r, l)
	})
}

// stream reads server-sent events, without comments.
type stream struct {
	t    *testing.T
	body *bufio.Reader
}

func open(t *testing.T, url, lastEventID string) stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		t.Fatalf("Content-Type %q", ct)
	}
	return stream{t, bufio.NewReader(resp.Body)}
}

func (s stream) event() string {
	s.t.Helper()
	for {
		var lines []string
		for {
			line, err := s.body.ReadString('\n')
			if err != nil {
				return "end"
			}
			if line = strings.TrimSuffix(line, "\n"); line == "" {
				break
			}
			lines = append(lines, line)
		}
		if e := strings.Join(lines, " "); !strings.HasPrefix(e, ":") && !strings.HasPrefix(e, "retry") {
			return e
		}
	}
}

func TestEventsOnTheWire(t *testing.T) {
	h := newHub(t, live.Config{PerNetwork: 2, Heartbeat: 50 * time.Millisecond})
	h.Observe(commit(4, "x", comments.Pending, comments.Approved))
	srv := httptest.NewServer(serve(h))
	defer srv.Close()
	a := open(t, srv.URL+"?page=x&after=3", "")
	if e := a.event(); e != `id: 4 event: news data: {"added":1,"removed":0}` {
		t.Error(e)
	}
	h.Observe(commit(5, "x", comments.Approved, comments.Trashed))
	if e := a.event(); e != `id: 5 event: news data: {"added":0,"removed":1}` {
		t.Error(e)
	}
	back := open(t, srv.URL+"?page=x&after=3", "1") // the header wins
	if e := back.event(); e != `id: 5 event: stale data: {}` {
		t.Error(e)
	}
	if e := open(t, srv.URL+"?page=x", "").event(); e != `event: poll data: {}` {
		t.Error(e)
	}
	h.Close()
	if e := a.event(); e != "end" {
		t.Error("after the hub closed:", e)
	}
}

func TestShutdownEndsStreamsAtOnce(t *testing.T) {
	h := newHub(t, live.Config{})
	srv := httptest.NewServer(serve(h))
	srv.Config.RegisterOnShutdown(h.Close)
	for range 20 {
		open(t, srv.URL+"?page=x", "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	srv.Close()
}

// idle opens n streams to a handler over a socket and reports how much memory, heap and
// stacks, the program holds more for each. Clients are bare connections.
func idle(t *testing.T, n int, h http.Handler, ready func([]net.Conn)) float64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(ln) })
	defer func() {
		_ = srv.Close()
		serving.Wait()
	}()
	conns := make([]net.Conn, n)
	before := held()
	buf := make([]byte, 512)
	for i := range conns {
		if conns[i], err = net.Dial("unix", path); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conns[i].Close() }()
		if _, err := io.WriteString(conns[i], "GET /?page=x HTTP/1.1\r\nHost: a.example\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conns[i].Read(buf); err != nil { // the head has come
			t.Fatal(err)
		}
	}
	ready(conns)
	return float64(held()-before) / float64(n)
}

func held() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func TestIdleListenersCostLittleMoreThanABareHandler(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector's own memory would be measured")
	}
	n := 10_000
	n = min(n, files(2*n+300)/2)
	if testing.Short() {
		n = min(n, 1000)
	}
	bare := idle(t, n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), func([]net.Conn) {})

	h := newHub(t, live.Config{PerNetwork: n, Most: n, Heartbeat: 500 * time.Millisecond})
	hub := idle(t, n, serve(h), func(conns []net.Conn) {
		buf := make([]byte, 512)
		for _, c := range conns { // measured after each has written a heartbeat at least
			for got := ""; !strings.Contains(got, "\n:"); {
				n, err := c.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				got += "\n" + string(buf[:n])
			}
		}
	})
	t.Logf("%d idle listeners: %.0f bytes each, a bare handler %.0f: %.3f times", n, hub, bare, hub/bare)
	if hub > 1.2*bare {
		t.Errorf("%.2f times a bare handler", hub/bare)
	}
}

// files raises how many files may be open, if that is allowed, and says how many may, less
// some for the program itself.
func files(want int) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return want
	}
	if limit.Cur < uint64(want) {
		more := syscall.Rlimit{Cur: uint64(want), Max: max(limit.Max, uint64(want))}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more) == nil {
			limit = more
		}
	}
	return int(min(limit.Cur, uint64(want))) - 100
}
