package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

const api = "/api/v1/moderation"

// newAPI is the door with a moderator's token.
func newAPI(t *testing.T) (*house, string) {
	t.Helper()
	h := newHouse(t, "", "bao", "khac")
	h.person("an@bao.example", moderation.Admin)
	return h, h.token("an@bao.example")
}

func (h *house) json(w *httptest.ResponseRecorder, want int) map[string]any {
	h.Helper()
	if w.Code != want {
		h.Fatalf("%d, not %d: %s", w.Code, want, w.Body)
	}
	var m map[string]any
	h.must(json.Unmarshal(w.Body.Bytes(), &m))
	return m
}

func keys(m any) string {
	var names []string
	object, _ := m.(map[string]any)
	for _, name := range []string{
		"id", "site", "page", "key", "url", "parent", "name", "title", "text", "status", "version", "created_at", "signals",
		"check", "level", "reason", "items", "next", "counts", "queues", "pending", "approved", "rejected", "spam", "trashed",
		"comment", "history", "results", "error", "code", "message", "by", "at", "events", "seq", "actor", "kind", "comment_id",
		"from", "to", "note", "subject", "total", "at_least", "partial",
	} {
		if _, ok := object[name]; ok {
			names = append(names, name)
		}
	}
	if len(names) != len(object) {
		names = append(names, fmt.Sprintf("and %d more", len(object)-len(names)))
	}
	return strings.Join(names, " ")
}

func TestQueueShape(t *testing.T) {
	h, token := newAPI(t)
	c := h.comment("bao", func(c *comments.Comment) {
		c.Content = "Dòng một\n\n😀 <b>"
		c.Signals = []comments.Signal{{Check: "links", Level: comments.LevelHold, Code: "many_links", Args: map[string]string{"count": "4"}}}
	})
	h.comment("bao", func(c *comments.Comment) { c.Title = "" })
	h.comment("bao", func(c *comments.Comment) { c.Status = comments.Approved })
	page := h.json(h.call("GET", api+"/queue?site=bao&limit=1", token, ""), http.StatusOK)
	if got := keys(page); got != "items next counts queues total" {
		t.Errorf("page: %s", got)
	}
	if want := map[string]any{"pending": 2.0, "approved": 1.0, "rejected": 0.0, "spam": 0.0, "trashed": 0.0}; !reflect.DeepEqual(page["counts"], want) {
		t.Errorf("counts: %v", page["counts"])
	}
	item, _ := page["items"].([]any)[0].(map[string]any)
	if got := keys(item); got != "id site page parent name title text status version created_at signals" {
		t.Errorf("item: %s", got)
	}
	if item["id"] != string(c.ID) || item["text"] != c.Content || item["version"] != 1.0 || item["parent"] != "" ||
		item["created_at"] != c.CreatedAt.UTC().Format(time.RFC3339Nano) {
		t.Errorf("item: %v", item)
	}
	if want := map[string]any{"key": c.Page, "title": "Phố đi bộ ven sông", "url": c.Page}; !reflect.DeepEqual(item["page"], want) {
		t.Errorf("page of item: %v", item["page"])
	}
	if want := []any{map[string]any{"check": "links", "level": "hold", "reason": "Nhiều liên kết (4)"}}; !reflect.DeepEqual(item["signals"], want) {
		t.Errorf("signals: %v", item["signals"])
	}
	next, _ := page["next"].(string)
	page = h.json(h.call("GET", api+"/queue?site=bao&limit=1&lang=en&after="+next, token, ""), http.StatusOK)
	if got := keys(page); got != "items counts queues total" {
		t.Errorf("last page: %s", got)
	}
	item, _ = page["items"].([]any)[0].(map[string]any)
	if signals, ok := item["signals"].([]any); !ok || len(signals) != 0 {
		t.Errorf("no signals are %v", item["signals"])
	}
	suspect := h.json(h.call("GET", api+"/queue?site=bao&queue=suspect&lang=en", token, ""), http.StatusOK)
	if items, _ := suspect["items"].([]any); len(items) != 1 || !strings.Contains(fmt.Sprint(items[0]), "Many links (4)") {
		t.Errorf("suspects: %v", items)
	}
	empty := h.json(h.call("GET", api+"/queue?site=khac", token, ""), http.StatusOK)
	if items, ok := empty["items"].([]any); !ok || len(items) != 0 {
		t.Errorf("an empty queue: %v", empty)
	}
}

func TestBadQueries(t *testing.T) {
	h, token := newAPI(t)
	for _, path := range []string{
		"/queue", "/queue?site=bao&limit=0", "/queue?site=bao&limit=201", "/queue?site=bao&limit=x", "/queue?site=bao&limit=-1",
		"/queue?site=bao&after=zzz", "/queue?site=bao&status=odd", "/queue?site=bao&queue=odd", "/queue?site=bao&order=odd",
		"/queue?site=bao&q=status:odd", "/queue?site=bao&queue=suspect&status=spam", "/queue?site=bao&has=cake", "/queue?site=bao&order=risk&status=spam",
		"/queue?site=bao&reply=maybe", "/queue?site=bao&written=fr",
		"/events", "/events?site=bao&after=x", "/events?site=bao&after=-1", "/events?site=bao&limit=0", "/events?site=bao&limit=999",
	} {
		w := h.call("GET", api+path, token, "")
		if p := h.json(w, http.StatusBadRequest); w.Header().Get("Content-Type") != "application/problem+json" || p["title"] == "" || p["status"] != 400.0 {
			t.Errorf("%s: %v %v", path, w.Header(), p)
		}
	}
}

func TestCommentShape(t *testing.T) {
	h, token := newAPI(t)
	c := h.comment("bao", nil)
	h.json(h.call("POST", api+"/decisions", token, fmt.Sprintf(`{"decisions":[{"id":%q,"action":"reject","reason":"insult","note":"nhớ"}]}`, c.ID)), http.StatusOK)
	view := h.json(h.call("GET", api+"/comments/"+string(c.ID), token, ""), http.StatusOK)
	if got := keys(view); got != "comment history" {
		t.Errorf("view: %s", got)
	}
	history, _ := view["history"].([]any)
	last, _ := history[1].(map[string]any)
	if len(history) != 2 || last["actor"] != "an@bao.example" || last["from"] != "pending" || last["to"] != "rejected" ||
		last["reason"] != "insult" || last["note"] != "nhớ" || last["kind"] != "comment.decided" || last["version"] != 2.0 {
		t.Errorf("history: %v", history)
	}
}

func TestDecisionResults(t *testing.T) {
	h, token := newAPI(t)
	h.person("minh@bao.example", moderation.Editor, "bao")
	minh := h.token("minh@bao.example")
	one, two, foreign := h.comment("bao", nil), h.comment("bao", nil), h.comment("khac", nil)
	h.json(h.call("POST", api+"/decisions", token, fmt.Sprintf(`{"decisions":[{"id":%q,"action":"spam"}]}`, one.ID)), http.StatusOK)
	body := fmt.Sprintf(`{"more":1,"decisions":[{"id":"nope","action":"approve"},{"id":%q,"action":"approve","version":1,"x":[]},
		{"id":%q,"action":"approve"},{"id":%q,"action":"approve","version":1}]}`, two.ID, one.ID, foreign.ID)
	for _, lang := range []string{"vi", "en"} {
		answer := h.json(h.call("POST", api+"/decisions?lang="+lang, minh, body), http.StatusOK)
		results, _ := answer["results"].([]any)
		if len(results) != 4 {
			t.Fatalf("results: %v", results)
		}
		part := func(i int) map[string]any { m, _ := results[i].(map[string]any); return m }
		fault := func(i int) map[string]any { m, _ := part(i)["error"].(map[string]any); return m }
		if keys(part(0)) != "id error" || part(0)["id"] != "nope" || fault(0)["code"] != "not_found" || fault(3)["code"] != "not_found" {
			t.Errorf("unknown and another site's: %v, %v", part(0), part(3))
		}
		if got := keys(part(1)); got != "id status version" || part(1)["status"] != "approved" || part(1)["version"] != 2.0 {
			t.Errorf("decided, and again: %v", part(1))
		}
		said := map[string]string{"vi": "an@bao.example đã xếp bình luận này vào spam lúc", "en": "an@bao.example marked this comment as spam at"}[lang]
		if c := fault(2); c["code"] != "conflict" || c["by"] != "an@bao.example" || c["status"] != "spam" || c["version"] != 2.0 ||
			c["at"] != h.stands(one.ID).History[1].At.UTC().Format(time.RFC3339Nano) || !strings.HasPrefix(fmt.Sprint(c["message"]), said) {
			t.Errorf("conflict in %s: %v", lang, c)
		}
	}
	if none := h.json(h.call("POST", api+"/decisions", token, `{"decisions":[]}`), http.StatusOK); fmt.Sprint(none["results"]) != "[]" {
		t.Errorf("no decisions: %v", none)
	}
}

func TestBadDecisions(t *testing.T) {
	h, token := newAPI(t)
	c := h.comment("bao", nil)
	good := fmt.Sprintf(`{"id":%q,"action":"approve"}`, c.ID)
	many := `{"decisions":[` + strings.Repeat(good+",", moderation.DecisionsMost) + good + `]}`
	for _, try := range []struct {
		name, body string
		status     int
		location   string
		code       string
	}{
		{"unknown action", `{"decisions":[` + good + `,{"id":"x","action":"explode"}]}`, 422, "body.decisions[1].action", "unknown_action"},
		{"no action", `{"decisions":[{"id":"x"}]}`, 422, "body.decisions[0].action", "unknown_action"},
		{"version as text", `{"decisions":[{"id":"x","action":"approve","version":"1"}]}`, 422, "body.decisions[0].version", "wrong_type"},
		{"negative version", `{"decisions":[{"id":"x","action":"approve","version":-1}]}`, 422, "body.decisions[0].version", "wrong_type"},
		{"id as number", `{"decisions":[{"id":5,"action":"approve"}]}`, 422, "body.decisions[0].id", "wrong_type"},
		{"no list", `{"decisions":{}}`, 422, "body.decisions", "wrong_type"},
		{"no decisions", `{}`, 422, "body.decisions", "required"},
		{"null", `{"decisions":null}`, 422, "body.decisions", "required"},
		{"an array", `[]`, 422, "body.decisions", "wrong_type"},
		{"too many", many, 422, "body.decisions", "too_long"},
		{"a long note", `{"decisions":[{"id":"x","action":"reject","note":"` + strings.Repeat("x", 9000) + `"}]}`, 422, "body.decisions[0].note", "too_long"},
		{"a control character", `{"decisions":[{"id":"x","action":"reject","reason":"a\u0000"}]}`, 422, "body.decisions[0].reason", "control_character"},
		{"cut short", `{"decisions":[`, 400, "", ""},
		{"no JSON", `<a/>`, 400, "", ""},
		{"nothing", ``, 400, "", ""},
		{"not UTF-8", "{\"decisions\":[{\"id\":\"\xff\"}]}", 400, "", ""},
		{"a lone surrogate", `{"decisions":[{"id":"\ud800","action":"approve"}]}`, 400, "", ""},
		{"twice a name", `{"decisions":[],"decisions":[]}`, 400, "", ""},
		{"too large", `{"decisions":[` + good + `],"x":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "", ""},
	} {
		r := httptest.NewRequest("POST", api+"/decisions?lang=en", strings.NewReader(try.body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.door.ServeHTTP(w, r)
		if w.Code != try.status || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", try.name, w.Code, w.Body)
			continue
		}
		var p struct {
			Errors []struct{ Location, Code, Message string }
		}
		h.must(json.Unmarshal(w.Body.Bytes(), &p))
		if try.status == 422 && (len(p.Errors) != 1 || p.Errors[0].Location != try.location || p.Errors[0].Code != try.code ||
			p.Errors[0].Message == "" || strings.HasPrefix(p.Errors[0].Message, "field.")) {
			t.Errorf("%s: %+v", try.name, p.Errors)
		}
	}
	if h.stands(c.ID).Version != 1 {
		t.Error("a refused request changed something")
	}
	for kind, want := range map[string]int{
		"application/json; charset=utf-8": 200, "application/problem+json": 200, "": 200, "text/xml": 415,
		"application/x-www-form-urlencoded": 415, "multipart/form-data": 415,
	} {
		r := httptest.NewRequest("POST", api+"/decisions", strings.NewReader(`{"decisions":[]}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header["Content-Type"] = []string{kind}
		w := httptest.NewRecorder()
		if h.door.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: %d %s", kind, w.Code, w.Body)
		}
	}
}

func TestThousandDecisions(t *testing.T) {
	h, token := newAPI(t)
	var list []string
	for range moderation.DecisionsMost {
		list = append(list, fmt.Sprintf(`{"id":%q,"action":"undo"}`, "bao~nope"))
	}
	answer := h.json(h.call("POST", api+"/decisions", token, `{"decisions":[`+strings.Join(list, ",")+`]}`), http.StatusOK)
	if results, _ := answer["results"].([]any); len(results) != moderation.DecisionsMost {
		t.Errorf("%d results", len(results))
	}
}

func TestEventsShape(t *testing.T) {
	h, token := newAPI(t)
	c := h.comment("bao", nil)
	h.json(h.call("POST", api+"/decisions", token, fmt.Sprintf(`{"decisions":[{"id":%q,"action":"reject","reason":"Trùng ý"}]}`, c.ID)), http.StatusOK)
	page := h.json(h.call("GET", api+"/events?site=bao&limit=2", token, ""), http.StatusOK)
	events, _ := page["events"].([]any)
	if len(events) != 2 || keys(page) != "next events" || page["next"] != 2.0 {
		t.Fatalf("%v", page)
	}
	page = h.json(h.call("GET", api+"/events?site=bao&after=2", token, ""), http.StatusOK)
	events, _ = page["events"].([]any)
	last, _ := events[0].(map[string]any)
	if len(events) != 1 || keys(page) != "events" || last["seq"] != 3.0 || last["actor"] != "an@bao.example" || last["kind"] != "comment.decided" ||
		last["comment_id"] != string(c.ID) || last["from"] != "pending" || last["to"] != "rejected" || last["reason"] != "Trùng ý" {
		t.Errorf("%v", page)
	}
	all := h.json(h.call("GET", api+"/events?site=*", token, ""), http.StatusOK)
	if got := fmt.Sprint(all["events"]); !strings.Contains(got, "moderator.added") || !strings.Contains(got, "subject:an@bao.example") {
		t.Errorf("of the installation: %s", got)
	}
}

// The description says what the operations take and give.
func TestDescription(t *testing.T) {
	h, _ := newAPI(t)
	doc, err := json.Marshal(h.api.OpenAPI())
	h.must(err)
	var spec struct {
		Paths map[string]map[string]struct {
			Security    []map[string][]string
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
			Responses map[string]any
		}
		Components struct {
			Schemas         map[string]struct{ Properties map[string]any }
			SecuritySchemes map[string]any
		}
	}
	h.must(json.Unmarshal(doc, &spec))
	for _, path := range []string{"/queue", "/comments/{id}", "/events", "/decisions"} {
		for method, op := range spec.Paths[api+path] {
			if len(op.Security) != 1 || op.Responses["200"] == nil || op.Responses["401"] == nil {
				t.Errorf("%s %s: %+v", method, path, op)
			}
		}
		if len(spec.Paths[api+path]) != 1 {
			t.Errorf("%s is not described", path)
		}
	}
	body := spec.Paths[api+"/decisions"]["post"].RequestBody.Content
	name, _ := body["application/json"].Schema["$ref"].(string)
	schema := spec.Components.Schemas[strings.TrimPrefix(name, "#/components/schemas/")]
	if len(body) != 1 || schema.Properties["decisions"] == nil || spec.Components.SecuritySchemes["bearer"] == nil {
		t.Errorf("the body of decisions: %v", body)
	}
}
