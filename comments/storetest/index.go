package storetest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

func (b *Bench) queued(f comments.QueueFilter) (ids []comments.ID) {
	b.T.Helper()
	list, err := b.Store.Queue(b.Ctx, f)
	b.Must(err)
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// queueOfAll: everything of a site, by time of writing.
func queueOfAll(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	var want []comments.ID
	for _, s := range comments.Statuses {
		want = append(want, b.Post("news", "p", s).ID)
		b.Post("news-2", "p", s)
	}
	f := comments.QueueFilter{Site: "news", All: true, Limit: 3}
	b.Equal("oldest", b.queued(f), want[:3])
	f.After = want[2]
	b.Equal("further", b.queued(f), want[3:])
	f.Order, f.After = comments.Newest, ""
	b.Equal("newest", b.queued(f), []comments.ID{want[4], want[3], want[2]})
	f.Status = comments.Pending
	b.Equal("of all there is no part", len(b.queued(f)), 0)
	_, err := b.Store.Queue(b.Ctx, comments.QueueFilter{Site: "unknown", All: true, Limit: 1})
	b.Is(err, comments.ErrUnknownSite)
}

// writtenAt: comments are found by the moment in their id, all that share it.
func writtenAt(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	at := func(site string, moment int64, rest byte) comments.ID {
		u := uuid.UUID{6: 0x70, 8: 0x80, 15: rest}
		for i := range 6 {
			u[i] = byte(moment >> (8 * (5 - i)))
		}
		c := b.Creation(site, "p", comments.Pending)
		c.Comment.ID = comments.MakeID(site, u)
		return b.Create(c).ID
	}
	const moment = 1_740_000_000_123
	one, two := at("news", moment, 1), at("news", moment, 2)
	later, other := at("news", moment+1, 1), at("news-2", moment, 1)
	b.Equal("moment of an id", one.Moment(), int64(moment))
	find := func(site string, moments ...int64) (ids []comments.ID) {
		list, err := b.Store.WrittenAt(b.Ctx, site, moments)
		b.Must(err)
		for _, c := range list {
			whole, err := b.Store.Comment(b.Ctx, c.ID)
			b.Must(err)
			b.Equal("a comment found", c, whole)
			ids = append(ids, c.ID)
		}
		return ids
	}
	b.Equal("both of a moment", find("news", moment), []comments.ID{one, two})
	b.Equal("in order of ids, each once", find("news", moment+1, moment, moment+1), []comments.ID{one, two, later})
	b.Equal("of its site alone", find("news-2", moment, moment+1), []comments.ID{other})
	b.Equal("of no moment", len(find("news", moment-1, moment+2)), 0)
	_, err := b.Store.WrittenAt(b.Ctx, "unknown", []int64{moment})
	b.Is(err, comments.ErrUnknownSite)
}

// fromNetwork: comments are found by where they came from while that is kept.
func fromNetwork(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	from := func(site, addr string, expires time.Time) comments.ID {
		c := b.Creation(site, "p", comments.Pending)
		c.Author = comments.Author{Addr: netip.MustParseAddr(addr), Expires: expires}
		return b.Create(c).ID
	}
	stands, past := time.Now().Add(24*time.Hour), time.Now().Add(-time.Hour)
	one := from("news", "198.51.100.7", stands)
	two := from("news", "198.51.100.8", stands.Add(time.Hour))
	three := from("news", "198.51.100.7", stands.Add(2*time.Hour))
	from("news", "198.51.100.7", past)
	from("news-2", "198.51.100.7", stands)
	six := from("news", "2001:db8::1", stands)
	find := func(network string, limit int) ([]comments.ID, bool) {
		ids, more, err := b.Store.FromNetwork(b.Ctx, "news", netip.MustParsePrefix(network), limit)
		b.Must(err)
		return ids, more
	}
	ids, more := find("198.51.100.7/32", 10)
	b.Equal("of an address", ids, []comments.ID{three, one})
	b.Equal("all", more, false)
	ids, _ = find("198.51.100.0/24", 10)
	b.Equal("of a network", ids, []comments.ID{three, two, one})
	ids, more = find("198.51.100.0/24", 2)
	b.Equal("limited", ids, []comments.ID{three, two})
	b.Equal("and more", more, true)
	ids, _ = find("2001:db8::/32", 2)
	b.Equal("of version 6", ids, []comments.ID{six})
	_, _, err := b.Store.FromNetwork(b.Ctx, "unknown", netip.MustParsePrefix("::/0"), 1)
	b.Is(err, comments.ErrUnknownSite)
}

// index: parts, terms and a state by compare-and-set, each site's apart.
func index(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	state, err := b.Store.IndexState(b.Ctx, "news")
	b.Must(err)
	b.Equal("there is none", state, comments.IndexState{})
	entries := []comments.IndexEntry{{Term: 3, List: []byte("three")}, {Term: 7, List: []byte("seven")}, {Term: 1<<63 + 5, List: []byte("high")}}
	state.Data = []byte("first")
	written, err := b.Store.WriteIndex(b.Ctx, "news", state, 1, entries)
	b.Must(err)
	b.Equal("version", written.Version, uint64(1))
	_, err = b.Store.WriteIndex(b.Ctx, "news", state, 1, []comments.IndexEntry{{Term: 3, List: []byte("late")}})
	b.Is(err, comments.ErrVersion)
	stands, err := b.Store.IndexState(b.Ctx, "news")
	b.Must(err)
	b.Equal("state", stands, written)
	written.Data = []byte("second")
	second, err := b.Store.WriteIndex(b.Ctx, "news", written, 2, []comments.IndexEntry{{Term: 7, List: []byte("seven of two")}})
	b.Must(err)
	_, err = b.Store.WriteIndex(b.Ctx, "news-2", comments.IndexState{Data: []byte("x")}, 1, []comments.IndexEntry{{Term: 3, List: []byte("another site's")}})
	b.Must(err)

	lists, err := b.Store.IndexLists(b.Ctx, "news", []uint64{2, 1}, []uint64{7, 4, 3})
	b.Must(err)
	b.Equal("lists", lists, [][][]byte{{[]byte("seven of two"), []byte("seven")}, nil, {[]byte("three")}})
	list, err := b.Store.IndexEntries(b.Ctx, "news", 1, nil, 2)
	b.Must(err)
	b.Equal("entries", list, entries[:2])
	list, err = b.Store.IndexEntries(b.Ctx, "news", 1, &entries[1].Term, 2)
	b.Must(err)
	b.Equal("entries after one", list, entries[2:])

	removed, err := b.Store.DropIndex(b.Ctx, "news", 1, 2)
	b.Must(err)
	b.Equal("removed", removed, 2)
	removed, err = b.Store.DropIndex(b.Ctx, "news", 1, 2)
	b.Must(err)
	b.Equal("the rest", removed, 1)
	lists, err = b.Store.IndexLists(b.Ctx, "news", []uint64{1, 2}, []uint64{3, 7})
	b.Must(err)
	b.Equal("lists that are left", lists, [][][]byte{nil, {[]byte("seven of two")}})

	second.Data = []byte("third")
	_, err = b.Store.WriteIndex(b.Ctx, "news", second, 2, []comments.IndexEntry{{Term: 7, List: []byte("over")}})
	b.Must(err)
	lists, err = b.Store.IndexLists(b.Ctx, "news", []uint64{2}, []uint64{7})
	b.Must(err)
	b.Equal("written over", lists, [][][]byte{{[]byte("over")}})

	b.Must(b.Store.RemoveSite(b.Ctx, "news", comments.ActorOperator))
	_, err = b.Store.IndexState(b.Ctx, "news")
	b.Is(err, comments.ErrUnknownSite)
	b.AddSite("news")
	state, err = b.Store.IndexState(b.Ctx, "news")
	b.Must(err)
	b.Equal("a later site of the same name has none", state, comments.IndexState{})
	lists, err = b.Store.IndexLists(b.Ctx, "news-2", []uint64{1}, []uint64{3})
	b.Must(err)
	b.Equal("another site's", lists, [][][]byte{{[]byte("another site's")}})
	if _, err := b.Store.WriteIndex(b.Ctx, "unknown", comments.IndexState{}, 1, slices.Clone(entries)); err == nil {
		b.T.Error("a site that does not exist got an index")
	}
}
