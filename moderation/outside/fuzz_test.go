package outside

import (
	"testing"
	"unicode/utf8"

	"duyet/comments"
)

func FuzzVerdict(f *testing.F) {
	for _, seed := range []string{
		`{"verdict":"ok"}`, `{"verdict":"hold","reason":"x","places":[{"field":"content","start":0,"end":2}]}`, `{"verdict":"spam","places":[{"field":"name","start":-1,"end":9e9}]}`,
		`[]`, `{"verdict":1}`, `{"verdict":"hold","places":[{"field":"content","start":9223372036854775807,"end":1}]}`,
	} {
		f.Add(seed, "Bài rất hữu ích")
	}
	f.Fuzz(func(t *testing.T, body, content string) {
		v, err := readVerdict([]byte(body))
		if err != nil {
			return
		}
		for _, p := range v.placesIn(comments.Comment{Content: content}) {
			if text := content[p.Start:p.End]; text == "" || !utf8.ValidString(text) {
				t.Errorf("%+v", p)
			}
		}
		if s := clip(v.Reason, 10); len(s) > 10 || utf8.ValidString(v.Reason) && !utf8.ValidString(s) {
			t.Errorf("%q of %q", s, v.Reason)
		}
	})
}
