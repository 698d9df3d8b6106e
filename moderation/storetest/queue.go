package storetest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func queue(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	want := map[comments.Status][]comments.ID{}
	for range 6 {
		for _, s := range comments.Statuses {
			want[s] = append(want[s], b.Post("news", "p", s).ID)
			b.Post("news-2", "p", s)
		}
	}
	for _, s := range comments.Statuses {
		f := moderation.QueueFilter{Site: "news", Status: s, Limit: 100}
		b.Equal("queue of "+string(s), b.queue(f), want[s])
		b.Equal("count", b.queueCount(f), int64(6))
		f.Order = comments.Newest
		backwards := slices.Clone(want[s])
		slices.Reverse(backwards)
		b.Equal("newest first", b.queue(f), backwards)
		f.Limit = 2
		b.Equal("limited", b.queue(f), backwards[:2])
		var paged []comments.ID
		for {
			list := b.queue(f)
			if len(list) == 0 {
				break
			}
			paged = append(paged, list...)
			f.After = list[len(list)-1]
		}
		b.Equal("page by page", paged, backwards)
	}
	list, err := b.desk.Queue(b.Ctx, moderation.QueueFilter{Site: "news", Status: comments.Pending, Limit: 1})
	b.Must(err)
	one, err := b.Store.Comment(b.Ctx, list[0].ID)
	b.Must(err)
	b.Equal("a queue's comment", list[0], one)

	unknown := moderation.QueueFilter{Site: "unknown", Status: comments.Pending, Limit: 5}
	_, err = b.desk.Queue(b.Ctx, unknown)
	b.Is(err, comments.ErrUnknownSite)
	_, err = b.desk.QueueCount(b.Ctx, unknown)
	b.Is(err, comments.ErrUnknownSite)
}

// queueCursorGone: a cursor names a place, whether or not its comment still stands there.
func queueCursorGone(t *testing.T, b *bench) {
	b.AddSite("news")
	var ids []comments.ID
	for range 5 {
		ids = append(ids, b.Post("news", "p", comments.Pending).ID)
	}
	b.move(to(ids[2], comments.Approved))
	f := moderation.QueueFilter{Site: "news", Status: comments.Pending, After: ids[2], Limit: 10}
	b.Equal("oldest first", b.queue(f), ids[3:])
	f.Order = comments.Newest
	b.Equal("newest first", b.queue(f), []comments.ID{ids[1], ids[0]})
	never, err := comments.NewID("news")
	b.Must(err)
	f.After = never
	b.Equal("before one that never was", b.queue(f), []comments.ID{ids[4], ids[3], ids[1], ids[0]})
}

func queueSuspect(t *testing.T, b *bench) {
	b.AddSite("news")
	f := moderation.QueueFilter{Site: "news", Status: comments.Pending, Queue: moderation.Suspect, Limit: 10}
	b.Equal("count of none", b.queueCount(f), int64(0))
	hold := b.Create(b.suspected("news", "p", comments.LevelHold, comments.Pending))
	b.Create(b.suspected("news", "p", comments.LevelInfo, comments.Pending))
	b.Post("news", "p", comments.Pending)
	spam := b.Create(b.suspected("news", "p", comments.LevelSpam, comments.Pending))
	b.Create(b.suspected("news", "p", comments.LevelSpam, comments.Spam)) // not pending
	b.Equal("suspects", b.queue(f), []comments.ID{hold.ID, spam.ID})
	b.Equal("count", b.queueCount(f), int64(2))
	b.Equal("pending", b.queueCount(moderation.QueueFilter{Site: "news", Status: comments.Pending}), int64(4))

	b.move(to(hold.ID, comments.Approved))
	b.Equal("suspects after a decision", b.queue(f), []comments.ID{spam.ID})
	b.Equal("count after a decision", b.queueCount(f), int64(1))
	b.move(to(hold.ID, comments.Rejected), to(hold.ID, comments.Pending))
	b.Equal("suspects after restoring", b.queue(f), []comments.ID{hold.ID, spam.ID})
	b.Equal("count after restoring", b.queueCount(f), int64(2))
	f.Order, f.Limit = comments.Newest, 1
	b.Equal("newest", b.queue(f), []comments.ID{spam.ID})
	f.Status = comments.Approved // nothing is suspect there
	b.Equal("suspects among the approved", b.queue(f), []comments.ID{})
	b.Equal("count of those", b.queueCount(f), int64(0))
}

func addresses(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("other")
	one, two := b.Post("news", "p", comments.Pending), b.Post("other", "p", comments.Spam)
	without := b.Creation("news", "p", comments.Pending)
	without.Author = comments.Author{}
	none := b.Create(without)
	unknown, err := comments.NewID("news")
	b.Must(err)
	elsewhere, err := comments.NewID("nowhere")
	b.Must(err)
	ids := []comments.ID{one.ID, two.ID, none.ID, unknown, elsewhere}
	found, err := b.desk.Addresses(b.Ctx, ids)
	b.Must(err)
	home := netip.MustParseAddr("192.0.2.7")
	b.Equal("addresses", found, map[comments.ID]netip.Addr{one.ID: home, two.ID: home})
	for {
		n, err := b.Store.Sweep(b.Ctx, one.CreatedAt.Add(100*24*time.Hour))
		b.Must(err)
		if n == 0 {
			break
		}
	}
	found, err = b.desk.Addresses(b.Ctx, ids)
	b.Must(err)
	b.Equal("addresses past their time", len(found), 0)
}
