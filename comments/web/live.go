package web

import (
	"context"
	"net/http"
	"net/url"

	"duyet/comments"
	"duyet/comments/live"
)

// listen answers GET /s/{site}/live: a stream that says how many comments a page gained, as
// live.Serve sends it. Who finds no room is told to ask now and then instead.
func (d *Door) listen(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead { // there is nothing to wait for
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		return nil
	}
	l, err := d.subscribe(r)
	if err != nil {
		return err
	}
	w.Header()["Access-Control-Allow-Origin"] = everyone
	if l == nil {
		live.Refuse(w)
		return nil
	}
	live.Serve(w, r, l)
	return nil
}

// subscribe is the listener of a request, or nil when there is no room. What it reads of
// the request is not kept while the listener waits.
func (d *Door) subscribe(r *http.Request) (*live.Listener, error) {
	a, err := d.ask(r)
	if err != nil {
		return nil, err
	}
	page, err := a.page()
	if err != nil {
		return nil, err
	}
	l, err := d.cfg.Live.Subscribe(r.Context(), a.site.ID, page, d.cfg.ClientIP(r), live.After(r))
	if err != nil { // full, or closing: both pass
		return nil, nil
	}
	return l, nil
}

// seq is where a site's journal ends, taken before a page is read: whoever listens from
// there on misses nothing. It is 0 where nobody can listen.
func (d *Door) seq(ctx context.Context, site comments.Site) uint64 {
	if d.cfg.Live == nil {
		return 0
	}
	return d.cfg.Live.Seq(ctx, site.ID)
}

// liveAddress is where readers of a page listen, "" where they can't.
func (d *Door) liveAddress(site comments.Site, page, origin string) string {
	if d.cfg.Live == nil {
		return ""
	}
	return origin + d.tpl.URL(pagesPrefix+site.ID) + "/live?page=" + url.QueryEscape(page)
}
