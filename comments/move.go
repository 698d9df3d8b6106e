package comments

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// How everything that a store keeps goes into another: each store names its nouns, and
// hands out and takes in the records of each in the same words. What is derived (indexes,
// counts) is not handed out; a store makes it anew as it takes records in.

// Crate is a record on its way.
type Crate struct {
	Place []byte // where it stands in the store it was read from, in that store's own words
	Data  []byte // the record as JSON, the same from every store
}

// Noun is one kind of record.
type Noun struct {
	Name  string
	Holds []string // the buckets or tables it answers for
	Most  int      // records to go at once, where they are large; 0 = as many as the mover likes
	// Read is up to limit crates that stand after a place, in the store's own order; nil
	// is the beginning.
	Read func(ctx context.Context, after []byte, limit int) ([]Crate, error)
	// Write takes crates in and keeps note beside them, in one transaction: whatever
	// becomes of the mover, note says what has come.
	Write func(ctx context.Context, crates []Crate, note []byte) error
}

// Movable is a store that can be moved and filled.
type Movable interface {
	// Nouns are in the order in which they are to be written.
	Nouns() []Noun
	// Note is what Write has kept last; nil when the store is not being filled. As long as
	// there is one, the store opens for its mover alone.
	Note(ctx context.Context) ([]byte, error)
	// PutNote keeps a note; nil ends the filling.
	PutNote(ctx context.Context, note []byte) error
}

// ErrUnfinishedMove is a store that is still being filled.
var ErrUnfinishedMove = errors.New("it holds an unfinished move; run the same 'duyet move' again")

// Collect makes crates of records.
func Collect[T any](records []T, place func(T) []byte) ([]Crate, error) {
	crates := make([]Crate, len(records))
	for i, r := range records {
		data, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		crates[i] = Crate{Place: place(r), Data: data}
	}
	return crates, nil
}

// Unpack makes records of crates.
func Unpack[T any](crates []Crate) ([]T, error) {
	records := make([]T, len(crates))
	for i, c := range crates {
		if err := json.Unmarshal(c.Data, &records[i]); err != nil {
			return nil, fmt.Errorf("a record on its way can't be read: %w: %w", ErrDamaged, err)
		}
	}
	return records, nil
}

// Tally is the count of records and the sum of their SHA-256, whatever their order.
type Tally struct {
	Count int64
	sum   [4]uint64
}

// Add counts a crate. Stores may give nothing back for a list, a map or bytes of nothing.
func (t *Tally) Add(c Crate) {
	data := c.Data
	for _, nothing := range [...]string{":[]", ":{}", `:""`} {
		data = bytes.ReplaceAll(data, []byte(nothing), []byte(":null"))
	}
	sum := sha256.Sum256(data)
	for i := range t.sum {
		t.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	t.Count++
}

// Hash is the sum as text.
func (t Tally) Hash() string {
	var b []byte
	for _, n := range t.sum {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return hex.EncodeToString(b)
}

// The records of the readers' wing as they are moved; what is not here is one of the
// wing's own types.
type (
	// MovedHead is the end of a site's journal. A store that counts as comments come in
	// has it already and only hands it out.
	MovedHead struct {
		Site string
		Head Head
	}
	// MovedAlias is the former key of a page that moved, and where it stands now.
	MovedAlias struct{ Site, From, To string }
	// MovedComment is a comment with the numbers of its events.
	MovedComment struct {
		Comment Comment
		History []uint64
	}
	// MovedRevision is what stood before a change of a comment's words.
	MovedRevision struct {
		Comment  ID
		Revision Revision
	}
	// MovedLike is that an author likes a comment, which counts it.
	MovedLike struct {
		Comment ID
		By      AuthorKey
	}
	// MovedEvent is an event with what was typed with it, nil when nothing was or it was
	// erased.
	MovedEvent struct {
		Event  Event
		Detail *Detail
	}
	// MovedSpent is a spent ticket.
	MovedSpent struct {
		Ticket  TicketID
		Expires int64 // of the ticket, Unix milliseconds
		Comment ID
		Words   []byte
	}
	// MovedAddress is where a comment came from.
	MovedAddress struct {
		Comment ID
		Author  Author
	}
)
