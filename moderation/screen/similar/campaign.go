package similar

import (
	"cmp"
	"slices"
)

// Campaign is texts of the window of which each is much like some other.
type Campaign struct {
	IDs []string // oldest first
}

// Campaigns groups the window by likeness, passed on from text to text (union–find, Tarjan 1975),
// and gives the groups of at least members texts, the largest first. A text is joined to the
// newest before it that are like it, so one edited step by step stays one campaign.
func (x *Index) Campaigns(members int) []Campaign {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := int(x.next - x.first)
	parent := make([]int, n)
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i := range n {
		it := x.at(i)
		if it.gone {
			continue
		}
		for _, number := range x.candidates(&it.sketch) {
			j := int(number - x.first)
			if a, b := find(i), find(j); a != b && it.sketch.similarity(&x.at(j).sketch) >= threshold {
				parent[max(a, b)] = min(a, b) // the oldest stands for its group
			}
		}
	}
	groups := map[int]*Campaign{}
	var roots []int
	for i := range n {
		if x.at(i).gone {
			continue
		}
		root := find(i)
		if groups[root] == nil {
			groups[root] = &Campaign{}
			roots = append(roots, root)
		}
		groups[root].IDs = append(groups[root].IDs, x.at(i).id)
	}
	var out []Campaign
	for _, root := range roots {
		if g := groups[root]; len(g.IDs) >= max(members, 2) {
			out = append(out, *g)
		}
	}
	slices.SortStableFunc(out, func(a, b Campaign) int { return cmp.Compare(len(b.IDs), len(a.IDs)) })
	return out
}

func (x *Index) at(i int) *item { return &x.ring[(x.first+uint64(i))%uint64(x.size)] }
