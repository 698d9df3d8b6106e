package templates

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
)

// HandlerFunc answers a request or returns why it can't. It must not have written anything
// when it returns an error.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

type localeKey struct{}

// localeHolder lets a handler say which language errors are to be told in, though the
// request it was handed is not the one the error path holds.
type localeHolder struct{ locale *Locale }

// UseLocale makes the error path of this request speak l.
func UseLocale(r *http.Request, l *Locale) {
	if h, ok := r.Context().Value(localeKey{}).(*localeHolder); ok {
		h.locale = l
	}
}

// WithLocale is the request with an error path that speaks l until UseLocale says
// otherwise, for what answers outside a Handler.
func WithLocale(r *http.Request, l *Locale) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), localeKey{}, &localeHolder{l}))
}

// Handler runs fn. An error becomes a page, or a problem document when the client prefers
// JSON; a fault of ours is logged with its cause, which nobody outside sees.
func (s *Set) Handler(fn HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Value(localeKey{}).(*localeHolder); !ok {
			r = WithLocale(r, nil)
		}
		if err := fn(w, r); err != nil {
			s.Error(w, r, err)
		}
	})
}

// Error answers a request with an error, from inside a Handler or outside.
func (s *Set) Error(w http.ResponseWriter, r *http.Request, err error) {
	l := chosenLocale(r.Context())
	if l == nil {
		l = s.RequestLocale(r, "")
	}
	p := s.Problem(err, l)
	s.Log(r.Context(), r.Method, r.URL.Path, p.Status, err)
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	if PrefersJSON(r) {
		WriteProblem(w, p)
		return
	}
	// A door that has its own policy has set it; the default one lets no style in.
	if h := w.Header(); !strings.Contains(h.Get("Content-Security-Policy"), "style-src") {
		h.Set("Content-Security-Policy", errorPolicy)
	}
	v := View{L: l, D: p, Title: p.Title, NoIndex: true}
	if pageErr := s.Page(w, p.Status, "error", v); pageErr != nil {
		s.opts.Log.Error("error page", "err", pageErr)
		http.Error(w, p.Title, p.Status)
	}
}

// errorPolicy is the content security policy of an error's page.
const errorPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Log records a fault of ours with its cause; what a client did wrong is not logged.
func (s *Set) Log(ctx context.Context, method, path string, status int, err error) {
	if status < http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return
	}
	s.opts.Log.LogAttrs(ctx, slog.LevelError, "request failed",
		slog.String("method", method), slog.String("path", path), slog.Int("status", status), slog.Any("err", err))
}

// RequestLocale is the language a request asks for, when nothing better is known: the lang
// parameter, then Accept-Language, then fallback.
func (s *Set) RequestLocale(r *http.Request, fallback string) *Locale {
	lang := r.URL.Query().Get("lang")
	if !Known(lang) {
		lang = s.Accepted(r.Header.Get("Accept-Language"))
	}
	if !Known(lang) {
		lang = fallback
	}
	return s.Locale(lang, nil)
}

// PrefersJSON reports whether the client would rather have JSON than HTML: it asked for
// the API, or its Accept names JSON and not HTML.
func PrefersJSON(r *http.Request) bool {
	if strings.Contains(r.URL.Path, "/api/") {
		return true
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// WriteProblem sends a problem document.
func WriteProblem(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
