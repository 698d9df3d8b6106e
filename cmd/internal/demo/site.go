// Package demo is a small newspaper of an invented ward, Bến Thượng, whose articles carry
// Duyệt's comments by the route that needs no script: its server includes the thread, and
// the form stands in a frame. It is what `duyet demo` shows, and an example of how a site
// of any technology can take part; nothing of the service depends on it.
package demo

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"duyet/comments"
	"duyet/templates"
)

// SiteID and SiteName are the newspaper's in the service.
const (
	SiteID   = "benthuong"
	SiteName = "Bến Thượng"
)

// Config is what the newspaper is made of. Every field is needed.
type Config struct {
	Templates *templates.Set
	Service   *url.URL // address of the comment service, without a slash at its end
	Origin    *url.URL // the newspaper's own address, likewise
	Client    *http.Client
	Log       *slog.Logger
	Now       func() time.Time
}

// Site serves the newspaper.
type Site struct {
	id       string
	set      *templates.Set
	service  *url.URL
	origin   *url.URL
	client   *http.Client
	log      *slog.Logger
	now      func() time.Time
	began    time.Time
	zone     *time.Location
	articles []Article
	views    map[string]*atomic.Int64 // by slug
	mux      *http.ServeMux
	policy   string
}

// New sets the newspaper up.
func New(c Config) *Site {
	s := &Site{
		id: SiteID, set: c.Templates, service: c.Service, origin: c.Origin, client: c.Client, log: c.Log,
		now: c.Now, began: c.Now(), zone: comments.DefaultSettings().Location(), articles: articles(),
		views: map[string]*atomic.Int64{}, mux: http.NewServeMux(),
	}
	s.policy = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; " +
		"frame-src " + c.Service.Scheme + "://" + c.Service.Host + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	s.mux.Handle("GET /static/", http.StripPrefix("/static/", c.Templates.Static()))
	s.mux.Handle("GET /{$}", s.set.Handler(s.front("vi")))
	s.mux.Handle("GET /en/{$}", s.set.Handler(s.front("en")))
	for i, a := range s.articles {
		s.views[a.Slug] = new(atomic.Int64)
		s.mux.Handle("GET /"+a.Slug, s.set.Handler(s.article(i)))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.set.Error(w, r, comments.ErrNotFound)
	})
	return s
}

// ServeHTTP answers a reader of the newspaper.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", s.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	s.mux.ServeHTTP(w, r)
}

// PageURL is an article's address.
func (s *Site) PageURL(a Article) string { return s.origin.String() + "/" + a.Slug }

// Card is an article as lists show it.
type Card struct {
	Article
	URL       string
	Published time.Time
	Views     int64
	Comments  int64
	Counted   bool // whether Comments is known
}

// pageData is what the newspaper's pages show.
type pageData struct {
	Home      string // of this language
	Others    []otherLanguage
	Cards     []Card // of this language, newest first
	Latest    []Latest
	Now       time.Time
	Card      Card // the article, on its page
	Fragment  string
	FormURL   string
	ThreadURL string
}

type otherLanguage struct{ Lang, Name, URL string }

func (s *Site) data(ctx context.Context, lang string) pageData {
	d := pageData{Home: "/", Now: s.now(), Latest: s.latest(ctx)}
	d.Others = []otherLanguage{{"en", "English", "/en/"}}
	if lang == "en" {
		d.Home, d.Others = "/en/", []otherLanguage{{"vi", "Tiếng Việt", "/"}}
	}
	counts := s.counts(ctx)
	for i, a := range s.articles {
		if a.Lang == lang {
			d.Cards = append(d.Cards, s.card(i, counts))
		}
	}
	slices.SortStableFunc(d.Cards, func(a, b Card) int { return b.Published.Compare(a.Published) })
	return d
}

func (s *Site) card(i int, counts []int64) Card {
	a := s.articles[i]
	c := Card{Article: a, URL: "/" + a.Slug, Published: s.began.Add(-a.Age), Views: s.views[a.Slug].Load()}
	if counts != nil {
		c.Comments, c.Counted = counts[i], true
	}
	return c
}

func (s *Site) front(lang string) templates.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := s.set.Locale(lang, s.zone)
		templates.UseLocale(r, l)
		return s.set.Page(w, http.StatusOK, "demo/front", templates.View{
			L: l, D: s.data(r.Context(), lang), Title: SiteName + " · " + l.Say("demo.tagline"), Classes: "host",
		})
	}
}

func (s *Site) article(i int) templates.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := s.articles[i]
		s.views[a.Slug].Add(1)
		l := s.set.Locale(a.Lang, s.zone)
		templates.UseLocale(r, l)
		d := s.data(r.Context(), a.Lang)
		d.Card = d.Cards[slices.IndexFunc(d.Cards, func(c Card) bool { return c.Slug == a.Slug })]
		page := s.PageURL(a)
		d.Fragment = s.address("fragment", url.Values{"page": {page}, "lang": {a.Lang}})
		d.ThreadURL = s.address("thread", url.Values{"page": {page}, "lang": {a.Lang}, "page_title": {a.Title}})
		d.FormURL = s.address("thread", url.Values{"page": {page}, "lang": {a.Lang}, "page_title": {a.Title}, "view": {"form"}})
		body, err := s.set.Execute("demo/article", "layout", templates.View{L: l, D: d, Title: a.Title + " · " + SiteName, Classes: "host"})
		if err != nil {
			return err
		}
		body = s.include(r.Context(), body, l.Say("demo.no_comments_now"))
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Language", a.Lang)
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(body) // a reader who has gone needs no answer
		return nil
	}
}

// address is one of the service's for readers.
func (s *Site) address(what string, q url.Values) string {
	return s.service.String() + "/s/" + s.id + "/" + what + "?" + q.Encode()
}

// Featured is the address of the article that the demo shows first.
func (s *Site) Featured() string { return s.PageURL(s.articles[0]) }

// articleBySlug is for the sample comments.
func articleBySlug(list []Article, slug string) (Article, bool) {
	i := slices.IndexFunc(list, func(a Article) bool { return a.Slug == slug })
	if i < 0 {
		return Article{}, false
	}
	return list[i], true
}
