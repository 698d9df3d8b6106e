package screen

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"duyet/comments"
)

// manyLinks is how many links a reader's letter seldom has.
const manyLinks = 3

// Links remarks on web addresses ("link") and holds what has three or more ("many_links"),
// with the number in Args "count". It holds addresses that hide where they lead: those of
// services that shorten others ("short_link"), names in which letters of other scripts pass
// for Latin ones ("lookalike_link"), and those that ask for a password in the address
// ("userinfo_link"), with the host in Args "host".
func Links() Check {
	pattern := linkPattern()
	return Check{
		Name:  "links",
		Codes: []string{"link", "many_links", "short_link", "lookalike_link", "userinfo_link"},
		Look: func(_ context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			var places []comments.Place
			for field, text := range fields(c.Comment) {
				found := findLinks(pattern, field, text)
				for _, p := range found {
					signals = append(signals, suspectLink(text[p.Start:p.End], p)...)
				}
				places = append(places, found...)
			}
			switch {
			case len(places) >= manyLinks:
				return append([]comments.Signal{count(comments.LevelHold, "many_links", places)}, merged(signals)...), nil
			case len(places) > 0:
				return append([]comments.Signal{count(comments.LevelInfo, "link", places)}, merged(signals)...), nil
			}
			return nil, nil
		},
	}
}

// linkPattern finds addresses with their scheme, those that begin with "www.", and bare names
// with one of the endings that are common here, or with a path.
func linkPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)https?://[^\s<>"]+|` +
		`\b(?:www\.)?(?:[\pL\pN](?:[\pL\pN-]*[\pL\pN])?\.)*[\pL\pN-]*\pL[\pL\pN-]*\.(?:com|net|org|vn|info|biz|xyz|io|co|me|tv|cc|top|site|club|online|shop|vip|win|link|live|app|ly|gl|gg)(?:[/:?#][^\s<>"]*|\b)`)
}

// findLinks finds web addresses, without what punctuates the sentence. The host of an e-mail
// address is none.
func findLinks(pattern *regexp.Regexp, field, text string) (places []comments.Place) {
	if !mayLink(text) {
		return nil
	}
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		link := strings.TrimRight(text[at[0]:at[1]], `.,;:!?'")]}”’…»*_`)
		before := text[:at[0]]
		if strings.HasSuffix(link, "://") || strings.HasSuffix(before, "@") || strings.HasSuffix(before, ".") ||
			!strings.Contains(link, "://") && (strings.HasSuffix(before, "/") || followedByWord(text[at[0]+len(link):])) {
			continue
		}
		places = append(places, comments.Place{Field: field, Start: at[0], End: at[0] + len(link)})
	}
	return places
}

// mayLink reports whether a text can hold what the pattern finds: it has a scheme, or a full
// stop with no space after it. Few letters do, and the pattern takes longer than all other
// checks together.
func mayLink(text string) bool {
	for rest, found := text, true; found; {
		_, rest, found = strings.Cut(rest, ".")
		if found && rest != "" && (rest[0] >= utf8.RuneSelf || rest[0] >= 'A' && rest[0] <= 'Z' || rest[0] >= 'a' && rest[0] <= 'z') {
			return true
		}
	}
	return strings.Contains(text, ".") && strings.Contains(text, "://")
}

// followedByWord reports whether what looked like a bare name goes on, as in "ăn.com-lê" or
// before the "@" of an e-mail address.
func followedByWord(rest string) bool {
	for _, r := range rest {
		return r == '@' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return false
}

// shorteners are services whose addresses don't say where they lead.
func shorteners() []string {
	return []string{
		"bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rb.gy", "shorturl.at",
		"s.id", "tiny.cc", "bom.so", "by.com.vn", "ouo.io", "adf.ly", "shorte.st", "v.gd", "t.ly", "rebrand.ly",
		"bitly.com.vn", "link1s.com", "traffic1s.com", "megaurl.in", "shrinkme.io", "s.shopee.vn", "shope.ee", "vt.tiktok.com",
	}
}

// linkHost is the host of an address, in small letters and without "www.", and whether a name
// or a password stands before it.
func linkHost(link string) (host string, userinfo bool) {
	if _, rest, ok := strings.Cut(link, "://"); ok {
		link = rest
	}
	if i := strings.IndexAny(link, "/?#"); i >= 0 {
		link = link[:i]
	}
	if i := strings.LastIndexByte(link, '@'); i >= 0 {
		link, userinfo = link[i+1:], true
	}
	if i := strings.LastIndexByte(link, ':'); i >= 0 {
		link = link[:i]
	}
	return strings.TrimPrefix(strings.ToLower(link), "www."), userinfo
}

func suspectLink(link string, at comments.Place) (signals []comments.Signal) {
	host, userinfo := linkHost(link)
	add := func(code string) {
		signals = append(signals, comments.Signal{
			Level: comments.LevelHold, Code: code, Args: map[string]string{"host": host}, Places: []comments.Place{at},
		})
	}
	if slices.Contains(shorteners(), host) {
		add("short_link")
	}
	if lookalike(host) {
		add("lookalike_link")
	}
	if userinfo {
		add("userinfo_link")
	}
	return signals
}

// lookalike reports whether a label of a host's name mixes Latin with scripts whose letters
// pass for it, or is wholly of such letters under an ending in Latin ones. Names in Vietnamese
// are Latin throughout.
func lookalike(host string) bool {
	shown, err := idna.Display.ToUnicode(host)
	if err != nil && !strings.Contains(host, "xn--") {
		shown = host
	}
	for label := range strings.SplitSeq(shown, ".") {
		latin, other, passes := false, false, true
		for _, r := range label {
			switch {
			case unicode.Is(unicode.Latin, r):
				latin = true
			case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee):
				other = true
				passes = passes && strings.ContainsRune("аеорсухіјѕԁһӏԛԝкмтвнгпα-ωοοvυνρτικ", r)
			}
		}
		if other && (latin || passes) {
			return true
		}
	}
	return false
}

// merged draws signals of one code together, their places in order.
func merged(signals []comments.Signal) (out []comments.Signal) {
	for _, s := range signals {
		i := slices.IndexFunc(out, func(o comments.Signal) bool { return o.Code == s.Code })
		if i < 0 {
			out = append(out, s)
		} else if len(out[i].Places) < placesMost {
			out[i].Places = append(out[i].Places, s.Places...)
		}
	}
	return out
}
