package boltstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// The walk reads a bbolt file page by page without bbolt, which trusts its file: bbolt
// makes a new database of an empty file, dies on a truncated one and follows a flipped
// pointer wherever it leads. Everything read here is held against the bounds of what it
// stands in. Formats are those of bbolt's internal/common (version 2 of the file).

const (
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	pageHeader     = 16
	metaSize       = 64
	elementSize    = 16
	bucketHeader   = 16
	flagBranch     = 0x01
	flagLeaf       = 0x02
	flagFreelist   = 0x10
	elementBucket  = 0x01
	noFreelist     = math.MaxUint64
	depthMost      = 32
	pageSizeLeast  = 1024
	pageSizeMost   = 1 << 20
	freelistInBody = 0xFFFF
)

var native = binary.NativeEndian

// meta is what a meta page says.
type meta struct {
	pageSize            int64
	root, freelist, end uint64 // page ids; end is the first beyond those in use
	txid                uint64
}

// readMeta reads the meta page at an offset; ours is false when no bbolt file would have
// that there.
func readMeta(r io.ReaderAt, at int64) (m meta, ours, valid bool) {
	var b [pageHeader + metaSize]byte
	if n, _ := r.ReadAt(b[:], at); n < len(b) {
		return m, n >= pageHeader+4 && native.Uint32(b[pageHeader:]) == boltMagic, false
	}
	p := b[pageHeader:]
	m = meta{
		pageSize: int64(native.Uint32(p[8:])), root: native.Uint64(p[16:]),
		freelist: native.Uint64(p[32:]), end: native.Uint64(p[40:]), txid: native.Uint64(p[48:]),
	}
	h := fnv.New64a()
	h.Write(p[:56])
	ours = native.Uint32(p) == boltMagic
	return m, ours, ours && native.Uint32(p[4:]) == boltVersion && native.Uint64(p[56:]) == h.Sum64() &&
		m.pageSize >= pageSizeLeast && m.pageSize <= pageSizeMost && m.pageSize&(m.pageSize-1) == 0
}

// readMetas is the meta in force. Both must be whole: bbolt would go on with the older
// one, and so forget a commit that was acknowledged.
func readMetas(r io.ReaderAt, size int64) (meta, error) {
	if size == 0 {
		return meta{}, fmt.Errorf("it is empty: %w", ErrDamaged)
	}
	first, ours, valid := readMeta(r, 0)
	if !ours {
		for at := int64(pageSizeLeast); at <= pageSizeMost && at < size; at *= 2 {
			if _, _, second := readMeta(r, at); second {
				return meta{}, fmt.Errorf("its first page is damaged: %w", ErrDamaged)
			}
		}
		return meta{}, ErrForeign
	}
	if !valid {
		return meta{}, fmt.Errorf("its first page is damaged: %w", ErrDamaged)
	}
	second, _, valid := readMeta(r, first.pageSize)
	if !valid || second.pageSize != first.pageSize {
		return meta{}, fmt.Errorf("its second page is damaged: %w", ErrDamaged)
	}
	if second.txid > first.txid {
		return second, nil
	}
	return first, nil
}

// walker visits every key of a file.
type walker struct {
	r     io.ReaderAt
	meta  meta
	seen  []uint64 // a bit a page
	pages [depthMost][]byte
	visit func(bucket string, key, value []byte) error
}

// walk visits every key and value of every bucket at the top level, in order of buckets
// and keys; the slices are the walker's. Pages that do not hang together are ErrDamaged.
// size is the file's length in bytes.
func walk(r io.ReaderAt, size int64, visit func(bucket string, key, value []byte) error) (meta, error) {
	m, err := readMetas(r, size)
	if err != nil {
		return m, err
	}
	if m.end > uint64(size/m.pageSize) || m.end < 3 {
		return m, fmt.Errorf("it is truncated: %d bytes, %d pages of %d: %w", size, m.end, m.pageSize, ErrDamaged)
	}
	w := &walker{r: r, meta: m, seen: make([]uint64, m.end/64+1), visit: visit}
	if err := w.tree("", m.root, 0, nil, nil); err != nil {
		return m, err
	}
	return m, w.freelist()
}

func (w *walker) broken(id uint64, what string, args ...any) error {
	return fmt.Errorf("page %d: %s: %w", id, fmt.Sprintf(what, args...), ErrDamaged)
}

// page reads a page with what overflows from it, once.
func (w *walker) page(id uint64, depth int) ([]byte, error) {
	if id < 2 || id >= w.meta.end {
		return nil, w.broken(id, "it lies outside the file")
	}
	if depth >= depthMost {
		return nil, w.broken(id, "the tree is too deep")
	}
	b := w.pages[depth]
	if int64(cap(b)) < w.meta.pageSize {
		b = make([]byte, w.meta.pageSize)
	}
	b = b[:w.meta.pageSize]
	at := int64(id) * w.meta.pageSize
	if _, err := w.r.ReadAt(b, at); err != nil {
		return nil, w.broken(id, "it can't be read: %v", err)
	}
	if native.Uint64(b) != id {
		return nil, w.broken(id, "it says it is page %d", native.Uint64(b))
	}
	more := uint64(native.Uint32(b[12:]))
	if more >= w.meta.end-id {
		return nil, w.broken(id, "it reaches beyond the file")
	}
	for i := id; i <= id+more; i++ {
		if w.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, w.broken(i, "it is in use twice")
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	if more > 0 {
		long := make([]byte, int64(more+1)*w.meta.pageSize)
		if _, err := w.r.ReadAt(long, at); err != nil {
			return nil, w.broken(id, "it can't be read: %v", err)
		}
		return long, nil // not kept: few are long
	}
	w.pages[depth] = b
	return b, nil
}

// tree walks the pages below one. Keys lie from least up to but without end (nil = any).
func (w *walker) tree(bucket string, id uint64, depth int, least, end []byte) error {
	b, err := w.page(id, depth)
	if err != nil {
		return err
	}
	switch native.Uint16(b[8:]) {
	case flagBranch:
		return w.branch(bucket, id, b, depth, least, end)
	case flagLeaf:
		return w.leaf(bucket, id, b, depth, least, end)
	}
	return w.broken(id, "it is no page of a tree")
}

// element is the i-th element's header of a page that begins with 16 bytes.
func element(b []byte, i int) []byte {
	at := pageHeader + i*elementSize
	if at+elementSize > len(b) {
		return nil
	}
	return b[at : at+elementSize]
}

// within is n bytes of a page from an offset relative to its i-th element.
func within(b []byte, i int, pos, n uint32) []byte {
	from := int64(pageHeader+i*elementSize) + int64(pos)
	if from+int64(n) > int64(len(b)) {
		return nil
	}
	return b[from : from+int64(n)]
}

// inOrder holds a key against the one before it and the bounds of its page.
func inOrder(i int, key, before, least, end []byte) bool {
	switch {
	case len(key) == 0, end != nil && bytes.Compare(key, end) >= 0:
		return false
	case i == 0:
		return bytes.Compare(key, least) >= 0
	}
	return bytes.Compare(key, before) > 0
}

func (w *walker) branch(bucket string, id uint64, b []byte, depth int, least, end []byte) error {
	n := int(native.Uint16(b[10:]))
	if n == 0 {
		return w.broken(id, "it is an empty branch")
	}
	key := func(i int) []byte {
		e := element(b, i)
		if e == nil {
			return nil
		}
		return within(b, i, native.Uint32(e), native.Uint32(e[4:]))
	}
	var before []byte
	for i := range n {
		k := key(i)
		if !inOrder(i, k, before, least, end) {
			return w.broken(id, "its keys are out of order")
		}
		before = k
	}
	for i := range n {
		next := end
		if i+1 < n {
			next = key(i + 1)
		}
		if err := w.tree(bucket, native.Uint64(element(b, i)[8:]), depth+1, key(i), next); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) leaf(bucket string, id uint64, b []byte, depth int, least, end []byte) error {
	var before []byte
	for i := range int(native.Uint16(b[10:])) {
		e := element(b, i)
		if e == nil {
			return w.broken(id, "it has more elements than room")
		}
		flags, pos := native.Uint32(e), native.Uint32(e[4:])
		keySize, valueSize := native.Uint32(e[8:]), native.Uint32(e[12:])
		key := within(b, i, pos, keySize)
		if !inOrder(i, key, before, least, end) {
			return w.broken(id, "its keys are out of order")
		}
		before = key
		if uint64(pos)+uint64(keySize) > math.MaxUint32 {
			return w.broken(id, "an element lies outside")
		}
		value := within(b, i, pos+keySize, valueSize)
		if value == nil {
			return w.broken(id, "an element lies outside")
		}
		isBucket := flags == elementBucket
		switch {
		case flags > elementBucket:
			return w.broken(id, "an element is of no kind")
		case isBucket != (bucket == ""):
			// Ours has buckets at the top level, and there only.
			return fmt.Errorf("page %d: %w", id, ErrForeign)
		case isBucket:
			if err := w.bucket(string(key), id, value, depth); err != nil {
				return err
			}
		default:
			if err := w.visit(bucket, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket walks a bucket: in pages of its own, or in the value itself when it is small.
func (w *walker) bucket(name string, id uint64, value []byte, depth int) error {
	if len(value) < bucketHeader {
		return w.broken(id, "bucket %q is cut short", name)
	}
	root := native.Uint64(value)
	if root != 0 {
		return w.tree(name, root, depth+1, nil, nil)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || native.Uint16(inline[8:]) != flagLeaf {
		return w.broken(id, "bucket %q is cut short", name)
	}
	return w.leaf(name, id, inline, depth, nil, nil)
}

// freelist holds the list of free pages, if one is stored, against the pages in use: one
// that names a page in use would have it overwritten.
func (w *walker) freelist() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	b, err := w.page(w.meta.freelist, depthMost-1)
	if err != nil {
		return err
	}
	id, body := w.meta.freelist, b[pageHeader:]
	if native.Uint16(b[8:]) != flagFreelist {
		return w.broken(id, "it is no list of free pages")
	}
	n := uint64(native.Uint16(b[10:]))
	if n == freelistInBody {
		n, body = native.Uint64(body), body[8:]
	}
	if n > uint64(len(body)/8) {
		return w.broken(id, "the list of free pages is too long")
	}
	for i := range n {
		free := native.Uint64(body[i*8:])
		if free < 2 || free >= w.meta.end || w.seen[free/64]&(1<<(free%64)) != 0 {
			return w.broken(id, "it lists page %d as free, which it is not", free)
		}
		w.seen[free/64] |= 1 << (free % 64)
	}
	return nil
}
