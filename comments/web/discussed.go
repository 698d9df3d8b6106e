package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"duyet/comments"
	"duyet/templates"
)

// discussedBody is the JSON of the most discussed pages.
type discussedBody struct {
	Pages []discussion `json:"pages" doc:"Most discussed first"`
}

type discussion struct {
	Page     pageBody `json:"page"`
	Comments int64    `json:"comments" doc:"Written in the days asked for"`
}

// discussedQuery is what is asked of the list.
type discussedQuery struct{ days, limit int }

func (a asked) discussedQuery() (q discussedQuery, err error) {
	if q.limit, err = a.limit(comments.DiscussedMost, comments.DiscussedDefault); err != nil {
		return q, err
	}
	q.days = comments.DiscussedDays
	if text := a.query.Get("days"); text != "" {
		if q.days, err = strconv.Atoi(text); err != nil || q.days < 1 || q.days > comments.DiscussedDaysMost {
			return q, fmt.Errorf("%w: %w", comments.ErrMalformed, comments.Invalid("days", codeLimit))
		}
	}
	return q, nil
}

// key is that of a rendering of the list; more tells it from others.
func (q discussedQuery) key(k kind, site comments.Site, lang, more string) key {
	return key{kind: k, site: site.ID, lang: lang, limit: q.limit, after: strconv.Itoa(q.days) + more}
}

// readDiscussed answers GET /api/v1/sites/{site}/discussed.
func (d *Door) readDiscussed(r *http.Request, a asked) (*entry, error) {
	q, err := a.discussedQuery()
	if err != nil {
		return nil, err
	}
	return d.share(r, a, q.key(kindDiscussed, a.site, "", ""), func(ctx context.Context) (rendering, error) {
		list, until, err := d.svc.Discussed(ctx, a.site, q.days, q.limit)
		if err != nil {
			return rendering{}, err
		}
		body := discussedBody{Pages: make([]discussion, len(list))}
		for i, one := range list {
			open := one.Page.Open(d.svc.Now(), a.site.Settings.CloseAfter)
			body.Pages[i] = discussion{newPageBody(one.Page, open), one.Comments}
		}
		return rendering{keep: true, until: until}.json(body)
	})
}

type discussedData struct {
	Heading bool
	Pages   []discussedItem
}

type discussedItem struct {
	URL, Title string
	Count      int64
}

// discussedFragment answers GET /s/{site}/discussed.
func (d *Door) discussedFragment(r *http.Request, a asked) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	q, err := a.discussedQuery()
	if err != nil {
		return nil, err
	}
	heading, err := a.heading()
	if err != nil {
		return nil, err
	}
	return d.share(r, a, q.key(kindDiscussedList, a.site, lang, a.query.Get("heading")), func(ctx context.Context) (rendering, error) {
		list, until, err := d.svc.Discussed(ctx, a.site, q.days, q.limit)
		if err != nil {
			return rendering{}, err
		}
		data := discussedData{Heading: heading, Pages: make([]discussedItem, len(list))}
		for i, one := range list {
			data.Pages[i] = discussedItem{d.home(one.Page, lang), pageName(one.Page), one.Comments}
		}
		made, err := d.around("discussed", lang, templates.View{L: d.locale(lang, a.site), D: data})
		made.until = until
		return made, err
	})
}
