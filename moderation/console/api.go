package console

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/moderation"
)

// bodyMost is the most bytes that a request of the API may have.
const bodyMost = 1 << 20

const securityScheme = "bearer"

func (c *Console) registerAPI() {
	doc := c.cfg.API.OpenAPI()
	if doc.Components.SecuritySchemes == nil {
		doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{}
	}
	if doc.Components.SecuritySchemes[securityScheme] == nil {
		doc.Components.SecuritySchemes[securityScheme] = &huma.SecurityScheme{
			Type: "http", Scheme: "bearer", Description: "A token made by `duyet token add`.",
		}
	}
	c.registerQueue()
	c.registerComment()
	c.registerDecisions()
	c.registerEvents()
	c.registerPages()
	c.registerBulk()
	c.registerJudge()
}

// operation is what the operations here have in common. The service judges what is asked
// for; huma reads and documents it.
func operation(id, method, path, summary string, errs ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1/moderation" + path, Summary: summary,
		Tags: []string{"moderation"}, SkipValidateParams: true, SkipValidateBody: true,
		Security: []map[string][]string{{securityScheme: {}}},
		Errors:   append([]int{http.StatusUnauthorized, http.StatusForbidden}, errs...),
	}
}

// apiSignal is what one check found.
type apiSignal struct {
	Check  string `json:"check"`
	Level  string `json:"level" enum:"info,hold,spam"`
	Reason string `json:"reason" doc:"In words, in the language of the request"`
}

type apiPage struct {
	Key   string `json:"key" doc:"Canonical address, or an id of the site's own"`
	Title string `json:"title"`
	URL   string `json:"url" doc:"Empty when the key is no address"`
}

// apiComment is a comment as moderators see it.
type apiComment struct {
	ID        string      `json:"id"`
	Site      string      `json:"site"`
	Page      apiPage     `json:"page"`
	Parent    string      `json:"parent" doc:"Id of the comment it replies to, or empty"`
	Name      string      `json:"name"`
	Title     string      `json:"title"`
	Text      string      `json:"text" doc:"As typed, in NFC, line breaks as \\n"`
	Status    string      `json:"status" enum:"pending,approved,rejected,spam,trashed"`
	Version   uint64      `json:"version" doc:"One more with every change; a decision may name it"`
	CreatedAt time.Time   `json:"created_at"`
	EditedAt  *time.Time  `json:"edited_at,omitempty"`
	Signals   []apiSignal `json:"signals"`
	Risk      uint16      `json:"risk,omitempty" doc:"How likely it is to be rejected, per mille, by the site's own decisions so far; absent when unknown"`
	Reports   int64       `json:"reports,omitempty" doc:"Open ones, by readers"`
	Appealed  bool        `json:"appealed,omitempty" doc:"Its author's appeal is open"`
	Withdrawn bool        `json:"withdrawn,omitempty" doc:"By its author, for good"`
	Public    *apiWords   `json:"public,omitempty" doc:"What readers see while the edited words wait"`
}

type apiWords struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

func newComment(who caller, item moderation.Item) apiComment {
	a := apiComment{
		ID: string(item.ID), Site: item.Site,
		Page:   apiPage{Key: item.Page.Key, Title: item.Page.Title, URL: item.Page.URL},
		Parent: string(item.Parent), Name: item.Name, Title: item.Title, Text: item.Content,
		Status: string(item.Status), Version: item.Version, CreatedAt: item.CreatedAt.UTC(), Risk: item.Risk,
		Signals: make([]apiSignal, len(item.Signals)),
	}
	a.Reports, a.Appealed, a.Withdrawn = item.Reports, item.In(moderation.Appeals), item.Marks.Has(comments.Withdrawn)
	if item.In(moderation.Edited) {
		a.Public = &apiWords{item.Public.Name, item.Public.Title, item.Public.Content}
	}
	if !item.EditedAt.IsZero() {
		edited := item.EditedAt.UTC()
		a.EditedAt = &edited
	}
	for i, s := range item.Signals {
		a.Signals[i] = apiSignal{Check: s.Check, Level: string(s.Level), Reason: signalWords(who.l, s)}
	}
	return a
}
