package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/templates"
)

// door is a small part of a service.
type door struct {
	api     huma.API
	entered chan struct{} // told when /slow is being answered
	leave   chan struct{} // closed to let /slow end
}

func (d *door) Zone(next http.Handler) http.Handler { return next }

func (d *door) Routes(r *mux.Router) {
	r.HandleFunc("/s/{site}/thread", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "thread") }).Methods("GET")
	r.HandleFunc("/s/{site}/comments", func(w http.ResponseWriter, req *http.Request) {
		n, err := io.Copy(io.Discard, req.Body)
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		json.NewEncoder(w).Encode(n)
	}).Methods("POST")
	r.HandleFunc("/moderation/", func(http.ResponseWriter, *http.Request) {}).Methods("GET")
	r.HandleFunc("/panic", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
		panic("the secret cause")
	}).Methods("GET")
	r.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		d.entered <- struct{}{}
		<-d.leave
		io.WriteString(w, "done")
	}).Methods("GET")
	huma.Register(d.api, huma.Operation{Method: "GET", Path: "/api/v1/x", OperationID: "x"}, func(context.Context, *struct{}) (*struct{ Body string }, error) {
		return &struct{ Body string }{"x"}, nil
	})
}

type seen struct {
	mu     sync.Mutex
	routes map[string]int
}

func (s *seen) meter(route string) Observe {
	return func(status int, _ time.Duration) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.routes[route] = status
	}
}

func newServer(t testing.TB, base string) (*Server, *door, *seen, *bytes.Buffer) {
	t.Helper()
	set, err := templates.New(templates.Options{Base: base, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	logged := new(bytes.Buffer)
	router := mux.NewRouter()
	api := NewAPI(router, "test", base)
	d := &door{api: api, entered: make(chan struct{}), leave: make(chan struct{})}
	s := &seen{routes: map[string]int{}}
	srv, err := New(Config{
		Templates: set, Router: router, API: api, Doors: []Door{d}, BasePath: base,
		Ready: func(context.Context) error { return nil },
		Meter: s.meter, Log: slog.New(slog.NewTextHandler(logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv, d, s, logged
}

func ask(h http.Handler, method, target, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	srv, _, seen, _ := newServer(t, "")
	for _, c := range []struct {
		method, target, accept string
		status                 int
		kind, route            string
	}{
		{"GET", "/s/x/thread", "text/html", 200, "text/plain; charset=utf-8", "GET /s/{site}/thread"},
		{"GET", "/healthz", "", 200, "text/plain; charset=utf-8", "GET /healthz"},
		{"GET", "/readyz", "", 200, "text/plain; charset=utf-8", "GET /readyz"},
		{"GET", "/openapi.json", "", 200, "application/json", "GET /openapi.json"},
		{"GET", "/api/v1/x", "", 200, "application/json", "GET /api/v1/x"},
		{"GET", "/", "", 303, "text/html; charset=utf-8", "GET /"},
		{"GET", "/nowhere", "text/html", 404, "text/html; charset=utf-8", "none"},
		{"GET", "/api/v1/nowhere", "", 404, "application/problem+json", "none"},
		{"POST", "/s/x/thread", "text/html", 405, "text/html; charset=utf-8", "none"},
		{"DELETE", "/api/v1/x", "", 405, "application/problem+json", "none"},
		{"GET", "/panic", "application/json", 500, "application/problem+json", "GET /panic"},
		{"GET", "/static/nothing.css", "", 404, "text/plain; charset=utf-8", "GET /static/"},
	} {
		w := ask(srv, c.method, c.target, c.accept)
		h := w.Header()
		if w.Code != c.status || h.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d %s, not %d %s", c.method, c.target, w.Code, h.Get("Content-Type"), c.status, c.kind)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s lacks headers: %v", c.method, c.target, h)
		}
		if got := seen.routes[c.route]; got != c.status {
			t.Errorf("%s %s: %q counted as %d", c.method, c.target, c.route, got)
		}
	}
	if allow := ask(srv, "DELETE", "/api/v1/x", "").Header().Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow: %q", allow)
	}
	if w := ask(srv, "GET", "/panic", "text/html"); strings.Contains(w.Body.String(), "secret") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a panic tells too much or is cached: %v %s", w.Header(), w.Body)
	}
	if w := ask(srv, "HEAD", "/s/x/thread", ""); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func TestTheLogHoldsNothingPersonal(t *testing.T) {
	srv, _, _, logged := newServer(t, "")
	ask(srv, "GET", "/s/x/thread?page=a", "")
	if logged.Len() > 0 {
		t.Errorf("a public read that went well is logged: %s", logged)
	}
	for _, c := range []struct{ method, target, route string }{
		{"GET", "/s/baomat/nowhere?page=baomat", "route=none"},
		{"POST", "/s/baomat/comments?page=baomat", `route="POST /s/{site}/comments"`},
		{"GET", "/moderation/?q=baomat", `route="GET /moderation/"`},
		{"GET", "/panic?q=baomat", `route="GET /panic"`},
	} {
		logged.Reset()
		ask(srv, c.method, c.target, "")
		if line := logged.String(); !strings.Contains(line, c.route) || strings.Contains(line, "baomat") || strings.Contains(line, "192.0.2.1") {
			t.Errorf("%s %s: %s", c.method, c.target, line)
		}
	}
}

func TestBasePathStrippedOrNot(t *testing.T) {
	srv, _, _, _ := newServer(t, "/comments")
	for target, status := range map[string]int{
		"/comments/s/x/thread": 200, "/s/x/thread": 200, "/comments": 303, "/comments/": 303,
		"/commentss/x/thread": 404, "/comments/comments/s/x/thread": 404,
	} {
		w := ask(srv, "GET", target, "")
		if w.Code != status {
			t.Errorf("%s: %d, not %d", target, w.Code, status)
		}
		if l := w.Header().Get("Location"); status == 303 && l != "/comments/moderation/" {
			t.Errorf("%s leads to %q", target, l)
		}
	}
	if w := ask(srv, "GET", "/openapi.json", ""); !strings.Contains(w.Body.String(), `"url":"/comments"`) {
		t.Error("the description doesn't name the base path")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	srv, _, _, _ := newServer(t, "")
	r := httptest.NewRequest("POST", "/s/x/comments", io.LimitReader(zeros{}, BodyMost+1))
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestServeLetsRequestsFinish(t *testing.T) {
	srv, d, _, _ := newServer(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, l) }()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-d.entered
	stop()
	// New connections are refused once the listener is closed, while /slow still waits.
	for {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		c.Close()
	}
	close(d.leave)
	if got := <-answered; got != "done" {
		t.Errorf("the request on its way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if w := ask(srv, "GET", "/readyz", ""); w.Code != 503 {
		t.Errorf("ready while ending: %d", w.Code)
	}
}

func BenchmarkFront(b *testing.B) {
	srv, _, _, _ := newServer(b, "")
	bare := mux.NewRouter()
	(&door{api: NewAPI(bare, "", "")}).Routes(bare)
	for name, h := range map[string]http.Handler{"front": srv, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/s/x/thread", nil)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// TestServesOnWhileItSaysItIsEnding: with a delay, a service that is told to end says so
// first and still takes requests.
func TestServesOnWhileItSaysItIsEnding(t *testing.T) {
	srv, _, _, _ := newServer(t, "")
	srv.after = time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, l) }()
	get := func(path string) int {
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := get("/readyz"); got != 200 {
		t.Errorf("ready: %d", got)
	}
	stop()
	for get("/readyz") == 200 {
	}
	if ready, thread := get("/readyz"), get("/s/x/thread"); ready != 503 || thread != 200 {
		t.Errorf("ending: /readyz %d, a thread %d", ready, thread)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
