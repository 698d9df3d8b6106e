package learn

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxTokens bounds how much of a text is looked at. A comment has about thirty.
const maxTokens = 400

type tokenKind uint8

const (
	word tokenKind = iota
	number
	punct // a run of one sign
	link
)

// token is a stretch of the text with its normal form: lower case, NFC, nothing invisible.
type token struct {
	start, end int // bytes of the text
	kind       tokenKind
	form       string
}

// tokenize cuts text into words, numbers, links and runs of one sign; space is dropped.
func tokenize(dst []token, text string) []token {
	for start := 0; start < len(text) && len(dst) < maxTokens; {
		r, n := utf8.DecodeRuneInString(text[start:])
		if unicode.IsSpace(r) || invisible(r) {
			start += n
			continue
		}
		end := start + strings.IndexFunc(text[start:], unicode.IsSpace)
		if end < start {
			end = len(text)
		}
		if chunk := text[start:end]; isLink(chunk) {
			dst = append(dst, token{start, end, link, strings.ToLower(chunk)})
			start = end
			continue
		}
		for start < end && len(dst) < maxTokens {
			t := next(text[:end], start)
			if t.form != "" {
				dst = append(dst, t)
			}
			start = t.end
		}
	}
	return dst
}

// next is the token that begins at start of a text without spaces from there on.
func next(text string, start int) token {
	r, n := utf8.DecodeRuneInString(text[start:])
	end := start + n
	if !wordRune(r) {
		for end < len(text) {
			q, n := utf8.DecodeRuneInString(text[end:])
			if q != r {
				break
			}
			end += n
		}
		form := text[start:end]
		if invisible(r) {
			form = ""
		} else if (end-start)/n > 3 { // "....." and "......." mean the same
			form = text[start:start+2*n] + "+"
		}
		return token{start, end, punct, form}
	}
	kind := word
	if unicode.IsDigit(r) {
		kind = number
	}
	for end < len(text) {
		q, n := utf8.DecodeRuneInString(text[end:])
		if !wordRune(q) && !invisible(q) && !apostrophe(q) {
			break
		}
		end += n
	}
	return token{start, end, kind, normalForm(text[start:end])}
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func apostrophe(r rune) bool { return r == '\'' || r == '’' }

func invisible(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r))
}

func normalForm(s string) string {
	simple := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			simple = false
			break
		}
	}
	if simple {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '’':
			return '\''
		case invisible(r):
			return -1
		}
		return unicode.ToLower(r)
	}, s))
}

// bare is a lower-case letter of Vietnamese (or of its neighbours in Latin-1) without its
// diacritics; any other rune is itself. Normal forms are composed, so no mark stands alone.
func bare(r rune) rune {
	switch {
	case r < 0xe0:
		return r
	case r >= 0x1ea0 && r <= 0x1ef9: // Latin Extended Additional, in the order of the alphabet
		switch {
		case r <= 0x1eb7:
			return 'a'
		case r <= 0x1ec7:
			return 'e'
		case r <= 0x1ecb:
			return 'i'
		case r <= 0x1ee3:
			return 'o'
		case r <= 0x1ef1:
			return 'u'
		}
		return 'y'
	case r > 0x1b0:
		return r
	}
	switch r {
	case 'à', 'á', 'â', 'ã', 'ă':
		return 'a'
	case 'è', 'é', 'ê':
		return 'e'
	case 'ì', 'í', 'ĩ':
		return 'i'
	case 'ò', 'ó', 'ô', 'õ', 'ơ':
		return 'o'
	case 'ù', 'ú', 'ũ', 'ư':
		return 'u'
	case 'ý':
		return 'y'
	case 'đ':
		return 'd'
	}
	return r
}

// isLink reports whether a chunk without spaces is an address on the web, with or without
// its scheme. A bare name needs a path or one of the endings that spam lives on, so that a
// full stop with no space after it makes no link.
func isLink(s string) bool {
	if len(s) < 4 || strings.IndexByte(s, '.') < 0 {
		return false
	}
	s = strings.ToLower(s)
	if strings.Contains(s, "://") || strings.HasPrefix(s, "www.") {
		return true
	}
	host, path, hasPath := strings.Cut(strings.Trim(s, ".,;:!?()[]\"'"), "/")
	dot := strings.LastIndexByte(host, '.')
	if dot < 2 {
		return false
	}
	for i := range len(host) {
		if c := host[i]; c >= utf8.RuneSelf || !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	switch end := host[dot+1:]; end {
	case "com", "net", "org", "vn", "info", "biz", "xyz", "io", "co", "me", "tv", "ru", "cn", "top",
		"site", "club", "online", "shop", "vip", "win", "link", "live", "app", "cc", "ly", "gl", "be":
		return true
	default:
		return hasPath && path != "" && len(end) >= 2 && len(end) <= 6
	}
}

// linkHost is the host of a link in its normal form.
func linkHost(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimPrefix(s, "www.")
}
