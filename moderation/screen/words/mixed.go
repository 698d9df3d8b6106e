package words

import (
	"unicode"
	"unicode/utf8"
)

// Span is a stretch of a text in bytes.
type Span struct{ Start, End int }

// Mixed gives the words that mix Latin letters with look-alikes of another script, as nobody does
// who means well: "pаypal" with a Cyrillic а. Words wholly of one script are let be, and so are
// letters that look like none of ours.
func Mixed(text string) []Span {
	var out []Span
	start, latin, alike := 0, false, false
	end := func(at int) {
		if latin && alike {
			out = append(out, Span{start, at})
		}
		latin, alike = false, false
	}
	for at, r := range text {
		switch {
		case unicode.IsLetter(r):
			if unicode.Is(unicode.Latin, r) {
				latin = true
			} else if lookalike(r) != 0 {
				alike = true
			}
		case isMark(r) || invisible(r):
		default:
			end(at)
			start = at + utf8.RuneLen(r)
			if r == utf8.RuneError {
				_, n := utf8.DecodeRuneInString(text[at:])
				start = at + n
			}
		}
	}
	end(len(text))
	return out
}
