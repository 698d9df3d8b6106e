package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
)

// deed is a request that changes something, and what each of visitors is answered. What is
// refused is refused for want of the role, since the admin's goes through.
type deed struct {
	body string // a form, or JSON; {id} and {version} are a fresh comment's
	want [len(visitors)]int
}

// in is where a page sends who has not signed in.
const in = http.StatusSeeOther

// deeds are all routes that change something, but for those by which people sign in.
var deeds = map[string]deed{
	"POST /moderation/filters":                         {"site=bao&name=x", [...]int{in, 303, 303, 303, 303}}, // one's own
	"POST /moderation/presence":                        {"site=bao&tab=t1&comment={id}", [...]int{in, 204, 204, 204, 403}},
	"POST /moderation/decisions":                       {"site=bao&action=approve&pick={version}+{id}", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/handover":                        {"site=bao&handover=x&seen=0", [...]int{in, 403, 303, 303, 403}},
	"POST /moderation/audit/verify":                    {"site=bao", [...]int{in, 200, 200, 200, 403}}, // changes nothing
	"POST /moderation/account":                         {"do=nothing", [...]int{in, 400, 400, 400, 400}},
	"POST /moderation/account/passkey/begin":           {"", [...]int{in, 415, 415, 415, 415}}, // one's own, by a script's body
	"POST /moderation/account/passkey":                 {"", [...]int{in, 415, 415, 415, 415}},
	"POST /moderation/people":                          {"email=neu%40bao.example&role=viewer&site=bao", [...]int{in, 403, 403, 200, 403}},
	"POST /moderation/people/{id}":                     {"do=disable", [...]int{in, 403, 403, 404, 403}},
	"POST /moderation/words":                           {"site=bao&starter=vi", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/words/list":                      {"site=bao&name=x&lang=vi&action=hold&entries=ngu&do=save", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/screening/outside":               {"site=bao&service=hook&version=0&do=save&limit=2", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/learning":                        {"site=bao&hold=90", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/bans":                            {"site=bao&version=0&kind=name&value=an&effect=hold&for=1d&do=ban", [...]int{in, 403, 303, 303, 403}},
	"POST /moderation/rules":                           {"site=bao&rule=x&do=up", [...]int{in, 403, 403, 404, 403}},
	"POST /moderation/rules/rule":                      {"site=bao&version=0&name=x&then=hold&fact=links&op=more&value=1&do=save", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/comments/{id}/answer":            {"version={version}&content=x&once={once}", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/comments/{id}/edit":              {"version={version}&name=x&title=x&content=x", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/comments/{id}/mask":              {"version={version}&texts=a", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/comments/{id}/note":              {"text=x", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/comments/{id}/pick":              {"version={version}", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/comments/{id}/schedule":          {"version={version}&at=2027-01-01T08:00", [...]int{in, 403, 303, 303, 404}},
	"POST /moderation/bulk":                            {"site=bao&action=approve", [...]int{in, 403, 303, 303, 403}},
	"POST /moderation/bulk/{id}":                       {"site=bao&do=cancel", [...]int{in, 403, 404, 404, 403}},
	"POST /moderation/attack":                          {"site=bao&do=begin", [...]int{in, 403, 303, 303, 403}},
	"POST /moderation/settings":                        {"site=bao&version=1&newsroom=x", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/settings/reasons":                {"site=bao", [...]int{in, 403, 403, 303, 403}},
	"POST /moderation/settings/page":                   {"site=bao&page={page}&gate=closed", [...]int{in, 403, 303, 303, 403}},
	"POST /api/v1/moderation/decisions":                {`{"decisions":[{"id":"{id}","action":"approve"}]}`, [...]int{401, 403, 200, 200, 200}}, // each not_found
	"POST /api/v1/moderation/pages":                    {`{"site":"bao","action":"rename","page":"none","to":"x"}`, [...]int{401, 403, 403, 404, 403}},
	"POST /api/v1/moderation/words":                    {`{"site":"bao","name":"x","lang":"vi","action":"hold","entries":[{"text":"ngu"}]}`, [...]int{401, 403, 403, 200, 403}},
	"DELETE /api/v1/moderation/words/{site}/{id}":      {"?version=1", [...]int{401, 403, 403, 404, 403}},
	"POST /api/v1/moderation/words/try":                {`{"site":"bao","name":"x","lang":"vi","action":"hold","entries":["ngu"],"text":"x"}`, [...]int{401, 200, 200, 200, 403}},
	"POST /api/v1/moderation/bans":                     {`{"site":"bao","kind":"link","value":"https://x.example/y","effect":"spam"}`, [...]int{401, 403, 200, 200, 403}},
	"POST /api/v1/moderation/bans/preview":             {`{"site":"bao","kind":"link","value":"https://x.example/y","effect":"spam"}`, [...]int{401, 200, 200, 200, 403}},
	"DELETE /api/v1/moderation/bans/{site}/{id}":       {"?version=1", [...]int{401, 403, 404, 404, 403}},
	"POST /api/v1/moderation/rules":                    {`{"site":"bao","name":"x","when":[{"fact":"links","is":"more","value":"1"}],"then":"two"}`, [...]int{401, 403, 403, 200, 403}},
	"POST /api/v1/moderation/rules/simulate":           {`{"site":"bao","name":"x","when":[{"fact":"links","is":"more","value":"1"}],"then":"two"}`, [...]int{401, 200, 200, 200, 403}},
	"DELETE /api/v1/moderation/rules/{site}/{id}":      {"?version=1", [...]int{401, 403, 403, 404, 403}},
	"POST /api/v1/moderation/attacks":                  {`{"site":"bao"}`, [...]int{401, 403, 200, 200, 403}},
	"DELETE /api/v1/moderation/attacks":                {"?site=bao", [...]int{401, 403, 204, 204, 403}},
	"POST /api/v1/moderation/bulk":                     {`{"site":"bao","action":"approve","q":"khongco"}`, [...]int{401, 403, 202, 202, 403}},
	"POST /api/v1/moderation/bulk/{site}/{id}/cancel":  {"", [...]int{401, 403, 404, 404, 403}},
	"POST /api/v1/moderation/bulk/{site}/{id}/undo":    {"", [...]int{401, 403, 404, 404, 403}},
	"POST /api/v1/moderation/comments/{id}/words":      {`{"version":{version},"name":"x","title":"x","text":"x"}`, [...]int{401, 403, 200, 200, 404}},
	"POST /api/v1/moderation/comments/{id}/mask":       {`{"version":{version},"texts":["a"]}`, [...]int{401, 403, 200, 200, 404}},
	"POST /api/v1/moderation/comments/{id}/notes":      {`{"note":"x"}`, [...]int{401, 403, 200, 200, 404}},
	"POST /api/v1/moderation/comments/{id}/pick":       {`{"version":{version},"pick":false}`, [...]int{401, 403, 200, 200, 404}},
	"POST /api/v1/moderation/comments/{id}/replies":    {`{"version":{version},"text":"x"}`, [...]int{401, 403, 201, 201, 404}},
	"PUT /api/v1/moderation/comments/{id}/schedule":    {`{"version":{version},"at":"2027-01-01T08:00:00Z"}`, [...]int{401, 403, 200, 200, 404}},
	"DELETE /api/v1/moderation/comments/{id}/schedule": {"", [...]int{401, 403, 404, 404, 404}},
}

// signIns are the routes that need no session, since they give or end one.
var signIns = []string{
	"POST /moderation/login", "POST /moderation/link", "POST /moderation/login/code", "POST /moderation/login/passkey/begin",
	"POST /moderation/login/passkey", "POST /moderation/login/provider", "POST /moderation/logout",
}

// TestEveryRouteByRole holds the whole table: a route that is in none of the lists fails it, and
// so does one that a role can use which lacks the permission, or from another site.
func TestEveryRouteByRole(t *testing.T) {
	h := screened(t)
	h.people()
	var browsers [len(visitors)]*browser
	tokens := map[string]string{}
	for i, who := range visitors {
		if browsers[i] = h.browser(); who != "nobody" {
			browsers[i] = h.signedIn(who + "@bao.example")
			tokens[who] = h.token(who + "@bao.example")
		}
	}
	var reads, changes []string
	h.must(h.routes.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		methods, _ := r.GetMethods()
		for _, m := range methods {
			switch m {
			case http.MethodGet:
				reads = append(reads, path)
			case http.MethodHead:
			default:
				changes = append(changes, m+" "+path)
			}
		}
		return err
	}))
	for route := range deeds {
		if !slices.Contains(changes, route) {
			t.Errorf("%s is no route", route)
		}
	}
	for _, route := range changes {
		d, known := deeds[route]
		if !known && !slices.Contains(signIns, route) {
			t.Errorf("%s is in no list of what roles may", route)
		}
		if !known {
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		for i, who := range visitors {
			c := h.comment("bao", nil)
			id := "none"
			if strings.Contains(path, "/comments/") || !strings.Contains(path, "{id}") {
				id = string(c.ID)
			}
			fill := strings.NewReplacer("{id}", id, "{site}", "bao", "{version}", fmt.Sprint(c.Version), "{once}", h.once(), "{page}", url.QueryEscape(c.Page))
			at, body := fill.Replace(path), fill.Replace(d.body)
			if strings.HasPrefix(d.body, "?") {
				at, body = at+body, ""
			}
			var got *httptest.ResponseRecorder
			if strings.HasPrefix(path, "/api/") {
				got = h.call(method, at, tokens[who], body)
			} else {
				q, err := url.ParseQuery(body)
				h.must(err)
				got = browsers[i].post(at, q).ResponseRecorder
			}
			if got.Code != d.want[i] {
				t.Errorf("%s by %s: %d, not %d: %.300s", route, who, got.Code, d.want[i], got.Body)
			}
			if v := h.stands(c.ID); (who == "nobody" || who == "viewer" || who == "other") && (v.Version != 1 || len(v.History) != 1 || v.Status != comments.Pending) {
				t.Errorf("%s by %s changed the comment", route, who)
			}
		}
	}

	// What is read: nobody reads anything without signing in, nor a page of another site.
	open := []string{
		"/moderation", "/moderation/login", "/moderation/link", "/moderation/login/code", "/moderation/login/provider/answer",
	}
	own := []string{"/moderation/", "/moderation/account", "/moderation/account/qr.png", "/moderation/live"}
	c := h.comment("bao", nil)
	for _, path := range reads {
		if slices.Contains(open, path) || strings.HasPrefix(path, "/static") {
			continue
		}
		at := strings.NewReplacer("{id}", string(c.ID), "{site}", "bao", "{plot:[a-z]+}", "flow").Replace(path) + "?site=bao"
		api := strings.HasPrefix(path, "/api/")
		ask := func(i int) int {
			if api {
				return h.call(http.MethodGet, at, tokens[visitors[i]], "").Code
			}
			return browsers[i].get(at).Code
		}
		if got := ask(0); got != map[bool]int{true: http.StatusUnauthorized, false: in}[api] {
			t.Errorf("GET %s by nobody: %d", path, got)
		}
		if slices.Contains(own, path) {
			continue
		}
		if got := ask(4); got != http.StatusForbidden && got != http.StatusNotFound {
			t.Errorf("GET %s by a moderator of another site: %d", path, got)
		}
	}
}

var onces atomic.Int64

// once is the name of a form for an answer.
func (h *house) once() string {
	return fmt.Sprintf("%032x.%d", onces.Add(1), h.now.Add(moderation.LeaseFor).UnixMilli())
}
