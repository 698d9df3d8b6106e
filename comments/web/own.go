package web

import (
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// addOwn adds what the thread does not show of the reader's own comments, and what they may
// still do with those it shows.
func (d *Door) addOwn(p *pageData, s screen, own []comments.Own) {
	l := s.l
	for _, c := range own {
		if c.Status == comments.Approved && !c.MayEdit || c.Withdrawn {
			continue
		}
		o := ownData{
			Anchor: anchor(c.ID), Status: string(c.Status), Name: c.Name, Title: c.Title,
			HTML: templates.Text(c.Content), ISO: l.ISO(c.CreatedAt), Time: l.Time(c.CreatedAt),
			Changed: c.Changed, Reason: d.reasonFor(l, c), Appeal: c.Appeal,
		}
		if c.Status == comments.Approved || c.Changed {
			o.Anchor = "cua-" + o.Anchor // the thread has the other
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
			o.Receipt = d.cfg.ReceiptCode(c.ID)
		}
		p.Own = append(p.Own, o)
	}
}
