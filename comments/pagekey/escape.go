package pagekey

import "strings"

// What may stand unencoded beside the unreserved characters of RFC 3986. Browsers encode
// an apostrophe in a query but not in a path, so both spellings of one are one.
const (
	inPath  = "!$&'()*+,;=:@/"
	inQuery = "!$&()*+,;=:@/?"
)

const upperHex = "0123456789ABCDEF"

// escape normalises percent-encoding: encoded unreserved characters are decoded, hex
// digits become upper case, and whatever is neither unreserved nor in raw is encoded. A
// percent sign that begins no encoding is one that somebody forgot to encode.
func escape(s, raw string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			if isUnreserved(c) {
				b.WriteByte(c)
				continue
			}
		} else if isUnreserved(c) || strings.IndexByte(raw, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
