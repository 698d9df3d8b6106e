package storetest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"duyet/comments"
)

func create(t *testing.T, b *Bench) {
	b.AddSite("news")
	const page = "https://news.example/bài-1?x=1"
	c := b.Creation("news", page, comments.Pending)
	c.Comment.Name = "Nguyễn Thị Ánh"
	c.Comment.Content = strings.Repeat("Đường Nguyễn Huệ 🇻🇳\n\n<b>&amp;</b> \u200b", 1000)
	c.Comment.EditedAt = c.Comment.CreatedAt.Add(time.Minute)
	c.Comment.Signals = []comments.Signal{
		{Check: "links", Level: comments.LevelInfo, Code: "one", Args: map[string]string{"n": "1", "host": "x"}},
		{Check: "words", Level: comments.LevelHold, Code: "listed", Places: []comments.Place{{Field: "content", Start: 3, End: 9}, {Field: "name"}}},
	}
	want := c.Comment
	want.Version = 1
	b.Equal("created", b.Create(c), want)
	got, err := b.Store.Comment(b.Ctx, want.ID)
	b.Must(err)
	b.Equal("stored", got, want)

	wantPage := c.Page
	wantPage.Counts.Pending = 1
	b.Equal("page", b.Page("news", page), wantPage)
	h := b.Head("news")
	if h.Seq != 2 || h.Counts != (comments.Counts{Pending: 1}) {
		t.Fatalf("head: %+v", h)
	}
	list, err := b.Store.Events(b.Ctx, "news", 1, 10)
	b.Must(err)
	if len(list) != 1 {
		t.Fatalf("events: %+v", list)
	}
	e := list[0].Event
	if e.Kind != comments.KindSubmitted || e.Actor != comments.ActorReader || e.Comment != want.ID ||
		e.From != "" || e.To != comments.Pending || e.Version != 1 || e.Detail != nil || e.At.IsZero() {
		t.Fatalf("event: %+v", e)
	}
	spent, err := b.Store.Spent(b.Ctx, c.Ticket.ID, c.Ticket.Expires)
	b.Must(err)
	b.Equal("spent ticket", spent, comments.Spent{Comment: want.ID, Words: c.Ticket.Words})

	for _, s := range comments.Statuses {
		got := b.Post("news", page, s)
		if got.Status != s {
			t.Fatalf("created as %s, want %s", got.Status, s)
		}
	}
	counts := comments.Counts{Pending: 2, Approved: 1, Rejected: 1, Spam: 1, Trashed: 1}
	b.Equal("counts of the site", b.Head("news").Counts, counts)
	b.Equal("counts of the page", b.Page("news", page).Counts, counts)
	b.Verify("news")
}

func createKeepsPage(t *testing.T, b *Bench) {
	b.AddSite("news")
	first := b.Creation("news", "id-1", comments.Approved)
	first.Page.URL, first.Page.Title = "", "Đầu tiên"
	b.Create(first)
	second := b.Creation("news", "id-1", comments.Approved)
	second.Page.Title, second.Page.Closed = "Thứ hai", true
	b.Create(second)
	want := first.Page
	want.Counts.Approved, want.Standing = 2, 2
	b.Equal("page", b.Page("news", "id-1"), want)
}

func createParent(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("other")
	parent := b.Post("news", "p1", comments.Approved)
	foreign := b.Post("other", "p1", comments.Approved)
	reply := b.Creation("news", "p1", comments.Pending)
	reply.Comment.Parent = parent.ID
	created := b.Create(reply)
	got, err := b.Store.Comment(b.Ctx, created.ID)
	b.Must(err)
	b.Equal("parent", got.Parent, parent.ID)

	unknown, err := comments.NewID("news")
	b.Must(err)
	before := b.Head("news")
	for name, c := range map[string]struct {
		page   string
		parent comments.ID
	}{
		"of another page": {"p2", parent.ID},
		"unknown":         {"p1", unknown},
		"of another site": {"p1", foreign.ID},
	} {
		creation := b.Creation("news", c.page, comments.Pending)
		creation.Comment.Parent = c.parent
		_, _, err := b.Store.Create(b.Ctx, creation)
		if err == nil {
			t.Fatalf("a parent %s was taken", name)
		}
		b.Is(err, comments.ErrNotFound)
		b.Unchanged("news", before)
		_, err = b.Store.Spent(b.Ctx, creation.Ticket.ID, creation.Ticket.Expires)
		b.Is(err, comments.ErrNotFound)
	}
	_, err = b.Store.Page(b.Ctx, "news", "p2")
	b.Is(err, comments.ErrNotFound)
}

func createRefused(t *testing.T, b *Bench) {
	b.AddSite("news")
	_, _, err := b.Store.Create(b.Ctx, b.Creation("unknown", "p", comments.Pending))
	b.Is(err, comments.ErrUnknownSite)
	first := b.Creation("news", "p", comments.Pending)
	b.Create(first)
	before := b.Head("news")
	again := b.Creation("news", "p", comments.Pending)
	again.Comment.ID = first.Comment.ID
	_, _, err = b.Store.Create(b.Ctx, again)
	b.Is(err, comments.ErrExists)
	b.Unchanged("news", before)
}

func ticketSpent(t *testing.T, b *Bench) {
	b.AddSite("news")
	first := b.Creation("news", "p", comments.Pending)
	_, err := b.Store.Spent(b.Ctx, first.Ticket.ID, first.Ticket.Expires)
	b.Is(err, comments.ErrNotFound)
	created := b.Create(first)
	before := b.Head("news")

	again := b.Creation("news", "p", comments.Approved)
	again.Ticket = first.Ticket
	got, repeated, err := b.Store.Create(b.Ctx, again)
	b.Must(err)
	if !repeated {
		t.Fatal("the same words: not repeated")
	}
	b.Equal("the comment it let in", got, created)
	b.Unchanged("news", before)

	again.Ticket.Words[0]++
	_, repeated, err = b.Store.Create(b.Ctx, again)
	b.Is(err, comments.ErrTicketSpent)
	if repeated {
		t.Fatal("other words: repeated")
	}
	b.Unchanged("news", before)

	// A zero id spends nothing, however often.
	for range 2 {
		free := b.Creation("news", "p", comments.Pending)
		free.Ticket = comments.Spend{}
		b.Create(free)
	}
}

func ticketRace(t *testing.T, b *Bench) {
	b.AddSite("news")
	first := b.Creation("news", "p", comments.Pending)
	const racers = 40
	made := make([]comments.Creation, racers)
	for i := range made {
		made[i] = b.Creation("news", "p", comments.Pending)
		made[i].Ticket = first.Ticket
		if i%4 == 3 {
			made[i].Ticket.Words[1]++ // other words
		}
	}
	type outcome struct {
		comment  comments.Comment
		repeated bool
		err      error
	}
	got := make([]outcome, racers)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			got[i].comment, got[i].repeated, got[i].err = b.Store.Create(b.Ctx, made[i])
		})
	}
	wg.Wait()
	spent, err := b.Store.Spent(b.Ctx, first.Ticket.ID, first.Ticket.Expires)
	b.Must(err)
	creators := 0
	for i, o := range got {
		switch {
		case o.err == nil && !o.repeated:
			creators++
			b.Equal("the comment the ticket let in", spent.Comment, o.comment.ID)
			b.Equal("its words", spent.Words, made[i].Ticket.Words)
		case o.err == nil:
			b.Equal("the repeated comment", o.comment.ID, spent.Comment)
			b.Equal("the repeated words", made[i].Ticket.Words, spent.Words)
		default:
			b.Is(o.err, comments.ErrTicketSpent)
			if made[i].Ticket.Words == spent.Words {
				t.Error("the same words were refused")
			}
		}
	}
	if creators != 1 {
		t.Fatalf("%d of %d racing calls created", creators, racers)
	}
	b.Equal("counts", b.Head("news").Counts, comments.Counts{Pending: 1})
	b.Verify("news")
}

// isolation: calls that fail, racing with calls that don't, fail alone.
func isolation(t *testing.T, b *Bench) {
	b.AddSite("news")
	unknown, err := comments.NewID("news")
	b.Must(err)
	const each = 60
	var wg sync.WaitGroup
	good := make([]comments.Creation, each)
	for i := range each {
		good[i] = b.Creation("news", "p", comments.Approved)
		orphan := b.Creation("news", "p", comments.Approved)
		orphan.Comment.Parent = unknown
		homeless := b.Creation("unknown", "p", comments.Approved)
		wg.Go(func() {
			if _, _, err := b.Store.Create(b.Ctx, good[i]); err != nil {
				t.Errorf("a sound comment failed: %v", err)
			}
		})
		wg.Go(func() {
			if _, _, err := b.Store.Create(b.Ctx, orphan); err == nil {
				t.Error("an orphan was let in")
			}
		})
		wg.Go(func() {
			if _, _, err := b.Store.Create(b.Ctx, homeless); err == nil {
				t.Error("a comment of no site was let in")
			}
		})
	}
	wg.Wait()
	for _, c := range good {
		if _, err := b.Store.Comment(b.Ctx, c.Comment.ID); err != nil {
			t.Errorf("a sound comment is missing: %v", err)
		}
	}
	b.Equal("counts", b.Head("news").Counts, comments.Counts{Approved: each})
	b.Verify("news")
}
