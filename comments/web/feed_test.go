package web

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
	Type string `xml:"type,attr"`
}

type atomFeedRead struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	ID      []string    `xml:"id"`
	Title   []string    `xml:"title"`
	Updated []time.Time `xml:"updated"`
	Author  []string    `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []struct {
		ID        []string    `xml:"id"`
		Title     []string    `xml:"title"`
		Updated   []time.Time `xml:"updated"`
		Published []time.Time `xml:"published"`
		Author    []string    `xml:"author>name"`
		Links     []atomLink  `xml:"link"`
		Content   struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

type jsonFeedRead struct {
	Version  string           `json:"version"`
	Title    string           `json:"title"`
	Home     string           `json:"home_page_url"`
	FeedURL  string           `json:"feed_url"`
	Language string           `json:"language"`
	Items    *json.RawMessage `json:"items"`
	items    []struct {
		ID, URL, Title string
		Content        string    `json:"content_html"`
		Published      time.Time `json:"date_published"`
		Modified       time.Time `json:"date_modified"`
		Authors        []struct{ Name string }
	}
}

func (h *house) atom(query string) (f atomFeedRead) {
	h.t.Helper()
	w := h.get("/s/" + testSite + "/feed.atom" + query)
	if err := xml.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/atom+xml") {
		h.t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	// RFC 4287, section 4.1.1: exactly one id, title and updated.
	if len(f.ID) != 1 || !strings.HasPrefix(f.ID[0], "urn:uuid:") || len(f.Title) != 1 || f.Title[0] == "" || len(f.Updated) != 1 || len(f.Author) != 1 || f.Author[0] == "" {
		h.t.Errorf("%s: %+v", query, f)
	}
	return f
}

func (h *house) jsonFeed(query string) (f jsonFeedRead) {
	h.t.Helper()
	f = read[jsonFeedRead](h, "/s/"+testSite+"/feed.json"+query)
	if f.Version != "https://jsonfeed.org/version/1.1" || f.Title == "" || f.Items == nil {
		h.t.Fatalf("%s: %+v", query, f)
	}
	if err := json.Unmarshal(*f.Items, &f.items); err != nil {
		h.t.Fatal(err)
	}
	return f
}

// TestFeedsKeepToTheirSpecifications: of a site and of a page, full and empty, in both
// languages.
func TestFeedsKeepToTheirSpecifications(t *testing.T) {
	h := newHouse(t, "https://talk.example")
	ofPage := "?page=" + url.QueryEscape(testPage)
	for _, query := range []string{"", ofPage} { // nothing yet
		if f := h.atom(query); len(f.Entries) != 0 {
			t.Errorf("%+v", f)
		}
		if f := h.jsonFeed(query); f.items == nil || len(f.items) != 0 {
			t.Errorf("%+v", f)
		}
	}
	c := h.publish(testPage, "Hạnh", "<b>Lời</b> đầu", "")
	h.pass(time.Minute)
	h.publish("https://news.example/khac", "Lộc & con", "Lời khác", "")
	prefix := "https://talk.example/s/" + testSite
	link := links{prefix, testPage, "vi"}.comment(c.ID)
	ids := map[string]bool{}
	for query, home := range map[string]string{"": "https://news.example/", ofPage: testPage, ofPage + "&lang=en": testPage} {
		lang := "vi"
		if strings.Contains(query, "lang=en") {
			lang = "en"
		}
		at := strings.ReplaceAll(link, "lang=vi", "lang="+lang)
		self := "?" + must(url.ParseQuery(strings.TrimPrefix(query, "?")))(t).Encode()
		self = strings.TrimSuffix(self, "?")
		f, j := h.atom(query), h.jsonFeed(query)
		ids[f.ID[0]] = true
		want := map[string]string{"self": prefix + "/feed.atom" + self, "alternate": home}
		for _, l := range f.Links {
			if want[l.Rel] != l.Href || l.Type == "" {
				t.Errorf("%q: link %+v, not %s", query, l, want[l.Rel])
			}
			delete(want, l.Rel)
		}
		if len(want) != 0 || f.Lang != lang {
			t.Errorf("%q: lacks %v, in %q", query, want, f.Lang)
		}
		e := f.Entries[len(f.Entries)-1]
		if len(e.ID) != 1 || e.ID[0] != "urn:uuid:"+c.ID.UUID().String() || len(e.Title) != 1 || len(e.Updated) != 1 || len(e.Published) != 1 ||
			!e.Published[0].Equal(c.CreatedAt.Truncate(time.Second)) || e.Author[0] != "Hạnh" || len(e.Links) != 1 || e.Links[0].Href != at ||
			e.Content.Type != "html" || !strings.Contains(e.Content.Text, "&lt;b&gt;Lời") {
			t.Errorf("%q: %+v", query, e)
		}
		if j.FeedURL != prefix+"/feed.json"+self || j.Home != home || j.Language != lang {
			t.Errorf("%q: %+v", query, j)
		}
		i := j.items[len(j.items)-1]
		if i.ID != e.ID[0] || i.URL != at || i.Title != e.Title[0] || i.Content != e.Content.Text || !i.Published.Equal(e.Published[0]) || len(i.Authors) != 1 || i.Authors[0].Name != "Hạnh" {
			t.Errorf("%q: %+v", query, i)
		}
	}
	if len(ids) != 2 {
		t.Errorf("site and page are named %v", ids)
	}
}

// TestFeedsTellOfEdits: an edited comment is the same entry, updated once the new words are
// public; until then the earlier stand. What did not change is 304.
func TestFeedsTellOfEdits(t *testing.T) {
	h := newHouse(t, "https://talk.example")
	id, receipt := h.sendOwn("Lời đầu")
	h.decide(comments.ID(id), comments.Approved)
	before := h.atom("")
	tag := h.get("/s/" + testSite + "/feed.atom").Header().Get("Etag")
	if w := h.get("/s/"+testSite+"/feed.atom", "If-None-Match", tag); w.Code != http.StatusNotModified || tag == "" {
		t.Errorf("unchanged: %d", w.Code)
	}
	h.pass(time.Minute)
	if code, _, _ := h.deed(id, "edit", with(newWords("Lời hai"), "receipt", receipt)); code != http.StatusOK {
		t.Fatal(code)
	}
	if f := h.atom(""); !strings.Contains(f.Entries[0].Content.Text, "Lời đầu") || !f.Updated[0].Equal(before.Updated[0]) {
		t.Errorf("while it waits: %+v", f)
	}
	h.decide(comments.ID(id), comments.Approved)
	f := h.atom("")
	if e := f.Entries[0]; e.ID[0] != before.Entries[0].ID[0] || !strings.Contains(e.Content.Text, "Lời hai") ||
		!e.Updated[0].Equal(before.Entries[0].Updated[0].Add(time.Minute)) || !e.Published[0].Equal(before.Entries[0].Published[0]) || !f.Updated[0].Equal(e.Updated[0]) {
		t.Errorf("%+v, before %+v", f, before)
	}
	if w := h.get("/s/"+testSite+"/feed.atom", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("changed: %d", w.Code)
	}
}

// TestTheThreadPageNamesItsFeeds by what feed readers and CMS look for.
func TestTheThreadPageNamesItsFeeds(t *testing.T) {
	h := newHouse(t, "https://talk.example")
	h.publish(testPage, "Hạnh", "Lời", "")
	d := h.thread()
	for kind, starts := range map[string]string{"application/atom+xml": "<?xml", "application/feed+json": "{", "application/json+oembed": "{", "text/xml+oembed": "<?xml"} {
		var found bool
		for _, n := range d.all("head link[rel=alternate]") {
			if attr(n, "type") != kind {
				continue
			}
			found = true
			w := h.get(strings.TrimPrefix(attr(n, "href"), "https://talk.example"))
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), starts) || attr(n, "title") == "" {
				t.Errorf("%s: %d %s", attr(n, "href"), w.Code, w.Body)
			}
		}
		if !found {
			t.Errorf("no %s", kind)
		}
	}
	if h.thread("view=form").has("head link[rel=alternate]") {
		t.Error("a frame of the form names feeds")
	}
}
