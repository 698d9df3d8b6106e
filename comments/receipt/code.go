package receipt

import (
	"encoding/base32"
	"strings"

	"duyet/comments"
)

// alphabet is Crockford's base 32: no I, L, O or U, so that nothing is mistaken for a
// digit. See https://www.crockford.com/base32.html.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var crockford = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// Code is a short text such as "K7QX-29MD" by which a person can name a comment on paper
// or by telephone. It is 40 bits of an HMAC of the id under the current key: the same for
// a comment until the key changes, and no secret. It proves nothing, since 40 bits can be
// guessed at; a receipt does.
func (s *Sealer) Code(id comments.ID) string { return s.keys[0].codeOf(id) }

// IsCode reports whether typed names the comment, under any key: in either case, with or
// without its hyphen, and with o, i and l read as the digits they look like.
func (s *Sealer) IsCode(id comments.ID, typed string) bool {
	typed = canonicalCode(typed)
	for _, k := range s.keys {
		if typed == canonicalCode(k.codeOf(id)) {
			return true
		}
	}
	return false
}

func (k keys) codeOf(id comments.ID) string {
	text := crockford.EncodeToString(mac(k.code, id)[:5])
	return text[:4] + "-" + text[4:]
}

var lookalikes = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

func canonicalCode(typed string) string { return lookalikes.Replace(strings.ToUpper(typed)) }
