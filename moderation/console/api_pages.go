package console

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
)

type pagesInput struct {
	Lang string `query:"lang" enum:"vi,en"`
	Body struct {
		Site   string `json:"site"`
		Action string `json:"action" enum:"merge,rename,title" doc:"merge page into to; give page the key to; give page a title"`
		Page   string `json:"page" doc:"Its address, or an id of the site's own"`
		To     string `json:"to,omitempty" doc:"For merge and rename: another page, or a key that is none"`
		Title  string `json:"title,omitempty"`
	}
}

type pagesOutput struct {
	Body struct {
		Page apiPage `json:"page" doc:"As it stands now; the former key goes on leading to it"`
	}
}

func (c *Console) registerPages() {
	op := operation("moderation-pages", http.MethodPost, "/pages", "Merge, rename or retitle a page",
		http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	op.MaxBodyBytes = bodyMost
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *pagesInput) (*pagesOutput, error) {
		caller, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		var p comments.Page
		switch b := in.Body; b.Action {
		case "merge", "rename":
			p, err = c.cfg.Service.MovePage(ctx, caller.who, b.Site, b.Page, b.To, b.Action == "merge")
		case "title":
			p, err = c.cfg.Service.TitlePage(ctx, caller.who, b.Site, b.Page, b.Title)
		default:
			err = fmt.Errorf("action: %w", comments.Invalid("action", "not_allowed"))
		}
		if err != nil {
			return nil, err
		}
		out := &pagesOutput{}
		out.Body.Page = apiPage{Key: p.Key, Title: p.Title, URL: p.URL}
		return out, nil
	})
}
