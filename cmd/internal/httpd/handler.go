package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"duyet/templates"
)

// BodyMost is the most bytes any request's body may have; doors ask for less.
const BodyMost = 1 << 20

// Values of headers that stand on every answer unless a door says otherwise. They are
// shared, never appended to in place (their capacity is their length).
var (
	nosniff  = []string{"nosniff"}
	referrer = []string{"strict-origin-when-cross-origin"}
	policy   = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// recorder notes what was answered. One wrapper around a request does all that concerns
// every request, so that a cached read pays for it once.
type recorder struct {
	http.ResponseWriter
	status int
	route  *route
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Flush sends what is buffered, for answers that go on.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// front is the outermost handler.
type front struct {
	next      http.Handler
	base      string // "" or "/comments"
	templates *templates.Set
	log       *slog.Logger
	unknown   *route // of requests that no route took
	recorders sync.Pool
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	h := w.Header()
	setDefaults(h)
	rec, ok := f.recorders.Get().(*recorder)
	if !ok {
		rec = new(recorder)
	}
	rec.ResponseWriter, rec.status, rec.route = w, 0, f.unknown
	defer func() {
		if fault := recover(); fault != nil {
			f.recovered(rec, r, fault)
		}
		if rec.status == 0 {
			rec.status = http.StatusOK
		}
		f.told(rec, r, time.Since(began))
		*rec = recorder{}
		f.recorders.Put(rec)
	}()
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, BodyMost)
	}
	if f.base != "" {
		r = stripBase(r, f.base)
	}
	f.next.ServeHTTP(rec, r)
}

func setDefaults(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = referrer
	h["Content-Security-Policy"] = policy
}

// stripBase takes the base path off. A request without it is left as it is: the proxy has
// stripped it already.
func stripBase(r *http.Request, base string) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.Path, base)
	if !ok || rest != "" && rest[0] != '/' {
		return r
	}
	if rest == "" {
		rest = "/"
	}
	u := new(url.URL)
	*u = *r.URL
	u.Path = rest
	if u.RawPath != "" {
		u.RawPath = strings.TrimPrefix(u.RawPath, base)
	}
	r2 := new(http.Request)
	*r2 = *r
	r2.URL = u
	return r2
}

// recovered answers for a handler that panicked.
func (f *front) recovered(rec *recorder, r *http.Request, fault any) {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	f.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelError, "panic",
		slog.String("route", rec.route.name), slog.String("stack", string(debug.Stack())))
	if rec.status != 0 {
		// Half an answer is out; only a broken connection tells that it is no whole one.
		panic(http.ErrAbortHandler)
	}
	h := rec.Header()
	clear(h)
	setDefaults(h)
	f.templates.Error(rec, r, fmt.Errorf("panic: %v", fault))
}

// told counts the request and logs it, unless it is a public read that went well. No
// address, no query and no id stands in the line.
func (f *front) told(rec *recorder, r *http.Request, took time.Duration) {
	if rec.route.stream {
		took = -1
	}
	rec.route.observe(rec.status, took)
	level := slog.LevelInfo
	switch {
	case rec.status >= http.StatusInternalServerError:
		level = slog.LevelError
	case rec.status < http.StatusBadRequest && rec.route.public && isRead(r.Method):
		return
	}
	f.log.LogAttrs(context.Background(), level, "request",
		slog.String("method", method(r.Method)), slog.String("route", rec.route.name),
		slog.Int("status", rec.status), slog.Duration("took", took))
}

func isRead(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// method keeps what a client invents out of the log.
func method(m string) string {
	for _, known := range methods {
		if m == known {
			return m
		}
	}
	return "other"
}
