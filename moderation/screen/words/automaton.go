package words

import "math/bits"

// automaton is an Aho–Corasick automaton over the 64 classes of letters. It is our own because
// overlapping proposals are needed, each with its pattern, and the libraries at hand report each
// word once without its place, or take a kilobyte and more a state. Here a state is 24 bytes: its
// children stand in a row, found by counting bits.
type automaton struct {
	nodes []node
	next  []int32 // of each pattern: another that ends in the same node, or -1
}

type node struct {
	children uint64 // one bit a class
	first    int32  // the first child
	fail     int32  // the longest proper suffix that is a node
	pattern  int32  // that ends here, or -1
	shorter  int32  // the longest proper suffix in which a pattern ends, or -1
}

func newAutomaton(patterns []pattern) automaton {
	a := automaton{next: make([]int32, len(patterns))}
	// Level by level: all nodes of one depth, in the order of their parents, so that the children
	// of a node stand in a row.
	at := make([]int32, len(patterns)) // the node that each pattern has reached
	a.nodes = append(a.nodes, node{pattern: -1, shorter: -1})
	for depth, parents := 0, []int32{0}; len(parents) > 0; depth++ {
		for i, p := range patterns {
			if depth < len(p.letters) {
				a.nodes[at[i]].children |= 1 << p.letters[depth].class()
			}
		}
		var level []int32
		for _, parent := range parents {
			n := &a.nodes[parent]
			n.first = int32(len(a.nodes))
			for range bits.OnesCount64(n.children) {
				level = append(level, int32(len(a.nodes)))
				a.nodes = append(a.nodes, node{pattern: -1, shorter: -1})
			}
		}
		for i, p := range patterns {
			if depth >= len(p.letters) {
				continue
			}
			at[i], _ = a.child(at[i], p.letters[depth].class())
			if depth == len(p.letters)-1 {
				end := &a.nodes[at[i]]
				a.next[i] = end.pattern
				end.pattern = int32(i)
			}
		}
		parents = level
	}
	a.link()
	return a
}

// link sets fail and shorter; a parent always stands before its children.
func (a *automaton) link() {
	for i := range a.nodes {
		for c := a.nodes[i].children; c != 0; c &= c - 1 {
			class := uint8(bits.TrailingZeros64(c))
			child, _ := a.child(int32(i), class)
			fail := int32(0)
			if i != 0 {
				fail = a.step(a.nodes[i].fail, class)
			}
			a.nodes[child].fail = fail
			a.nodes[child].shorter = a.hit(fail)
		}
	}
}

func (a *automaton) child(at int32, class uint8) (int32, bool) {
	n := &a.nodes[at]
	bit := uint64(1) << class
	if n.children&bit == 0 {
		return 0, false
	}
	return n.first + int32(bits.OnesCount64(n.children&(bit-1))), true
}

func (a *automaton) step(at int32, class uint8) int32 {
	for {
		if to, ok := a.child(at, class); ok {
			return to
		}
		if at == 0 {
			return 0
		}
		at = a.nodes[at].fail
	}
}

// hit is the node itself or the longest suffix of it in which a pattern ends, or -1.
func (a *automaton) hit(at int32) int32 {
	if a.nodes[at].pattern >= 0 {
		return at
	}
	return a.nodes[at].shorter
}

func (a *automaton) shorter(at int32) int32 { return a.nodes[at].shorter }
