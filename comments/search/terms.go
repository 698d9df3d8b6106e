package search

import (
	"hash/fnv"
	"slices"

	"duyet/comments"
)

// A term is the hash of a word, or of another property that never changes unseen. Two words
// of one hash cost a look at a comment that turns out not to fit.
const (
	termWord   = "w" // folded, and as written when that has marks
	termAuthor = "a" // folded word of the name
	termPage   = "p" // folded word of the page's key
	termKey    = "k" // the page's key
	termHas    = "h" // "link", "signal", "parent"
	termCheck  = "c" // that gave a signal
	termLang   = "l"
)

func term(kind, text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(kind))
	h.Write([]byte(text))
	return h.Sum64()
}

// termsOf are what the index lists a comment under, each once, in order.
func (s *splitter) termsOf(c *comments.Comment) (terms []uint64) {
	add := func(kind, text string) { terms = append(terms, term(kind, text)) }
	texts := []string{c.Content, c.Title, c.Name}
	if p := c.Public; p != nil { // an edit may be taken back
		texts = append([]string{p.Content, p.Title, p.Name}, texts...)
	}
	for _, text := range texts {
		s.split(text)
		for i, t := range s.tokens {
			folded := string(s.word(i))
			add(termWord, folded)
			if len(folded) != t.end-t.start { // has a letter that is no ASCII
				if with := exact(text[t.start:t.end]); with != folded {
					add(termWord, with)
				}
			}
		}
	}
	for i := range s.tokens { // of the name
		add(termAuthor, string(s.word(i)))
	}
	s.split(c.Page)
	for i := range s.tokens {
		add(termPage, string(s.word(i)))
	}
	add(termKey, c.Page)
	add(termLang, c.Lang)
	if HasLink(c) {
		add(termHas, "link")
	}
	if c.Parent != "" {
		add(termHas, "parent")
	}
	if len(c.Signals) > 0 {
		add(termHas, "signal")
	}
	for _, signal := range c.Signals {
		add(termCheck, signal.Check)
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// terms are those that every comment which fits is listed under.
func (q *Query) terms() (terms []uint64) {
	for _, p := range q.Phrases {
		for _, w := range p {
			if w.marked {
				terms = append(terms, term(termWord, w.marks))
			} else {
				terms = append(terms, term(termWord, w.folded))
			}
		}
	}
	for _, p := range q.Author {
		for _, w := range p {
			terms = append(terms, term(termAuthor, w.folded))
		}
	}
	for _, p := range q.Pages {
		for _, w := range p {
			terms = append(terms, term(termPage, w.folded))
		}
	}
	if q.PageKey != "" {
		terms = append(terms, term(termKey, q.PageKey))
	}
	if q.Lang != "" {
		terms = append(terms, term(termLang, q.Lang))
	}
	if q.Link {
		terms = append(terms, term(termHas, "link"))
	}
	if q.Signal {
		terms = append(terms, term(termHas, "signal"))
	}
	if q.Reply != nil && *q.Reply {
		terms = append(terms, term(termHas, "parent"))
	}
	if q.Check != "" {
		terms = append(terms, term(termCheck, q.Check))
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}
