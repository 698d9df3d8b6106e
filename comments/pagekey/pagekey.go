// Package pagekey makes canonical page keys, so that variants of one address are one
// thread. It knows nothing of sites but their origins, reads no network, and never says
// whether an article exists.
package pagekey

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Errors of Canonical.
var (
	ErrForeign = errors.New("page on another origin")
	ErrInvalid = errors.New("no page key")
)

// Limits in bytes.
const (
	MaxID  = 500  // of an id of the site's own
	MaxURL = 2000 // of a canonical URL
	MaxRaw = 8192 // of what is read at all: an address with its tracking parameters
)

// Canonical makes the key of a page: of an absolute http or https URL on one of the
// origins (spelled as comments.CanonicalOrigin does) its canonical spelling, and of any
// other text an id of the site's own, in Unicode NFC and trimmed of spaces. It is
// idempotent. isURL tells the two apart.
//
// In a URL, scheme and host become lower case, the host punycode, percent-encoding
// normal (RFC 3986, section 6.2.2; what may not stand raw is encoded), dot segments are
// resolved, an empty path is "/". Default port, fragment, tracking parameters and the
// parameters named by drop (a name, or a prefix followed by "*", in any case) go; the others
// keep their order.
//
// Errors: ErrForeign for a URL on another origin; ErrInvalid for a text that is empty,
// too long, not UTF-8, holds control characters, or begins like a URL and is none.
func Canonical(raw string, origins, drop []string) (key string, isURL bool, err error) {
	if len(raw) > MaxRaw || !utf8.ValidString(raw) || strings.ContainsFunc(raw, unicode.IsControl) {
		return "", false, ErrInvalid
	}
	raw = strings.TrimSpace(raw)
	if scheme, rest, ok := cutScheme(raw); ok {
		key, err = canonicalURL(scheme, rest, origins, drop)
		return key, err == nil, err
	}
	key = norm.NFC.String(raw)
	if key == "" || len(key) > MaxID {
		return "", false, ErrInvalid
	}
	return key, false, nil
}

// cutScheme reads "http://" or "https://" in any ASCII case. (Unicode folding would take
// the long s for an s, and make a URL of what no browser reads as one.)
func cutScheme(raw string) (scheme, rest string, ok bool) {
	for _, s := range [...]string{"http", "https"} {
		n := len(s) + len("://")
		if len(raw) >= n && lowerASCII(raw[:n]) == s+"://" {
			return s, raw[n:], true
		}
	}
	return "", "", false
}

func canonicalURL(scheme, rest string, origins, drop []string) (string, error) {
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, err := canonicalHost(scheme, rest[:end])
	if err != nil {
		return "", err
	}
	origin := scheme + "://" + host
	if !slices.Contains(origins, origin) {
		return "", ErrForeign
	}
	path, query, _ := strings.Cut(rest[end:], "?")
	key := origin + removeDots(escape(path, inPath)) + cleanQuery(escape(query, inQuery), drop)
	if len(key) > MaxURL {
		return "", ErrInvalid
	}
	return key, nil
}

// canonicalHost reads host and port as comments.CanonicalOrigin spells them. Anything
// before an "@" is refused: it only ever serves to disguise the host.
func canonicalHost(scheme, authority string) (string, error) {
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", ErrInvalid
		}
		host = "[" + addr.String() + "]"
	} else {
		ascii, err := idna.Lookup.ToASCII(strings.ToLower(host))
		if err != nil || ascii == "" || strings.ContainsAny(ascii, "@:[]%") {
			return "", ErrInvalid
		}
		host = ascii
	}
	if port == "" {
		return host, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", ErrInvalid
	}
	if scheme == "http" && n == 80 || scheme == "https" && n == 443 {
		return host, nil
	}
	return host + ":" + strconv.FormatUint(n, 10), nil
}

// removeDots resolves "." and ".." in a path, as RFC 3986, section 5.2.4 does.
func removeDots(path string) string {
	if path == "" {
		return "/"
	}
	if !strings.Contains(path, "/.") {
		return path
	}
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "") // "/a/." is the folder "/a/"
		}
	}
	return "/" + strings.Join(out, "/")
}

// cleanQuery drops tracking parameters and empty ones; what is left comes with its "?".
func cleanQuery(query string, drop []string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for param := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(param, "=")
		name = lowerASCII(name)
		if param != "" && !isTracking(name) && !dropped(name, drop) {
			kept = append(kept, param)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "?" + strings.Join(kept, "&")
}

// dropped reports whether a parameter is one of those that a site drops.
func dropped(lowerName string, drop []string) bool {
	for _, pattern := range drop {
		if matches(lowerName, lowerASCII(escape(pattern, inQuery))) {
			return true
		}
	}
	return false
}

// matches reports whether a name is the pattern's, or begins like one that ends in "*".
func matches(name, pattern string) bool {
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(name, prefix)
	}
	return name == pattern
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
