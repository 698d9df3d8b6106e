package web

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestOEmbed(t *testing.T) {
	const page = "https://talk.example/comments/s/" + testSite + "/thread?page="
	h := newHouse(t, "https://talk.example/comments/")
	h.publish(testPage, "Hạnh", "Lời", "")
	ask := func(address, more string) string {
		return "/oembed?url=" + url.QueryEscape(address) + more
	}
	got := read[oembedBody](h, ask(page+url.QueryEscape(testPage)+"&utm_source=x&lang=en", "&format=json&maxwidth=400&maxheight=9999"))
	if got.Version != "1.0" || got.Type != "rich" || got.Width != 400 || got.Height != oembedHeight || got.ProviderURL != "https://news.example/" || !strings.Contains(got.Title, "Phố đi bộ ven sông") {
		t.Errorf("%+v", got)
	}
	frame := parse(t, strings.NewReader(got.HTML)).one("iframe")
	src := attr(frame, "src")
	if src != page+url.QueryEscape(testPage)+"&lang=en" || attr(frame, "width") != "400" || attr(frame, "title") != got.Title {
		t.Errorf("%v", frame.Attr)
	}
	w := h.get(strings.TrimPrefix(src, "https://talk.example/comments"))
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'self' https://news.example") {
		t.Errorf("the frame: %d %s", w.Code, w.Header())
	}
	var asXML oembedBody
	if w := h.get(ask(page+url.QueryEscape(testPage), "&format=xml")); xml.Unmarshal(w.Body.Bytes(), &asXML) != nil || asXML.Type != "rich" || !strings.Contains(asXML.HTML, "<iframe") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for address, want := range map[string]int{
		"": 404, "https://talk.example/": 404, "http://%zz": 400,
		"https://evil.example/comments/s/" + testSite + "/thread?page=" + testPage: 404,
		"http://talk.example/comments/s/" + testSite + "/thread?page=" + testPage:  404,
		"https://talk.example/s/" + testSite + "/thread?page=" + testPage:          404,
		"https://talk.example/comments/s/unknown/thread?page=" + testPage:          404,
		page + "https://evil.example/":                                             404,
		page:                                                                       404,
		strings.Replace(page, "/thread", "/comments", 1) + testPage:                404,
		"/comments/s/" + testSite + "/thread?page=" + testPage:                     200,
	} {
		if w := h.get(ask(address, "")); w.Code != want {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
	for _, more := range []string{"&format=yaml", "&maxwidth=0", "&maxheight=x"} {
		if w := h.get(ask(page+testPage, more)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", more, w.Code)
		}
	}
}
