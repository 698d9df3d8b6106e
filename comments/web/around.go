package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/templates"
)

// What stands around an article, as HTML for servers to include and for our elements to
// show: the latest comments, a page's count, views and visitors. There is one rendering of
// each, whoever asks.

// headingOff is the value of the parameter heading that leaves the heading to the page around.
const headingOff = "off"

// heading reports whether a fragment brings its own heading.
func (a asked) heading() (bool, error) {
	switch v := a.query.Get("heading"); v {
	case "", "on":
		return true, nil
	case headingOff:
		return false, nil
	default:
		return false, fmt.Errorf("%w: %w", comments.ErrMalformed, comments.Invalid("heading", codeLimit))
	}
}

type latestData struct {
	Heading  bool
	Comments []latestItem
}

type latestItem struct{ URL, Title, Name, ISO, Time, Page, Lang string }

// itemCharacters is how much of a comment without a title stands in its place.
const itemCharacters = 80

// latestFragment answers GET /s/{site}/latest.
func (d *Door) latestFragment(r *http.Request, a asked) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	limit, err := a.limit(comments.LatestMost, comments.LatestDefault)
	if err != nil {
		return nil, err
	}
	heading, err := a.heading()
	if err != nil {
		return nil, err
	}
	k := key{kind: kindLatestList, site: a.site.ID, lang: lang, limit: limit, after: a.query.Get("heading")}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		list, err := d.svc.Latest(ctx, a.site, limit)
		if err != nil {
			return rendering{}, err
		}
		l := d.locale(lang, a.site)
		data := latestData{Heading: heading, Comments: make([]latestItem, len(list))}
		for i, c := range list {
			data.Comments[i] = latestItem{
				URL: d.permalink(c.Comment, c.Page, lang), Title: c.Title, Name: c.Name, Lang: c.Lang,
				ISO: l.ISO(c.CreatedAt), Time: l.Time(c.CreatedAt), Page: pageName(c.Page),
			}
			if c.Title == "" {
				data.Comments[i].Title = comments.Shorten(c.Content, itemCharacters)
			}
		}
		return d.around("latest", lang, templates.View{L: l, D: data})
	})
}

// permalink is where a comment is read: on its article, whose element goes to it, else on
// our page of the thread.
func (d *Door) permalink(c comments.Comment, p comments.Page, lang string) string {
	if p.URL != "" {
		return p.URL + "#" + anchor(c.ID)
	}
	return links{d.address(pagesPrefix + p.Site), p.Key, lang}.comment(c.ID)
}

// around renders a fragment that stands until something changes.
func (d *Door) around(part, lang string, v templates.View) (made rendering, err error) {
	made = rendering{keep: true, contentType: "text/html; charset=utf-8", lang: lang}
	made.body, err = d.tpl.Execute("reader/around", part, v)
	return made, err
}

// countFragment answers GET /s/{site}/count: how many comments a page has, in words.
func (d *Door) countFragment(r *http.Request, a asked) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	page, err := a.page()
	if err != nil {
		return nil, err
	}
	k := key{kind: kindCountOne, site: a.site.ID, page: page, lang: lang}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		counts, err := d.svc.Counts(ctx, a.site, []string{page})
		if err != nil {
			return rendering{}, err
		}
		made, err := d.around("count", lang, templates.View{L: d.locale(lang, a.site), D: counts[0]})
		made.keep = counts[0] > 0 // made-up pages take no room
		return made, err
	})
}

type visitorsData struct {
	Heading bool
	audience.Counts
}

// visitorsFragment answers GET /s/{site}/visitors.
func (d *Door) visitorsFragment(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	heading, err := a.heading()
	if err != nil {
		return err
	}
	counts, err := d.cfg.Audience.Counts(r.Context(), a.site, "")
	if err != nil {
		return err
	}
	return d.passing(w, a, "visitors", visitorsData{heading, counts})
}

// viewsFragment answers GET /s/{site}/views: a page's views in words. It counts none.
func (d *Door) viewsFragment(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	counts, err := d.counts(r.Context(), a)
	if err != nil {
		return err
	}
	return d.passing(w, a, "views", counts.PageViews)
}

// passing sends a fragment that is true for some seconds.
func (d *Door) passing(w http.ResponseWriter, a asked, part string, data any) error {
	lang := fixedLang(a.query.Get("lang"), a.site)
	body, err := d.tpl.Execute("reader/around", part, templates.View{L: d.locale(lang, a.site), D: data})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Cache-Control", fleetingFor)
	_, _ = w.Write([]byte(strings.TrimSpace(string(body)) + "\n")) // a reader who has gone needs no answer
	return nil
}
