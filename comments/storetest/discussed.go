package storetest

import (
	"testing"
	"time"

	"duyet/comments"
)

// discussed: pages by the standing comments written since a day, whatever came and went.
func discussed(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("other")
	day := comments.DayOf(start)
	post := func(page string, on comments.Day, status comments.Status) comments.Comment {
		c := b.Creation("news", page, status)
		c.Comment.CreatedAt = time.Unix(int64(on)*24*60*60+1, 0).UTC()
		return b.Create(c)
	}
	b.Discussed("nothing yet", day, 5)
	for range 3 {
		post("https://news.example/b", day, comments.Approved)
		post("https://news.example/old", day-1, comments.Approved)
	}
	for range 2 {
		post("https://news.example/a", day+1, comments.Approved)
		post("c", day, comments.Approved)
		post("https://news.example/pending", day, comments.Pending)
	}
	b.Post("other", "x", comments.Approved)
	post("c", day-1, comments.Approved)
	b.Discussed("since the day", day, 5, "https://news.example/b", 3, "c", 2, "https://news.example/a", 2)
	b.Discussed("limited", day, 1, "https://news.example/b", 3)
	b.Discussed("since the day before", day-1, 9, "c", 3, "https://news.example/b", 3, "https://news.example/old", 3, "https://news.example/a", 2)
	b.Discussed("since the day after", day+1, 9, "https://news.example/a", 2)

	for range 2 { // what is approved counts on the day it was written, what is taken off no longer
		c := post("https://news.example/a", day-5, comments.Pending)
		b.amendTo(c.ID, comments.Approved)
		b.amendTo(c.ID, comments.Spam)
		c = post("https://news.example/a", day, comments.Pending)
		b.amendTo(c.ID, comments.Approved)
	}
	b.Discussed("after decisions", day, 2, "https://news.example/a", 4, "https://news.example/b", 3)
	b.Discussed("long before", day-9, 1, "https://news.example/a", 4)
	_, err := b.Store.Discussed(b.Ctx, "unknown", day, 5)
	b.Is(err, comments.ErrUnknownSite)
	b.Must(b.Store.RemoveSite(b.Ctx, "news", comments.ActorOperator))
	b.AddSite("news")
	b.Discussed("a site of the same name", day-100, 5)
}

// amendTo takes a comment to another status.
func (b *Bench) amendTo(id comments.ID, to comments.Status) {
	b.T.Helper()
	done, err := b.Store.Amend(b.Ctx, []comments.Amendment{{ID: id, Actor: "m-1", Decide: func(now comments.Comment, _ comments.Transition) (*comments.Step, error) {
		now.Status = to
		return &comments.Step{Comment: now, Kind: comments.KindDecided}, nil
	}}})
	b.Must(err)
	b.Must(done[0].Err)
}

// Discussed ends the test unless the pages discussed are those wanted, each followed by its
// number of comments.
func (b *Bench) Discussed(what string, since comments.Day, limit int, want ...any) {
	b.T.Helper()
	list, err := b.Store.Discussed(b.Ctx, "news", since, limit)
	b.Must(err)
	got := []any{}
	for _, d := range list {
		got = append(got, d.Page.Key, int(d.Comments))
		b.Equal("page of "+d.Page.Key, d.Page, b.Page("news", d.Page.Key))
	}
	b.Equal(what, got, append([]any{}, want...))
}
