package storetest

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"duyet/comments"
)

// Report reports a comment by a reader of a number.
func (b *Bench) Report(id comments.ID, reader byte) comments.Comment {
	b.T.Helper()
	_, at := b.Next()
	c, err := b.Store.Report(b.Ctx, comments.Report{Comment: id, Reader: [16]byte{1, reader}, Reason: "insult", Text: "Xúc phạm", At: at})
	b.Must(err)
	return c
}

// written: what an author or a network has written, newest first, whatever became of it.
func written(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	mine := comments.AuthorKey{1}
	var want []comments.ID
	var counts comments.Counts
	for i := range 12 {
		status := comments.Statuses[i%5]
		c := b.Creation("news", []string{"p", "q"}[i%2], status)
		c.Comment.Author, c.Author.Addr = mine, netip.MustParseAddr("2001:db8:1:2::1")
		if i%2 == 1 {
			c.Author.Addr = netip.MustParseAddr("2001:db8:1:2:ffff::9")
		}
		want = append([]comments.ID{b.Create(c).ID}, want...)
		counts.Move("", status)
		for _, other := range []comments.AuthorKey{{2}, {}, {1, 1}} {
			c := b.Creation("news", "p", status)
			c.Comment.Author, c.Author.Addr = other, netip.MustParseAddr("2001:db8:1:3::1")
			b.Create(c)
		}
		elsewhere := b.Creation("news-2", "p", status)
		elsewhere.Comment.Author, elsewhere.Author.Addr = mine, netip.MustParseAddr("2001:db8:1:2::1")
		b.Create(elsewhere)
	}
	for what, by := range map[string]comments.Wrote{
		"author":  {Site: "news", Author: mine},
		"network": {Site: "news", Addr: netip.MustParseAddr("2001:db8:1:2::77")},
	} {
		var paged []comments.ID
		after := comments.ID("")
		for {
			list, err := b.Store.Written(b.Ctx, by, after, 5)
			b.Must(err)
			if len(list) == 0 {
				break
			}
			paged = append(paged, IDs(list)...)
			after = list[len(list)-1].ID
		}
		b.Equal(what, paged, want)
		n, err := b.Store.WrittenCounts(b.Ctx, by)
		b.Must(err)
		b.Equal("counts of "+what, n, counts)
	}
	b.Change(want[0], func(c *comments.Comment) { c.Status = comments.Spam })
	list, err := b.Store.Written(b.Ctx, comments.Wrote{Site: "news", Author: mine}, "", 1)
	b.Must(err)
	b.Equal("as it stands", list[0].Status, comments.Spam)
	for _, nobody := range []comments.Wrote{{Site: "news"}, {Site: "news", Author: comments.AuthorKey{9}}, {Site: "news", Addr: netip.MustParseAddr("192.0.2.99")}} {
		list, err := b.Store.Written(b.Ctx, nobody, "", 5)
		b.Must(err)
		b.Equal("nobody's", len(list), 0)
	}
	_, err = b.Store.Written(b.Ctx, comments.Wrote{Site: "unknown", Author: mine}, "", 5)
	b.Is(err, comments.ErrUnknownSite)
	_, err = b.Store.Written(b.Ctx, comments.Wrote{Site: "unknown"}, "", 5)
	b.Is(err, comments.ErrUnknownSite)

	// An address is written as IPv6 or not; once it is forgotten, nobody is found by it.
	c := b.Creation("news", "p", comments.Pending)
	c.Author.Addr = netip.MustParseAddr("192.0.2.50")
	b.Create(c)
	origin, err := b.Store.Origin(b.Ctx, c.Comment.ID)
	b.Must(err)
	b.Equal("origin", origin.Addr, c.Author.Addr)
	by := comments.Wrote{Site: "news", Addr: netip.MustParseAddr("::ffff:192.0.2.50")}
	list, err = b.Store.Written(b.Ctx, by, "", 5)
	b.Must(err)
	b.Equal("by an IPv4 address", IDs(list), []comments.ID{c.Comment.ID})
	_, err = b.Store.Sweep(b.Ctx, c.Author.Expires.Add(time.Second))
	b.Must(err)
	list, err = b.Store.Written(b.Ctx, by, "", 5)
	b.Must(err)
	b.Equal("by an address that is forgotten", len(list), 0)
	_, err = b.Store.Origin(b.Ctx, c.Comment.ID)
	b.Is(err, comments.ErrNotFound)
}

// reports: one a reader, counted, told of, closed by whoever takes the count to zero.
func reports(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	if got := b.Report(c.ID, 1); got.Reports != 1 || got.Version != 1 || got.Status != comments.Approved {
		t.Fatalf("reported: %+v", got)
	}
	b.Report(c.ID, 2)
	var last comments.Transition
	_, err := b.Store.Amend(b.Ctx, []comments.Amendment{{ID: c.ID, Decide: func(_ comments.Comment, l comments.Transition) (*comments.Step, error) {
		last = l
		return nil, nil
	}}})
	b.Must(err)
	b.Equal("last transition, which no report is", last.Kind, comments.KindSubmitted)
	before := b.Head("news")
	_, err = b.Store.Report(b.Ctx, comments.Report{Comment: c.ID, Reader: [16]byte{1, 1}, Reason: "spam"})
	b.Is(err, comments.ErrExists)
	unknown, err := comments.NewID("news")
	b.Must(err)
	for _, id := range []comments.ID{unknown, b.Post("news", "p", comments.Pending).ID, b.Post("news", "p", comments.Rejected).ID, "nowhere~x", ""} {
		h := b.Head("news")
		_, err := b.Store.Report(b.Ctx, comments.Report{Comment: id, Reader: [16]byte{1, 1}, Reason: "spam"})
		b.Is(err, comments.ErrNotFound)
		b.Unchanged("news", h)
	}
	b.Equal("seq", b.Head("news").Seq, before.Seq+2)
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	if e := history[2]; len(history) != 3 || e.Kind != comments.KindReported || e.Actor != comments.ActorReader || e.Event.Reason != "insult" || e.Version != 1 {
		t.Fatalf("history: %+v", history)
	}
	list, err := b.Store.Reports(b.Ctx, c.ID)
	b.Must(err)
	if len(list) != 2 || list[0].Reader != [16]byte{1, 1} || list[0].Text != "Xúc phạm" || list[0].Reason != "insult" || list[0].Closed || list[0].Comment != c.ID || !list[0].At.Before(list[1].At) {
		t.Fatalf("reports: %+v", list)
	}
	b.Equal("count", b.Head("news").Queues.Reported, int64(1))

	b.Change(c.ID, func(c *comments.Comment) { c.Reports = 0 })
	list, err = b.Store.Reports(b.Ctx, c.ID)
	b.Must(err)
	if len(list) != 2 || !list[0].Closed || !list[1].Closed {
		t.Fatalf("closed: %+v", list)
	}
	b.Equal("count", b.Head("news").Queues, comments.QueueCounts{})
	_, err = b.Store.Report(b.Ctx, comments.Report{Comment: c.ID, Reader: [16]byte{1, 1}, Reason: "spam"})
	b.Is(err, comments.ErrExists)
	b.Equal("by another reader", b.Report(c.ID, 3).Reports, int64(1))
	list, err = b.Store.Reports(b.Ctx, unknown)
	b.Must(err)
	b.Equal("of nothing", len(list), 0)
	b.Verify("news")
}

// reportsRacing: of racing reports by one reader one counts, and closing keeps count.
func reportsRacing(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	var wg sync.WaitGroup
	taken := make([]bool, 40)
	for i := range taken {
		wg.Go(func() {
			_, err := b.Store.Report(b.Ctx, comments.Report{Comment: c.ID, Reader: [16]byte{byte(i % 8), 1}, Reason: "spam"})
			taken[i] = err == nil
		})
		if i%10 == 9 {
			wg.Go(func() {
				if _, err := b.Store.Amend(b.Ctx, []comments.Amendment{Changing(c.ID, "m", func(c *comments.Comment) { c.Reports = 0 })}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	n := len(slices.DeleteFunc(taken, func(ok bool) bool { return !ok }))
	list, err := b.Store.Reports(b.Ctx, c.ID)
	b.Must(err)
	got, err := b.Store.Comment(b.Ctx, c.ID)
	b.Must(err)
	open := int64(0)
	for _, r := range list {
		if !r.Closed {
			open++
		}
	}
	if n != 8 || len(list) != 8 || open != got.Reports {
		t.Fatalf("%d were taken, %d are kept, %d open, %d counted", n, len(list), open, got.Reports)
	}
	b.Verify("news")
}

// reportsPaid: a ticket pays for one report, whoever races; one that was refused, or made
// before, has paid with none.
func reportsPaid(t *testing.T, b *Bench) {
	b.AddSite("news")
	pays := comments.Spend{ID: comments.TicketID{7}, Expires: start.Add(time.Hour), Words: [32]byte{7}}
	report := func(id comments.ID, reader byte, pays comments.Spend) error {
		_, err := b.Store.Report(b.Ctx, comments.Report{Comment: id, Reader: [16]byte{reader}, Reason: "spam", At: start, Pays: pays})
		return err
	}
	var ids []comments.ID
	for range 8 {
		ids = append(ids, b.Create(b.Creation("news", "p", comments.Approved)).ID)
	}
	hidden := b.Create(b.Creation("news", "p", comments.Pending)).ID
	b.Must(report(ids[0], 1, comments.Spend{}))
	if err := report(ids[0], 1, pays); !errors.Is(err, comments.ErrExists) {
		t.Errorf("made before: %v", err)
	}
	if err := report(hidden, 1, pays); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("refused: %v", err)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(ids))
	for i, id := range ids {
		wg.Go(func() { errs[i] = report(id, 2, pays) })
	}
	wg.Wait()
	paid := 0
	for i, err := range errs {
		c, readErr := b.Store.Comment(b.Ctx, ids[i])
		b.Must(readErr)
		open := int64(0)
		if i == 0 {
			open = 1
		}
		if err == nil {
			paid, open = paid+1, open+1
		} else if !errors.Is(err, comments.ErrTicketSpent) {
			t.Error(err)
		}
		b.Equal("open reports", c.Reports, open)
	}
	b.Equal("reports that one ticket paid for", paid, 1)
	c := b.Creation("news", "p", comments.Pending)
	c.Ticket = pays
	c.Ticket.Words = [32]byte{8}
	if _, _, err := b.Store.Create(b.Ctx, c); !errors.Is(err, comments.ErrTicketSpent) {
		t.Errorf("a comment with a ticket that a report spent: %v", err)
	}
}
