package templates

import (
	"bytes"
	"io/fs"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestEmbedIsSmall(t *testing.T) {
	s := newSet(t)
	loader := httptest.NewRecorder()
	s.Embed().ServeHTTP(loader, httptest.NewRequest("GET", "/embed.js", nil))
	total := loader.Body.Len()
	for _, name := range []string{embedElement, embedCSS} {
		one := s.assets.byName[name]
		t.Logf("%s: %d bytes, %d gzipped", name, len(one.body), len(one.gzip))
		total += len(one.gzip)
	}
	t.Logf("before first touch: %d gzipped", total)
	for _, name := range []string{embedRest, embedMore, embedLater, embedOwn, embedDeed, embedWork, embedForm} {
		t.Logf("later, %s: %d gzipped", name, len(s.assets.byName[name].gzip))
	}
	if total > 8<<10 {
		t.Errorf("%d bytes before the first touch, more than 8 KiB", total)
	}
}

// Every word the scripts ask for is in what they are given, and nothing is given in vain.
func TestEmbedWordsFit(t *testing.T) {
	s := newSet(t)
	asks := regexp.MustCompile(`(?:\bw|[#.]words)\.(\w+)`)
	for file, c := range map[string]struct {
		words map[string]string
		more  string // given beside
		calls string // methods and words of the element's, that read the same
	}{
		embedElement: {embedWords, "", "then touch send reply"},
		embedLater:   {embedLaterWords, "stale gone", "down"},
		embedOwn:     {embedOwnWords, "done", ""},
		embedDeed:    {embedDeedWords, "deed field required reasons reported", ""},
		embedForm:    {embedFormWords, "field slip label", "field text short content"},
	} {
		source, err := fs.ReadFile(embedded, "static/"+file)
		if file == embedElement && err == nil {
			var part []byte
			part, err = fs.ReadFile(embedded, "static/"+embedLive)
			source = append(source, part...)
		}
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]bool{}
		for _, m := range asks.FindAllStringSubmatch(string(source), -1) {
			asked[m[1]] = true
		}
		for name := range c.words {
			if !asked[name] {
				t.Errorf("%s is given %q in vain", file, name)
			}
		}
		known := " " + c.more + " " + c.calls + " "
		for name := range asked {
			if _, given := c.words[name]; !given && !strings.Contains(known, " "+name+" ") {
				t.Errorf("%s asks for %q, which it isn't given", file, name)
			}
		}
	}
	body := s.assets.byName[embedForm].body
	for _, want := range []string{`"Not sent yet: {n} thing to mend"`, "Họ tên dài quá {max} ký tự"} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("the form's words lack %s", want)
		}
	}
	for _, file := range []string{embedElement, embedLater, embedOwn, embedDeed, embedWork, embedForm} {
		if id := regexp.MustCompile(`"(embed|own|mine|deed|report_reason|stale|sent|reply|code|form|slip|field|label)\.[a-z_.]+"`).Find(s.assets.byName[file].body); id != nil {
			t.Errorf("%s: no message %s", file, id)
		}
	}
}

func TestEmbedFilesNameOneAnother(t *testing.T) {
	s := newSet(t)
	w := httptest.NewRecorder()
	s.Embed().ServeHTTP(w, httptest.NewRequest("GET", "/embed.js", nil))
	if w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("loader: %v", w.Header())
	}
	url, integrity := s.EmbedScript()
	if !strings.Contains(w.Body.String(), `".`+url+`"`) || !strings.HasPrefix(integrity, "sha256-") {
		t.Errorf("the loader says %q, not %s", w.Body, url)
	}
	element := string(s.assets.byName[embedElement].body) + string(s.assets.byName[embedMore].body)
	for _, name := range []string{embedCSS, embedRest, embedMore, embedForm, embedLater, embedOwn, embedDeed, embedWork} {
		path := strings.TrimPrefix(s.AssetURL(name), "/static/")
		if !strings.Contains(element, strings.TrimPrefix(path, "embed/")) {
			t.Errorf("the element doesn't name %s", path)
		}
		w := httptest.NewRecorder()
		s.Static().ServeHTTP(w, httptest.NewRequest("GET", "/"+path, nil))
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for _, name := range []string{embedElement, embedForm, embedLater, embedOwn, embedDeed, embedMore, embedCSS, embedRest} {
		if body := string(s.assets.byName[name].body); strings.Contains(body, "'@") || strings.Contains(body, "/*") {
			t.Errorf("%s was not put together", name)
		}
	}
}
