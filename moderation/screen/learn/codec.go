package learn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// Version is that of the stored form and of what the features mean. A model of another version
// can't be read; build it anew from the decisions.
const Version = 2

var (
	// ErrVersion tells of a model stored by another version.
	ErrVersion = errors.New("model of another version")
	// ErrDamaged tells of stored bytes that are no whole model.
	ErrDamaged = errors.New("damaged model")
)

const magic = "dylm"

// MarshalBinary is the model whole: what UnmarshalBinary makes of it learns and scores the very
// same. It is 1 to 3 MB once the model has seen some thousand comments.
func (m *Model) MarshalBinary() ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	w := writer{append(make([]byte, 0, 1<<20), magic...)}
	w.uint(Version)
	w.uint(m.texts)
	w.uint(m.learnt)
	w.float(m.bias)
	w.uint(m.counts.texts[0])
	w.uint(m.counts.texts[1])
	last := 0
	for i, v := range m.weights {
		if v != 0 || m.df[i] != 0 { // a counted bucket is in df too
			w.uint(uint64(i - last))
			w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(v))
			w.uint(uint64(m.df[i]))
			w.uint(uint64(m.counts.of[0][i]))
			w.uint(uint64(m.counts.of[1][i]))
			last = i
		}
	}
	w.uint(buckets) // no gap is that wide: the end
	w.uint(uint64(len(m.inMind)))
	for _, it := range m.inMind {
		w.key(it.key)
		w.float(it.share * it.sign)
		w.vector(it.x)
	}
	w.uint(uint64(len(m.ledger)))
	for _, en := range m.ledger {
		w.key(en.key)
		w.float(en.share)
	}
	for _, c := range [...]calibration{m.recent.calibration, m.recent.prior} {
		w.float(c.slope)
		w.float(c.offset)
	}
	w.uint(uint64(len(m.recent.guesses)))
	for _, g := range m.recent.guesses {
		w.key(g.key)
		w.float(g.margin)
		w.float(g.probability)
		w.uint(uint64(oneIf(g.positive)))
	}
	return binary.LittleEndian.AppendUint32(w.b, crc32.ChecksumIEEE(w.b)), nil
}

// UnmarshalBinary replaces the model with one that MarshalBinary wrote. Errors: ErrVersion,
// ErrDamaged; the model stands as it was then.
func (m *Model) UnmarshalBinary(data []byte) error {
	n := len(data) - 4
	if n < len(magic) || !bytes.HasPrefix(data, []byte(magic)) {
		return fmt.Errorf("no model: %w", ErrDamaged)
	}
	if crc32.ChecksumIEEE(data[:n]) != binary.LittleEndian.Uint32(data[n:]) {
		return fmt.Errorf("checksum: %w", ErrDamaged)
	}
	r := reader{b: data[len(magic):n]}
	if v := r.uint(); v != Version && !r.bad {
		return fmt.Errorf("version %d, not %d: %w", v, Version, ErrVersion)
	}
	f := New()
	f.read(&r)
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("contents: %w", ErrDamaged)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.weights, m.bias, m.df, m.texts, m.counts, m.learnt = f.weights, f.bias, f.df, f.texts, f.counts, f.learnt
	m.inMind, m.hits, m.ledger, m.recent = f.inMind, f.hits, f.ledger, f.recent
	if m.scratch.New == nil {
		m.scratch.New = f.scratch.New
	}
	return nil
}

func (m *Model) read(r *reader) {
	m.texts, m.learnt, m.bias = r.uint(), r.uint(), r.float()
	m.counts.texts = [2]uint64{r.uint(), r.uint()}
	at := 0
	for {
		gap := r.uint()
		if gap == buckets || r.bad {
			break
		}
		if at += int(min(gap, buckets)); at >= buckets {
			r.bad = true
			return
		}
		m.weights[at] = math.Float32frombits(r.uint32())
		m.df[at] = uint32(r.uint())
		m.counts.of[0][at], m.counts.of[1][at] = uint32(r.uint()), uint32(r.uint())
	}
	for range r.count(capacity) {
		it := memory{key: r.key(), share: r.float(), sign: 1, x: r.vector()}
		if it.share < 0 {
			it.share, it.sign = -it.share, -1
		}
		it.square = it.x.square()
		m.inMind = append(m.inMind, it)
		m.hits += len(it.x.at)
	}
	for range r.count(ledgerSize) {
		m.ledger = append(m.ledger, entry{r.key(), r.float()})
	}
	for _, c := range [...]*calibration{&m.recent.calibration, &m.recent.prior} {
		c.slope, c.offset = r.float(), r.float()
	}
	for range r.count(historySize) {
		m.recent.guesses = append(m.recent.guesses, guess{r.key(), r.float(), r.float(), r.uint() == 1})
	}
}

type writer struct{ b []byte }

func (w *writer) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) key(v uint64)  { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *writer) float(v float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
}

// vector writes the steps from one bucket to the next, which may go back where a group ends.
func (w *writer) vector(v vector) {
	w.uint(uint64(len(v.at)))
	w.uint(uint64(v.words))
	last := int64(0)
	for i, at := range v.at {
		w.b = binary.AppendVarint(w.b, int64(at)-last)
		w.b = binary.LittleEndian.AppendUint16(w.b, v.val[i])
		last = int64(at)
	}
}

// reader reads what writer wrote; bad tells that something was not there or can't be.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, 8)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) key() uint64    { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *reader) float() float64 {
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
	if math.IsNaN(v) || math.IsInf(v, 0) {
		r.bad = true
	}
	return v
}

// count is a length, 0 when it is over limit.
func (r *reader) count(limit int) int {
	n := r.uint()
	if r.bad || n > uint64(limit) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) vector() vector {
	n := r.count(min(hitCapacity, len(r.b)/3)) // three bytes a value at least
	v := vector{at: make([]uint32, 0, n), val: make([]uint16, 0, n), words: r.count(n)}
	last := int64(0)
	for range n {
		step, used := binary.Varint(r.b)
		if used <= 0 {
			r.bad = true
			return v
		}
		r.b = r.b[used:]
		if last += step; last < 0 || last >= buckets {
			r.bad = true
			return v
		}
		v.at = append(v.at, uint32(last))
		v.val = append(v.val, binary.LittleEndian.Uint16(r.take(2)))
	}
	return v
}
