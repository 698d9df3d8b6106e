package web

import (
	"context"
	"net/http"

	"duyet/comments"
	"duyet/templates"
)

// fragment answers with the thread alone, for servers and scripts to put into an article:
// no ticket, no cookie, nothing that is one reader's.
func (d *Door) fragment(r *http.Request, a asked) (*entry, error) {
	lang := fixedLang(a.query.Get("lang"), a.site)
	q, err := a.treeQuery(comments.FragmentMost)
	if err != nil {
		return nil, err
	}
	show := func(q treeQuery) (*entry, error) {
		return d.share(r, a, q.key(kindFragment, a.site.ID, lang), func(ctx context.Context) (rendering, error) {
			seq := d.seq(ctx, a.site)
			v, made, err := d.listView(ctx, a.site, q.TreeQuery, lang, listing{origin: d.origin})
			if err != nil {
				return made, err
			}
			made.seq = seq
			data := v.D.(*listData)
			data.Live = d.liveAddress(a.site, q.Page, d.origin)
			if data.Open && q.After == "" && q.Top == "" {
				data.Form = d.inertForm(a, q, v.L)
			}
			made.contentType, made.lang = "text/html; charset=utf-8", lang
			made.body, err = d.tpl.Execute("reader/fragment", "fragment", v)
			return made, err
		})
	}
	return d.holding(q, show)
}

// inertForm is the form as it stands in a fragment: for all readers alike, so without a
// ticket. A script gets one when somebody starts to write.
func (d *Door) inertForm(a asked, q treeQuery, l *templates.Locale) *formData {
	f := d.newForm(screen{asked: a, query: q, l: l}, typed{})
	f.NoCode = l.Say("embed.waits")
	f.Work = "" // an attack comes and goes; a script hears of it with the code
	return f
}

// list is the thread as our own page shows it.
func (d *Door) list(ctx context.Context, a asked, q treeQuery, lang string) (*entry, error) {
	return d.holding(q, func(q treeQuery) (*entry, error) {
		return d.cache.load(ctx, q.key(kindList, a.site.ID, lang), a.stamp, func(ctx context.Context) (rendering, error) {
			return d.renderList(ctx, a.site, q, lang, nil)
		})
	})
}
