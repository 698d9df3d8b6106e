package comments

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

// Caps in bytes of what is typed, whatever a site allows in characters.
const (
	NameBytes      = 4 << 10
	TitleBytes     = 8 << 10
	ContentBytes   = 48 << 10
	pageTitleBytes = 2 << 10
)

// maxMarks is how many combining marks one base may carry. Vietnamese needs two.
const maxMarks = 3

// Clean is text as it is stored: line breaks as "\n", at most three combining marks on a
// base, NFC, trimmed at its ends. It is idempotent.
func Clean(s string) string {
	if strings.ContainsRune(s, '\r') {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	// Marks go first: past thirty of them NFC would put in joiners of its own.
	return norm.NFC.String(trimMarks(strings.TrimSpace(s)))
}

// isMark reports whether r is a mark that stands on the letter before it. Nothing below
// U+0300 is one, nor any ready-made Vietnamese letter, which makes the usual text quick.
func isMark(r rune) bool {
	return r >= 0x300 && (r < 0x1e00 || r > 0x1eff) && unicode.In(r, unicode.Mn, unicode.Me)
}

func trimMarks(s string) string {
	marks, excess := 0, false
	for _, r := range s {
		if isMark(r) {
			if marks++; marks > maxMarks {
				excess = true
				break
			}
		} else {
			marks = 0
		}
	}
	if !excess {
		return s
	}
	marks = 0
	return strings.Map(func(r rune) rune {
		if !isMark(r) {
			marks = 0
			return r
		}
		if marks++; marks > maxMarks {
			return -1
		}
		return r
	}, s)
}

// Characters is the number of user-perceived characters (extended grapheme clusters,
// Unicode UAX #29).
func Characters(s string) int { return uniseg.GraphemeClusterCount(s) }

// atMost reports whether s has at most most characters. Each has one code point at least,
// so most texts need no closer look.
func atMost(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most || Characters(s) <= most
}

// isControl reports whether c is in Unicode's category Cc.
func isControl(c rune) bool { return c < 0x20 || c >= 0x7f && c < 0xa0 }

// textRule is what one field asks of its text.
type textRule struct {
	field    string
	required bool
	oneLine  bool
	chars    int
	bytes    int
}

// check cleans what was typed and says what is wrong with it, if anything.
func (r textRule) check(typed string) (string, *FieldError) {
	fail := func(code string, limit int) *FieldError { return &FieldError{Field: r.field, Code: code, Max: limit} }
	if len(typed) > r.bytes {
		return "", fail(CodeTooLong, r.chars)
	}
	if !utf8.ValidString(typed) {
		return "", fail(CodeControl, 0)
	}
	// Judged as typed: what Clean trims at the ends may hide nothing.
	text := strings.Trim(typed, " \t\r\n")
	for _, c := range text {
		switch {
		case c == '\n' || c == '\r' || c == '\u2028' || c == '\u2029':
			if r.oneLine {
				return "", fail(CodeOneLine, 0)
			}
		case c == '\t':
		case isControl(c):
			return "", fail(CodeControl, 0)
		case r.oneLine && isBidi(c):
			return "", fail(CodeBidi, 0)
		}
	}
	text = Clean(typed)
	if r.required && isBlank(text) {
		return "", fail(CodeRequired, 0)
	}
	if !r.required && isBlank(text) {
		return "", nil
	}
	if len(text) > r.bytes || !atMost(text, r.chars) {
		return "", fail(CodeTooLong, r.chars)
	}
	return text, nil
}

// isBidi reports whether c is one of Unicode's explicit directional controls (UAX #9).
func isBidi(c rune) bool {
	return c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' ||
		c == '\u200e' || c == '\u200f' || c == '\u061c'
}

// isBlank reports whether nothing of s can be seen.
func isBlank(s string) bool {
	for _, c := range s {
		if !isInvisible(c) {
			return false
		}
	}
	return true
}

func isInvisible(c rune) bool {
	switch c {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true // joiners, fillers and blanks that Unicode calls letters, marks or symbols
	}
	return unicode.IsSpace(c) || unicode.In(c, unicode.Cf, unicode.Cc, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Noncharacter_Code_Point)
}

// cleanPageTitle makes one short line of an article's title, which comes from the page
// around the form and is nobody's comment: what can't be shown is dropped.
func cleanPageTitle(s string) string {
	if len(s) > pageTitleBytes {
		s = strings.ToValidUTF8(s[:pageTitleBytes], "")
	}
	s = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case c == utf8.RuneError || isControl(c) || isBidi(c):
			return -1
		}
		return c
	}, s)
	s = Clean(strings.Join(strings.Fields(s), " "))
	if isBlank(s) {
		return ""
	}
	return s
}

// Shorten is the beginning of a text in one line: at most most user-perceived characters,
// cut between words where it can be, with "…" where something is left out.
func Shorten(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if atMost(s, most) {
		return s
	}
	end, space := 0, 0
	for g := uniseg.NewGraphemes(s); most > 1 && g.Next(); most-- {
		if g.Str() == " " {
			space = end
		}
		_, end = g.Positions()
	}
	if s[end] != ' ' && space > end/2 {
		end = space
	}
	return strings.TrimRight(s[:end], " ,;:") + "…"
}
