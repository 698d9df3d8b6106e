package templates

import (
	"strings"
	"time"
	"unicode"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// change is a stretch of two texts: in both, or in one alone.
type change struct {
	kind diffmatchpatch.Operation
	text string
}

// changesWithin bounds the search for the shortest way from one text to another. What is
// found by then is longer, and right.
const changesWithin = 200 * time.Millisecond

// changes are the stretches that two texts are made of, word by word: those that are not
// added make before, those that are not removed make after.
func changes(before, after string) []change {
	d := diffmatchpatch.New()
	d.DiffTimeout = changesWithin
	w := wordSet{known: map[string]rune{}}
	a, b := w.write(before), w.write(after)
	var list []change
	add := func(kind diffmatchpatch.Operation, text string) {
		if n := len(list); n > 0 && list[n-1].kind == kind {
			list[n-1].text += text
		} else if text != "" {
			list = append(list, change{kind, text})
		}
	}
	for _, c := range d.DiffMainRunes(a, b, false) {
		add(c.Type, w.read(c.Text))
	}
	return together(list)
}

// together makes one change of those that only a space stands between.
func together(list []change) (out []change) {
	for i := 0; i < len(list); {
		if list[i].kind == diffmatchpatch.DiffEqual {
			out, i = append(out, list[i]), i+1
			continue
		}
		var removed, added strings.Builder
		for ; i < len(list); i++ {
			c := list[i]
			between := c.kind == diffmatchpatch.DiffEqual
			if between && (strings.TrimSpace(c.text) != "" || strings.Contains(c.text, "\n") || i+1 == len(list)) {
				break
			}
			if c.kind != diffmatchpatch.DiffInsert {
				removed.WriteString(c.text)
			}
			if c.kind != diffmatchpatch.DiffDelete {
				added.WriteString(c.text)
			}
		}
		if removed.Len() > 0 {
			out = append(out, change{diffmatchpatch.DiffDelete, removed.String()})
		}
		if added.Len() > 0 {
			out = append(out, change{diffmatchpatch.DiffInsert, added.String()})
		}
	}
	return out
}

// wordSet has a rune stand for each word, space and sign, since that is what the library
// compares.
type wordSet struct {
	known map[string]rune
	words []string
}

func (w *wordSet) write(text string) (runes []rune) {
	for text != "" {
		n := wordEnd(text)
		r, ok := w.known[text[:n]]
		if !ok {
			if r = rune(len(w.words)); r >= 0xd800 { // where halves of pairs are, which are no runes
				r += 0x800
			}
			w.known[text[:n]], w.words = r, append(w.words, text[:n])
		}
		runes, text = append(runes, r), text[n:]
	}
	return runes
}

func (w *wordSet) read(runes string) string {
	var b strings.Builder
	for _, r := range runes {
		if r >= 0xd800 {
			r -= 0x800
		}
		b.WriteString(w.words[r])
	}
	return b.String()
}

// wordEnd is where the first word of a text ends: letters, digits and their marks, or a
// run of blanks, or one sign.
func wordEnd(text string) int {
	kind := 0
	for i, r := range text {
		k := 1
		switch {
		case r == '\n':
			k = 3
		case unicode.IsSpace(r):
			k = 2
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			k = 3
		}
		if i == 0 {
			kind = k
		} else if k != kind || k == 3 {
			return i
		}
	}
	return len(text)
}
