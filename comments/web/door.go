// Package web is the readers' door: the thread as a page, a fragment and JSON, the form,
// the verification code's image and sound, and the feeds. It parses, asks
// comments.Service and answers; every rule about what may be written or seen is there.
//
// It reads no cookie but a reader's own: their receipts, their author key and, if they ask
// for it, their name, and those on pages alone.
// Whatever many readers are given alike comes from cache.go.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/live"
	"duyet/templates"
)

// Picture draws a ticket's code; captcha.Gallery does.
type Picture interface {
	// Draw writes a PNG image, 240×80.
	Draw(ctx context.Context, w io.Writer, t comments.Ticket) error
}

// Sound speaks a ticket's code; captcha.Choir does.
type Sound interface {
	// Speak is a WAVE file and the language that is truly spoken, which may not be lang.
	Speak(ctx context.Context, t comments.Ticket, lang string) (wav []byte, spoken string, err error)
}

// Tally hears what happens at the door, for metrics. It must be quick.
type Tally interface {
	// Submission is told of each comment sent: the status it got ("pending", "approved"),
	// "repeated", or the code of what was wrong ("captcha_wrong", "limited", "required").
	Submission(outcome string)
	// Captcha is told of each code "issued", "solved" or "failed".
	Captcha(event string)
}

// Config is what a Door works with. Fields without a remark are needed.
type Config struct {
	Service   *comments.Service
	Templates *templates.Set
	// API is made with huma's adapter for gorilla/mux; templates.UseProblems comes before.
	API     huma.API
	Picture Picture
	Sound   Sound
	// BaseURL is what the service is reached at; nil means that its own origin is what each
	// request's Host says, and that addresses in answers carry no origin.
	BaseURL *url.URL
	// ClientIP is whom a request comes from; nil means its peer.
	ClientIP func(*http.Request) netip.Addr
	// ReceiptCode is the short code by which a person can name a comment; nil shows none.
	ReceiptCode func(comments.ID) string
	// ReasonText is what a site says to an author who is refused for a reason, "" to leave it to
	// the catalogue; nil always does.
	ReasonText func(ctx context.Context, site, code, lang string) string
	// CacheBytes bounds what the page cache holds; 0 means DefaultCacheBytes.
	CacheBytes int64
	// Audience counts views and visitors; nil means that nobody does.
	Audience *audience.Audience
	// Behind is how long ago the node last knew of everything its store holds, where that
	// may be long: see stale.go. nil means never. StaleFor is how long it is served from
	// memory after that; 0 means DefaultStaleFor.
	Behind   func() time.Duration
	StaleFor time.Duration
	// Tally may be nil.
	Tally Tally
	// Live is where readers wait for what is new; nil offers them no stream. Whoever makes
	// it lets it observe the store, after the Door's own observer, and closes it at the end.
	Live *live.Hub
}

// DefaultCacheBytes is the bound of the page cache when none is given.
const DefaultCacheBytes = 64 << 20

// Door answers readers. It is safe for concurrent use.
type Door struct {
	svc     *comments.Service
	tpl     *templates.Set
	cfg     Config
	origin  string // of BaseURL, "" without
	own     *http.CrossOriginProtection
	cache   *cache
	locales sync.Map // localeKey → *templates.Locale
}

// New makes the readers' door.
func New(cfg Config) (*Door, error) {
	if cfg.Service == nil || cfg.Templates == nil || cfg.API == nil || cfg.Picture == nil || cfg.Sound == nil {
		return nil, errors.New("readers' door: Service, Templates, API, Picture and Sound are needed")
	}
	if cfg.ClientIP == nil {
		cfg.ClientIP = peer
	}
	if cfg.Tally == nil {
		cfg.Tally = noTally{}
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.StaleFor == 0 {
		cfg.StaleFor = DefaultStaleFor
	}
	c, err := newCache(cfg.CacheBytes, cfg.Service.Now)
	if err != nil {
		return nil, fmt.Errorf("readers' door: %w", err)
	}
	d := &Door{
		svc: cfg.Service, tpl: cfg.Templates, cfg: cfg, cache: c,
		own: http.NewCrossOriginProtection(),
	}
	if cfg.Behind != nil {
		c.trusts = d.trusts
	}
	if cfg.BaseURL != nil {
		if d.origin, err = comments.CanonicalOrigin(cfg.BaseURL.Scheme + "://" + cfg.BaseURL.Host); err != nil {
			return nil, fmt.Errorf("readers' door: %w", err)
		}
	}
	return d, nil
}

// Routes adds the door's routes below the base path, and describes those of the API. The
// reads that a popular article makes come first: mux tries routes in order.
func (d *Door) Routes(r *mux.Router) {
	get := func(path string, h http.Handler) { r.Handle(path, h).Methods(http.MethodGet) }
	get("/s/{site}/fragment", d.read(kindFragment, d.fragment))
	get(apiPrefix+"{site}/thread", d.read(kindThread, d.readThread))
	get(apiPrefix+"{site}/counts", d.read(kindCounts, d.readCounts))
	get(apiPrefix+"{site}/latest", d.read(kindLatest, d.readLatest))
	get("/s/{site}/thread", d.page(d.threadPage))
	get("/embed.js", d.tpl.Embed())
	get("/around.js", d.tpl.Around())
	get(oembedPath, d.tpl.Handler(d.oembed))
	if d.cfg.Live != nil {
		r.Handle("/s/{site}/live", d.tpl.Handler(d.listen)).Methods(http.MethodGet, http.MethodHead)
	}
	get(apiPrefix+"{site}/work", d.tpl.Handler(d.challenge))
	get("/captcha/{ticket}.png", d.page(d.image))
	get("/captcha/{ticket}.wav", d.page(d.sound))
	get("/s/{site}/feed.atom", d.read(kindAtom, d.atomFeed))
	get("/s/{site}/feed.json", d.read(kindJSONFeed, d.jsonFeed))
	get(apiPrefix+"{site}/discussed", d.read(kindDiscussed, d.readDiscussed))
	get("/s/{site}/discussed", d.read(kindDiscussedList, d.discussedFragment))
	get("/s/{site}/latest", d.read(kindLatestList, d.latestFragment))
	get("/s/{site}/count", d.read(kindCountOne, d.countFragment))
	d.ownRoutes(r)
	d.receiptRoutes(r)
	r.Handle("/s/{site}/comments", d.page(d.postForm)).Methods(http.MethodPost)
	r.Handle("/s/{site}/likes", d.page(d.postLike)).Methods(http.MethodPost)
	d.registerAPI()
	d.audienceRoutes(r)
}

// Observer keeps the page cache true. Register it after the service's own, which is
// there once comments.NewService has returned.
func (d *Door) Observer() comments.Observer { return d.cache.observe }

// ObserveLikes has cached threads show their likes anew, a few seconds after they change
// at most.
func (d *Door) ObserveLikes(site, page string) { d.cache.observeLikes(site, page) }

// page answers with HTML or files; errors are pages, which may be read inside a frame as
// little as anything else of ours.
func (d *Door) page(fn templates.HandlerFunc) http.Handler {
	h := d.tpl.Handler(fn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setPolicy(w.Header(), "'self'")
		h.ServeHTTP(w, r)
	})
}

// setPolicy sets the security headers of a page that may be framed by ancestors.
func setPolicy(h http.Header, ancestors string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "+ancestors)
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("X-Frame-Options") // it knows no list of origins; frame-ancestors does
}

// address is where a path of ours is from anywhere: with the origin of BaseURL when that
// is known, else without.
func (d *Door) address(path string) string { return d.origin + d.tpl.URL(path) }

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

type noTally struct{}

func (noTally) Submission(string) {}
func (noTally) Captcha(string)    {}

type localeKey struct{ lang, zone string }

// locale is a language with the site's time zone, made once: loading a zone reads files.
func (d *Door) locale(lang string, site comments.Site) *templates.Locale {
	k := localeKey{lang, site.Settings.Timezone}
	if l, ok := d.locales.Load(k); ok {
		return l.(*templates.Locale)
	}
	l, _ := d.locales.LoadOrStore(k, d.tpl.Locale(lang, site.Settings.Location()))
	return l.(*templates.Locale)
}

// fixedLang is the language of what all readers are given alike: the parameter, else the
// site's; a header never counts.
func fixedLang(param string, site comments.Site) string {
	switch {
	case templates.Known(param):
		return param
	case templates.Known(site.Settings.Lang):
		return site.Settings.Lang
	}
	return templates.Languages[0]
}

// pageLang is the language of a page: the parameter, else the site's, which "auto" takes
// from Accept-Language.
func (d *Door) pageLang(r *http.Request, param string, site comments.Site) string {
	if !templates.Known(param) && !templates.Known(site.Settings.Lang) {
		if accepted := d.tpl.Accepted(r.Header.Get("Accept-Language")); accepted != "" {
			return accepted
		}
	}
	return fixedLang(param, site)
}

// answerLang is the language of JSON's errors: the parameter, else Accept-Language, else
// the site's.
func (d *Door) answerLang(r *http.Request, param string, site comments.Site) string {
	if !templates.Known(param) {
		if accepted := d.tpl.Accepted(r.Header.Get("Accept-Language")); accepted != "" {
			return accepted
		}
	}
	return fixedLang(param, site)
}

// renderWithin bounds the making of what readers share, whoever asked for it first.
const renderWithin = 10 * time.Second
