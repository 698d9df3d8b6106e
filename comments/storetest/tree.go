package storetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"duyet/comments"
)

// Reply creates a reply to a comment.
func (b *Bench) Reply(to comments.Comment, status comments.Status) comments.Comment {
	b.T.Helper()
	c := b.Creation(to.Site, to.Page, status)
	c.Comment.Parent = to.ID
	return b.Create(c)
}

// Turn takes a comment to a status.
func (b *Bench) Turn(id comments.ID, to comments.Status) comments.Comment {
	b.T.Helper()
	return b.Change(id, func(c *comments.Comment) { c.Status = to })
}

// Like makes an author like a comment, or no longer.
func (b *Bench) Like(id comments.ID, author byte, on bool) comments.Comment {
	b.T.Helper()
	c, _, err := b.Store.Like(b.Ctx, comments.Liking{Comment: id, By: comments.AuthorKey{author}, On: on})
	b.Must(err)
	return c
}

func (b *Bench) trees(page string, sort comments.Sort, from comments.Point, limit int) []comments.Tree {
	b.T.Helper()
	list, err := b.Store.Trees(b.Ctx, "news", page, sort, from, limit)
	b.Must(err)
	return list
}

func (b *Bench) replies(branches ...comments.Branch) [][]comments.Comment {
	b.T.Helper()
	lists, err := b.Store.Replies(b.Ctx, "news", branches)
	b.Must(err)
	return lists
}

func tops(list []comments.Tree) []comments.ID {
	ids := []comments.ID{}
	for _, t := range list {
		ids = append(ids, t.Top.ID)
	}
	return ids
}

func trees(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.Equal("trees of an unknown page", len(b.trees("p", comments.Oldest, comments.Point{}, 5)), 0)
	first := b.Post("news", "p", comments.Approved)
	b.Post("news", "q", comments.Approved)
	second := b.Post("news", "p", comments.Approved)
	hidden := b.Post("news", "p", comments.Pending)
	one := b.Reply(first, comments.Approved)
	two := b.Reply(one, comments.Approved)
	three := b.Reply(first, comments.Pending)
	four := b.Reply(two, comments.Approved)
	all := []comments.ID{first.ID, second.ID}

	list := b.trees("p", comments.Oldest, comments.Point{}, 5)
	b.Equal("trees", tops(list), all)
	b.Equal("top", list[0].Top, first)
	b.Equal("replies counted", list[0].Replies, int64(3))
	b.Equal("none counted", list[1].Replies, int64(0))
	b.Equal("limited", tops(b.trees("p", comments.Newest, comments.Point{}, 1)), all[1:])
	b.Equal("nothing asked for", len(b.trees("p", comments.Oldest, comments.Point{}, 0)), 0)
	b.Equal("after", tops(b.trees("p", comments.Oldest, comments.Point{ID: first.ID}, 5)), all[1:])
	b.Equal("after a reply", tops(b.trees("p", comments.Newest, comments.Point{ID: one.ID}, 5)), []comments.ID{second.ID, first.ID})
	b.Equal("with", tops(b.trees("p", comments.Newest, comments.Point{ID: second.ID, With: true}, 5)), []comments.ID{second.ID, first.ID})
	b.Equal("with one that is none", tops(b.trees("p", comments.Oldest, comments.Point{ID: hidden.ID, With: true}, 5)), []comments.ID{})

	lists := b.replies(comments.Branch{Top: first.ID, Limit: 9}, comments.Branch{Top: second.ID, Limit: 9}, comments.Branch{Top: first.ID, After: one.ID, Limit: 1},
		comments.Branch{Top: first.ID, After: two.ID, With: true, Limit: 9}, comments.Branch{Top: hidden.ID, Limit: 9}, comments.Branch{Top: first.ID})
	b.Equal("replies", IDs(lists[0]), []comments.ID{one.ID, two.ID, four.ID})
	b.Equal("a reply", lists[0][1], two)
	b.Equal("of none", len(lists[1]), 0)
	b.Equal("after one", IDs(lists[2]), []comments.ID{two.ID})
	b.Equal("with one", IDs(lists[3]), []comments.ID{two.ID, four.ID})
	b.Equal("of what is hidden", len(lists[4])+len(lists[5]), 0)

	unknown, err := comments.NewID("news")
	b.Must(err)
	gathered, err := b.Store.Gather(b.Ctx, "news", []comments.ID{three.ID, unknown, "other~" + comments.ID(strings.TrimPrefix(string(one.ID), "news~")), first.ID})
	b.Must(err)
	b.Equal("gathered", gathered, []comments.Comment{three, first})
	_, err = b.Store.Trees(b.Ctx, "unknown", "p", comments.Oldest, comments.Point{}, 5)
	b.Is(err, comments.ErrUnknownSite)
}

// treesOutlive: a tree is listed as long as any of it stands.
func treesOutlive(t *testing.T, b *Bench) {
	b.AddSite("news")
	top := b.Post("news", "p", comments.Approved)
	reply := b.Reply(top, comments.Approved)
	top = b.Turn(top.ID, comments.Trashed)
	list := b.trees("p", comments.Oldest, comments.Point{}, 5)
	b.Equal("tree of a removed top", list, []comments.Tree{{Top: top, Replies: 1}})
	b.Turn(reply.ID, comments.Spam)
	b.Equal("nothing stands", len(b.trees("p", comments.Liked, comments.Point{}, 5)), 0)
	b.Equal("no replies", len(b.replies(comments.Branch{Top: top.ID, Limit: 5})[0]), 0)
	b.Turn(reply.ID, comments.Approved)
	top = b.Turn(top.ID, comments.Approved)
	b.Equal("again", b.trees("p", comments.Newest, comments.Point{}, 5), []comments.Tree{{Top: top, Replies: 1}})
	// One that is edited stands with its earlier words.
	public := reply.Words()
	edited := b.Change(reply.ID, func(c *comments.Comment) { c.Status, c.Content, c.Public = comments.Pending, "Khác", &public })
	b.Equal("edited", b.replies(comments.Branch{Top: top.ID, Limit: 5})[0], []comments.Comment{edited.Shown()})
	b.Turn(edited.ID, comments.Rejected)
	b.Equal("alone", b.trees("p", comments.Oldest, comments.Point{}, 5), []comments.Tree{{Top: top}})
}

func likes(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("other")
	top := b.Post("news", "p", comments.Approved)
	told := 0
	b.Store.ObserveLikes(func(site, page string) {
		if site == "news" && page == "p" {
			told++
		}
	})
	before := b.Head("news")
	liked, changed, err := b.Store.Like(b.Ctx, comments.Liking{Comment: top.ID, By: comments.AuthorKey{1}, On: true})
	b.Must(err)
	want := top
	want.Likes = 1
	if !changed || told != 1 {
		t.Fatalf("changed %v, told %d", changed, told)
	}
	b.Equal("liked", liked, want)
	liked, changed, err = b.Store.Like(b.Ctx, comments.Liking{Comment: top.ID, By: comments.AuthorKey{1}, On: true})
	b.Must(err)
	if changed || told != 1 || liked.Likes != 1 {
		t.Fatalf("once more: changed %v, told %d, likes %d", changed, told, liked.Likes)
	}
	b.Equal("another's", b.Like(top.ID, 2, true).Likes, int64(2))
	b.Equal("taken back", b.Like(top.ID, 1, false).Likes, int64(1))
	b.Equal("taken back again", b.Like(top.ID, 1, false).Likes, int64(1))
	b.Unchanged("news", before)
	got, err := b.Store.Comment(b.Ctx, top.ID)
	b.Must(err)
	b.Equal("stored", got, want)

	other := b.Post("news", "p", comments.Approved)
	foreign := b.Post("other", "p", comments.Approved)
	b.Like(foreign.ID, 2, true)
	mine, err := b.Store.Liked(b.Ctx, "news", comments.AuthorKey{2}, []comments.ID{other.ID, top.ID, foreign.ID})
	b.Must(err)
	b.Equal("whose", mine, []comments.ID{top.ID})
	// What decisions change, and what they don't.
	if c := b.Turn(top.ID, comments.Trashed); c.Likes != 1 {
		t.Fatalf("a decision left %d likes", c.Likes)
	}
	for _, id := range []comments.ID{top.ID, b.Post("news", "p", comments.Pending).ID, "news~x", "unknown~x"} {
		_, _, err = b.Store.Like(b.Ctx, comments.Liking{Comment: id, By: comments.AuthorKey{3}, On: true})
		b.Is(err, comments.ErrNotFound)
	}
	b.Equal("taken back from what is gone", b.Like(top.ID, 2, false).Likes, int64(0))
	b.Verify("news")
	b.Must(b.Store.RemoveSite(b.Ctx, "other", comments.ActorOperator))
}

func mostLiked(t *testing.T, b *Bench) {
	b.AddSite("news")
	var all []comments.Comment
	for i := range 6 {
		c := b.Post("news", "p", comments.Approved)
		for author := range []int{2, 0, 3, 2, 0, 1}[i] {
			b.Like(c.ID, byte(author+1), true)
		}
		all = append(all, c)
	}
	reply := b.Reply(all[1], comments.Approved)
	for author := range 9 {
		b.Like(reply.ID, byte(author+1), true)
	}
	order := func(places ...int) (ids []comments.ID) {
		for _, i := range places {
			ids = append(ids, all[i].ID)
		}
		return ids
	}
	b.Equal("trees", tops(b.trees("p", comments.Liked, comments.Point{}, 9)), order(2, 0, 3, 5, 1, 4))
	flat := func(from comments.Point, limit int) []comments.ID {
		list, err := b.Store.MostLiked(b.Ctx, "news", "p", from, limit)
		b.Must(err)
		return IDs(list)
	}
	b.Equal("flat", flat(comments.Point{}, 9), append([]comments.ID{reply.ID}, order(2, 0, 3, 5, 1, 4)...))
	b.Equal("after", flat(comments.Point{ID: all[0].ID, Likes: 2}, 2), order(3, 5))
	b.Equal("trees after", tops(b.trees("p", comments.Liked, comments.Point{ID: all[0].ID, Likes: 2}, 9)), order(3, 5, 1, 4))
	b.Equal("trees with", tops(b.trees("p", comments.Liked, comments.Point{ID: all[5].ID, Likes: 1, With: true}, 2)), order(5, 1))
	// A top that does not stand counts for nothing, and counts again when it does.
	b.Reply(all[2], comments.Approved)
	b.Turn(all[2].ID, comments.Rejected)
	b.Equal("without the most liked", tops(b.trees("p", comments.Liked, comments.Point{}, 9)), order(0, 3, 5, 1, 2, 4))
	b.Turn(all[2].ID, comments.Approved)
	b.Equal("with it", tops(b.trees("p", comments.Liked, comments.Point{}, 9)), order(2, 0, 3, 5, 1, 4))
}

// likesRacing: however many like at once, and whatever is decided meanwhile, each author
// counts once.
func likesRacing(t *testing.T, b *Bench) {
	b.AddSite("news")
	list := []comments.Comment{b.Post("news", "p", comments.Approved), b.Post("news", "p", comments.Approved)}
	done := make(chan error)
	const authors = 8
	for a := range authors {
		go func() {
			r := rand.New(rand.NewPCG(uint64(a), 1))
			for range 12 {
				c := list[r.IntN(len(list))]
				_, _, err := b.Store.Like(b.Ctx, comments.Liking{Comment: c.ID, By: comments.AuthorKey{byte(a + 1)}, On: r.IntN(3) > 0})
				if err != nil {
					done <- err
					return
				}
			}
			_, _, err := b.Store.Like(b.Ctx, comments.Liking{Comment: list[a%2].ID, By: comments.AuthorKey{byte(a + 1)}, On: true})
			done <- err
		}()
	}
	for range 10 {
		b.Change(list[0].ID, func(c *comments.Comment) { c.Marks ^= comments.Pick })
	}
	for range authors {
		b.Must(<-done)
	}
	for i, c := range list {
		count := int64(0)
		for a := range authors {
			mine, err := b.Store.Liked(b.Ctx, "news", comments.AuthorKey{byte(a + 1)}, []comments.ID{c.ID})
			b.Must(err)
			count += int64(len(mine))
			if a%2 == i && !slices.Contains(mine, c.ID) {
				t.Errorf("author %d's like is gone", a)
			}
		}
		got, err := b.Store.Comment(b.Ctx, c.ID)
		b.Must(err)
		b.Equal("likes", got.Likes, count)
	}
}

// treesMove: a page that is merged into another takes its trees and likes along.
func treesMove(t *testing.T, b *Bench) {
	b.AddSite("news")
	here := b.Post("news", "b", comments.Approved)
	top := b.Post("news", "a", comments.Approved)
	reply := b.Reply(top, comments.Approved)
	gone := b.Post("news", "a", comments.Approved)
	b.Reply(gone, comments.Approved)
	b.Turn(gone.ID, comments.Trashed)
	b.Like(top.ID, 1, true)
	b.Like(reply.ID, 1, true)
	b.Like(reply.ID, 2, true)
	_, err := b.movePage("a", "b", true)
	b.Must(err)
	b.Equal("trees", tops(b.trees("b", comments.Liked, comments.Point{}, 9)), []comments.ID{top.ID, here.ID, gone.ID})
	b.Equal("trees by time", tops(b.trees("b", comments.Oldest, comments.Point{}, 9)), []comments.ID{here.ID, top.ID, gone.ID})
	b.Equal("replies", IDs(b.replies(comments.Branch{Top: top.ID, Limit: 9})[0]), []comments.ID{reply.ID})
	list, err := b.Store.MostLiked(b.Ctx, "news", "b", comments.Point{}, 2)
	b.Must(err)
	b.Equal("liked", IDs(list), []comments.ID{reply.ID, top.ID})
	former, err := b.Store.MostLiked(b.Ctx, "news", "a", comments.Point{}, 2)
	b.Must(err)
	b.Equal("liked, by its former key", former, list)
	for _, sort := range []comments.Sort{comments.Oldest, comments.Newest, comments.Liked} {
		b.Equal("trees by a former key", b.trees("a", sort, comments.Point{}, 9), b.trees("b", sort, comments.Point{}, 9))
	}
	b.Equal("and once more", b.Like(top.ID, 2, true).Likes, int64(2))
}
