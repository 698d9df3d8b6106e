package web

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/templates"
)

const apiPath = "/api/v1/sites/" + testSite

// read decodes a 200.
func read[T any](h *house, path string, headers ...string) T {
	h.t.Helper()
	var v T
	w := h.get(path, headers...)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if err := json.NewDecoder(w.Body).Decode(&v); err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestSubmitAndRead(t *testing.T) {
	h := newHouse(t, "", "mode=post")
	body := h.body()
	body["content"] = "Hai đoạn.\r\n\r\nNo\u0302\u0323i dung https://a.example/x"
	body["unknown"] = map[string]any{"is": "ignored"}
	w := h.postJSON(commentsPath, body)
	var done submittedBody
	if err := json.Unmarshal(w.Body.Bytes(), &done); err != nil || w.Code != 201 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	if done.Comment.Status != "approved" || done.Receipt == "" || done.ReceiptCode == "" || done.Comment.Page != testPage {
		t.Errorf("%+v", done)
	}
	again := h.postJSON(commentsPath, body)
	var same submittedBody
	if err := json.Unmarshal(again.Body.Bytes(), &same); err != nil || again.Code != 200 || same.Comment.ID != done.Comment.ID || same.Receipt != done.Receipt {
		t.Errorf("again: %d %s", again.Code, again.Body)
	}
	thread := read[threadBody](h, apiPath+"/thread?page="+url.QueryEscape(testPage))
	if thread.Page != (pageBody{Key: testPage, Title: "Phố đi bộ", URL: testPage, Count: 1, Open: true}) || len(thread.Comments) != 1 || thread.Next != "" {
		t.Errorf("%+v", thread)
	}
	c := thread.Comments[0]
	if c.Text != "Hai đoạn.\n\nNội dung https://a.example/x" || !strings.Contains(c.HTML, `<a href="https://a.example/x" rel="nofollow ugc noopener">`) || c.CreatedAt.Location() != time.UTC {
		t.Errorf("%+v", c)
	}
}

func TestThreadHoldsWhatTheContractNames(t *testing.T) {
	h := newHouse(t, "")
	c := h.publish(testPage, "Hạnh", "Lời đầu", "")
	h.pass(time.Minute)
	h.publish(testPage, "Lộc", "Lời đáp", c.ID)
	raw := read[map[string]any](h, apiPath+"/thread?limit=1&page="+testPage)
	if raw["next"] == nil {
		t.Error("no next")
	}
	one := raw["comments"].([]any)[0].(map[string]any)
	for _, name := range []string{"id", "parent", "name", "title", "html", "text", "created_at"} {
		if _, ok := one[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	rest := read[threadBody](h, apiPath+"/thread?limit=1&page="+testPage+"&after="+raw["next"].(string))
	if len(rest.Comments) != 1 || rest.Comments[0].Parent != string(c.ID) || rest.Next != "" {
		t.Errorf("%+v", rest)
	}
	newest := read[threadBody](h, apiPath+"/thread?sort=newest&page="+testPage)
	if len(newest.Comments) != 2 || newest.Comments[0].Name != "Lộc" {
		t.Errorf("%+v", newest)
	}
	empty := read[map[string]any](h, apiPath+"/thread?page=https://news.example/chua-co")
	if list, ok := empty["comments"].([]any); !ok || len(list) != 0 || empty["page"].(map[string]any)["open"] != true {
		t.Errorf("%v", empty)
	}
}

func TestCountsAndLatest(t *testing.T) {
	h := newHouse(t, "")
	const other = "https://news.example/khac"
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	h.pass(time.Minute)
	h.publish(other, "Lộc", "Lời khác", "")
	counts := read[countsBody](h, apiPath+"/counts?page=x&page="+testPage+"%3Futm_source=zalo&page="+other)
	want := []countBody{{"x", 0}, {testPage + "?utm_source=zalo", 1}, {other, 1}}
	if !slices.Equal(counts.Counts, want) {
		t.Errorf("%+v", counts)
	}
	latest := read[latestBody](h, apiPath+"/latest?limit=1")
	if len(latest.Comments) != 1 || latest.Comments[0].Name != "Lộc" || latest.Comments[0].Page.URL != other || latest.Comments[0].Page.Title == "" {
		t.Errorf("%+v", latest)
	}
}

func TestBadQueriesAre400(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	page := "page=" + testPage
	for _, q := range []string{
		"/thread", "/thread?page=", "/thread?page=%00", "/thread?page=%FF", "/thread?page=https://elsewhere.example/", "/thread?page=" + strings.Repeat("x", 501),
		"/thread?" + page + "&limit=0", "/thread?" + page + "&limit=-1", "/thread?" + page + "&limit=201", "/thread?" + page + "&limit=x",
		"/thread?" + page + "&after=zzz", "/thread?" + page + "&sort=best", "/thread?page=%zz", "/thread?page=a;b",
		"/counts", "/counts?" + strings.Repeat("page=a&", 101), "/counts?page=https://elsewhere.example/",
		"/latest?limit=0", "/latest?limit=101",
	} {
		w := h.get(apiPath + q)
		if p := problem(t, w); p.Status != 400 || p.Code != "malformed" {
			t.Errorf("%s: %+v", q, p)
		}
		if strings.HasPrefix(q, "/thread") && !strings.Contains(q, "limit=201") {
			if w := h.get("/s/" + testSite + q); w.Code != 400 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("the page at %s: %d", q, w.Code)
			}
		}
	}
	for _, path := range []string{"/s/" + testSite + "/fragment?" + page + "&limit=1001", "/s/" + testSite + "/feed.atom?page=%00"} {
		if w := h.get(path); w.Code != 400 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if p := problem(t, h.get(apiPath+"/thread?limit=x&page=a&lang=en")); len(p.Errors) != 1 || p.Errors[0].Location != "query.limit" {
		t.Errorf("%+v", p)
	}
}

func TestFieldsOfJSON(t *testing.T) {
	h := newHouse(t, "")
	for _, c := range []struct {
		name     string
		value    any
		location string
		code     string
	}{
		{"name", "", "body.name", "required"},
		{"name", nil, "body.name", "required"},
		{"name", 5, "body.name", "wrong_type"},
		{"content", []string{"x"}, "body.content", "wrong_type"},
		{"title", map[string]any{}, "body.title", "wrong_type"},
		{"ticket", true, "body.ticket", "wrong_type"},
		{"page", 7, "body.page", "wrong_type"},
		{"name", strings.Repeat("x", 81), "body.name", "too_long"},
		{"name", "a\u202eb", "body.name", "bidi"},
		{"name", "a\nb", "body.name", "one_line"},
		{"content", "a\x00b", "body.content", "control_character"},
		{"parent", "nothing", "body.parent", "unknown_parent"},
		{"page", "https://elsewhere.example/", "body.page", "page_foreign"},
		{"page", nil, "body.page", "required"},
		{"ticket", nil, "body.code", "captcha_invalid"},
	} {
		body := h.body()
		body[c.name] = c.value
		for lang, kind := range map[string]string{"vi": "vi", "en": "en"} {
			p := problem(t, h.postJSON(commentsPath+"?lang="+lang, body))
			if p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Location != c.location || p.Errors[0].Code != c.code {
				t.Errorf("%s = %v: %+v", c.name, c.value, p)
				continue
			}
			if m := p.Errors[0].Message; m == "" || strings.Contains(m, "field.") || strings.Contains(m, "elsewhere") {
				t.Errorf("%s: message %q", kind, m)
			}
		}
	}
	if p := problem(t, h.postJSON(apiPath+"/captcha", map[string]any{"page": 5})); p.Errors[0].Code != "wrong_type" || p.Errors[0].Location != "body.page" {
		t.Errorf("%+v", p)
	}
	if p := problem(t, h.postJSON(apiPath+"/captcha", map[string]any{"page": "https://elsewhere.example/"})); p.Status != 422 || p.Errors[0].Code != "page_foreign" {
		t.Errorf("%+v", p)
	}
}

func TestSyntaxOfJSON(t *testing.T) {
	h := newHouse(t, "")
	for body, want := range map[string]int{
		``: 400, `{`: 400, `[]`: 400, `"x"`: 400, `null`: 400, `{} {}`: 400, "\xff": 400, "{\"name\":\"\xff\"}": 400,
		`{"name":"\ud800"}`: 400, `{"name":"\udc00\ud800"}`: 400, `{"a":"\ud83dx"}`: 400, `{"name":"\ud83d\u0041"}`: 400, `{"\uDBFF":1}`: 400,
		`{}`: 422, `{"name":"\ud83d\ude00"}`: 422, `{"name":"\\ud800"}`: 422, `{"name":"\\\\ud800"}`: 422,
	} {
		w := h.do(request(http.MethodPost, commentsPath, body, "Content-Type", "application/json; charset=UTF-8"))
		if p := problem(t, w); p.Status != want {
			t.Errorf("%s: %d, not %d", body, p.Status, want)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/xml", "application/json; charset=latin1", "application/x-www-form-urlencoded"} {
		if p := problem(t, h.do(request(http.MethodPost, commentsPath, "{}", "Content-Type", kind))); p.Status != 415 {
			t.Errorf("%q: %d", kind, p.Status)
		}
	}
}

func TestLanguageOfErrors(t *testing.T) {
	h := newHouse(t, "", "lang=en")
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "Some fields need another look"},
		{"", "vi, en;q=0.5", "Có mục cần sửa"},
		{"?lang=en", "vi", "Some fields need another look"},
		{"?lang=vi", "en", "Có mục cần sửa"},
		{"?lang=xx", "vi", "Có mục cần sửa"},
	} {
		if p := problem(t, h.postJSON(commentsPath+c.query, map[string]any{}, "Accept-Language", c.accept)); p.Title != c.want {
			t.Errorf("%+v: %s", c, p.Title)
		}
	}
	for _, c := range []struct{ setting, query, accept, want string }{
		{"vi", "", "en", "vi"}, {"vi", "&lang=en", "vi", "en"}, {"auto", "", "en", "en"}, {"auto", "", "fr", "vi"}, {"auto", "&lang=vi", "en", "vi"},
	} {
		h.set("lang=" + c.setting)
		if got := h.get(threadPath()+c.query, "Accept-Language", c.accept).Header().Get("Content-Language"); got != c.want {
			t.Errorf("page %+v: %s", c, got)
		}
		want := c.want
		if c.setting == "auto" && c.query == "" {
			want = "vi" // a header never counts in what readers share
		}
		w := h.get("/s/"+testSite+"/fragment?page="+testPage+c.query, "Accept-Language", c.accept)
		if got := w.Header().Get("Content-Language"); got != want {
			t.Errorf("fragment %+v: %s", c, got)
		}
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	set := must(templates.New(templates.Options{}))(t)
	codes := []string{
		comments.CodeRequired, comments.CodeTooLong, comments.CodeControl, comments.CodeBidi, comments.CodeOneLine,
		comments.CodeUnknownParent, comments.CodePageForeign, comments.CodePageInvalid, comments.CodeWrongType, comments.CodeTicketSpent,
		comments.CodeCaptchaInvalid, comments.CodeCaptchaExpired, comments.CodeCaptchaWrongPage, comments.CodeCaptchaWrong,
	}
	for _, lang := range templates.Languages {
		l := set.Locale(lang, nil)
		for _, code := range codes {
			for _, id := range []string{"field.any." + code, "slip." + code} {
				if !l.Has(id) {
					t.Errorf("%s has no %s", lang, id)
				}
			}
		}
		for _, field := range []string{"name", "title", "content", "page", "parent", "code"} {
			if !l.Has("label." + field) {
				t.Errorf("%s has no name for %s", lang, field)
			}
		}
	}
}

func TestCodesImageAndSound(t *testing.T) {
	h := newHouse(t, "https://talk.example/c/")
	w := h.postJSON(apiPath+"/captcha?lang=en", map[string]any{"page": testPage})
	var b ticketBody
	if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil || w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if !strings.HasPrefix(b.Image, "https://talk.example/c/captcha/") || !strings.HasSuffix(b.Audio, ".wav?lang=en") || !b.ExpiresAt.Equal(h.clock().Add(30*time.Minute)) {
		t.Errorf("%+v", b)
	}
	w = h.get("/captcha/" + b.Ticket + ".png")
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "\x89PNG\r\n") {
		t.Errorf("image: %d", w.Code)
	}
	expect(t, w, "Content-Type", "image/png", "Cache-Control", "no-store", "Access-Control-Allow-Origin", "*")
	for asked, spoken := range map[string]string{"": "vi", "vi": "vi", "en": "en", "tlh": h.door.cfg.Sound.(interface{ Language(string) string }).Language("tlh")} {
		w = h.get("/captcha/" + b.Ticket + ".wav?lang=" + asked)
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "RIFF") {
			t.Errorf("sound in %q: %d", asked, w.Code)
		}
		expect(t, w, "Content-Language", spoken, "Cache-Control", "no-store", "Content-Type", "audio/wav")
	}
	if w = h.get("/captcha/"+b.Ticket+".wav", "Range", "bytes=0-1"); w.Code != http.StatusPartialContent || w.Body.Len() != 2 {
		t.Errorf("range: %d", w.Code)
	}
	for path, want := range map[string]int{"/captcha/x.png": 404, "/captcha/x.wav": 404, "/captcha/" + b.Ticket + "A.png": 404} {
		if w := h.get(path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	h.pass(time.Hour)
	if w := h.get("/captcha/" + b.Ticket + ".png"); w.Code != 410 {
		t.Errorf("expired: %d", w.Code)
	}
}

func TestFeeds(t *testing.T) {
	h := newHouse(t, "https://talk.example")
	h.publish(testPage, "Hạnh", "<b>Lời</b> đầu", "")
	h.pass(time.Minute)
	h.publish("https://news.example/khac", "Lộc", "Lời khác", "")
	var atom struct {
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Entries []struct {
			ID      string `xml:"id"`
			Content string `xml:"content"`
		} `xml:"entry"`
	}
	for path, want := range map[string]int{"/feed.atom": 2, "/feed.atom?page=" + testPage: 1} {
		atom.Entries, atom.Links = nil, nil
		w := h.get("/s/" + testSite + path)
		if err := xml.Unmarshal(w.Body.Bytes(), &atom); err != nil || len(atom.Entries) != want || atom.ID == "" || atom.Updated == "" {
			t.Errorf("%s: %v %+v\n%s", path, err, atom, w.Body)
			continue
		}
		if !slices.ContainsFunc(atom.Links, func(l struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		}) bool {
			return l.Rel == "self" && l.Href == "https://talk.example/s/"+testSite+strings.ReplaceAll(path, testPage, url.QueryEscape(testPage))
		}) {
			t.Errorf("%s: links %+v", path, atom.Links)
		}
		for _, e := range atom.Entries {
			if !strings.HasPrefix(e.ID, "urn:uuid:") || strings.Contains(e.Content, "<b>") {
				t.Errorf("%+v", e)
			}
		}
	}
	feed := read[struct {
		Version string           `json:"version"`
		FeedURL string           `json:"feed_url"`
		Items   []map[string]any `json:"items"`
	}](h, "/s/"+testSite+"/feed.json")
	if !strings.HasPrefix(feed.Version, "https://jsonfeed.org/version/1") || feed.FeedURL == "" || len(feed.Items) != 2 || feed.Items[0]["content_html"] == nil {
		t.Errorf("%+v", feed)
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	h := newHouse(t, "")
	spec := h.api.OpenAPI()
	if !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", spec.OpenAPI)
	}
	for path, methods := range map[string][]string{"captcha": {"post"}, "comments": {"post"}, "thread": {"get"}, "counts": {"get"}, "latest": {"get"}} {
		item := spec.Paths["/api/v1/sites/{site}/"+path]
		if item == nil {
			t.Errorf("nothing of %s", path)
			continue
		}
		op, ok, problems := item.Get, "200", "400"
		if methods[0] == "post" {
			op, ok, problems = item.Post, "201", "429"
			if len(op.RequestBody.Content) != 1 || op.RequestBody.Content["application/json"].Schema.Ref == "" {
				t.Errorf("%s: body %+v", path, op.RequestBody.Content)
			}
		}
		if op == nil || op.Responses[ok] == nil || op.Responses[ok].Content["application/json"].Schema.Ref == "" {
			t.Errorf("%s: no answer described", path)
			continue
		}
		problem := op.Responses[problems]
		if problem == nil || problem.Content["application/problem+json"] == nil || !strings.HasSuffix(problem.Content["application/problem+json"].Schema.Ref, "/Problem") {
			t.Errorf("%s: problems %+v", path, problem)
		}
	}
	if _, err := json.Marshal(spec); err != nil {
		t.Error(err)
	}
}
