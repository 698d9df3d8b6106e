package search

import "time"

// NewSmall is an engine that uses its index however little there is.
func NewSmall(store Store, now func() time.Time) *Engine {
	e := New(store, now)
	e.sizes = sizes{scanRather: -1, partLeast: 3, partMost: 5, mergeSlice: 7, dropSlice: 11}
	return e
}

var (
	Encode = encode
	Merge  = merge
)
