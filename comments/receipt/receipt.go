// Package receipt makes the author's proof of authorship: a text that only this
// installation can have made for a comment's id, and a short code that a person can write
// down. It keeps nothing and knows nothing of whether the comment still stands.
package receipt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"duyet/comments"
)

// Sealer makes and reads receipts. It is safe for concurrent use and implements
// comments.Receipts.
//
// A receipt is authenticated, not encrypted: what it holds is the id, which its author
// was told anyway. So the same comment has the same receipt as long as the key stands,
// and a repeated post is answered with what it got the first time.
type Sealer struct {
	keys []keys // current first
}

type keys struct{ receipt, code, index []byte }

// KeyLeast is the fewest bytes a key may have.
const KeyLeast = 16

const (
	prefix  = "r" // so that a receipt begins with a letter
	macSize = 16  // of HMAC-SHA256's 32 bytes: 128 bits
	// maxText bounds what is read: prefix, MAC and the longest id.
	maxText = 1 + (macSize+32+1+36)*4/3 + 2
)

var encoding = base64.RawURLEncoding.Strict()

// New makes a Sealer from keys, the current one first; receipts made under the others are
// still read. The keys may serve other purposes too: what is used here is derived.
func New(masters [][]byte) (*Sealer, error) {
	if len(masters) == 0 {
		return nil, errors.New("receipts need a key")
	}
	s := &Sealer{}
	for _, m := range masters {
		if len(m) < KeyLeast {
			return nil, fmt.Errorf("a key of %d bytes is too short for receipts: %d at least", len(m), KeyLeast)
		}
		var k keys
		var err error
		if k.receipt, err = hkdf.Key(sha256.New, m, nil, "duyet receipt v1", sha256.Size); err != nil {
			return nil, fmt.Errorf("receipt key: %w", err)
		}
		if k.code, err = hkdf.Key(sha256.New, m, nil, "duyet receipt code v1", sha256.Size); err != nil {
			return nil, fmt.Errorf("receipt key: %w", err)
		}
		if k.index, err = hkdf.Key(sha256.New, m, nil, "duyet receipt code index v1", sha256.Size); err != nil {
			return nil, fmt.Errorf("receipt key: %w", err)
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// Issue makes the receipt of a comment. An id that is malformed is comments.ErrNotFound.
func (s *Sealer) Issue(id comments.ID) (string, error) {
	if _, err := comments.ParseID(string(id)); err != nil {
		return "", fmt.Errorf("receipt for %q: %w", id, err)
	}
	body := append(mac(s.keys[0].receipt, id), id...)
	return prefix + encoding.EncodeToString(body), nil
}

// Open names the comment of a receipt. Anything that no key of ours made, letter by
// letter, is comments.ErrNotFound.
func (s *Sealer) Open(receipt string) (comments.ID, error) {
	text, ok := strings.CutPrefix(receipt, prefix)
	// The decoder skips line breaks, which would give a receipt a second spelling.
	if !ok || len(receipt) > maxText || strings.ContainsAny(text, "\r\n") {
		return "", errNotOurs
	}
	body, err := encoding.DecodeString(text)
	if err != nil || len(body) <= macSize {
		return "", errNotOurs
	}
	id, err := comments.ParseID(string(body[macSize:]))
	if err != nil {
		return "", errNotOurs
	}
	for _, k := range s.keys {
		if hmac.Equal(body[:macSize], mac(k.receipt, id)) {
			return id, nil
		}
	}
	return "", errNotOurs
}

var errNotOurs = fmt.Errorf("receipt: %w", comments.ErrNotFound)

func mac(key []byte, id comments.ID) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id))
	return h.Sum(nil)[:macSize]
}
