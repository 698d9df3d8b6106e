package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// fragment answers with the thread alone, for servers and scripts to put into an article:
// no ticket, no cookie, nothing that is one reader's.
func (d *Door) fragment(r *http.Request, a asked) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	q, err := a.threadQuery(comments.FragmentMost)
	if err != nil {
		return nil, err
	}
	k := key{kind: kindFragment, site: a.site.ID, page: q.Page, lang: lang, after: q.After, sort: q.Sort, limit: q.Limit}
	return d.share(r, a, k, func(ctx context.Context) (rendering, error) {
		seq := d.seq(ctx, a.site)
		v, made, err := d.listView(ctx, a.site, q, lang, d.origin)
		if err != nil {
			return made, err
		}
		made.seq = seq
		data := v.D.(*listData)
		data.Live = d.liveAddress(a.site, q.Page, d.origin)
		if data.Open && q.After == "" {
			data.Form = d.inertForm(a, q, v.L)
		}
		made.contentType, made.lang = "text/html; charset=utf-8", lang
		made.body, err = d.tpl.Execute("reader/fragment", "fragment", v)
		return made, err
	})
}

// list is the thread as our own page shows it.
func (d *Door) list(ctx context.Context, a asked, q comments.ThreadQuery, lang string) (*entry, error) {
	k := key{kind: kindList, site: a.site.ID, page: q.Page, lang: lang, after: q.After, sort: q.Sort, limit: q.Limit}
	return d.cache.load(ctx, k, a.stamp, func(ctx context.Context) (rendering, error) {
		v, made, err := d.listView(ctx, a.site, q, lang, "")
		if err != nil {
			return made, err
		}
		made.list, err = d.tpl.Fragment("reader/fragment", "list", v)
		return made, err
	})
}

// listData is what the templates of a thread see.
type listData struct {
	Count      int64
	Open       bool
	Comments   []commentData
	Oldest     string // address of the thread, oldest first
	Newest     string
	Sort       comments.Sort
	Write      string // address of the form
	More       string // address of what follows, "" at the end
	Start      string // address of the beginning, "" when this is it
	AddReplies bool   // whether comments have a link that answers them

	// Of the fragment alone.
	Live string    // address of its stream, "" for none
	Form *formData // without a ticket, for a script to bring to life; nil on a closed page
	Only bool      // false: the form knows that it does not stand alone
}

type commentData struct {
	Anchor  string
	Name    string
	Title   string
	HTML    template.HTML
	ISO     string
	Time    string
	Reply   string // address of the form that answers it, "" on a closed page
	Report  string // address of the form that reports it
	IsReply bool
	To      string // whom it answers, "" when that one is no longer public
	ToLink  string // "#…" when that one stands in the same list
}

func (d *Door) listView(ctx context.Context, site comments.Site, q comments.ThreadQuery, lang, origin string) (templates.View, rendering, error) {
	t, made, err := d.thread(ctx, site, q, comments.FragmentMost)
	if err != nil {
		return templates.View{}, made, err
	}
	l := d.locale(lang, site)
	to := links{prefix: origin + d.tpl.URL(pagesPrefix+site.ID), page: t.Page.Key, lang: lang}
	data := listData{
		Count: t.Page.Standing, Open: t.Open, AddReplies: t.Open, Sort: q.Sort,
		Oldest: to.thread("", threadAnchor),
		Newest: to.thread("&sort=newest", threadAnchor),
		Write:  to.thread("", formAnchor),
	}
	order := ""
	if q.Sort == comments.Newest {
		order = "&sort=newest"
	}
	if t.Next != "" {
		data.More = to.thread(order+"&after="+url.QueryEscape(t.Next), threadAnchor)
	}
	if q.After != "" {
		data.Start = to.thread(order, threadAnchor)
	}
	names, err := d.parents(ctx, t)
	if err != nil {
		return templates.View{}, made, err
	}
	for _, c := range t.Comments {
		one := commentData{
			Anchor: anchor(c.ID), Name: c.Name, Title: c.Title, HTML: templates.Text(c.Content),
			ISO: l.ISO(c.CreatedAt), Time: l.Time(c.CreatedAt), IsReply: c.Parent != "",
		}
		one.Report = to.prefix + "/comments/" + url.PathEscape(string(c.ID)) + "/report?lang=" + lang
		if t.Open {
			one.Reply = to.thread("&parent="+url.QueryEscape(string(c.ID)), formAnchor)
		}
		if p, ok := names[c.Parent]; ok {
			one.To = p.name
			if p.here {
				one.ToLink = "#" + anchor(c.Parent)
			}
		}
		data.Comments = append(data.Comments, one)
	}
	return templates.View{L: l, D: &data}, made, nil
}

// inertForm is the form as it stands in a fragment: for all readers alike, so without a
// ticket. A script gets one when somebody starts to write.
func (d *Door) inertForm(a asked, q comments.ThreadQuery, l *templates.Locale) *formData {
	f := d.newForm(screen{asked: a, query: q, l: l}, typed{})
	f.NoCode = l.Say("embed.waits")
	f.Work = "" // an attack comes and goes; a script hears of it with the code
	return f
}

type parent struct {
	name string
	here bool // in the same part of the thread
}

// parents names whom the replies of a thread answer. One that is no longer public is left
// out.
func (d *Door) parents(ctx context.Context, t comments.Thread) (map[comments.ID]parent, error) {
	names := map[comments.ID]parent{}
	here := make(map[comments.ID]string, len(t.Comments))
	for _, c := range t.Comments {
		here[c.ID] = c.Name
	}
	gone := map[comments.ID]bool{}
	for _, c := range t.Comments {
		id := c.Parent
		if _, known := names[id]; known || id == "" || gone[id] {
			continue
		}
		if name, ok := here[id]; ok {
			names[id] = parent{name, true}
			continue
		}
		p, err := d.svc.ReplyTo(ctx, t.Page, string(id))
		switch {
		case errors.Is(err, comments.ErrNotFound):
			gone[id] = true
		case err != nil:
			return nil, err
		default:
			names[id] = parent{p.Name, false}
		}
	}
	return names, nil
}

// Anchors of a thread's page.
const (
	threadAnchor = "binh-luan"
	formAnchor   = "viet"
	noticeAnchor = "thong-bao"
)

// anchor is the id of a comment's element.
func anchor(id comments.ID) string { return "bl-" + id.UUID().String() }

// links makes addresses of one page's thread.
type links struct{ prefix, page, lang string }

// thread is the address of the thread; more is further parameters, each after an "&".
func (l links) thread(more, anchor string) string {
	return l.prefix + "/thread?page=" + url.QueryEscape(l.page) + "&lang=" + l.lang + more + "#" + anchor
}
