package storetest

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"duyet/comments"
)

// createRoot: a comment knows the topmost of those it answers.
func createRoot(t *testing.T, b *Bench) {
	b.AddSite("news")
	top := b.Post("news", "p", comments.Approved)
	b.Equal("root of the topmost", top.Root, comments.ID(""))
	parent := top
	for range 4 {
		c := b.Creation("news", "p", comments.Approved)
		c.Comment.Parent, c.Comment.Root = parent.ID, "news~bad"
		c.Comment.Author, c.Comment.Risk = comments.AuthorKey{1, 2}, 870
		parent = b.Create(c)
		b.Equal("root", parent.Root, top.ID)
		got, err := b.Store.Comment(b.Ctx, parent.ID)
		b.Must(err)
		b.Equal("stored", got, parent)
		if got.Author != c.Comment.Author || got.Risk != 870 {
			t.Fatalf("author and risk: %+v", got)
		}
	}
}

func amend(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	want := c
	want.Status, want.Version = comments.Rejected, 2
	want.Risk, want.Marks = 999, comments.Appealed|1<<31
	want.Signals = []comments.Signal{{Check: "x", Level: comments.LevelHold, Code: "y"}}
	detail := comments.Detail{Salt: []byte("0123456789abcdef"), Note: "ghi chú"}
	var sawLast comments.Transition
	done, err := b.Store.Amend(b.Ctx, []comments.Amendment{{ID: c.ID, Actor: "m-1", Decide: func(now comments.Comment, last comments.Transition) (*comments.Step, error) {
		sawLast = last
		b.Equal("what Decide saw", now, c)
		next := want
		next.Likes, next.Page, next.Parent, next.Author, next.Version, next.CreatedAt = 3, "q", "x", comments.AuthorKey{9}, 77, time.Time{} // what can't be changed
		return &comments.Step{Comment: next, Kind: comments.KindDecided, Reason: "insult", Detail: &detail}, nil
	}}})
	b.Must(err)
	b.Must(done[0].Err)
	b.Equal("amended", done[0].Comment, want)
	got, err := b.Store.Comment(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("stored", got, want)
	b.Equal("last transition's kind", sawLast.Kind, comments.KindSubmitted)
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	e := history[1]
	if e.From != comments.Pending || e.To != comments.Rejected || e.Version != 2 || e.Actor != "m-1" || e.Event.Reason != "insult" {
		t.Fatalf("event: %+v", e)
	}
	b.Equal("detail", e.Detail, detail)
	b.Equal("counts", b.Head("news").Counts, comments.Counts{Rejected: 1})
	b.Equal("tally", b.Head("news").Queues, comments.QueueCounts{Appeals: 1})
	list, err := b.Store.Revisions(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("revisions where no word changed", len(list), 0)
	b.Verify("news")
}

// amendAside: what is counted beside a comment moves no version, and a moderator who is
// about to decide is not told of a conflict.
func amendAside(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	aside := func(kind comments.Kind, change func(*comments.Comment)) comments.Amended {
		done, err := b.Store.Amend(b.Ctx, []comments.Amendment{{ID: c.ID, Actor: comments.ActorReader, Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
			change(&now)
			return &comments.Step{Comment: now, Kind: kind, Aside: kind != ""}, nil
		}}})
		b.Must(err)
		return done[0]
	}
	before := b.Head("news")
	quiet := aside("", func(c *comments.Comment) { c.Risk = 12 })
	b.Must(quiet.Err)
	b.Unchanged("news", before)
	told := aside("comment.reported", func(c *comments.Comment) { c.Risk++ })
	b.Must(told.Err)
	if told.Comment.Version != 1 || told.Comment.Risk != 13 {
		t.Fatalf("after both: %+v", told.Comment)
	}
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	if len(history) != 2 || history[1].Version != 1 || history[1].From != comments.Approved || history[1].To != comments.Approved {
		t.Fatalf("history: %+v", history)
	}
	before = b.Head("news")
	for _, kind := range []comments.Kind{"", "comment.reported"} {
		for _, change := range []func(*comments.Comment){
			func(c *comments.Comment) { c.Status = comments.Spam },
			func(c *comments.Comment) { c.Content = "Khác" },
			func(c *comments.Comment) { c.Marks = comments.Pick },
			func(c *comments.Comment) { c.Public = &comments.Words{} },
			func(c *comments.Comment) { c.Reports = -1 },
			func(c *comments.Comment) { c.Reports = 1 },
		} {
			b.Is(aside(kind, change).Err, comments.ErrInvalid)
		}
	}
	b.Unchanged("news", before)
	b.Equal("decided with the version it had", b.Change(c.ID, func(c *comments.Comment) { c.Status = comments.Spam }).Version, uint64(2))
	b.Verify("news")
}

func amendRefused(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Pending)
	unknown, err := comments.NewID("news")
	b.Must(err)
	refused := errors.New("refused")
	before := b.Head("news")
	done, err := b.Store.Amend(b.Ctx, []comments.Amendment{
		Changing(unknown, "m", func(*comments.Comment) {}),
		Changing("nowhere~x", "m", func(*comments.Comment) {}),
		{ID: c.ID, Decide: func(comments.Comment, comments.Transition) (*comments.Step, error) { return nil, refused }},
		{ID: c.ID, Decide: func(comments.Comment, comments.Transition) (*comments.Step, error) { return nil, nil }},
		Changing(c.ID, "m", func(c *comments.Comment) { c.Status = "none" }),
	})
	b.Must(err)
	for i, want := range []error{comments.ErrNotFound, comments.ErrNotFound, refused, nil, comments.ErrInvalid} {
		b.Is(done[i].Err, want)
		if i > 1 {
			b.Equal("as it stands", done[i].Comment, c)
		}
	}
	b.Unchanged("news", before)
}

// amendRevisions: what stood before a change of words is kept.
func amendRevisions(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "p", comments.Approved)
	first := c.Words()
	second := comments.Words{Name: "Ánh", Title: "Sửa", Content: "Lần hai", EditedAt: c.CreatedAt.Add(time.Minute)}
	b.Change(c.ID, func(c *comments.Comment) {
		c.Status, c.Public = comments.Pending, &first
		c.SetWords(second)
	})
	b.Change(c.ID, func(c *comments.Comment) { c.Risk = 5 })
	last := b.Change(c.ID, func(c *comments.Comment) { c.Status, c.Public = comments.Approved, nil })
	b.Equal("words", last.Words(), second)
	got, err := b.Store.Comment(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("stored", got, last)
	list, err := b.Store.Revisions(b.Ctx, c.ID)
	b.Must(err)
	history, err := b.Store.History(b.Ctx, c.ID)
	b.Must(err)
	b.Equal("revisions", list, []comments.Revision{
		{Version: 1, Words: first, At: history[1].At, By: "m-1"},
		{Version: 3, Words: second, Public: &first, At: history[3].At, By: "m-1"},
	})
	for _, id := range []comments.ID{"", "nowhere~x", b.Post("news", "p", comments.Pending).ID} {
		list, err := b.Store.Revisions(b.Ctx, id)
		b.Must(err)
		b.Equal("of others", len(list), 0)
	}
	b.Verify("news")
}

// edited: an edited comment stays where readers see it, with the words that were public.
func edited(t *testing.T, b *Bench) {
	b.AddSite("news")
	first, c, last := b.Post("news", "p", comments.Approved), b.Post("news", "p", comments.Approved), b.Post("news", "p", comments.Approved)
	public := c.Words()
	now := b.Change(c.ID, func(c *comments.Comment) {
		c.Status, c.Public, c.Content, c.EditedAt = comments.Pending, &public, "Lời mới", c.CreatedAt.Add(time.Hour)
	})
	all := []comments.ID{first.ID, c.ID, last.ID}
	b.Equal("thread", b.ThreadIDs("news", "p", comments.Oldest, "", 10), all)
	thread, err := b.Store.Thread(b.Ctx, "news", "p", comments.Oldest, first.ID, 1)
	b.Must(err)
	want := now
	want.SetWords(public)
	want.Status, want.Public = comments.Approved, nil
	b.Equal("as readers see it", thread, []comments.Comment{want})
	latest, err := b.Store.Latest(b.Ctx, "news", 2)
	b.Must(err)
	b.Equal("latest", latest, []comments.Comment{last, want})
	p := b.Page("news", "p")
	if p.Standing != 3 || p.Counts != (comments.Counts{Pending: 1, Approved: 2}) {
		t.Fatalf("page: %+v", p)
	}
	b.Equal("tally", b.Head("news").Queues, comments.QueueCounts{Edited: 1})
	list, err := b.Store.Queue(b.Ctx, comments.QueueFilter{Site: "news", Queue: comments.Edited, Limit: 5})
	b.Must(err)
	b.Equal("queue of the edited", list, []comments.Comment{now})

	var told []comments.Commit
	b.Store.Observe(func(c comments.Commit) { told = append(told, c) })
	gone := b.Change(c.ID, func(c *comments.Comment) { c.Status, c.Public = comments.Rejected, nil })
	if len(told) != 1 || !told[0].Stood {
		t.Fatalf("told of: %+v", told)
	}
	b.Equal("the comment told of", told[0].Comment, gone)
	b.Equal("thread without it", b.ThreadIDs("news", "p", comments.Newest, "", 10), []comments.ID{last.ID, first.ID})
	b.Equal("standing", b.Page("news", "p").Standing, int64(2))
	b.Equal("tally", b.Head("news").Queues, comments.QueueCounts{})
}

// queues: each queue lists and counts what belongs in it, whatever the status.
func queues(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	var reported, appeals []comments.ID
	for i := range 9 {
		c := b.Post("news", "p", comments.Approved)
		b.Post("news-2", "p", comments.Approved)
		if i%2 == 0 {
			b.Report(c.ID, byte(i))
			b.Report(c.ID, byte(i+1))
			reported = append(reported, c.ID)
		}
		b.Change(c.ID, func(c *comments.Comment) { c.Status = comments.Statuses[i%5] })
		if i%3 == 0 {
			b.Change(c.ID, func(c *comments.Comment) { c.Marks |= comments.Appealed | comments.Pick })
			appeals = append(appeals, c.ID)
		}
	}
	for q, want := range map[comments.Queue][]comments.ID{comments.Reported: reported, comments.Appeals: appeals, comments.Suspect: {}} {
		b.Equal("count of "+string(q), b.Head("news").Queues.Of(q), int64(len(want)))
		newest := slices.Clone(want)
		slices.Reverse(newest)
		for order, want := range map[comments.Sort][]comments.ID{comments.Oldest: want, comments.Newest: newest} {
			f := comments.QueueFilter{Site: "news", Queue: q, Order: order, Limit: 2}
			b.Equal("page by page", b.paged(f), want)
		}
	}
	for _, f := range []comments.QueueFilter{
		{Site: "news", Limit: 5}, {Site: "news", Queue: "none", Limit: 5}, {Site: "news", Queue: comments.Reported, Status: comments.Spam, Limit: 5},
		{Site: "news", Queue: comments.Reported, Order: comments.ByRisk, Limit: 5}, {Site: "news", Queue: comments.Reported},
	} {
		list, err := b.Store.Queue(b.Ctx, f)
		b.Must(err)
		b.Equal("no such queue", len(list), 0)
	}
	_, err := b.Store.Queue(b.Ctx, comments.QueueFilter{Site: "unknown", Queue: comments.Reported, Limit: 1})
	b.Is(err, comments.ErrUnknownSite)
	b.Change(reported[0], func(c *comments.Comment) { c.Reports = 0 })
	b.Change(appeals[1], func(c *comments.Comment) { c.Marks &^= comments.Appealed })
	b.Equal("tally", b.Head("news").Queues, comments.QueueCounts{Reported: int64(len(reported) - 1), Appeals: int64(len(appeals) - 1)})
	b.Equal("reported", b.paged(comments.QueueFilter{Site: "news", Queue: comments.Reported, Limit: 3}), reported[1:])
	b.Verify("news")
}

// paged are the ids of a whole queue, read page by page.
func (b *Bench) paged(f comments.QueueFilter) []comments.ID {
	b.T.Helper()
	all := []comments.ID{}
	for {
		list, err := b.Store.Queue(b.Ctx, f)
		b.Must(err)
		if len(list) == 0 {
			return all
		}
		all = append(all, IDs(list)...)
		f.After, f.AfterRisk = list[len(list)-1].ID, list[len(list)-1].Risk
	}
}

// byRisk: what is pending, the highest risk first; a place is a risk and an id, whether or
// not its comment still stands there.
func byRisk(t *testing.T, b *Bench) {
	b.AddSite("news")
	var list []comments.Comment
	for i, risk := range []uint16{0, 300, 1000, 300, 0, 65535, 300} {
		c := b.Creation("news", "p", comments.Pending)
		c.Comment.Risk = risk
		list = append(list, b.Create(c))
		if i%3 == 0 {
			c := b.Creation("news", "p", comments.Approved)
			c.Comment.Risk = risk
			b.Create(c)
		}
	}
	order := func(list []comments.Comment) []comments.ID {
		slices.SortStableFunc(list, func(x, y comments.Comment) int {
			return cmp.Or(-cmp.Compare(x.Risk, y.Risk), cmp.Compare(x.ID, y.ID))
		})
		return IDs(list)
	}
	f := comments.QueueFilter{Site: "news", Status: comments.Pending, Order: comments.ByRisk, Limit: 2}
	b.Equal("by risk", b.paged(f), order(list))
	b.Change(list[2].ID, func(c *comments.Comment) { c.Risk = 1 }) // the first of 300
	list[2].Risk = 1
	after := list[3]
	b.Change(after.ID, func(c *comments.Comment) { c.Status = comments.Approved })
	list = slices.Delete(list, 3, 4)
	ids := order(list)
	b.Equal("by risk after changes", b.paged(f), ids)
	f.After, f.AfterRisk, f.Limit = after.ID, after.Risk, 10
	b.Equal("after one that is gone", b.paged(f), ids[2:])
	f.AfterRisk = 0
	f.After = comments.ID("news~ffffffff-ffff-7fff-bfff-ffffffffffff")
	b.Equal("after the last", b.paged(f), []comments.ID{})
}
