package httpd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/live"
	"duyet/comments/receipt"
	"duyet/comments/web"
	"duyet/templates"
)

// Whoever listens for new comments, through the real front and the readers' door, costs
// little more memory than a connection that a bare handler holds.
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

	hub := live.New(live.Config{PerNetwork: n, Most: n, Heartbeat: 500 * time.Millisecond})
	defer hub.Close()
	ours := idle(t, n, readers(t, hub), func(conns []net.Conn) {
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
	t.Logf("%d idle listeners: %.0f bytes each, a bare handler %.0f: %.3f times", n, ours, bare, ours/bare)
	if ours > 1.2*bare {
		t.Errorf("%.2f times a bare handler", ours/bare)
	}
}

// readers is the front with the readers' door on a site named x.
func readers(t *testing.T, hub *live.Hub) *Server {
	t.Helper()
	secret := bytes.Repeat([]byte{7}, 32)
	db := must[*boltstore.DB](t)(boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "test",
		Key: secret, Holder: "test", Now: time.Now,
	}))
	t.Cleanup(func() { _ = db.Close() })
	service := comments.NewService(comments.Config{
		Store: db, Tickets: must[*captcha.Sealer](t)(captcha.New([][]byte{secret})), Judge: captcha.NewJudge(1, time.Now),
		Limiter:  must[*limit.Limiter](t)(limit.New(limit.DefaultRules(), 1000, time.Now)),
		Receipts: must[*receipt.Sealer](t)(receipt.New([][]byte{secret})), Screener: nil, Now: time.Now,
	})
	must[comments.Site](t)(service.AddSite(t.Context(), "x", "X", []string{"https://news.example"}, comments.ActorOperator))
	set := must[*templates.Set](t)(templates.New(templates.Options{}))
	router := mux.NewRouter()
	api := NewAPI(router, "test", "")
	door := must[*web.Door](t)(web.New(web.Config{
		Service: service, Templates: set, API: api, Picture: must[*captcha.Gallery](t)(captcha.NewGallery(captcha.NewPainter(), 1<<20)),
		Sound: captcha.NewChoir(must[*captcha.Speaker](t)(captcha.NewSpeaker(""))), Live: hub,
	}))
	return must[*Server](t)(New(Config{
		Templates: set, Router: router, API: api, Doors: []Door{door}, Ready: func(context.Context) error { return nil },
		Meter: func(string) Observe { return func(int, time.Duration) {} }, Log: slog.New(slog.DiscardHandler),
	}))
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
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
		if _, err := io.WriteString(conns[i], "GET /s/x/live?page=https%3A%2F%2Fnews.example%2Fa&after=1 HTTP/1.1\r\nHost: a.example\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
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
