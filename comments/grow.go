package comments

import (
	"cmp"
	"slices"
)

// Node is a comment of a thread as readers see it, with what answers it.
type Node struct {
	Comment Comment
	Gone    bool // it does not stand: only its place, above its replies
	Again   bool // it stands on an earlier part too, and is here for what follows

	// To is whom it answers, where its place does not show that; nil otherwise. One that
	// does not stand is Gone.
	To *Answered

	Replies []*Node
	Left    int64  // on a top: replies of its tree that come after those shown
	Next    string // on a top: cursor of what is left, "" when nothing is
	Earlier bool   // on a top: replies of its tree come before those shown
}

// Answered is the comment that a reply is for.
type Answered struct {
	ID   ID
	Name string
	Gone bool
	Here bool // in the same part of the thread
}

// grower makes a tree of a top comment and a part of its replies.
type grower struct {
	nodes map[ID]*Node   // what is shown
	known map[ID]Comment // whom replies answer that are not in the part, whatever their status
}

// missing lists whom the replies of a part answer and that is not in the part, and, of
// those among them who do not stand, whom they answered in turn.
func missing(top ID, replies []Comment, known map[ID]Comment) (ids []ID) {
	here := map[ID]bool{top: true, "": true}
	for _, c := range replies {
		here[c.ID] = true
	}
	add := func(id ID) {
		if _, have := known[id]; !have && !here[id] {
			here[id] = true
			ids = append(ids, id)
		}
	}
	for _, c := range replies {
		add(c.Parent)
	}
	for _, c := range known {
		if !c.Standing() {
			add(c.Parent)
		}
	}
	slices.Sort(ids)
	return ids
}

// grow makes the tree. Replies to a comment of an earlier part stand directly below the
// top and say whom they answer; one whose parent does not stand keeps its place below an
// empty one. Levels below depth go on flat; at depth 0 they follow the top.
func grow(top Tree, replies []Comment, known map[ID]Comment, depth int) []*Node {
	root := &Node{Comment: top.Top, Gone: !top.Top.Standing()}
	g := grower{nodes: map[ID]*Node{top.Top.ID: root}, known: known}
	for _, c := range replies {
		g.nodes[c.ID] = &Node{Comment: c}
	}
	g.addGone(root, replies)
	for _, c := range replies {
		n, above := g.nodes[c.ID], g.nodes[c.Parent]
		if above == nil {
			above, n.To = root, &Answered{ID: c.Parent, Gone: true}
			if earlier, known := g.known[c.Parent]; known {
				n.To = &Answered{ID: earlier.ID, Name: earlier.Name}
			}
		}
		above.Replies = append(above.Replies, n)
	}
	for _, n := range g.nodes {
		slices.SortFunc(n.Replies, func(a, b *Node) int { return cmp.Compare(a.Comment.ID, b.Comment.ID) })
	}
	return append([]*Node{root}, root.flatten(0, depth)...)
}

// addGone adds the places of comments that do not stand and that a reply here is for. Of
// several in a row, those without such a reply take none.
func (g *grower) addGone(root *Node, replies []Comment) {
	var gone []*Node
	for _, c := range replies {
		above, known := g.known[c.Parent]
		if known && !above.Standing() && g.nodes[above.ID] == nil {
			n := &Node{Comment: above, Gone: true}
			g.nodes[above.ID], gone = n, append(gone, n)
		}
	}
	for _, n := range gone {
		above := g.nodes[n.Comment.Parent]
		for c := n.Comment; above == nil; above = g.nodes[c.Parent] {
			next, known := g.known[c.Parent]
			if !known || next.Standing() {
				above = root
				break
			}
			c = next
		}
		above.Replies = append(above.Replies, n)
	}
}

// flatten lifts what lies deeper than most levels beside what it answers, right after it.
func (n *Node) flatten(level, most int) (beside []*Node) {
	replies := n.Replies
	n.Replies = nil
	for _, r := range replies {
		after := r.flatten(min(level+1, most), most)
		if level < most {
			n.Replies = append(append(n.Replies, r), after...)
			continue
		}
		if r.To == nil {
			r.To = &Answered{ID: n.Comment.ID, Name: n.Comment.Name, Gone: n.Gone, Here: true}
		}
		beside = append(append(beside, r), after...)
	}
	return beside
}
