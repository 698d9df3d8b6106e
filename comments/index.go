package comments

import (
	"context"
	"net/netip"
)

// How a store keeps the index that search reads. What stands in it is the affair of
// comments/search: to a store it is lists of bytes under terms, in numbered parts, beside a
// state. It is made from comments and journal and can be made again, so it is neither moved
// nor checked, and losing it loses nothing.

// IndexState is what the index of a site says of itself, changed by compare-and-set.
type IndexState struct {
	Version uint64 // 0 = there is none
	Data    []byte
}

// IndexEntry is what one part of an index lists under a term.
type IndexEntry struct {
	Term uint64
	List []byte
}

// IndexStore keeps the index of each site, and finds what an index can't tell.
type IndexStore interface {
	// WrittenAt are the comments of a site, whatever their status, whose ids were made in
	// one of some moments (see ID.Moment), in order of ids.
	WrittenAt(ctx context.Context, site string, moments []int64) ([]Comment, error)
	// FromNetwork are the site's comments whose address record stands and lies in a
	// network, newest first, at most limit; more tells that there are others. Expired
	// records that nobody swept yet count for none.
	FromNetwork(ctx context.Context, site string, network netip.Prefix, limit int) (ids []ID, more bool, err error)

	// IndexState is the state of a site's index.
	IndexState(ctx context.Context, site string) (IndexState, error)
	// WriteIndex stores entries in a part, over those of the same terms, and the state,
	// whose version becomes one more; in one transaction, if the stored state is still at
	// state.Version, else ErrVersion.
	WriteIndex(ctx context.Context, site string, state IndexState, part uint64, entries []IndexEntry) (IndexState, error)
	// IndexLists are the lists of some terms in some parts, by term, in order of parts; a
	// part that lists nothing under a term is left out.
	IndexLists(ctx context.Context, site string, parts, terms []uint64) ([][][]byte, error)
	// IndexEntries are up to limit entries of a part whose terms come after one, in order;
	// nil is the beginning.
	IndexEntries(ctx context.Context, site string, part uint64, after *uint64, limit int) ([]IndexEntry, error)
	// DropIndex removes up to limit entries of a part and returns how many.
	DropIndex(ctx context.Context, site string, part uint64, limit int) (removed int, err error)
}

// Moment is when the id was made, in Unix milliseconds: the beginning of its UUID.
func (id ID) Moment() int64 {
	u := id.UUID()
	var n int64
	for _, b := range u[:6] {
		n = n<<8 | int64(b)
	}
	return n
}
