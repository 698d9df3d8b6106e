package receipt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
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
// guessed at; a receipt does, and so does a code to whoever knows more (see
// comments.Service.LookUp).
func (s *Sealer) Code(id comments.ID) string { return s.keys[0].codeOf(id) }

// IsCode reports whether typed names the comment, under any key: in either case, with or
// without its hyphen, and with o, i and l read as the digits they look like.
func (s *Sealer) IsCode(id comments.ID, typed string) bool {
	typed = canonicalCode(typed)
	for _, k := range s.keys {
		if hmac.Equal([]byte(typed), []byte(canonicalCode(k.codeOf(id)))) {
			return true
		}
	}
	return false
}

// codeSize is the bytes of a code: eight letters.
const codeSize = 5

func (k keys) codeOf(id comments.ID) string {
	text := crockford.EncodeToString(mac(k.code, id)[:codeSize])
	return text[:4] + "-" + text[4:]
}

var lookalikes = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

func canonicalCode(typed string) string { return lookalikes.Replace(strings.ToUpper(typed)) }

// CodeKey implements comments.Codes.
func (s *Sealer) CodeKey(id comments.ID) comments.CodeKey {
	return s.keys[0].keyOf(canonicalCode(s.Code(id)))
}

// TypedKey implements comments.Codes.
func (s *Sealer) TypedKey(typed string) (comments.CodeKey, bool) {
	typed = canonicalCode(typed)
	if code, err := crockford.DecodeString(typed); err != nil || len(code) != codeSize || crockford.EncodeToString(code) != typed {
		return 0, false
	}
	return s.keys[0].keyOf(typed), true
}

func (k keys) keyOf(code string) comments.CodeKey {
	h := hmac.New(sha256.New, k.index)
	h.Write([]byte(code))
	return comments.CodeKey(max(binary.BigEndian.Uint32(h.Sum(nil)), 1))
}
