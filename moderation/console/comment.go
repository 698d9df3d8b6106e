package console

import (
	"net/http"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

// commentPage is one comment by its own address, with all that happened to it.
type commentPage struct {
	frame
	SiteName string
	Proof    *proof
	Notice   *notice
}

func (c *Console) showComment(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := place{}.alone(mux.Vars(r)["id"])
	return c.answerComment(w, r, v, http.StatusOK, p, func(d *commentPage) (err error) {
		p.Site = comments.ID(p.Comment).Site()
		d.Notice, err = c.notice(r, v, p)
		return err
	})
}

// answerComment sends a comment's page; add completes it.
func (c *Console) answerComment(w http.ResponseWriter, r *http.Request, v *visit, status int, p place, add func(*commentPage) error) error {
	id, err := comments.ParseID(p.Comment)
	if err != nil {
		return err
	}
	_, site, err := c.sites(r.Context(), v, id.Site())
	if err != nil { // whose comment it is stays unsaid
		return notFoundIfForbidden(err)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	p.Site = site.ID
	d := &commentPage{frame: c.frame(r, v, "queues"), SiteName: site.Name}
	if d.Proof, err = c.proof(r, v, site, p); err != nil {
		return err
	}
	list := place{Site: site.ID}.in(string(d.Proof.status))
	d.Proof.BackURL, d.Proof.Back = c.set.URL(list.path(nil)), v.status(d.Proof.status)
	if err := add(d); err != nil {
		return err
	}
	title := d.Proof.Heading(v.l) + " · Duyet"
	return c.set.Page(w, status, "console/comment", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}
