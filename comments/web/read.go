package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

// read answers a public GET that all readers are given alike: from the cache by the
// request as it comes, else by fn.
func (d *Door) read(k kind, fn func(*http.Request, asked) (*entry, error)) http.Handler {
	slow := d.tpl.Handler(func(w http.ResponseWriter, r *http.Request) error {
		a, err := d.ask(r)
		if err != nil {
			return err
		}
		e, err := fn(r, a)
		if err != nil {
			return err
		}
		markStale(w, d.silence())
		e.serve(w, r)
		return nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := d.cache.hit(k, mux.Vars(r)["site"], r.URL.RawQuery); e != nil {
			markStale(w, d.silence())
			e.serve(w, r)
			return
		}
		w.Header()["Access-Control-Allow-Origin"] = everyone
		slow.ServeHTTP(w, r)
	})
}

// asked is a request once its site and query are known.
type asked struct {
	site  comments.Site
	stamp uint64 // the site's generation from before site was read
	query url.Values
}

// ask reads site and query. Errors speak the language of JSON's until somebody says
// otherwise.
func (d *Door) ask(r *http.Request) (a asked, err error) {
	id := mux.Vars(r)["site"]
	a.stamp = d.cache.siteStamp(id)
	if a.site, err = d.svc.Site(r.Context(), id); err != nil {
		return a, err
	}
	a.query, err = url.ParseQuery(r.URL.RawQuery)
	templates.UseLocale(r, d.locale(d.answerLang(r, a.query.Get("lang"), a.site), a.site))
	if err != nil {
		return a, fmt.Errorf("query: %w: %w", comments.ErrMalformed, err)
	}
	return a, nil
}

// threadQuery reads what is asked of a thread. The key is canonical, so that all spellings
// of one question share an entry.
func (a asked) threadQuery(most int) (q comments.ThreadQuery, err error) {
	q = comments.ThreadQuery{Sort: comments.Sort(a.query.Get("sort")), After: a.query.Get("after")}
	if q.Limit, err = a.limit(most, comments.ThreadLimit); err != nil {
		return q, err
	}
	if q.Sort == "" {
		q.Sort = comments.Oldest
	}
	q.Page, err = a.page()
	return q, err
}

// page is the canonical key of the page asked for; one that is none is malformed.
func (a asked) page() (string, error) {
	key, _, err := comments.PageKey(a.site, a.query.Get("page"))
	if err != nil {
		return "", fmt.Errorf("%w: %w", comments.ErrMalformed, err)
	}
	return key, nil
}

func (a asked) limit(most, otherwise int) (int, error) {
	text := a.query.Get("limit")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%w: %w", comments.ErrMalformed, comments.Invalid("limit", codeLimit))
	}
	return n, nil
}

// codeLimit is the code of a limit out of its range.
const codeLimit = "not_allowed"

// share is the rendering of k, made by render unless it stands in the cache.
func (d *Door) share(r *http.Request, a asked, k key, render func(context.Context) (rendering, error)) (*entry, error) {
	e, err := d.cache.load(r.Context(), k, a.stamp, render)
	if err != nil {
		return nil, err
	}
	if e.keep {
		d.cache.remember(k, a.stamp, r.URL.RawQuery)
	}
	return e, nil
}

// thread reads a thread and says how long what is made of it stays true: a page that
// closes by age does so without an event.
func (d *Door) thread(ctx context.Context, site comments.Site, q comments.ThreadQuery, most int) (comments.Thread, rendering, error) {
	t, err := d.svc.Thread(ctx, site, q, most)
	if err != nil {
		return t, rendering{}, err
	}
	return t, d.lasting(site, t), nil
}

// lasting says how long what is made of a thread stays true.
func (d *Door) lasting(site comments.Site, t comments.Thread) rendering {
	known := !t.Page.CreatedAt.IsZero()
	r := rendering{thread: t, keep: known}
	r.thread.Comments = nil
	if t.Open && known && site.Settings.CloseAfter > 0 {
		r.until = t.Page.CreatedAt.Add(site.Settings.CloseAfter)
	}
	return r
}
