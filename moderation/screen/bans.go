package screen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"duyet/comments"
	"duyet/moderation"
)

// KindBans is the kind of the documents that hold bans, one each; KindBanMade and
// KindBanLifted are the journal's events about them.
const (
	KindBans                    = "bans"
	KindBanMade   comments.Kind = "ban.made"
	KindBanLifted comments.Kind = "ban.lifted"
)

// BanKind is what a ban goes by.
type BanKind string

// Kinds of bans.
const (
	BanNetwork BanKind = "network" // an address, or a network like 203.0.113.0/24
	BanAuthor  BanKind = "author"  // the key of an author's browser, as hexadecimal
	BanName    BanKind = "name"    // a name, in which * stands for anything
	BanEmail   BanKind = "email"   // the domain of an e-mail address in the words, and those below it
	BanLink    BanKind = "link"    // the domain of a link in the words, and those below it
	BanText    BanKind = "text"    // the same letters and digits, whatever stands between them
)

// BanKinds are all, in the order in which they are shown.
var BanKinds = [...]BanKind{BanNetwork, BanAuthor, BanName, BanEmail, BanLink, BanText}

// Limits of a ban.
const (
	BansMost       = 5000 // of a site
	BanValueMost   = 200  // characters
	BanReasonMost  = 500
	banSampleMost  = 80
	banTextLeast   = 8 // letters and digits: fewer are anybody's words
	banNetwork4    = 8 // bits at least of an IPv4 network
	banNetwork6    = 19
	fingerprintHex = 32
)

// Ban holds, or lays with the spam, what comes from somewhere or holds something.
type Ban struct {
	card
	Kind    BanKind   `json:"kind"`
	Value   string    `json:"value"` // canonical; of a text its fingerprint
	Effect  Effect    `json:"effect"`
	Sample  string    `json:"sample,omitempty"` // the beginning of a banned text
	Reason  string    `json:"reason,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // zero = never
}

// Over reports whether the ban has expired.
func (b Ban) Over(now time.Time) bool { return !b.Expires.IsZero() && !now.Before(b.Expires) }

// Codes of what can be wrong with a ban.
const (
	CodeNoNetwork = "no_network"
	CodeNoAuthor  = "no_author"
	CodeNoDomain  = "no_domain"
	CodeTooShort  = "too_short"
	CodeTooWide   = "too_wide"
)

// canonical reads a ban as people type it. The error is an InvalidError.
func (b Ban) canonical() (Ban, error) {
	var wrong []comments.FieldError
	note := func(field, code string, most int) {
		wrong = append(wrong, comments.FieldError{Field: field, Code: code, Max: most})
	}
	b.Value, b.Reason = comments.Clean(b.Value), comments.Clean(b.Reason)
	value, code := b.canonicalValue()
	if b.Kind != BanText {
		b.Sample = ""
	} else if value != b.Value {
		b.Sample = cut(strings.Join(strings.Fields(b.Value), " "), banSampleMost)
	}
	switch {
	case b.Value == "":
		note("value", comments.CodeRequired, 0)
	case b.Kind != BanText && comments.Characters(b.Value) > BanValueMost:
		note("value", comments.CodeTooLong, BanValueMost)
	case code == comments.CodeWrongType:
		note("kind", code, 0)
	case code != "":
		note("value", code, 0)
	}
	b.Value = value
	if b.Effect != EffectHold && b.Effect != EffectSpam {
		note("effect", comments.CodeWrongType, 0)
	}
	if comments.Characters(b.Reason) > BanReasonMost {
		note("reason", comments.CodeTooLong, BanReasonMost)
	}
	if wrong != nil {
		return b, &comments.InvalidError{Fields: wrong}
	}
	return b, nil
}

func (b Ban) canonicalValue() (value, code string) {
	switch b.Kind {
	case BanNetwork:
		return canonicalNetwork(b.Value)
	case BanAuthor:
		key, err := hex.DecodeString(strings.ToLower(b.Value))
		if err != nil || len(key) != len(comments.AuthorKey{}) || comments.AuthorKey(key).IsZero() {
			return "", CodeNoAuthor
		}
		return hex.EncodeToString(key), ""
	case BanName:
		name := foldName(b.Value)
		if strings.Trim(name, "* ") == "" {
			return "", CodeTooWide
		}
		return name, ""
	case BanEmail, BanLink:
		domain, ok := canonicalDomain(b.Value)
		if !ok {
			return "", CodeNoDomain
		}
		return domain, ""
	case BanText:
		if len(b.Value) == fingerprintHex && strings.Trim(b.Value, "0123456789abcdef") == "" {
			return b.Value, "" // as it is stored
		}
		print, ok := fingerprint(b.Value)
		if !ok {
			return "", CodeTooShort
		}
		return print, ""
	}
	return b.Value, comments.CodeWrongType
}

func canonicalNetwork(typed string) (value, code string) {
	typed = strings.Trim(typed, "[]")
	if addr, err := netip.ParseAddr(typed); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()).String(), ""
	}
	p, err := netip.ParsePrefix(typed)
	if err != nil || p.Addr().Is4In6() {
		return "", CodeNoNetwork
	}
	least := banNetwork4
	if p.Addr().Is6() {
		least = banNetwork6
	}
	if p.Bits() < least {
		return "", CodeTooWide
	}
	return p.Masked().String(), ""
}

func canonicalDomain(typed string) (string, bool) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if _, domain, ok := strings.Cut(typed, "@"); ok {
		typed = domain
	}
	if strings.Contains(typed, "/") {
		u, err := url.Parse(typed)
		if err != nil || u.Hostname() == "" {
			return "", false
		}
		typed = u.Hostname()
	}
	host, err := idna.Lookup.ToASCII(strings.Trim(typed, "*."))
	return host, err == nil && strings.Contains(host, ".")
}

// foldName is a name without regard to case, diacritics and width.
func foldName(name string) string {
	folded := cases.Fold().String(norm.NFKD.String(name))
	var b strings.Builder
	space := false
	for _, r := range strings.TrimSpace(folded) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			space = true
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			if r == 'đ' {
				r = 'd'
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fingerprint is a hash of a text's letters and digits, folded; ok is false for fewer than
// banTextLeast of them.
func fingerprint(text string) (print string, ok bool) {
	h, n := sha256.New(), 0
	for _, r := range foldName(text) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			h.Write([]byte(string(r)))
			n++
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:fingerprintHex], n >= banTextLeast
}

// banned is the bans of a site, ready to be looked up.
type banned struct {
	networks map[netip.Prefix][]*Ban
	bits     map[int]bool // of the networks, +1000 for IPv6
	names    []namedBan
	by       map[BanKind]map[string][]*Ban
	links    *regexp.Regexp
	emails   *regexp.Regexp
}

type namedBan struct {
	pattern *regexp.Regexp
	ban     *Ban
}

func newBanned(list []Ban) *banned {
	b := &banned{
		networks: map[netip.Prefix][]*Ban{}, bits: map[int]bool{}, by: map[BanKind]map[string][]*Ban{},
		links: linkPattern(), emails: regexp.MustCompile(`(?i)[a-z0-9][a-z0-9._%+-]*@((?:[\pL\pN-]+\.)+[\pL\pN-]{2,})`),
	}
	for i := range list {
		one := &list[i]
		switch one.Kind {
		case BanNetwork:
			if p, err := netip.ParsePrefix(one.Value); err == nil {
				b.networks[p] = append(b.networks[p], one)
				b.bits[bitsOf(p.Addr(), p.Bits())] = true
			}
		case BanName:
			pattern := strings.ReplaceAll(regexp.QuoteMeta(one.Value), `\*`, `.*`)
			if re, err := regexp.Compile(`^` + pattern + `$`); err == nil {
				b.names = append(b.names, namedBan{re, one})
			}
		default:
			if b.by[one.Kind] == nil {
				b.by[one.Kind] = map[string][]*Ban{}
			}
			b.by[one.Kind][one.Value] = append(b.by[one.Kind][one.Value], one)
		}
	}
	return b
}

func bitsOf(addr netip.Addr, bits int) int {
	if addr.Is6() {
		return bits + 1000
	}
	return bits
}

// find is the bans that a comment from an address falls under, each once.
func (b *banned) find(c comments.Comment, addr netip.Addr, now time.Time) (hits []*Ban) {
	seen := map[*Ban]bool{}
	add := func(list []*Ban) {
		for _, one := range list {
			if !seen[one] && !one.Over(now) {
				seen[one] = true
				hits = append(hits, one)
			}
		}
	}
	if addr = addr.Unmap().WithZone(""); addr.IsValid() {
		for bits := addr.BitLen(); bits >= 0; bits-- {
			if b.bits[bitsOf(addr, bits)] {
				p, _ := addr.Prefix(bits)
				add(b.networks[p])
			}
		}
	}
	if m := b.by[BanAuthor]; m != nil && !c.Author.IsZero() {
		add(m[hex.EncodeToString(c.Author[:])])
	}
	if len(b.names) > 0 {
		name := foldName(c.Name)
		for _, n := range b.names {
			if n.pattern.MatchString(name) {
				add([]*Ban{n.ban})
			}
		}
	}
	for _, text := range []string{c.Name, c.Title, c.Content} {
		if m := b.by[BanEmail]; m != nil {
			for _, found := range b.emails.FindAllStringSubmatch(text, -1) {
				add(below(m, found[1]))
			}
		}
		if m := b.by[BanLink]; m != nil {
			for _, p := range findLinks(b.links, "", text) {
				add(below(m, text[p.Start:p.End]))
			}
		}
	}
	if m := b.by[BanText]; m != nil {
		if print, ok := fingerprint(c.Content); ok {
			add(m[print])
		}
	}
	return hits
}

// below is the bans of a host's domain and of those above it.
func below(bans map[string][]*Ban, raw string) (list []*Ban) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	host, err := idna.Lookup.ToASCII(strings.ToLower(strings.Trim(u.Hostname(), ".")))
	if err != nil {
		return nil
	}
	for host != "" {
		list = append(list, bans[host]...)
		_, host, _ = strings.Cut(host, ".")
	}
	return list
}

// Check finds what falls under the site's bans: a signal for each, by kind, with its id,
// and its reason, in Args. A network is not named, since signals are kept longer than
// addresses are.
func (b *Bans) Check() Check {
	codes := make([]string, len(BanKinds))
	for i, k := range BanKinds {
		codes[i] = string(k)
	}
	return Check{
		Name: comments.CheckBan, Codes: codes,
		Look: func(ctx context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			all, err := b.kept.Of(ctx, c.Site.ID)
			if err != nil {
				return nil, err
			}
			for _, hit := range all.find(c.Comment, c.Addr, c.Now) {
				s := comments.Signal{Level: hit.Effect.level(), Code: string(hit.Kind), Args: map[string]string{"ban": hit.ID, "why": hit.Reason}}
				signals = append(signals, s)
			}
			return signals, nil
		},
	}
}

func readBanned(s shelf[Ban]) func(string, []moderation.Document) (*banned, error) {
	return func(_ string, documents []moderation.Document) (*banned, error) {
		list, err := s.readAll(documents)
		if err != nil {
			return nil, err
		}
		return newBanned(list), nil
	}
}
