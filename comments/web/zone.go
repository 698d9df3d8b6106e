package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"duyet/comments"
	"duyet/templates"
)

const (
	apiPrefix     = "/api/v1/sites/"
	pagesPrefix   = "/s/"
	captchaPrefix = "/captcha/"
)

// everyone is Access-Control-Allow-Origin of public reads; shared, never appended to.
var everyone = []string{"*"}

// exposed are the headers that scripts of other origins may read.
const exposed = "ETag, Retry-After"

// Zone stands around the whole router and keeps two of the contract's three zones: (a)
// pages, where a form is taken from our own origin alone, and (b) the readers' API and
// codes, where no cookie counts and a POST may come from the site's origins. It judges in
// the contract's order: an unknown site, then the origin; what follows is the handlers'.
func (d *Door) Zone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, pagesPrefix):
			d.zoneA(w, r, next)
		case strings.HasPrefix(path, apiPrefix):
			d.zoneB(w, r, next, siteOf(path, apiPrefix))
		case strings.HasPrefix(path, captchaPrefix):
			d.zoneB(w, r, next, "")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func siteOf(path, prefix string) string {
	site, _, _ := strings.Cut(path[len(prefix):], "/")
	return site
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// zoneA lets a form in from our own origin alone.
func (d *Door) zoneA(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if isRead(r.Method) || r.Method == http.MethodOptions {
		next.ServeHTTP(w, r)
		return
	}
	site, err := d.svc.Site(r.Context(), siteOf(r.URL.Path, pagesPrefix))
	if err != nil {
		setPolicy(w.Header(), "'self'")
		d.tpl.Error(w, r, err)
		return
	}
	r = templates.WithLocale(r, d.locale(d.pageLang(r, queryLang(r), site), site))
	judged := r
	if d.origin != "" {
		judged = r.WithContext(r.Context())
		judged.Host = d.cfg.BaseURL.Host
	}
	if err := d.own.Check(judged); err != nil {
		setPolicy(w.Header(), "'self'")
		d.tpl.Error(w, r, errors.Join(comments.ErrOriginNotAllowed, err))
		return
	}
	next.ServeHTTP(w, r)
}

// zoneB lets a POST in from our own origin, from one of the site's, or from no page at
// all; site is "" for what belongs to none.
func (d *Door) zoneB(w http.ResponseWriter, r *http.Request, next http.Handler, id string) {
	h := w.Header()
	if isRead(r.Method) {
		h["Access-Control-Allow-Origin"] = everyone
		h["Access-Control-Expose-Headers"] = exposedHeader
		next.ServeHTTP(w, r)
		return
	}
	h.Add("Vary", "Origin")
	var site comments.Site
	if id != "" || strings.HasPrefix(r.URL.Path, apiPrefix) {
		var err error
		if site, err = d.svc.Site(r.Context(), id); err != nil {
			d.tpl.Error(w, r, err)
			return
		}
		r = templates.WithLocale(r, d.locale(d.answerLang(r, queryLang(r), site), site))
	}
	if r.Method == http.MethodOptions {
		d.preflight(w, r, site)
		return
	}
	if !d.allowOrigin(h, r, site) {
		d.tpl.Error(w, r, comments.ErrOriginNotAllowed)
		return
	}
	next.ServeHTTP(w, r)
}

var (
	exposedHeader = []string{exposed}
	exposedSeq    = []string{exposed + ", Duyet-Seq"}
	exposedStale  = []string{exposed + ", Duyet-Seq, Cache-Status"}
)

// allowOrigin reports whether the request's origin may post, and tells its scripts so.
func (d *Door) allowOrigin(h http.Header, r *http.Request, site comments.Site) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if !site.Allows(origin) && !d.isOwn(origin, r) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
	return true
}

// isOwn reports whether origin is ours: BaseURL's, else the request's Host by either
// scheme, since a proxy before us may have taken TLS off.
func (d *Door) isOwn(origin string, r *http.Request) bool {
	if d.origin != "" {
		return origin == d.origin
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Host == r.Host
}

// preflight tells a browser what scripts of an origin may send. One that may not is told
// nothing, which browsers take for a no.
func (d *Door) preflight(w http.ResponseWriter, r *http.Request, site comments.Site) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch r.Header.Get("Access-Control-Request-Method") {
	case http.MethodGet, http.MethodHead:
		h["Access-Control-Allow-Origin"] = everyone
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Accept-Language, Content-Type, If-None-Match")
		h.Set("Access-Control-Max-Age", "86400")
	case "":
		h.Set("Allow", "GET, HEAD, POST, OPTIONS")
	default:
		if r.Header.Get("Origin") != "" && d.allowOrigin(h, r, site) {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Accept-Language, Content-Type")
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// queryLang is the lang parameter, whatever else the query holds.
func queryLang(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "lang=") {
		return ""
	}
	return r.URL.Query().Get("lang")
}
