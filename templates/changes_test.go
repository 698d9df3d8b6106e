package templates

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

func TestChanges(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"Xin thêm ghế đá", "Xin thêm ghế đá", "Xin thêm ghế đá"},
		{"Xin thêm ghế đá", "Xin thêm hai ghế gỗ", "Xin thêm +[hai ]ghế -[đá]+[gỗ]"},
		{"Anh ấy là đồ ngốc.", "Anh ấy nhầm rồi.", "Anh ấy -[là đồ ngốc]+[nhầm rồi]."},
		{"", "<b>", "+[<b>]"},
		{"Một\n\nHai", "Một\n\nBa", "Một\n\n-[Hai]+[Ba]"},
	} {
		html := string(Changes(c.before, c.after, "bỏ", "thêm"))
		got := strings.NewReplacer(`<del><span class="out">bỏ: </span>`, "-[", `<ins><span class="out">thêm: </span>`, "+[", "</del>", "]", "</ins>", "]",
			"<p>", "", "</p>", "", "<br>", "", "&lt;", "<", "&gt;", ">").Replace(html)
		if got != c.want {
			t.Errorf("%q → %q: %s", c.before, c.after, html)
		}
	}
}

// FuzzChanges: both texts come whole out of what is between them, and nothing becomes
// markup.
func FuzzChanges(f *testing.F) {
	f.Add("Một hai ba", "Một bốn ba")
	f.Add("<del>", "</del><script>")
	f.Add("a\n\nb  c", "a b\tc\n")
	f.Add("e\u0301 é 😀", "é e\u0301 😀😀")
	f.Add("\xff", "\xff\xfe")
	f.Fuzz(func(t *testing.T, before, after string) {
		if !utf8.ValidString(before) || !utf8.ValidString(after) {
			return // stores hold none
		}
		var a, b strings.Builder
		for _, c := range changes(before, after) {
			if c.text == "" {
				t.Fatal("an empty change")
			}
			if c.kind != diffmatchpatch.DiffInsert {
				a.WriteString(c.text)
			}
			if c.kind != diffmatchpatch.DiffDelete {
				b.WriteString(c.text)
			}
		}
		if a.String() != before || b.String() != after {
			t.Fatalf("%q → %q became %q → %q", before, after, a.String(), b.String())
		}
		html := string(Changes(before, after, "bỏ", "thêm"))
		for _, ours := range []string{"<p>", "</p>", "<br>", "<del>", "</del>", "<ins>", "</ins>", `<span class="out">`, "</span>"} {
			html = strings.ReplaceAll(html, ours, "")
		}
		if strings.ContainsAny(html, "<>") {
			t.Fatalf("%q → %q became markup: %s", before, after, html)
		}
	})
}
