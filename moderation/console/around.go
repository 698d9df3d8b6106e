package console

import (
	"net/http"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

// aroundPage is a comment among those around it, as readers see them.
type aroundPage struct {
	frame
	SiteName     string
	ArticleTitle string
	ArticleURL   string
	URL          string // the comment's own page
	Above        []said
	It           said
	Beside       []said
	Below        []said
}

// said is a comment in its thread.
type said struct {
	wrote
	Text     string
	Newsroom bool
}

func (c *Console) said(v *visit, list ...comments.Comment) []said {
	out := make([]said, len(list))
	for i, w := range c.wroteList(v, list) {
		out[i] = said{w, list[i].Content, list[i].Marks.Has(comments.Newsroom)}
		out[i].Title = list[i].Title
	}
	return out
}

func (c *Console) showAround(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := c.cfg.Service.Comment(r.Context(), v.who, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	_, site, err := c.sites(r.Context(), v, view.Site)
	if err != nil {
		return notFoundIfForbidden(err)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	t, err := c.cfg.Service.Around(r.Context(), v.who, view.Comment)
	if err != nil {
		return err
	}
	d := aroundPage{
		frame: c.frame(r, v, "queues"), SiteName: site.Name, ArticleTitle: articleTitle(view.Page), ArticleURL: view.Page.URL,
		URL:   c.set.URL(place{}.alone(string(view.ID)).path(nil)),
		Above: c.said(v, t.Above...), It: c.said(v, view.Comment)[0], Beside: c.said(v, t.Beside...), Below: c.said(v, t.Below...),
	}
	title := v.l.Say("judge.around") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/around", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// writingsPage is all that one author, or one network, has written.
type writingsPage struct {
	frame
	SiteName string
	Network  bool
	URL      string
	Name     string
	List     []said
	Articles []string
	MoreURL  string
	Picks    []picked
	Together *together
}

func (c *Console) showWritings(w http.ResponseWriter, r *http.Request, v *visit) error {
	q, id := r.URL.Query(), mux.Vars(r)["id"]
	network := q.Get("by") == "network"
	view, err := c.cfg.Service.Comment(r.Context(), v.who, id)
	if err != nil {
		return err
	}
	items, next, err := c.cfg.Service.WrittenBy(r.Context(), v.who, id, network, q.Get("after"))
	if err != nil {
		return err
	}
	_, site, err := c.sites(r.Context(), v, view.Site)
	if err != nil {
		return notFoundIfForbidden(err)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	d := writingsPage{frame: c.frame(r, v, "queues"), SiteName: site.Name, Network: network, Name: view.Name, URL: c.set.URL(place{}.alone(id).path(nil)), Together: c.together(v, site)}
	for _, item := range items {
		d.List = append(d.List, c.said(v, item.Comment)[0])
		d.Picks = append(d.Picks, pickedOf(item.Comment))
		d.Articles = append(d.Articles, articleTitle(item.Page))
	}
	if next != "" {
		more := query("after", next)
		if network {
			more.Set("by", "network")
		}
		d.MoreURL = c.set.URL(judgePath(id, "author")) + "?" + more.Encode()
	}
	title := v.l.Say("judge.writings") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/writings", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}
