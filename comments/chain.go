package comments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// ChainSize is the length in bytes of a link of the chain and of a Detail's sum.
const ChainSize = sha256.Size

// Link is an event's place in the chain of its site: HMAC-SHA256 under the journal's key
// over the Chain of the event before it (none for the first) and every field of this one
// but Chain. All stores compute it alike, so a journal can move between them. mac is
// reset first; it must be HMAC-SHA256 with the journal's key.
func (e Event) Link(mac hash.Hash, before []byte) []byte {
	b := make([]byte, 0, 256)
	b = append(b, 1) // version of this encoding
	b = appendField(b, string(before))
	b = appendField(b, e.Site)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, field := range [...]string{
		e.Actor, string(e.Kind), string(e.Comment), e.Subject, string(e.From), string(e.To), e.Reason,
	} {
		b = appendField(b, field)
	}
	b = binary.BigEndian.AppendUint64(b, e.Version)
	b = appendField(b, string(e.Detail))
	mac.Reset()
	mac.Write(b)
	return mac.Sum(nil)
}

// Sum is what an event holds of its Detail: HMAC-SHA256 of the words under the salt, so
// that the words can be erased while the chain still fits.
func (d Detail) Sum() []byte {
	mac := hmac.New(sha256.New, d.Salt)
	mac.Write(appendField(appendField(nil, d.Reason), d.Note))
	return mac.Sum(nil)
}

// appendField keeps neighbouring fields apart by their lengths.
func appendField(b []byte, field string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}
