package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

var methods = [...]string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions,
}

// route is what is known of a route before any request: its name in logs and metrics.
type route struct {
	name    string
	public  bool // not the moderators' door
	stream  bool // it lasts as long as somebody listens
	observe Observe
}

// Observe hears how one request of a route ended. How long a stream was listened to tells
// nothing of the service: took is then negative.
type Observe func(status int, took time.Duration)

// Meter makes the Observe of a route ("GET /s/{site}/thread"); it is asked once for each.
type Meter func(route string) Observe

// NewAPI is the one huma API that both doors describe themselves in. It documents and
// reads; it adds no routes of its own.
func NewAPI(router *mux.Router, version, basePath string) huma.API {
	config := huma.DefaultConfig("Duyệt", version)
	config.Info.Description = "Moderated reader comments."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no $schema in answers
	if basePath != "" {
		config.Servers = []*huma.Server{{URL: basePath}}
	}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A token made by `duyet token add`."},
	}
	return humamux.New(router, config)
}

// addOwn adds the routes that belong to no door.
func addOwn(router *mux.Router, set *templates.Set, ready func(context.Context) error, spec []byte) {
	get := func(path string, h http.HandlerFunc) { router.Handle(path, h).Methods(http.MethodGet) }
	get("/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, set.URL("/moderation/"), http.StatusSeeOther)
	})
	get("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "alive\n") })
	get("/readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
		defer cancel()
		if err := ready(ctx); err != nil {
			w.Header().Set("Retry-After", "5")
			plain(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	})
	get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(spec)
	})
	static := http.StripPrefix("/static/", set.Static())
	router.PathPrefix("/static/").Handler(static).Methods(http.MethodGet)
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set.Error(w, r, comments.ErrNotFound)
	})
	router.MethodNotAllowedHandler = notAllowed(router, set)
}

// readyWithin is how long the store may take to show that it answers.
const readyWithin = 2 * time.Second

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// notAllowed answers a method that a path does not take, naming those it takes. HEAD is
// taken wherever GET is: net/http leaves the body out.
func notAllowed(router *mux.Router, set *templates.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range methods {
			r2 := *r
			r2.Method = m
			var match mux.RouteMatch
			if !router.Match(&r2, &match) || match.MatchErr != nil || match.Route == nil {
				continue
			}
			if m == http.MethodGet {
				if r.Method == http.MethodHead {
					router.ServeHTTP(w, &r2)
					return
				}
				allowed = append(allowed, m, http.MethodHead)
			} else {
				allowed = append(allowed, m)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		l := set.RequestLocale(r, "")
		set.Error(w, r, &templates.Problem{
			Type: "about:blank", Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Title: l.Say("problem.method_not_allowed"),
		})
	})
}

// label wraps each route's handler so that the recorder knows the route: once, here, and
// not by a middleware on each request.
func label(router *mux.Router, meter Meter) error {
	return router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		next := r.GetHandler()
		if next == nil {
			return nil
		}
		path, err := r.GetPathTemplate()
		if err != nil {
			return fmt.Errorf("a route without a path: %w", err)
		}
		known := newRoute(r, path, meter)
		r.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if rec, ok := w.(*recorder); ok {
				rec.route = known
			}
			next.ServeHTTP(w, req)
		})
		return nil
	})
}

func newRoute(r *mux.Route, path string, meter Meter) *route {
	name := path
	if ms, err := r.GetMethods(); err == nil {
		name = strings.Join(ms, ",") + " " + path
	}
	return &route{
		name:    name,
		public:  !strings.HasPrefix(path, "/moderation") && !strings.HasPrefix(path, "/api/v1/moderation"),
		stream:  strings.HasSuffix(path, "/live"),
		observe: meter(name),
	}
}

// document is the OpenAPI description of every route that was registered before.
func document(api huma.API) ([]byte, error) {
	spec, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return spec, nil
}
