package boltstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"duyet/comments"
)

// Format is the first byte of a record: how its payload is encoded. A noun that changes
// its encoding takes a new format and goes on reading the old one.
type Format byte

// headerSize is the format and the checksum.
const headerSize = 1 + 4

// castagnoli has an instruction on the processors we run on.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(f Format, key, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte{byte(f)})
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, payload)
}

// newRecord makes room for a record of about n bytes: append the payload, then seal it.
func newRecord(n int) []byte { return make([]byte, headerSize, headerSize+n) }

// seal completes a record of newRecord. The key is under the checksum too, so that a
// record can't stand in another's place.
func seal(f Format, key, record []byte) []byte {
	record[0] = byte(f)
	binary.BigEndian.PutUint32(record[1:], checksum(f, key, record[headerSize:]))
	return record
}

// open is the payload of a record, in the record's own memory, or comments.ErrDamaged.
func open(b Bucket, key, record []byte) (Format, []byte, error) {
	if len(record) < headerSize {
		return 0, nil, damaged(b, key, "it is too short")
	}
	f, payload := Format(record[0]), record[headerSize:]
	if checksum(f, key, payload) != binary.BigEndian.Uint32(record[1:]) {
		return 0, nil, damaged(b, key, "its checksum does not fit")
	}
	return f, payload, nil
}

// damaged is comments.ErrDamaged naming the record: bucket and key in hexadecimal.
func damaged(b Bucket, key []byte, what string) error {
	return fmt.Errorf("%s record %x: %s: %w", b, key, what, comments.ErrDamaged)
}
