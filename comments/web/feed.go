package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/feeds"

	"duyet/comments"
	"duyet/templates"
)

// feedItems is how many comments a feed holds, the newest.
const feedItems = 50

// atomFeed answers GET /s/{site}/feed.atom (RFC 4287).
func (d *Door) atomFeed(r *http.Request, a asked) (*entry, error) {
	return d.feed(r, a, kindAtom, "application/atom+xml; charset=utf-8", func(f *feeds.Feed, self, lang string) ([]byte, error) {
		atom := (&feeds.Atom{Feed: f}).AtomFeed()
		atom.Id = f.Id
		links := []feeds.AtomLink{{Href: self, Rel: "self", Type: "application/atom+xml"}}
		if f.Link.Href != "" {
			links = append(links, feeds.AtomLink{Href: f.Link.Href, Rel: "alternate", Type: "text/html"})
		}
		for i, e := range atom.Entries {
			e.Published = f.Items[i].Created.Format(time.RFC3339)
		}
		var b bytes.Buffer
		err := feeds.WriteXML(&atomBody{AtomFeed: atom, Lang: lang, Links: links}, &b)
		return b.Bytes(), err
	})
}

// atomBody is a feed with its language and its own address beside that of what it is about,
// as RFC 4287 asks it should have.
type atomBody struct {
	*feeds.AtomFeed
	Lang  string           `xml:"xml:lang,attr"`
	Links []feeds.AtomLink `xml:"link"` // in place of the one
}

// FeedXml is what is written.
func (a *atomBody) FeedXml() any { return a }

// jsonFeed answers GET /s/{site}/feed.json (https://www.jsonfeed.org/version/1.1/).
func (d *Door) jsonFeed(r *http.Request, a asked) (*entry, error) {
	return d.feed(r, a, kindJSONFeed, "application/feed+json", func(f *feeds.Feed, self, lang string) ([]byte, error) {
		feed := (&feeds.JSON{Feed: f}).JSONFeed()
		feed.FeedUrl, feed.Language = self, lang
		body := jsonFeedBody{JSONFeed: feed, Items: feed.Items}
		if body.Items == nil {
			body.Items = []*feeds.JSONItem{}
		}
		return json.Marshal(body)
	})
}

// jsonFeedBody is a feed that has items even where there are none.
type jsonFeedBody struct {
	*feeds.JSONFeed
	Items []*feeds.JSONItem `json:"items"`
}

func (d *Door) feed(r *http.Request, a asked, kind kind, contentType string, write func(*feeds.Feed, string, string) ([]byte, error)) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	k := key{kind: kind, site: a.site.ID, lang: lang}
	own := url.Values{}
	if a.query.Has("page") {
		var err error
		if k.page, err = a.page(); err != nil {
			return nil, err
		}
		own.Set("page", k.page)
	}
	if lang != fixedLang("", a.site) {
		own.Set("lang", lang)
	}
	self := d.address(r.URL.Path)
	if len(own) > 0 {
		self += "?" + own.Encode()
	}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		f, made, err := d.newFeed(ctx, a.site, k.page, lang)
		if err != nil {
			return made, err
		}
		made.contentType, made.lang = contentType, lang
		made.body, err = write(f, self, lang)
		return made, err
	})
}

// newFeed gathers a page's newest comments or, for page "", the site's.
func (d *Door) newFeed(ctx context.Context, site comments.Site, page, lang string) (*feeds.Feed, rendering, error) {
	l := d.locale(lang, site)
	f := &feeds.Feed{
		Id: feedID(site, page), Link: &feeds.Link{}, Author: &feeds.Author{Name: site.Name},
		Updated: site.CreatedAt.UTC().Truncate(time.Second),
	}
	if len(site.Origins) > 0 {
		f.Link.Href = site.Origins[0] + "/"
	}
	if page == "" {
		f.Title = l.Say("feed.site", "Site", site.Name)
		list, err := d.svc.Latest(ctx, site, feedItems)
		if err != nil {
			return nil, rendering{}, err
		}
		for _, c := range list {
			d.addItem(f, l, c.Comment, c.Page)
		}
		return f, rendering{keep: true}, nil
	}
	t, made, err := d.thread(ctx, site, comments.ThreadQuery{Page: page, Sort: comments.Newest, Limit: feedItems}, feedItems)
	if err != nil {
		return nil, made, err
	}
	f.Link.Href = d.home(t.Page, lang)
	f.Title = l.Say("feed.page", "Page", pageName(t.Page))
	for _, c := range t.Comments {
		d.addItem(f, l, c, t.Page)
	}
	return f, made, nil
}

// feedID names a feed for ever: by its site, which no other installation has made at the
// same moment, and by its page.
func feedID(site comments.Site, page string) string {
	of := uuid.NewSHA1(uuid.NameSpaceURL, []byte("duyet:"+site.ID+":"+site.CreatedAt.UTC().Format(time.RFC3339Nano)))
	if page != "" {
		of = uuid.NewSHA1(of, []byte(page))
	}
	return of.URN()
}

// home is where a page is read: its own address, else our page of its thread.
func (d *Door) home(p comments.Page, lang string) string {
	if p.URL != "" {
		return p.URL
	}
	return links{d.address(pagesPrefix + p.Site), p.Key, lang}.thread("", threadAnchor)
}

func pageName(p comments.Page) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Key
}

func (d *Door) addItem(f *feeds.Feed, l *templates.Locale, c comments.Comment, p comments.Page) {
	title := c.Title
	if title == "" {
		title = l.Say("feed.item", "Name", c.Name, "Page", pageName(p))
	}
	at := c.CreatedAt.UTC().Truncate(time.Second)
	changed := at
	if !c.EditedAt.IsZero() {
		changed = c.EditedAt.UTC().Truncate(time.Second)
	}
	if changed.After(f.Updated) {
		f.Updated = changed
	}
	f.Add(&feeds.Item{
		Id: "urn:uuid:" + c.ID.UUID().String(), Title: title, Author: &feeds.Author{Name: c.Name},
		Link:    &feeds.Link{Href: links{d.address(pagesPrefix + c.Site), p.Key, l.Lang}.comment(c.ID)},
		Content: string(templates.Text(c.Content)), Created: at, Updated: changed,
	})
}
