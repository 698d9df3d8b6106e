package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/templates"
)

// Views and visitors. Counts change with every reader, so they stand outside the cache of
// what changes with a decision: package audience holds them in memory.

// viewRequest is the body of a page view.
type viewRequest struct {
	Page string `json:"page" doc:"The page's address on one of the site's origins, or an id of the site's own"`
}

// audienceBody is the JSON of a site's visitors and the views of a page.
type audienceBody struct {
	PageViews int64 `json:"page_views" doc:"Of the page; without one, of the whole site"`
	Online    int64 `json:"online" doc:"Visitors seen in the last five minutes"`
	Today     int64 `json:"today" doc:"Visitors since midnight in the site's time zone"`
	Week      int64 `json:"week" doc:"Sum of the daily visitors since Monday"`
	Total     int64 `json:"total" doc:"Sum of the daily visitors of all days"`
}

func newAudienceBody(c audience.Counts) audienceBody { return audienceBody(c) }

type viewOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         audienceBody
}

// countView answers POST /api/v1/sites/{site}/views: it counts a view, unless a program
// asked, and says how many there are.
func (d *Door) countView(ctx context.Context, in *posted) (*viewOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, wrong := range f.wrong {
		if wrong.Field == "page" {
			return nil, comments.Invalid(wrong.Field, wrong.Code)
		}
	}
	page, _, err := comments.PageKey(site, f.text["page"])
	if err != nil {
		return nil, err
	}
	v := d.visit(in.request, page)
	if err := d.cfg.Audience.Admit(ctx, site, v); err != nil {
		return nil, err
	}
	d.cfg.Audience.View(ctx, site, v)
	counts, err := d.cfg.Audience.Counts(ctx, site, page)
	if err != nil {
		return nil, err
	}
	return &viewOutput{CacheControl: noStore, Body: newAudienceBody(counts)}, nil
}

// visit is a page view as its request tells of it.
func (d *Door) visit(r *http.Request, page string) audience.Visit {
	v := audience.Visit{Page: page, Addr: d.cfg.ClientIP(r), UserAgent: r.UserAgent(), From: r.Header.Get("From")}
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v.Purpose += r.Header.Get(name) + " "
	}
	return v
}

// readAudience answers GET /api/v1/sites/{site}/audience.
func (d *Door) readAudience(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	counts, err := d.counts(r.Context(), a)
	if err != nil {
		return err
	}
	return d.fleeting(w, newAudienceBody(counts))
}

// counts are the visitors of a site and the views of the page asked for, if any.
func (d *Door) counts(ctx context.Context, a asked) (c audience.Counts, err error) {
	page := ""
	if a.query.Has("page") {
		if page, err = a.page(); err != nil {
			return c, err
		}
	}
	return d.cfg.Audience.Counts(ctx, a.site, page)
}

type viewsBody struct {
	Views []viewsOfPage `json:"views" doc:"In the order asked"`
}

type viewsOfPage struct {
	Page  string `json:"page" doc:"As it was asked for"`
	Views int64  `json:"views"`
}

// readViews answers GET /api/v1/sites/{site}/views.
func (d *Door) readViews(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	raw := a.query["page"]
	if len(raw) == 0 || len(raw) > comments.CountsMost {
		return fmt.Errorf("from 1 to %d pages: %w", comments.CountsMost, comments.ErrMalformed)
	}
	pages := make([]string, len(raw))
	for i, page := range raw {
		if pages[i], _, err = comments.PageKey(a.site, page); err != nil {
			return fmt.Errorf("%w: %w", comments.ErrMalformed, err)
		}
	}
	views, err := d.cfg.Audience.PageViews(r.Context(), a.site, pages)
	if err != nil {
		return err
	}
	body := viewsBody{Views: make([]viewsOfPage, len(raw))}
	for i, n := range views {
		body.Views[i] = viewsOfPage{raw[i], n}
	}
	return d.fleeting(w, body)
}

// fleetingFor is how long counts may be kept by browsers and proxies: whoever asks again
// sooner sees little new.
const fleetingFor = "public, max-age=5"

// fleeting answers with JSON that is true for some seconds.
func (d *Door) fleeting(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("json: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", fleetingFor)
	_, _ = w.Write(append(body, '\n')) // a reader who has gone needs no answer
	return nil
}

// public answers a public GET that changes too often for the cache.
func (d *Door) public(fn templates.HandlerFunc) http.Handler {
	h := d.tpl.Handler(fn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Access-Control-Allow-Origin"] = everyone
		h.ServeHTTP(w, r)
	})
}

// audienceRoutes adds what counts readers, where somebody does.
func (d *Door) audienceRoutes(r *mux.Router) {
	if d.cfg.Audience == nil {
		return
	}
	r.Handle(apiPrefix+"{site}/audience", d.public(d.readAudience)).Methods(http.MethodGet)
	r.Handle(apiPrefix+"{site}/views", d.public(d.readViews)).Methods(http.MethodGet)
	r.Handle("/s/{site}/visitors", d.public(d.visitorsFragment)).Methods(http.MethodGet)
	r.Handle("/s/{site}/views", d.public(d.viewsFragment)).Methods(http.MethodGet)

	view := d.operation("count-view", "views", "Count a page view",
		"Once for each time a reader opens a page. Programs that say what they are aren't counted.", reflect.TypeFor[viewRequest]())
	view.DefaultStatus = http.StatusOK
	body := view.RequestBody.Content
	media := body["application/json"]
	huma.Register(d.cfg.API, view, d.countView)
	onlyJSON(body, media)

	page := &huma.Param{Name: "page", In: "query", Schema: text(), Description: "The page's address, or an id of the site's own"}
	d.document("read-audience", "audience", "Read a site's visitors and the views of a page", reflect.TypeFor[audienceBody](), page)
	pages := &huma.Param{Name: "page", In: "query", Required: true, Explode: &explode, Description: "Up to 100 pages, each as a parameter of its own",
		Schema: &huma.Schema{Type: "array", Items: text(), MaxItems: &countsMost}}
	d.document("count-views", "views", "Read the views of pages", reflect.TypeFor[viewsBody](), pages)
}
