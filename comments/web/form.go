package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// postForm answers POST /s/{site}/comments. Whatever goes wrong once the form can be read,
// it is answered with the page again and every word as it was typed.
func (d *Door) postForm(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	form, err := readForm(w, r)
	if err != nil {
		templates.UseLocale(r, d.locale(d.pageLang(r, a.query.Get("lang"), a.site), a.site))
		return err
	}
	s := d.newScreen(r, a, form)
	s.query = treeQuery{comments.TreeQuery{Page: canonical(a.site, form.Get("page")), Sort: comments.Oldest, Limit: comments.ThreadLimit}}
	t := typed{
		Name: form.Get("name"), Title: form.Get("title"), Content: form.Get("content"),
		Code: form.Get("code"), Ticket: form.Get("ticket"), Parent: s.parent,
		Remember: form.Has(rememberAt),
	}
	if form.Has("another") {
		return d.another(w, r, s, t)
	}
	author := authorFor(r, a.site)
	done, err := d.svc.Submit(r.Context(), a.site, comments.Submission{
		Page: form.Get("page"), PageTitle: s.pageTitle, Parent: t.Parent,
		Name: t.Name, Title: t.Title, Content: t.Content, Ticket: t.Ticket, Code: t.Code,
		Trap: form.Get(trapField), Work: form.Get("work"), Lang: s.l.Lang, Addr: s.addr,
		Author: author, Agent: r.UserAgent(), Referrer: r.Referer(),
	})
	d.tally(done, err)
	switch {
	case err == nil:
		d.sent(w, r, s, done, author, t.Remember)
		return nil
	case errors.Is(err, comments.ErrMalformed) || templates.PrefersJSON(r):
		return err
	}
	return d.again(w, r, s, t, err)
}

// canonical is the key of a page as a form names it, or the name itself when it is none:
// the service says what is wrong with it.
func canonical(site comments.Site, raw string) string {
	if key, _, err := comments.PageKey(site, raw); err == nil {
		return key
	}
	return raw
}

// sent sends the reader back to the thread, so that loading it again posts nothing.
func (d *Door) sent(w http.ResponseWriter, r *http.Request, s screen, done comments.Submitted, author string, remember bool) {
	d.keepReceipt(w, r, s.site, done.Receipt)
	d.keep(w, r, s.site, authorCookie, author)
	d.rememberName(w, r, s.site, done.Comment.Name, remember)
	s.query.Page = done.Comment.Page
	what := sentPending
	if done.Comment.Status == comments.Approved {
		what = sentPublished
	}
	h := w.Header()
	h.Set("Cache-Control", noStore)
	h.Set("Location", d.links(s).thread(s.keep()+"&sent="+url.QueryEscape(what), noticeAnchor))
	w.WriteHeader(http.StatusSeeOther)
}

// another answers the button that asks for another image: every word as it was, and a new
// code. While no more codes are to be had, the old one stays if it is still good.
func (d *Door) another(w http.ResponseWriter, r *http.Request, s screen, t typed) error {
	p, err := d.tolerantPage(r.Context(), s)
	if err != nil {
		return err
	}
	if !p.Open {
		p.Kept = d.newForm(s, t)
		return d.show(w, http.StatusForbidden, s, p)
	}
	p.Form = d.newForm(s, t)
	d.reply(r.Context(), p, s)
	if err := d.freshCode(p.Form, s); err != nil {
		return d.failed(w, r, s, p, t, err)
	}
	p.Form.CodeStatus = s.l.Say("code.another")
	return d.show(w, http.StatusOK, s, p)
}

// again shows the page with the words that could not be taken, and why.
func (d *Door) again(w http.ResponseWriter, r *http.Request, s screen, t typed, err error) error {
	p, pageErr := d.tolerantPage(r.Context(), s)
	if pageErr != nil {
		return pageErr
	}
	if errors.Is(err, comments.ErrPageClosed) || !p.Open {
		p.Open, p.Failed, p.Kept = false, true, d.newForm(s, t)
		return d.show(w, http.StatusForbidden, s, p)
	}
	p.Form = d.newForm(s, t)
	d.reply(r.Context(), p, s)
	return d.failed(w, r, s, p, t, err)
}

// failed shows a form whose words could not be taken. Its code stays if it is still good:
// only one that is wrong, expired, spent or none of ours brings a new one.
func (d *Door) failed(w http.ResponseWriter, r *http.Request, s screen, p *pageData, t typed, err error) error {
	l, f := s.l, p.Form
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		f.fail(l, invalid)
	} else {
		p.Failed = true
		f.Notices = append(f.Notices, d.failure(l, err))
		var limited *comments.LimitedError
		if errors.As(err, &limited) && !limited.Failures {
			f.Work, f.Coded = d.workAddress(s.site), true // which lets it in, held
		}
	}
	if d.svc.TicketLives(r.Context(), s.site, s.query.Page, t.Ticket) {
		d.setCode(f, s, t.Ticket)
		f.Code = t.Code
	} else if codeErr := d.freshCode(f, s); codeErr != nil {
		f.NoCode = noCode(l, codeErr)
	} else if invalid != nil && invalid.Has(codeErrors...) {
		f.CodeStatus = l.Say("code.another") // why stands at the field
	} else {
		f.CodeStatus = l.Say("code.renewed")
	}
	problem := d.tpl.Problem(err, l)
	for name, values := range problem.GetHeaders() {
		w.Header()[name] = values
	}
	d.tpl.Log(r.Context(), r.Method, "/s/{site}/comments", problem.Status, err)
	return d.show(w, problem.Status, s, p)
}

// failure says what went wrong when it is no field's fault.
func (d *Door) failure(l *templates.Locale, err error) noticeData {
	n := noticeData{Kind: "bad", Icon: "warn", Role: "alert", ID: noticeAnchor, Focus: true}
	var limited *comments.LimitedError
	if errors.As(err, &limited) {
		n.Kind, n.Icon = "look", "clock"
		n.Title = l.Say("failed.limited")
		until := l.Time(d.svc.Now().Add(limited.RetryAfter))
		n.Lines = []string{l.Say("failed.limited_help", "Wait", l.Wait(limited.RetryAfter), "Until", until)}
		return n
	}
	n.Title, n.Lines = l.Say("failed.store"), []string{l.Say("failed.store_help")}
	return n
}

// tolerantPage is the page around words that must not be lost: where the thread can't be
// read, it goes without.
func (d *Door) tolerantPage(ctx context.Context, s screen) (*pageData, error) {
	p, err := d.newPage(ctx, s)
	if err == nil {
		return p, nil
	}
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	p = &pageData{Site: s.site.Name, Open: true, Only: s.only, Sort: s.query.Sort}
	if !errors.Is(err, comments.ErrMalformed) {
		p.Notices = append(p.Notices, noticeData{Icon: "offline", Role: "status",
			Title: s.l.Say("failed.thread"), Lines: []string{s.l.Say("failed.thread_help")}})
	}
	return p, nil
}
