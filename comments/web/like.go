package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// likeRequest is the body of a like.
type likeRequest struct {
	Comment string `json:"comment" doc:"Id of the comment"`
	Author  string `json:"author" doc:"The author key that this browser keeps"`
	Liked   *bool  `json:"liked,omitempty" doc:"false takes the like back"`
}

type likeOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         likeBody
}

type likeBody struct {
	ID    string `json:"id"`
	Likes int64  `json:"likes" doc:"How many like it now"`
	Liked bool   `json:"liked"`
}

// like answers POST /api/v1/sites/{site}/likes.
func (d *Door) like(ctx context.Context, in *posted) (*likeOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(f.wrong) > 0 {
		return nil, &comments.InvalidError{Fields: f.wrong}
	}
	var flag struct{ Liked *bool }
	if err := json.Unmarshal(in.RawBody, &flag); err != nil {
		return nil, comments.Invalid("liked", comments.CodeWrongType)
	}
	on := flag.Liked == nil || *flag.Liked
	by, err := comments.AuthorKeyOf(site.ID, f.text["author"])
	if err != nil {
		return nil, err
	}
	c, err := d.svc.Like(ctx, site, f.text["comment"], by, on, d.cfg.ClientIP(in.request))
	if err != nil {
		return nil, err
	}
	return &likeOutput{CacheControl: noStore, Body: likeBody{ID: string(c.ID), Likes: c.Likes, Liked: on}}, nil
}

// postLike answers the buttons of our own page: POST /s/{site}/likes. It leads back to
// the comment.
func (d *Door) postLike(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	s := d.newScreen(r, a, form)
	raw, on := form.Get("like"), true
	if raw == "" {
		raw, on = form.Get("unlike"), false
	}
	id, err := comments.ParseID(raw)
	if err != nil {
		return err
	}
	by, err := comments.AuthorKeyOf(a.site.ID, d.keepAuthor(w, r, a.site))
	if err != nil {
		return err
	}
	if _, err := d.svc.Like(r.Context(), a.site, raw, by, on, s.addr); err != nil {
		return err
	}
	s.query.Page = canonical(a.site, form.Get("page"))
	back := "&liked=1"
	for _, name := range backFields {
		if v := form.Get(name); v != "" {
			back += "&" + name + "=" + url.QueryEscape(v)
		}
	}
	w.Header().Set("Cache-Control", noStore)
	w.Header().Set("Location", d.links(s).thread(back, anchor(id)))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// likesData is the form that the buttons of likes belong to. It stands once, after
// everything else.
type likesData struct {
	Action string
	Fields []hiddenField
}

type hiddenField struct{ Name, Value string }

// backFields are the parameters that ask for a part of a thread again.
var backFields = [...]string{"sort", "after", "root", "comment"}

// newLikes is nil where nobody can like.
func (d *Door) newLikes(s screen, list *entry) *likesData {
	if !s.site.Settings.Likes || s.only || len(list.shown) == 0 {
		return nil
	}
	form := &likesData{Action: d.links(s).prefix + "/likes?lang=" + s.l.Lang, Fields: []hiddenField{{"page", s.query.Page}}}
	for _, name := range backFields {
		if v := s.asked.query.Get(name); v != "" {
			form.Fields = append(form.Fields, hiddenField{name, v})
		}
	}
	return form
}

// liking is the list of a page as its reader is to see it: with what they like marked,
// and with their own like counted at once.
func (d *Door) liking(ctx context.Context, s screen, e *entry) (templates.Prerendered, error) {
	by, err := comments.AuthorKeyOf(s.site.ID, s.proof.Author)
	if err != nil {
		return e.list, err
	}
	mine, err := d.svc.Liked(ctx, s.site, by, e.shown)
	if err != nil || len(mine) == 0 && !s.asked.query.Has("liked") {
		return e.list, err
	}
	made, err := d.renderList(ctx, s.site, e.query, s.l.Lang, mine)
	return made.list, err
}
