package learn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
)

func TestStoredModelGoesOn(t *testing.T) {
	a := taught(corpus(600, 20))
	b := New()
	if err := b.UnmarshalBinary(stored(t, a)); err != nil {
		t.Fatal(err)
	}
	for _, e := range corpus(50, 21) {
		if a.Score(e.Text) != b.Score(e.Text) {
			t.Fatalf("scores differ on %q", e.Text)
		}
		e.ID += "'"
		a.Learn(e)
		b.Learn(e)
	}
	if !bytes.Equal(stored(t, a), stored(t, b)) {
		t.Error("the copy learnt otherwise")
	}
	var zero Model
	if err := zero.UnmarshalBinary(stored(t, a)); err != nil || zero.Score("vay") != a.Score("vay") {
		t.Errorf("into a zero Model: %v", err)
	}
}

func TestDamagedModelIsRefused(t *testing.T) {
	whole := stored(t, taught(corpus(40, 22)))
	m := taught(corpus(10, 23))
	before := stored(t, m)
	for i := 0; i < len(whole); i += 1 + len(whole)/300 {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x20
		if err := m.UnmarshalBinary(bad); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d turned: %v", i, err)
		}
		if err := m.UnmarshalBinary(whole[:i]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	other := append([]byte(magic), Version+1)
	if err := m.UnmarshalBinary(sealed(other)); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
	if !bytes.Equal(before, stored(t, m)) {
		t.Error("a refused model changed the one that stood")
	}
}

func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(b), crc32.ChecksumIEEE(b))
}

func FuzzUnmarshal(f *testing.F) {
	small := stored(f, taught(corpus(3, 24)))
	f.Add(small[:len(small)-4])
	f.Add([]byte(magic))
	f.Add(append([]byte(magic), Version, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := New()
		if err := m.UnmarshalBinary(sealed(data)); err != nil {
			return
		}
		m.Score("xin chào")
		again := New()
		if err := again.UnmarshalBinary(stored(t, m)); err != nil {
			t.Errorf("what was read can't be written and read again: %v", err)
		}
	})
}
