package web

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/templates"
)

// Thread pages are offered to other sites by oEmbed (https://oembed.com/): a frame of the
// page, since that is what they let in of what they don't know, and what works under any
// policy but one that forbids it by name. Who may frame it is said by the page itself.
const (
	oembedPath   = "/oembed"
	oembedWidth  = 640
	oembedHeight = 720
)

// oembedBody is the answer, rich content.
type oembedBody struct {
	XMLName      xml.Name `json:"-" xml:"oembed"`
	Version      string   `json:"version" xml:"version"`
	Type         string   `json:"type" xml:"type"`
	Title        string   `json:"title" xml:"title"`
	ProviderName string   `json:"provider_name" xml:"provider_name"`
	ProviderURL  string   `json:"provider_url,omitempty" xml:"provider_url,omitempty"`
	CacheAge     int      `json:"cache_age" xml:"cache_age"`
	Width        int      `json:"width" xml:"width"`
	Height       int      `json:"height" xml:"height"`
	HTML         string   `json:"html" xml:"html"`
}

// frameData is what the template of the frame sees.
type frameData struct {
	Src, Title    string
	Width, Height int
}

// oembed answers GET /oembed?url=…: 404 for what is no thread page of ours.
func (d *Door) oembed(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("query: %w: %w", comments.ErrMalformed, err)
	}
	format := query.Get("format")
	if format != "" && format != "json" && format != "xml" {
		return fmt.Errorf("%w: %w", comments.ErrMalformed, comments.Invalid("format", codeLimit))
	}
	frame := frameData{}
	if frame.Width, err = side(query.Get("maxwidth"), oembedWidth); err != nil {
		return err
	}
	if frame.Height, err = side(query.Get("maxheight"), oembedHeight); err != nil {
		return err
	}
	body, err := d.embedding(r, query.Get("url"), frame)
	if err != nil {
		return err
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(body.CacheAge))
	if format == "xml" {
		text, err := xml.Marshal(body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = w.Write(append([]byte(xml.Header), text...))
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, _ = w.Write(text)
	return nil
}

// side is a length in pixels that most bounds.
func side(most string, otherwise int) (int, error) {
	if most == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(most)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%w: %w", comments.ErrMalformed, comments.Invalid("maxwidth", codeLimit))
	}
	return min(otherwise, n), nil
}

// embedding is the answer for the address of a thread page.
func (d *Door) embedding(r *http.Request, address string, frame frameData) (*oembedBody, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", comments.ErrMalformed, err)
	}
	id, ok := d.threadAddress(r, u)
	if !ok {
		return nil, fmt.Errorf("%w: no thread page", comments.ErrNotFound)
	}
	a := asked{query: u.Query(), stamp: d.cache.siteStamp(id)}
	if a.site, err = d.svc.Site(r.Context(), id); err != nil {
		return nil, err
	}
	key, err := a.page()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", comments.ErrNotFound, err) // not what is wrong with the key
	}
	lang := fixedLang(a.query.Get("lang"), a.site)
	thread, _, err := d.thread(r.Context(), a.site, comments.ThreadQuery{Page: key, Sort: comments.Newest, Limit: 1}, 1)
	if err != nil {
		return nil, err
	}
	l := d.locale(lang, a.site)
	frame.Title = l.Say("feed.page", "Page", pageName(thread.Page))
	prefix := ""
	if u.Host != "" {
		prefix = u.Scheme + "://" + u.Host
	}
	frame.Src = links{prefix + d.tpl.URL(pagesPrefix+id), key, lang}.whole()
	html, err := d.tpl.Execute("reader/oembed", "oembed", templates.View{L: l, D: &frame})
	if err != nil {
		return nil, err
	}
	body := &oembedBody{
		Version: "1.0", Type: "rich", Title: frame.Title, ProviderName: a.site.Name, CacheAge: 300,
		Width: frame.Width, Height: frame.Height, HTML: string(bytes.TrimSpace(html)),
	}
	if len(a.site.Origins) > 0 {
		body.ProviderURL = a.site.Origins[0] + "/"
	}
	return body, nil
}

// threadAddress is the site of an address that is a thread page's of ours.
func (d *Door) threadAddress(r *http.Request, u *url.URL) (site string, ok bool) {
	if u.Host != "" {
		own := "http://" + r.Host
		if u.Scheme == "https" {
			own = "https://" + r.Host // who ends TLS before us, we don't know
		}
		if d.origin != "" {
			own = d.origin
		}
		if origin, err := comments.CanonicalOrigin(u.Scheme + "://" + u.Host); err != nil || !strings.EqualFold(origin, own) {
			return "", false
		}
	}
	path, ours := strings.CutPrefix(u.Path, d.tpl.URL(pagesPrefix))
	site, rest, _ := strings.Cut(path, "/")
	return site, ours && rest == "thread"
}
