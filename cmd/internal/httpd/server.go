// Package httpd is the service's front: it listens, lets requests through to the doors
// under limits and default headers, counts and logs them without personal data, and ends
// gracefully. It decides nothing about comments.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/templates"
)

// Time limits of a connection. Answers are small and rendered before they are sent, so
// what takes longer is a client that stalls.
const (
	headerWithin  = 10 * time.Second
	requestWithin = 30 * time.Second
	answerWithin  = 60 * time.Second
	idleFor       = 2 * time.Minute
	headerMost    = 64 << 10
)

// DrainFor is how long requests on their way may take once the service is told to end.
const DrainFor = 7 * time.Second

// Door is a part of the service that answers requests.
type Door interface {
	// Routes adds the door's routes.
	Routes(*mux.Router)
	// Zone holds the door's rules on origins around every request.
	Zone(http.Handler) http.Handler
}

// Config is what a front is made of. Every field is needed but BasePath.
type Config struct {
	Templates *templates.Set
	Router    *mux.Router
	API       huma.API // made by NewAPI on Router
	Doors     []Door
	BasePath  string // "" or "/comments"
	Ready     func(context.Context) error
	Meter     Meter
	Log       *slog.Logger
	// EndAfter is for how long the service that is told to end goes on taking requests
	// while it says that it is not ready, so that a balancer sends it no more; 0 = not at all.
	EndAfter time.Duration
}

// Server is the service's front.
type Server struct {
	handler http.Handler
	log     *slog.Logger
	ending  *atomic.Bool
	after   time.Duration
}

// New puts the doors behind one front. It registers every route, so it is called once for
// a router.
func New(c Config) (*Server, error) {
	for _, d := range c.Doors {
		d.Routes(c.Router)
	}
	spec, err := document(c.API)
	if err != nil {
		return nil, err
	}
	ending := new(atomic.Bool)
	ready := func(ctx context.Context) error {
		if ending.Load() {
			return errors.New("ending")
		}
		return c.Ready(ctx)
	}
	addOwn(c.Router, c.Templates, ready, spec)
	if err := label(c.Router, c.Meter); err != nil {
		return nil, err
	}
	var next http.Handler = c.Router
	for _, d := range c.Doors {
		next = d.Zone(next)
	}
	return &Server{
		handler: &front{
			next: next, base: c.BasePath, templates: c.Templates, log: c.Log,
			unknown: &route{name: "none", public: true, observe: c.Meter("none")},
		},
		log:    c.Log,
		ending: ending,
		after:  c.EndAfter,
	}, nil
}

// ServeHTTP answers one request, for tests and benchmarks without a listener.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers requests on l until ctx ends, and for Config.EndAfter longer; then it takes
// no new connections, lets what is on its way finish for DrainFor, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       requestWithin,
		WriteTimeout:      answerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    headerMost,
		ErrorLog:          anonymous(s.log),
	}
	context.AfterFunc(ctx, func() { s.ending.Store(true) })
	later, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, func() {
		defer end()
		select {
		case <-time.After(s.after):
		case <-later.Done():
		}
	})()
	return serve(later, srv, l, s.log)
}

// ServePlain serves a handler of its own on l in the same way, without the front: the
// operators' listener, the demo's news site. No answer is cut off for its length.
func ServePlain(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    headerMost,
		ErrorLog:          anonymous(log),
	}
	return serve(ctx, srv, l, log)
}

func serve(ctx context.Context, srv *http.Server, l net.Listener, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("listening on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainFor)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		log.Warn("requests cut off at the end", "err", err)
		_ = srv.Close() // there is nothing left to wait for
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listening on %s: %w", l.Addr(), err)
	}
	return nil
}

var peerAddress = regexp.MustCompile(`\b(from|serving) \S+`)

// anonymous logs what net/http has to say, without the addresses of its peers.
func anonymous(l *slog.Logger) *log.Logger { return log.New(peerless{l}, "", 0) }

type peerless struct{ log *slog.Logger }

func (p peerless) Write(line []byte) (int, error) {
	p.log.Warn("http", "said", string(peerAddress.ReplaceAll(line[:max(0, len(line)-1)], []byte("$1 a client"))))
	return len(line), nil
}

// Ops is what operators alone may reach: metrics and profiles.
func Ops(metrics http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle("GET /metrics", metrics)
	m.HandleFunc("GET /debug/pprof/", pprof.Index)
	m.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	m.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	m.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	m.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return m
}
