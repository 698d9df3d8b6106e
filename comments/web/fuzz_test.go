package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzForm posts whatever body: the answer is never a fault of ours, never lets markup
// through, and keeps every word that came whole.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"", "name=a&title=b&content=c&ticket=t&code=1", "content=%0Aa%0D%0Ab&another=1", "name=%FF", "name=%zz", "a;b",
		"page=https://news.example/pho-di-bo&content=</textarea><script>", "page=%00&name=\"onfocus=x", "parent=benthuong~x&content=%C3%A9%CC%81", "website=x&content=" + strings.Repeat("a", 6000),
	} {
		f.Add(seed)
	}
	h := newHouse(f, "")
	f.Fuzz(func(t *testing.T, body string) {
		w := h.do(request(http.MethodPost, formPath, body, "Content-Type", "application/x-www-form-urlencoded"))
		switch w.Code {
		case 200, 303, 400, 413, 422:
		default:
			t.Fatalf("%d for %q", w.Code, body)
		}
		d := parse(t, w.Body)
		if d.has("[onfocus]") || len(d.all("script")) > 2 {
			t.Fatalf("%q became markup", body)
		}
		typed, err := url.ParseQuery(body)
		if err != nil || w.Code != 200 && w.Code != 422 {
			return
		}
		got := d.values()
		for _, name := range []string{"name", "title", "content"} {
			// HTML knows no NUL and one line break only.
			want := strings.NewReplacer("\x00", "\ufffd", "\r\n", "\n", "\r", "\n").Replace(typed.Get(name))
			if got[name] != want {
				t.Fatalf("%s is %q, was %q", name, got[name], typed.Get(name))
			}
		}
	})
}

// FuzzJSON posts whatever body: the answer is a problem document or a comment.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "[]", "null", `{"name":5}`, `{"name":"\ud800"}`, `{"name":"\ud83d\ude00","content":"\\u"}`, "\xff", `{"page":"https://news.example/pho-di-bo","ticket":null}`, `{"a":{"b":[1,2,{"c":"\udc00"}]}}`, `{"name":"\u00`,
	} {
		f.Add([]byte(seed))
	}
	h := newHouse(f, "")
	f.Fuzz(func(t *testing.T, body []byte) {
		w := h.do(request(http.MethodPost, commentsPath, string(body), "Content-Type", "application/json"))
		switch w.Code {
		case 400, 413, 422:
		default:
			t.Fatalf("%d for %q", w.Code, body)
		}
		problem(t, w)
	})
}

// FuzzLoneSurrogate holds the scanner against the decoder: what it lets through is decoded
// without a character that wasn't written.
func FuzzLoneSurrogate(f *testing.F) {
	for _, seed := range []string{`\ud83d\ude00`, `\ud800`, `\\ud800`, `\udc00\ud800`, `\ud800\\udc00`, `é\n\u00e9`, `\ud83d\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inside string) {
		text := `"` + inside + `"`
		var decoded string
		if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &decoded) != nil {
			return
		}
		written := strings.Count(text, "\ufffd") + strings.Count(strings.ToLower(text), `\ufffd`)
		replaced := strings.Count(decoded, "\ufffd") > written
		if lone := loneSurrogate([]byte(text)); replaced && !lone {
			t.Fatalf("%s lets half a pair through", text)
		} else if lone && !replaced && !strings.Contains(strings.ToLower(text), `\ufffd`) {
			t.Fatalf("%s is refused though whole", text)
		}
	})
}
