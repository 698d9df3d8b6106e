package boltstore

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// The payload of a record is its fields one after the other: numbers as varints, texts by
// length and bytes, times in milliseconds. Encoding appends; decoding reads from one
// string that was copied out of the file, so that a decoded comment is a few slices of
// one allocation.

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendTime writes the zero time as 0 and others as milliseconds, zigzag, plus one.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	ms := t.UnixMilli()
	return binary.AppendUvarint(b, uint64(ms<<1)^uint64(ms>>63)+1)
}

func appendUUID(b []byte, id comments.ID) []byte {
	if id == "" {
		return append(b, 0)
	}
	u := id.UUID()
	return append(append(b, 1), u[:]...)
}

// statusCode is a status in a record and the name of its queue; 0 is no status.
func statusCode(s comments.Status) byte {
	for i, t := range comments.Statuses {
		if s == t {
			return byte(i + 1)
		}
	}
	return 0
}

func statusQueue(s comments.Status) queue { return queue(statusCode(s)) }

// decoder reads what the functions above wrote. Reading past the end, or anything they
// could not have written, sets bad and gives zeros from then on.
type decoder struct {
	s   string
	bad bool
}

func (d *decoder) fail() {
	d.s, d.bad = "", true
}

func (d *decoder) uint() uint64 {
	var x uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			d.s = d.s[i+1:]
			return x | uint64(c)<<(7*i)
		}
		x |= uint64(c&0x7f) << (7 * i)
	}
	d.fail()
	return 0
}

// count reads the number of items that follow, each at least one byte long.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) take(n int) string {
	if n > len(d.s) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) text() string { return d.take(d.count()) }

func (d *decoder) byte() byte {
	if s := d.take(1); s != "" {
		return s[0]
	}
	return 0
}

// maxMilli bounds times to the years that RFC 3339 can write.
const maxMilli = 253402300799999

func (d *decoder) time() time.Time {
	x := d.uint()
	if x == 0 {
		return time.Time{}
	}
	x--
	ms := int64(x>>1) ^ -int64(x&1)
	if ms > maxMilli || ms < -maxMilli {
		d.fail()
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (d *decoder) uuid() (u uuid.UUID) {
	copy(u[:], d.take(uuidSize))
	return u
}

func (d *decoder) id(site string) comments.ID {
	switch d.byte() {
	case 0:
		return ""
	case 1:
		if u := d.uuid(); !d.bad {
			return makeID(site, u)
		}
	}
	d.fail()
	return ""
}

func (d *decoder) status() comments.Status {
	c := int(d.byte())
	if c > len(comments.Statuses) {
		d.fail()
		return ""
	}
	if c == 0 {
		return ""
	}
	return comments.Statuses[c-1]
}

// bytes is a copy of n bytes.
func (d *decoder) bytes(n int) []byte { return []byte(d.take(n)) }

// done reports whether everything was read and nothing was wrong.
func (d *decoder) done() bool { return !d.bad && d.s == "" }
