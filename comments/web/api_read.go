package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"duyet/comments"
	"duyet/templates"
)

// threadBody is the JSON of a thread.
type threadBody struct {
	Page     pageBody      `json:"page"`
	Comments []commentBody `json:"comments" doc:"Approved comments alone"`
	Next     string        `json:"next,omitempty" doc:"Cursor for after; absent at the end"`
}

type pageBody struct {
	Key   string `json:"key" doc:"Canonical URL, or an id of the site's own"`
	Title string `json:"title"`
	URL   string `json:"url" doc:"Empty when the key is no URL"`
	Count int64  `json:"count" doc:"Approved comments"`
	Open  bool   `json:"open" doc:"Whether it takes comments"`
}

type commentBody struct {
	ID        string     `json:"id"`
	Parent    string     `json:"parent" doc:"Id of the comment it answers, or empty"`
	Root      string     `json:"root" doc:"Id of the topmost comment it answers by way of others, or empty"`
	Name      string     `json:"name"`
	Title     string     `json:"title"`
	HTML      string     `json:"html" doc:"The text as safe HTML"`
	Text      string     `json:"text" doc:"The text as written, in NFC"`
	CreatedAt time.Time  `json:"created_at"`
	EditedAt  *time.Time `json:"edited_at,omitempty"`
	Likes     *int64     `json:"likes,omitempty" doc:"How many readers like it; in threads of sites that count likes"`
	Pick      bool       `json:"pick,omitempty" doc:"Chosen by the newsroom"`
	Newsroom  bool       `json:"newsroom,omitempty" doc:"Written by the newsroom"`
}

func newCommentBody(c comments.Comment) commentBody {
	b := commentBody{
		ID: string(c.ID), Parent: string(c.Parent), Root: string(c.Root), Name: c.Name, Title: c.Title,
		HTML: string(templates.Text(c.Content)), Text: c.Content, CreatedAt: c.CreatedAt.UTC(),
		Pick: c.Marks.Has(comments.Pick), Newsroom: c.Marks.Has(comments.Newsroom),
	}
	if !c.EditedAt.IsZero() {
		at := c.EditedAt.UTC()
		b.EditedAt = &at
	}
	return b
}

func newPageBody(p comments.Page, open bool) pageBody {
	return pageBody{Key: p.Key, Title: p.Title, URL: p.URL, Count: p.Standing, Open: open}
}

// readThread answers GET /api/v1/sites/{site}/thread.
func (d *Door) readThread(r *http.Request, a asked) (*entry, error) {
	q, err := a.threadQuery(comments.ThreadMost)
	if err != nil {
		return nil, err
	}
	k := key{kind: kindThread, site: a.site.ID, page: q.Page, after: q.After, sort: q.Sort, limit: q.Limit}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		t, made, err := d.thread(ctx, a.site, q, comments.ThreadMost)
		if err != nil {
			return made, err
		}
		body := threadBody{Page: newPageBody(t.Page, t.Open), Comments: make([]commentBody, len(t.Comments)), Next: t.Next}
		for i, c := range t.Comments {
			body.Comments[i] = newCommentBody(c)
			if a.site.Settings.Likes {
				body.Comments[i].Likes = &c.Likes
			}
		}
		return made.json(body)
	})
}

// json makes a value the rendering's body.
func (r rendering) json(v any) (rendering, error) {
	var err error
	r.contentType = "application/json"
	if r.body, err = json.Marshal(v); err != nil {
		return r, fmt.Errorf("json: %w", err)
	}
	r.body = append(r.body, '\n')
	return r, nil
}

type countsBody struct {
	Counts []countBody `json:"counts" doc:"In the order asked"`
}

type countBody struct {
	Page  string `json:"page" doc:"As it was asked for"`
	Count int64  `json:"count"`
}

// readCounts answers GET /api/v1/sites/{site}/counts. Pages that have no comment take a
// place in the cache only beside one that has.
func (d *Door) readCounts(r *http.Request, a asked) (*entry, error) {
	pages := a.query["page"]
	k := key{kind: kindCounts, site: a.site.ID, page: r.URL.RawQuery}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		counts, err := d.svc.Counts(ctx, a.site, pages)
		if err != nil {
			return rendering{}, err
		}
		var made rendering
		body := countsBody{Counts: make([]countBody, len(pages))}
		for i, n := range counts {
			body.Counts[i] = countBody{Page: pages[i], Count: n}
			made.keep = made.keep || n > 0
		}
		return made.json(body)
	})
}

type latestBody struct {
	Comments []latestComment `json:"comments" doc:"Newest first"`
}

type latestComment struct {
	commentBody
	Page latestPage `json:"page"`
}

type latestPage struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// readLatest answers GET /api/v1/sites/{site}/latest.
func (d *Door) readLatest(r *http.Request, a asked) (*entry, error) {
	limit, err := a.limit(comments.LatestMost, comments.LatestDefault)
	if err != nil {
		return nil, err
	}
	k := key{kind: kindLatest, site: a.site.ID, limit: limit}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		list, err := d.svc.Latest(ctx, a.site, limit)
		if err != nil {
			return rendering{}, err
		}
		body := latestBody{Comments: make([]latestComment, len(list))}
		for i, c := range list {
			body.Comments[i] = latestComment{newCommentBody(c.Comment), latestPage{c.Page.Key, c.Page.Title, c.Page.URL}}
		}
		return rendering{keep: true}.json(body)
	})
}
