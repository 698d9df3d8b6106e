package web

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
)

// challenge answers GET /api/v1/sites/{site}/work?page=K with a task as ALTCHA's widgets
// and libraries solve it, names and all. It writes nothing, and is each reader's own.
func (d *Door) challenge(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	key, err := a.page()
	if err != nil {
		return err
	}
	c, err := d.svc.Challenge(a.site, key, d.cfg.ClientIP(r))
	if err != nil {
		return err
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", noStore)
	_, _ = w.Write(body)
	return nil
}

// workAddress is where a page's challenges are.
func (d *Door) workAddress(site comments.Site) string {
	return d.tpl.URL(apiPrefix + site.ID + "/work")
}

// wants says what a comment on a page should bring.
type wants struct {
	Work bool `json:"work" doc:"A proof of work: a challenge from /work, solved, as ALTCHA sends it. Without one the comment is held"`
	Code bool `json:"code" doc:"The digits of the image; false where a proof of work stands for them"`
}

func (d *Door) wants(site comments.Site, page string) wants {
	return wants{Work: d.svc.WantsWork(site, page), Code: d.svc.WantsCode(site, page)}
}

func (d *Door) documentWork(page *huma.Param) {
	d.document("ask-for-work", "work", "Ask for a proof of work to do", reflect.TypeFor[comments.Challenge](), page)
}
