// Package captcha makes verification codes: tickets that carry their own code under seal,
// the judgement on what was typed, and the code as an image and as a sound.
//
// Showing a code writes nothing and any node that has the secret can judge it. Of
// github.com/dchest/captcha only RandomDigits, NewImage and NewAudio are used; its store,
// its comparison and its server are not.
package captcha

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dchest/captcha"
	"golang.org/x/crypto/chacha20poly1305"

	"duyet/comments"
)

// Digits is how many digits a code has.
const Digits = 6

// KeyLeast is the fewest bytes a key may have.
const KeyLeast = 16

// A ticket is ticketPrefix and the base64url, unpadded, of
//
//	version      1 byte
//	key id       4 bytes
//	nonce       24 bytes
//	sealed      ticket id 16, page hash 16, issued 8, good for 8 (both in milliseconds, big
//	            endian), digits 6, site up to 32
//	tag         16 bytes
//
// Version and key id stand in clear, so that a key is found without trying each, and are
// authenticated with the rest. The seal is XChaCha20-Poly1305: one key seals for years, and
// only its 24-byte nonce may be drawn at random without counting (AES-GCM's 12 bytes allow
// 2^32 tickets a key).
const (
	ticketPrefix  = "t"
	ticketVersion = 1

	keyIDSize  = 4
	headerSize = 1 + keyIDSize
	nonceSize  = chacha20poly1305.NonceSizeX
	fixedSize  = 16 + 16 + 8 + 8 + Digits
	leastSize  = headerSize + nonceSize + fixedSize + 1 + chacha20poly1305.Overhead
	mostSize   = leastSize - 1 + 32
)

var encoding = base64.RawURLEncoding.Strict()

// Sealer issues and opens tickets. It is safe for concurrent use and implements
// comments.Tickets.
type Sealer struct {
	keys []sealKey // current first
}

type sealKey struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

// New makes a Sealer from keys, the current one first; tickets sealed under the others
// still open. The keys may serve other purposes too: what is used here is derived.
func New(masters [][]byte) (*Sealer, error) {
	if len(masters) == 0 {
		return nil, errors.New("tickets need a key")
	}
	s := &Sealer{}
	for _, m := range masters {
		if len(m) < KeyLeast {
			return nil, fmt.Errorf("a key of %d bytes is too short for tickets: %d at least", len(m), KeyLeast)
		}
		derived, err := hkdf.Key(sha256.New, m, nil, "duyet ticket v1", chacha20poly1305.KeySize+keyIDSize)
		if err != nil {
			return nil, fmt.Errorf("ticket key: %w", err)
		}
		aead, err := chacha20poly1305.NewX(derived[:chacha20poly1305.KeySize])
		if err != nil {
			return nil, fmt.Errorf("ticket key: %w", err)
		}
		s.keys = append(s.keys, sealKey{[keyIDSize]byte(derived[chacha20poly1305.KeySize:]), aead})
	}
	return s, nil
}

// Issue seals a new code for a page, good from now, cut to the millisecond, for ttl. A
// site that is no site's id, or a ttl below a millisecond, is comments.ErrInvalid.
func (s *Sealer) Issue(site, pageKey string, now time.Time, ttl time.Duration) (string, comments.Ticket, error) {
	now, ttl = now.UTC().Truncate(time.Millisecond), ttl.Truncate(time.Millisecond)
	if !comments.ValidSiteID(site) || ttl <= 0 || now.UnixMilli() < 0 {
		return "", comments.Ticket{}, fmt.Errorf("ticket of %s for site %q: %w", ttl, site, comments.ErrInvalid)
	}
	t := comments.Ticket{
		Site: site, Page: comments.PageHash(site, pageKey),
		Digits: captcha.RandomDigits(Digits), Issued: now, Expires: now.Add(ttl),
	}
	rand.Read(t.ID[:]) // never fails, see crypto/rand
	return s.seal(t), t, nil
}

func (s *Sealer) seal(t comments.Ticket) string {
	key := s.keys[0]
	buf := make([]byte, 0, mostSize)
	buf = append(buf, ticketVersion)
	buf = append(buf, key.id[:]...)
	header := buf[:headerSize]
	buf = buf[:headerSize+nonceSize]
	nonce := buf[headerSize:]
	rand.Read(nonce)

	var plain [fixedSize + 32]byte
	p := append(plain[:0], t.ID[:]...)
	p = append(p, t.Page[:]...)
	p = binary.BigEndian.AppendUint64(p, uint64(t.Issued.UnixMilli()))
	p = binary.BigEndian.AppendUint64(p, uint64(t.Expires.Sub(t.Issued).Milliseconds()))
	p = append(p, t.Digits...)
	p = append(p, t.Site...)
	return ticketPrefix + encoding.EncodeToString(key.aead.Seal(buf, nonce, p, header))
}

// Open unseals a ticket. Anything that is not, letter by letter, what Issue made under one
// of the keys is comments.ErrTicketUnreadable. An expired ticket opens: its reader
// compares Expires.
func (s *Sealer) Open(text string) (comments.Ticket, error) {
	body, ok := strings.CutPrefix(text, ticketPrefix)
	// The decoder skips line breaks, which would give a ticket a second spelling.
	if !ok || len(body) > encoding.EncodedLen(mostSize) || strings.ContainsAny(body, "\r\n") {
		return comments.Ticket{}, comments.ErrTicketUnreadable
	}
	raw, err := encoding.DecodeString(body)
	if err != nil || len(raw) < leastSize || raw[0] != ticketVersion {
		return comments.Ticket{}, comments.ErrTicketUnreadable
	}
	header, nonce, sealed := raw[:headerSize], raw[headerSize:headerSize+nonceSize], raw[headerSize+nonceSize:]
	for _, key := range s.keys {
		if key.id != [keyIDSize]byte(header[1:]) {
			continue
		}
		if plain, err := key.aead.Open(sealed[:0], nonce, sealed, header); err == nil {
			return parse(plain)
		}
		break
	}
	return comments.Ticket{}, comments.ErrTicketUnreadable
}

// parse reads what seal wrote. It trusts the seal for who wrote it, not for being sane.
func parse(p []byte) (t comments.Ticket, err error) {
	copy(t.ID[:], p)
	copy(t.Page[:], p[16:])
	issued, ttl := binary.BigEndian.Uint64(p[32:]), binary.BigEndian.Uint64(p[40:])
	t.Issued = time.UnixMilli(int64(issued)).UTC()
	t.Expires = t.Issued.Add(time.Duration(ttl) * time.Millisecond)
	t.Digits = append([]byte(nil), p[48:48+Digits]...)
	t.Site = string(p[fixedSize:])
	for _, d := range t.Digits {
		if d > 9 {
			return comments.Ticket{}, comments.ErrTicketUnreadable
		}
	}
	if !comments.ValidSiteID(t.Site) {
		return comments.Ticket{}, comments.ErrTicketUnreadable
	}
	return t, nil
}

// Text is a ticket's digits as they are typed, for whoever holds the secret.
func Text(t comments.Ticket) string {
	b := make([]byte, len(t.Digits))
	for i, d := range t.Digits {
		b[i] = '0' + d
	}
	return string(b)
}
