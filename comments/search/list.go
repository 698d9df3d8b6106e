package search

import (
	"encoding/binary"
	"math"
	"slices"
)

// A list is the moments at which comments of a term were written (comments.ID.Moment),
// newest first: the first as it is, each other as its distance from the one before. Some
// comments share a moment; which of them is meant, a look at them tells.

// encode makes a list of moments, newest first, each once.
func encode(moments []int64) []byte {
	b := make([]byte, 0, 8+3*len(moments))
	before := int64(0)
	for i, m := range moments {
		if i == 0 {
			b = binary.AppendUvarint(b, uint64(m))
		} else {
			b = binary.AppendUvarint(b, uint64(before-m))
		}
		before = m
	}
	return b
}

// reader reads a list from its beginning.
type reader struct {
	rest []byte
	at   int64 // the moment read last; -1 at the end
	any  bool
}

// next reads on until a moment of at most one; -1 at the end, or where a list is damaged.
func (r *reader) next(most int64) int64 {
	for !r.any || r.at > most {
		n, size := binary.Uvarint(r.rest)
		if size <= 0 {
			r.at, r.any, r.rest = -1, true, nil
			return -1
		}
		r.rest = r.rest[size:]
		switch {
		case !r.any:
			r.at = int64(n & math.MaxInt64)
		case n > uint64(r.at):
			r.at, r.rest = -1, nil
			return -1
		default:
			r.at -= int64(n)
		}
		r.any = true
		if r.at < 0 {
			return -1
		}
	}
	return r.at
}

// union is what stands in any of some lists.
type union []reader

func newUnion(lists [][]byte) union {
	u := make(union, len(lists))
	for i, l := range lists {
		u[i] = reader{rest: l}
	}
	return u
}

func (u union) next(most int64) int64 {
	best := int64(-1)
	for i := range u {
		if u[i].any && u[i].at < 0 {
			continue
		}
		best = max(best, u[i].next(most))
	}
	return best
}

// intersection is what stands in all of some unions, or in a list beside them.
type intersection struct {
	all    []union
	beside []int64 // newest first
}

// next is the newest moment of at most one; -1 when there is none.
func (x *intersection) next(most int64) int64 {
	for len(x.beside) > 0 && x.beside[0] > most {
		x.beside = x.beside[1:]
	}
	aside := int64(-1)
	if len(x.beside) > 0 {
		aside = x.beside[0]
	}
	if len(x.all) == 0 {
		return aside
	}
	for at := most; ; {
		agreed := true
		for _, u := range x.all {
			m := u.next(at)
			if m < aside || m < 0 {
				return aside
			}
			if m < at {
				at, agreed = m, false
			}
		}
		if agreed {
			return at
		}
	}
}

// merge makes one list of several.
func merge(lists [][]byte) []byte {
	if len(lists) == 1 {
		return lists[0]
	}
	var moments []int64
	u := newUnion(lists)
	for m := u.next(math.MaxInt64); m >= 0; m = u.next(m - 1) {
		moments = append(moments, m)
	}
	return encode(moments)
}

// newestFirst sorts moments as lists have them, each once.
func newestFirst(moments []int64) []int64 {
	slices.SortFunc(moments, func(a, b int64) int { return int(min(max(b-a, -1), 1)) })
	return slices.Compact(moments)
}
