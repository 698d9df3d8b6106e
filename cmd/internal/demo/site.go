// Package demo is a small newspaper of an invented ward, Bến Thượng, on another origin than
// the service and under as strict a policy as a page can have. Its articles carry Duyệt's
// comments as elements; what stands inside them, for readers without scripts, its server
// includes, and the form stands in a frame. With ?include an article does without the
// elements. It is what `duyet demo` shows, and an example of how a site of any technology can
// take part; nothing of the service depends on it.
package demo

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
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
	mux      *http.ServeMux
	policy   string
	authors  map[string]string // keys of the samples', by network
}

// New sets the newspaper up.
func New(c Config) *Site {
	s := &Site{
		id: SiteID, set: c.Templates, service: c.Service, origin: c.Origin, client: c.Client, log: c.Log,
		now: c.Now, began: c.Now(), zone: comments.DefaultSettings().Location(), articles: articles(),
		mux: http.NewServeMux(),
	}
	service := c.Service.Scheme + "://" + c.Service.Host
	s.policy = "default-src 'none'; style-src 'self'; img-src 'self' " + service + "; media-src 'self'; script-src " + service +
		"; connect-src " + service + "; frame-src " + service + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	s.mux.Handle("GET /static/", http.StripPrefix("/static/", c.Templates.Static()))
	s.mux.Handle("GET /{$}", s.set.Handler(s.front("vi")))
	s.mux.Handle("GET /en/{$}", s.set.Handler(s.front("en")))
	for i, a := range s.articles {
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
	Page      string // its key in the service: its whole address
	Published time.Time
	Views     int64 // as far as the service could be asked
	Comments  int64 // likewise
}

// pageData is what the newspaper's pages show.
type pageData struct {
	Home      string // of this language
	Others    []otherLanguage
	Cards     []Card // of this language, newest first
	Now       time.Time
	Site      string // the newspaper's id in the service
	Service   string // address of the service
	Feed      string
	Included  bool // without the elements
	Card      Card // the article, on its page
	Fragment  string
	FormURL   string
	ThreadURL string
}

// Around is the address of one of the parts around an article.
func (d pageData) Around(part, lang string) string {
	limit := map[string]string{"latest": "&limit=5", "discussed": "&limit=3"}[part]
	return d.Service + "/s/" + d.Site + "/" + part + "?lang=" + lang + limit
}

type otherLanguage struct{ Lang, Name, URL string }

func (s *Site) data(ctx context.Context, lang string) pageData {
	d := pageData{Home: "/", Now: s.now(), Site: s.id, Service: s.service.String()}
	d.Feed = d.Service + "/s/" + s.id + "/feed.atom?lang=" + lang
	d.Others = []otherLanguage{{"en", "English", "/en/"}}
	if lang == "en" {
		d.Home, d.Others = "/en/", []otherLanguage{{"vi", "Tiếng Việt", "/"}}
	}
	counts, views := s.numbers(ctx, "counts"), s.numbers(ctx, "views")
	for i, a := range s.articles {
		if a.Lang == lang {
			d.Cards = append(d.Cards, Card{
				Article: a, URL: "/" + a.Slug, Page: s.PageURL(a), Published: s.began.Add(-a.Age), Views: views[i], Comments: counts[i],
			})
		}
	}
	slices.SortStableFunc(d.Cards, func(a, b Card) int { return b.Published.Compare(a.Published) })
	return d
}

func (s *Site) front(lang string) templates.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := s.set.Locale(lang, s.zone)
		templates.UseLocale(r, l)
		return s.show(w, r, "demo/front", templates.View{
			L: l, D: s.data(r.Context(), lang), Title: SiteName + " · " + l.Say("demo.tagline"), Classes: "host",
		})
	}
}

func (s *Site) article(i int) templates.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := s.articles[i]
		l := s.set.Locale(a.Lang, s.zone)
		templates.UseLocale(r, l)
		d := s.data(r.Context(), a.Lang)
		d.Card = d.Cards[slices.IndexFunc(d.Cards, func(c Card) bool { return c.Slug == a.Slug })]
		d.Included = r.URL.Query().Has("include")
		page := s.PageURL(a)
		d.Fragment = s.address("fragment", url.Values{"page": {page}, "lang": {a.Lang}})
		d.ThreadURL = s.address("thread", url.Values{"page": {page}, "lang": {a.Lang}, "page_title": {a.Title}})
		d.FormURL = s.address("thread", url.Values{"page": {page}, "lang": {a.Lang}, "page_title": {a.Title}, "view": {"form"}})
		return s.show(w, r, "demo/article", templates.View{L: l, D: d, Title: a.Title + " · " + SiteName, Classes: "host"})
	}
}

// show sends a page with the parts that it asks for in their places.
func (s *Site) show(w http.ResponseWriter, r *http.Request, page string, v templates.View) error {
	body, err := s.set.Execute(page, "layout", v)
	if err != nil {
		return err
	}
	body = s.include(r.Context(), body, v.L.Say("demo.no_comments_now"))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.L.Lang)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a reader who has gone needs no answer
	return nil
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
