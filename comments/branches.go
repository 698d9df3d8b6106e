package comments

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// TreeQuery asks for a part of a thread as a tree.
type TreeQuery struct {
	Page  string
	Sort  Sort   // "" = Oldest; of the trees, whose replies are always oldest first
	After string // cursor; "" = from the start
	Limit int    // comments; 0 = ThreadLimit
	Top   string // only the replies in the tree of this comment, which After is then a cursor of
	At    string // the part that holds this comment; After must be ""
}

// Branches is a part of a thread as trees. It is cut between trees, so that a reply stands
// with what it answers; a tree too large for that shows its beginning and says how many
// replies are left.
type Branches struct {
	Page  Page // of an unknown page: key and URL alone
	Open  bool
	Sort  Sort // as it was read: by Liked only where the site counts likes
	Nodes []*Node
	Shown int    // standing comments among them, those that are there Again left out
	Next  string // cursor of what follows, "" at the end
}

// Bounds of a tree's reading.
const (
	chainMost = 8 // comments in a row that do not stand, or lead to a comment asked for
	shareMost = 5 // a tree takes at most 2/shareMost of a part while others wait
)

// Branches reads a part of a thread as trees: standing comments, and the places of those
// that do not but have replies that do. An unknown page is an empty open thread. Errors:
// ErrMalformed for a bad key, cursor, sort or limit; ErrNotFound when Top or At is no
// comment that readers see on the page.
func (s *Service) Branches(ctx context.Context, site Site, q TreeQuery, most int) (Branches, error) {
	if q.Limit == 0 {
		q.Limit = ThreadLimit
	}
	if q.Limit < 1 || q.Limit > most {
		return Branches{}, fmt.Errorf("limit: %w", ErrMalformed)
	}
	sort, err := sortOf(site, q.Sort)
	if err != nil {
		return Branches{}, err
	}
	if q.Top != "" {
		sort = Oldest
	}
	from, err := ParsePoint(site.ID, sort, q.After)
	if err != nil {
		return Branches{}, err
	}
	page, err := s.page(ctx, site, q.Page)
	if err != nil {
		return Branches{}, queryPage(err)
	}
	b := Branches{Page: page, Open: page.Open(s.cfg.Now(), site.Settings.CloseAfter), Sort: sort}
	r := branchReader{Service: s, site: site, page: page, limit: q.Limit, depth: site.Settings.ReplyDepth}
	if q.Top != "" {
		return b, r.oneTree(ctx, &b, q.Top, from.ID)
	}
	if q.At != "" {
		if from, err = r.point(ctx, q.At, sort); err != nil {
			return Branches{}, err
		}
	}
	return b, r.trees(ctx, &b, from)
}

// sortOf is the order in which a thread is read.
func sortOf(site Site, sort Sort) (Sort, error) {
	switch {
	case sort == "", sort == Liked && !site.Settings.Likes:
		return Oldest, nil
	case sort == Oldest, sort == Newest, sort == Liked:
		return sort, nil
	}
	return "", fmt.Errorf("sort: %w", ErrMalformed)
}

// branchReader reads one part.
type branchReader struct {
	*Service
	site  Site
	page  Page
	limit int
	depth int
	at    Comment // the one that must be in it; zero = none
}

// standing is a comment of the page that readers see.
func (r *branchReader) standing(ctx context.Context, raw string) (Comment, error) {
	id, err := ParseID(raw)
	if err != nil {
		return Comment{}, err
	}
	if id.Site() != r.site.ID {
		return Comment{}, ErrNotFound
	}
	c, err := r.cfg.Store.Comment(ctx, id)
	if err == nil && (c.Page != r.page.Key || !c.Standing()) {
		err = fmt.Errorf("comment %s: %w", id, ErrNotFound)
	}
	return c, err
}

// top is the tree with a top comment, which need not stand itself.
func (r *branchReader) top(ctx context.Context, id ID) (Tree, error) {
	trees, err := r.cfg.Store.Trees(ctx, r.site.ID, r.page.Key, Oldest, Point{ID: id, With: true}, 1)
	if err == nil && (len(trees) == 0 || trees[0].Top.ID != id) {
		err = fmt.Errorf("tree of %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Tree{}, err
	}
	return trees[0], nil
}

// point is where a part begins that holds a comment: at the top of its tree.
func (r *branchReader) point(ctx context.Context, raw string, sort Sort) (Point, error) {
	c, err := r.standing(ctx, raw)
	if err != nil {
		return Point{}, err
	}
	r.at = c
	if c.Root == "" {
		return Point{ID: c.ID, Likes: c.Likes, With: true}, nil
	}
	if sort != Liked {
		return Point{ID: c.Root, With: true}, nil
	}
	top, err := r.cfg.Store.Comment(ctx, c.Root)
	if errors.Is(err, ErrNotFound) || err == nil && !top.Standing() {
		return Point{ID: c.Root, With: true}, nil
	}
	return Point{ID: c.Root, Likes: top.Likes, With: true}, err
}

// trees reads trees from a point on.
func (r *branchReader) trees(ctx context.Context, b *Branches, from Point) error {
	// One more than can be shown tells whether something follows.
	trees, err := r.cfg.Store.Trees(ctx, r.site.ID, r.page.Key, b.Sort, from, r.limit+1)
	if err != nil {
		return err
	}
	shares := r.share(trees)
	if len(shares) < len(trees) {
		b.Next = PointCursor(b.Sort, trees[len(shares)-1].Top)
	}
	trees = trees[:len(shares)]
	var asked []Branch
	for i, t := range trees {
		if shares[i] > 0 {
			asked = append(asked, Branch{Top: t.Top.ID, Limit: shares[i]})
		}
	}
	replies, err := r.replies(ctx, asked)
	if err != nil {
		return err
	}
	for _, t := range trees {
		if err := r.add(ctx, b, t, replies[t.Top.ID], ""); err != nil {
			return err
		}
	}
	return nil
}

// share deals the room of a part out: how many replies each tree shows. The first tree
// that does not fit, and what comes after it, waits for the next part.
func (r *branchReader) share(trees []Tree) []int {
	most := max(2*r.limit/shareMost, min(r.limit-1, 10))
	room := r.limit
	var shares []int
	for _, t := range trees {
		top, replies := 0, min(int(t.Replies), most)
		if t.Top.Standing() {
			top = 1
		}
		// A place that is empty counts too, or there would be no end to them.
		if need := max(top, 1) + replies; need <= room {
			shares = append(shares, replies)
			room -= need
			continue
		}
		if len(shares) == 0 {
			shares = append(shares, max(0, room-1))
			room = 0
		}
		break
	}
	for i, t := range trees[:len(shares)] {
		more := min(room, int(t.Replies)-shares[i])
		shares[i] += more
		room -= more
	}
	return shares
}

// replies reads branches, and hands back what each tree shows.
func (r *branchReader) replies(ctx context.Context, asked []Branch) (map[ID][]Comment, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	lists, err := r.cfg.Store.Replies(ctx, r.site.ID, asked)
	if err != nil {
		return nil, err
	}
	all := make(map[ID][]Comment, len(asked))
	for i, list := range lists {
		all[asked[i].Top] = list
	}
	return all, nil
}

// add puts a tree with some of its replies into the part. They begin after the reply
// named by after.
func (r *branchReader) add(ctx context.Context, b *Branches, t Tree, replies []Comment, after ID) error {
	var again map[ID]bool
	if at := r.at; at.Root == t.Top.ID && at.ID != "" && !slices.ContainsFunc(replies, func(c Comment) bool { return c.ID == at.ID }) {
		r.at = Comment{}
		part, err := r.cfg.Store.Replies(ctx, r.site.ID, []Branch{{Top: t.Top.ID, After: at.ID, With: true, Limit: max(1, len(replies))}})
		if err != nil {
			return err
		}
		chain, err := r.chain(ctx, at)
		if err != nil {
			return err
		}
		again = map[ID]bool{}
		for _, c := range chain {
			again[c.ID] = true
		}
		replies, after = append(chain, part[0]...), at.ID
	}
	known, err := r.known(ctx, t.Top.ID, replies)
	if err != nil {
		return err
	}
	nodes := grow(t, replies, known, r.depth)
	root := nodes[0]
	root.Earlier = after != ""
	if t.Top.Standing() && !root.Again {
		b.Shown++
	}
	b.Shown += len(replies) - len(again)
	markAgain(nodes, again)
	b.Nodes = append(b.Nodes, nodes...)
	return r.rest(ctx, root, t, replies, after)
}

// rest says what of a tree is left after the replies shown: how many, where that is known
// without counting what came before.
func (r *branchReader) rest(ctx context.Context, root *Node, t Tree, replies []Comment, after ID) error {
	last, left := t.Top.ID, false
	if n := len(replies); n > 0 {
		last = replies[n-1].ID
	}
	if after == "" {
		root.Left = max(0, t.Replies-int64(len(replies)))
		left = root.Left > 0
	} else {
		next, err := r.cfg.Store.Replies(ctx, r.site.ID, []Branch{{Top: t.Top.ID, After: last, Limit: 1}})
		if err != nil {
			return err
		}
		left = len(next[0]) > 0
	}
	if left {
		root.Next = Cursor(last)
	}
	return nil
}

func markAgain(nodes []*Node, again map[ID]bool) {
	if len(again) == 0 {
		return
	}
	for _, n := range nodes {
		n.Again = n.Again || again[n.Comment.ID]
		markAgain(n.Replies, again)
	}
}

// chain is the standing comments that lead to one, its top left out, the first first.
func (r *branchReader) chain(ctx context.Context, c Comment) (list []Comment, err error) {
	for range chainMost {
		if c.Parent == c.Root {
			break
		}
		above, err := r.cfg.Store.Gather(ctx, r.site.ID, []ID{c.Parent})
		if err != nil {
			return nil, err
		}
		if len(above) == 0 {
			break
		}
		if c = above[0]; c.Standing() {
			list = append(list, c.Shown())
		}
	}
	slices.Reverse(list)
	return list, nil
}

// known reads whom replies answer that is not among them.
func (r *branchReader) known(ctx context.Context, top ID, replies []Comment) (map[ID]Comment, error) {
	known := map[ID]Comment{}
	for range chainMost {
		ids := missing(top, replies, known)
		if len(ids) == 0 {
			break
		}
		list, err := r.cfg.Store.Gather(ctx, r.site.ID, ids)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			if c.Standing() {
				c = c.Shown()
			}
			known[c.ID] = c
		}
	}
	return known, nil
}

// oneTree reads the replies in one tree, below its top, after a cursor.
func (r *branchReader) oneTree(ctx context.Context, b *Branches, raw string, after ID) error {
	id, err := ParseID(raw)
	if err != nil {
		return err
	}
	if id.Site() != r.site.ID {
		return ErrNotFound
	}
	t, err := r.top(ctx, id)
	if err != nil {
		return err
	}
	list, err := r.replies(ctx, []Branch{{Top: id, After: after, Limit: r.limit}})
	if err != nil {
		return err
	}
	if err := r.add(ctx, b, t, list[id], after); err != nil {
		return err
	}
	b.Nodes[0].Again = true
	if t.Top.Standing() {
		b.Shown--
	}
	return nil
}
