package comments

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"
)

// Limits of an author's key, in bytes. Fewer could be guessed at.
const (
	AuthorKeyLeast = 22 // 128 bits in base64
	AuthorKeyMost  = 128
)

// AuthorKeyOf is what is stored of the random key that an author's browser keeps: a hash
// under the site. "" is no key; one that is too short or too long, or holds anything but
// letters, digits, "-" and "_", is an InvalidError on the field "author".
func AuthorKeyOf(site, key string) (AuthorKey, error) {
	if key == "" {
		return AuthorKey{}, nil
	}
	if len(key) < AuthorKeyLeast || len(key) > AuthorKeyMost {
		return AuthorKey{}, Invalid("author", CodeAuthorInvalid)
	}
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return AuthorKey{}, Invalid("author", CodeAuthorInvalid)
		}
	}
	sum := sha256.Sum256([]byte("duyet author\x00" + site + "\x00" + key))
	return AuthorKey(sum[:16]), nil
}

// NetworkKey names the network of an address: an IPv4 address, also when it is written as
// IPv6, or an IPv6 /64, which is what a home or a telephone gets.
func NetworkKey(addr netip.Addr) [16]byte {
	key := addr.Unmap().As16()
	if addr.Unmap().Is6() {
		clear(key[8:])
	}
	return key
}

// Wrote names whoever wrote: an author by key, or else a network by an address in it.
type Wrote struct {
	Site   string
	Author AuthorKey
	Addr   netip.Addr // counts where Author is zero
}

// WrittenCounted is over how many of the latest comments counts of one author or network
// go.
const WrittenCounted = 1000

// AuthorReader finds what one author, or one network while its address is kept, has
// written.
type AuthorReader interface {
	// Written is up to limit comments of an author or network in any status, newest first,
	// that come after the one named by after ("" = from the newest). Nobody has written
	// none.
	Written(ctx context.Context, by Wrote, after ID, limit int) ([]Comment, error)
	// WrittenCounts counts the latest WrittenCounted of them by status.
	WrittenCounts(ctx context.Context, by Wrote) (Counts, error)
	// Origin is where a comment came from, ErrNotFound once that is forgotten.
	Origin(ctx context.Context, id ID) (Author, error)
}

// Report is a reader's word that something is wrong with a comment.
type Report struct {
	Comment ID
	Reader  [16]byte // an author's key, or a hash of the network under the site
	Reason  string   // one of ReportReasons
	Text    string   // a sentence, "" for none
	At      time.Time
	Closed  bool  // a moderator has decided since
	Pays    Spend `json:"-"` // a ticket that it spends, where one was due; not kept with it
}

// Reporter keeps readers' reports.
type Reporter interface {
	// Report stores a report of a standing comment, counts it in Comment.Reports and tells
	// of it with an event KindReported that moves no version. A comment that is not
	// standing is ErrNotFound; a second report by the same reader is ErrExists, also when
	// the first is closed. A ticket it pays with is spent in the same
	// transaction; one that is spent already is ErrTicketSpent, so of any number of racing
	// reports with one ticket one counts. An Amend that takes Reports to zero closes those that are open.
	Report(ctx context.Context, r Report) (Comment, error)
	// Reports are a comment's, oldest first; none of what does not exist.
	Reports(ctx context.Context, id ID) ([]Report, error)
}

// SortReports puts reports in the order in which they were made.
func SortReports(list []Report) {
	slices.SortFunc(list, func(a, b Report) int {
		return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Reader[:], b.Reader[:]))
	})
}
