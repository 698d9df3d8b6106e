package web

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/templates"
)

// tags groups the readers' operations in the description of the API.
var tags = []string{"Readers"}

// registerAPI hands the POSTs to huma, which reads and documents them, and documents the
// GETs: those are served straight from the cache, for huma's way costs a hit several
// times its price.
func (d *Door) registerAPI() {
	issue := d.operation("issue-ticket", "captcha", "Ask for a verification code",
		"The code is good for one comment on one page.", reflect.TypeFor[ticketRequest]())
	issue.DefaultStatus = http.StatusCreated
	body := issue.RequestBody.Content
	media := body["application/json"]
	huma.Register(d.cfg.API, issue, d.issueTicket)
	onlyJSON(body, media)

	submit := d.operation("submit-comment", "comments", "Send a comment",
		"Sent again with the same ticket and the same words, it answers 200 with the same comment. "+
			"A slip in a field leaves the ticket alive; a wrong code kills it.", reflect.TypeFor[submission]())
	submit.DefaultStatus = http.StatusCreated
	body = submit.RequestBody.Content
	media = body["application/json"]
	huma.Register(d.cfg.API, submit, d.submit)
	onlyJSON(body, media)
	again := *submit.Responses["201"]
	again.Description = "The same words had come with this ticket before"
	submit.Responses["200"] = &again

	d.registerNudge()
	d.registerOwn()
	like := d.operation("like-comment", "likes", "Like a comment, or take a like back",
		"An author likes a comment once, however often it is said. The count is exact; threads show it within seconds.", reflect.TypeFor[likeRequest]())
	body = like.RequestBody.Content
	media = body["application/json"]
	huma.Register(d.cfg.API, like, d.like)
	onlyJSON(body, media)

	page := &huma.Param{Name: "page", In: "query", Required: true, Schema: text(), Description: "The page's address, or an id of the site's own"}
	d.document("read-thread", "thread", "Read a page's approved comments", reflect.TypeFor[threadBody](),
		page, number("limit", comments.ThreadMost, comments.ThreadLimit), cursor(), sorting())
	pages := &huma.Param{Name: "page", In: "query", Required: true, Explode: &explode, Description: "Up to 100 pages, each as a parameter of its own",
		Schema: &huma.Schema{Type: "array", Items: text(), MaxItems: &countsMost}}
	d.documentWork(page)
	d.document("count-comments", "counts", "Count the approved comments of pages", reflect.TypeFor[countsBody](), pages)
	d.document("latest-comments", "latest", "Read a site's latest approved comments", reflect.TypeFor[latestBody](),
		number("limit", comments.LatestMost, comments.LatestDefault))
	d.document("most-discussed", "discussed", "Read a site's most discussed pages", reflect.TypeFor[discussedBody](),
		number("days", comments.DiscussedDaysMost, comments.DiscussedDays), number("limit", comments.DiscussedMost, comments.DiscussedDefault))
}

var (
	explode    = true
	countsMost = comments.CountsMost
)

// operation is a POST whose body the service validates.
func (d *Door) operation(id, path, summary, description string, body reflect.Type) huma.Operation {
	registry := d.cfg.API.OpenAPI().Components.Schemas
	return huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: apiPrefix + "{site}/" + path, Tags: tags,
		Summary: summary, Description: description,
		MaxBodyBytes: jsonMost, SkipValidateBody: true,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: registry.Schema(body, true, "")},
		}},
		Responses: map[string]*huma.Response{},
		Errors: []int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusTooManyRequests, http.StatusServiceUnavailable,
		},
	}
}

// onlyJSON takes back what huma noted of a body that it hands on as bytes.
func onlyJSON(content map[string]*huma.MediaType, media *huma.MediaType) {
	clear(content)
	content["application/json"] = media
}

// document describes a GET.
func (d *Door) document(id, path, summary string, body reflect.Type, params ...*huma.Param) {
	api := d.cfg.API.OpenAPI()
	site := &huma.Param{Name: "site", In: "path", Required: true, Schema: text(), Description: "Id of the site"}
	lang := &huma.Param{Name: "lang", In: "query", Schema: &huma.Schema{Type: "string", Enum: []any{"vi", "en"}}, Description: "Language of errors"}
	etag := map[string]*huma.Param{"ETag": {Schema: text(), Description: "Strong; send it back as If-None-Match"}}
	problem := &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: api.Components.Schemas.Schema(reflect.TypeFor[templates.Problem](), true, "")},
	}}
	api.AddOperation(&huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: apiPrefix + "{site}/" + path, Tags: tags, Summary: summary,
		Parameters: append([]*huma.Param{site, lang}, params...),
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Headers: etag, Content: map[string]*huma.MediaType{
				"application/json": {Schema: api.Components.Schemas.Schema(body, true, "")},
			}},
			"304": {Description: "Nothing has changed since the ETag that was sent"},
			"400": problem, "404": problem, "503": problem,
		},
	})
}

func text() *huma.Schema { return &huma.Schema{Type: "string"} }

func number(name string, most, otherwise int) *huma.Param {
	least, highest := 1.0, float64(most)
	return &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: "integer", Minimum: &least, Maximum: &highest, Default: otherwise}}
}

func cursor() *huma.Param {
	return &huma.Param{Name: "after", In: "query", Schema: text(), Description: "Cursor: next of the part before"}
}

func sorting() *huma.Param {
	return &huma.Param{
		Name: "sort", In: "query", Description: "liked is read as oldest where the site counts no likes",
		Schema: &huma.Schema{Type: "string", Enum: []any{"oldest", "newest", "liked"}, Default: "oldest"},
	}
}
