package web

import (
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// addOwn adds what the thread does not show of the reader's own comments, and what they may
// still do with those it shows.
func (d *Door) addOwn(p *pageData, s screen, own []comments.Own) {
	for _, c := range own {
		if c.Status == comments.Approved && !c.MayEdit || c.Withdrawn {
			continue
		}
		o := d.newOwn(s, c)
		o.Article = nil // which is here
		if c.Status == comments.Approved || c.Changed {
			o.Anchor = "cua-" + o.Anchor // the thread has the other
		}
		p.Own = append(p.Own, o)
	}
}

// newOwn is a comment for its author to read, wherever it stands.
func (d *Door) newOwn(s screen, c comments.Own) ownData {
	l := s.l
	o := ownData{
		Anchor: anchor(c.ID), Status: string(c.Status), Name: c.Name, Title: c.Title,
		HTML: templates.Text(c.Content), ISO: l.ISO(c.CreatedAt), Time: l.Time(c.CreatedAt),
		Changed: c.Changed, Withdrawn: c.Withdrawn, Reason: d.reasonFor(l, c), Appeal: c.Appeal,
	}
	to := func(deed string) string {
		return d.tpl.URL(pagesPrefix+s.site.ID) + "/comments/" + url.PathEscape(string(c.ID)) + "/" + deed + "?lang=" + l.Lang + s.keep()
	}
	if c.MayEdit {
		o.Edit, o.Withdraw, o.Until = to(deedEdit), to(deedWithdraw), l.Time(c.Until)
	}
	if c.MayAppeal {
		o.AppealTo = to(deedAppeal)
	}
	if d.cfg.ReceiptCode != nil {
		o.Receipt, o.LookUp = d.cfg.ReceiptCode(c.ID), d.receiptURL(s)
	}
	article := articleData{Title: c.Page.Title}
	at := links{d.tpl.URL(pagesPrefix + s.site.ID), c.Page.Key, l.Lang}
	if article.URL = at.thread("", threadAnchor); c.Status == comments.Approved || c.Changed {
		article.URL = at.comment(c.ID)
	}
	if article.Title == "" {
		article.Title = c.Page.Key
	}
	o.Article = &article
	return o
}
