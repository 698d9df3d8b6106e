package words

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Qualities are what makes another vowel or consonant of a letter.
const (
	circumflex uint8 = iota + 1
	breve
	horn
	stroke
)

// mark is what a combining mark means in Vietnamese; other marks mean nothing.
func mark(r rune) (quality, tone uint8) {
	switch r {
	case '\u0302':
		return circumflex, 0
	case '\u0306':
		return breve, 0
	case '\u031b':
		return horn, 0
	case '\u0300', '\u0340':
		return 0, 1
	case '\u0301', '\u0341':
		return 0, 2
	case '\u0309':
		return 0, 3
	case '\u0303':
		return 0, 4
	case '\u0323':
		return 0, 5
	}
	return 0, 0
}

// isD reports whether r is đ or a letter that passes for it.
func isD(r rune) bool {
	switch r {
	case 'đ', 'Đ', 'ð', 'Ð', 'ɖ', 'Ɖ':
		return true
	}
	return false
}

// lookalike is the letter or digit that r looks like, or 0.
func lookalike(r rune) rune {
	i, ok := slices.BinarySearchFunc(lookalikes[:], r, func(e uint32, r rune) int { return int(e>>8) - int(r) })
	if !ok {
		return 0
	}
	return rune(lookalikes[i] & 0xff)
}

// invisible reports whether r leaves no trace on the screen, or blank space that parts no words.
func invisible(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

func isMark(r rune) bool { return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) }

// decompose gives r's compatibility decomposition (NFKD, Unicode UAX #15), or "" when r stands
// for itself. other tells that it is more than a letter with marks: a style, a width, a ligature.
func decompose(text string) (parts string, other bool) {
	d := norm.NFKD.PropertiesString(text).Decomposition()
	if d == nil {
		return "", false
	}
	return string(d), norm.NFD.PropertiesString(text).Decomposition() == nil
}

// leetLetters are the letters that a digit or sign may stand for.
func leetLetters(r rune) string {
	switch r {
	case '0':
		return "o"
	case '1', '!', '|':
		return "il"
	case '3', '€':
		return "e"
	case '4', '@':
		return "a"
	case '5', '$':
		return "s"
	case '6', '9':
		return "g"
	case '7', '+':
		return "t"
	case '8':
		return "b"
	case '£':
		return "l"
	case '¢', '©':
		return "c"
	}
	return ""
}

// isStar reports whether r is put where a letter was taken out.
func isStar(r rune) bool {
	switch r {
	case '*', '#', '•', '●', '×', '✱', '＊', '∗':
		return true
	}
	return false
}
