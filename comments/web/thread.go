package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"duyet/comments"
	"duyet/templates"
)

// screen is one request for the page of a thread, by GET or with words that came by POST.
type screen struct {
	asked
	l         *templates.Locale
	query     treeQuery // Page is canonical, or "" when what was sent is none
	pageTitle string    // as the page around a frame names itself
	only      bool      // the form alone, for a frame in an article
	parent    string
	proof     comments.Proof
	addr      netip.Addr
}

// formOnly is the value of the parameter view that asks for the form alone.
const formOnly = "form"

// threadPage answers GET /s/{site}/thread.
func (d *Door) threadPage(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	s := d.newScreen(r, a, a.query)
	if s.query, err = a.treeQuery(comments.ThreadMost); err != nil {
		return err
	}
	p, err := d.newPage(r.Context(), s)
	if err != nil {
		return err
	}
	d.notice(p, s, a.query.Get("sent"))
	d.notHere(p, s)
	if p.Open {
		name := rememberedName(r)
		p.Form = d.newForm(s, typed{Parent: s.parent, Name: name, Remember: name != ""})
		d.reply(r.Context(), p, s)
		if err := d.freshCode(p.Form, s); err != nil {
			p.Form.NoCode = noCode(s.l, err)
		}
	}
	return d.show(w, http.StatusOK, s, p)
}

// newScreen reads what a page is about from its parameters, or those of a form.
func (d *Door) newScreen(r *http.Request, a asked, from url.Values) screen {
	s := screen{
		asked: a, l: d.locale(d.pageLang(r, a.query.Get("lang"), a.site), a.site),
		only: a.query.Get("view") == formOnly, pageTitle: from.Get("page_title"), parent: from.Get("parent"),
		addr: d.cfg.ClientIP(r),
	}
	s.proof = comments.Proof{Receipts: receipts(r), Author: authorOf(r), Addr: s.addr}
	if _, err := comments.AuthorKeyOf(a.site.ID, s.proof.Author); err != nil {
		s.proof.Author = "" // a cookie that is none of ours
	}
	templates.UseLocale(r, s.l)
	return s
}

// links makes the screen's own addresses.
func (d *Door) links(s screen) links {
	return links{d.tpl.URL(pagesPrefix + s.site.ID), s.query.Page, s.l.Lang}
}

// keep is the parameters that a screen hands on to the next.
func (s screen) keep() string {
	if s.only {
		return "&view=" + formOnly
	}
	return ""
}

// newPage gathers everything but the form and the notices.
func (d *Door) newPage(ctx context.Context, s screen) (*pageData, error) {
	e, err := d.list(ctx, s.asked, s.query, s.l.Lang)
	if err != nil {
		return nil, err
	}
	list, err := d.liking(ctx, s, e)
	if err != nil {
		return nil, err
	}
	t := e.thread
	p := &pageData{
		Site: s.site.Name, Title: t.Page.Title, URL: t.Page.URL, Count: t.Page.Standing, Open: t.Open,
		Only: s.only, List: &list, Sort: e.sort,
		Oldest: d.links(s).sorted(comments.Oldest), Newest: d.links(s).sorted(comments.Newest),
		page: t.Page,
	}
	if !s.only {
		p.Also = d.also(s)
	}
	if s.site.Settings.Likes {
		p.Liked, p.Likes = d.links(s).sorted(comments.Liked), d.newLikes(s, e)
	}
	if s.proof.Author != "" || len(s.proof.Receipts) > 0 {
		own, err := d.svc.Mine(ctx, s.site, t.Page.Key, s.proof)
		switch {
		case errors.Is(err, comments.ErrUnavailable): // the thread from memory is worth showing
		case err != nil:
			return nil, err
		}
		d.addOwn(p, s, own)
	}
	staleNotice(p, s.l, d.silence())
	return p, nil
}

// also lists the thread's feeds, and where its frame is described.
func (d *Door) also(s screen) []alsoData {
	to := d.links(s)
	whole := to
	whole.prefix = d.origin + whole.prefix
	return []alsoData{
		{"application/atom+xml", to.feed("feed.atom")}, {"application/feed+json", to.feed("feed.json")},
		{"application/json+oembed", d.address(oembedPath) + "?format=json&url=" + url.QueryEscape(whole.whole())},
		{"text/xml+oembed", d.address(oembedPath) + "?format=xml&url=" + url.QueryEscape(whole.whole())},
	}
}

// reply says whom the form answers; one who is gone is no longer answered.
func (d *Door) reply(ctx context.Context, p *pageData, s screen) {
	if s.parent == "" {
		return
	}
	c, err := d.svc.ReplyTo(ctx, p.page, s.parent)
	switch {
	case err == nil:
		p.Form.Reply = &replyData{Name: c.Name, Title: c.Title, Cancel: d.links(s).thread(s.keep(), formAnchor)}
	case errors.Is(err, comments.ErrNotFound):
		p.Form.Parent = ""
		p.Form.Notices = append(p.Form.Notices, noticeData{Kind: "look", Icon: "info", Role: "status",
			Title: s.l.Say("reply.gone"), Lines: []string{s.l.Say("reply.gone_help")}})
	}
}

// Values of the parameter sent.
const (
	sentPending   = "1"
	sentPublished = "published"
)

// notice tells what has become of a comment just sent.
func (d *Door) notice(p *pageData, s screen, sent string) {
	n := noticeData{Kind: "good", Icon: "check", Role: "status", ID: noticeAnchor}
	switch sent {
	case sentPending:
		n.Title, n.Lines = s.l.Say("sent.pending"), []string{s.l.Say("sent.pending_help")}
		if len(p.Own) > 0 {
			n.Lines = []string{s.l.Say("sent.pending_own")}
		}
	case sentPublished:
		n.Title, n.Lines = s.l.Say("sent.published"), []string{s.l.Say("sent.published_help")}
	case deedEdit, deedWithdraw, deedAppeal, deedReport:
		what := sentDeeds[sent]
		n.Title, n.Lines = s.l.Say("sent."+what), []string{s.l.Say("sent." + what + "_help")}
	default:
		return
	}
	p.Notices = append(p.Notices, n)
}

// notHere says so when a comment was asked for by its permalink and nobody sees it, or
// nobody but its author. It says the same of what never was, of what waits and of what was
// removed.
func (d *Door) notHere(p *pageData, s screen) {
	if s.query.At == "" {
		return
	}
	mark := ""
	if id, err := comments.ParseID(s.query.At); err == nil {
		mark = anchor(id)
		if strings.Contains(string(p.List.HTML()), `id="`+mark+`"`) {
			return
		}
	}
	if slices.ContainsFunc(p.Own, func(o ownData) bool { return o.Anchor == mark }) {
		return
	}
	p.Notices = append(p.Notices, noticeData{Kind: "look", Icon: "info", Role: "status", ID: noticeAnchor,
		Title: s.l.Say("tree.not_here"), Lines: []string{s.l.Say("tree.not_here_help")}})
}

// closed says why there is no form.
func (p *pageData) closed(l *templates.Locale, set comments.Settings) {
	n := noticeData{Icon: "lock", Title: l.Say("closed.title"), Lines: []string{l.Say("closed.help")}}
	if !p.page.Closed && set.CloseAfter > 0 {
		n.Lines = []string{l.Say("closed.after", "Wait", l.Wait(set.CloseAfter))}
	}
	if p.Failed {
		n.Role, n.ID, n.Focus = "alert", noticeAnchor, true
	}
	p.Closed = &n
}

// show sends a page. It is one reader's: it holds a ticket, and perhaps their own words.
func (d *Door) show(w http.ResponseWriter, status int, s screen, p *pageData) error {
	title := s.l.Say("page.title", "Page", p.Title)
	if p.Title == "" {
		title = s.l.Say("page.title_site", "Site", s.site.Name)
	}
	if p.Form != nil && len(p.Form.Errors) > 0 || p.Failed {
		title = s.l.Say("page.error", "Title", title)
	}
	v := templates.View{L: s.l, D: p, Title: title, NoIndex: s.only || p.Open && len(p.Own) > 0 || status != http.StatusOK}
	if p.Form == nil {
		p.closed(s.l, s.site.Settings)
	}
	if s.only {
		v.Classes = "dy-frame"
	}
	ancestors := "'self'"
	for _, origin := range s.site.Origins {
		ancestors += " " + origin
	}
	setPolicy(w.Header(), ancestors)
	w.Header().Set("Cache-Control", "private, no-store")
	markStale(w, d.silence())
	w.Header().Add("Vary", "Accept-Language, Cookie")
	return d.tpl.Page(w, status, "reader/thread", v)
}
