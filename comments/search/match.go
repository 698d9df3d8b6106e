package search

import (
	"slices"
	"strings"

	"duyet/comments"
)

// Matcher holds comments against a question. It is not for use by several at once.
type Matcher struct {
	q Query
	s splitter
}

// NewMatcher makes one.
func NewMatcher(q Query) *Matcher { return &Matcher{q: q} }

// Fits reports whether a comment answers the question, but for the network it came from,
// which is no part of it.
func (m *Matcher) Fits(c *comments.Comment) bool {
	q := &m.q
	switch {
	case q.Site != "" && c.Site != q.Site,
		q.Status != "" && c.Status != q.Status,
		q.Queue != "" && !c.In(q.Queue),
		q.PageKey != "" && c.Page != q.PageKey,
		q.Lang != "" && c.Lang != q.Lang,
		q.Reply != nil && *q.Reply != (c.Parent != ""),
		q.Signal && len(c.Signals) == 0,
		q.Unheld && c.Held(),
		!q.Before.IsZero() && !c.CreatedAt.Before(q.Before),
		c.CreatedAt.Before(q.Since):
		return false
	}
	if q.Check != "" && !slices.ContainsFunc(c.Signals, func(s comments.Signal) bool { return s.Check == q.Check }) {
		return false
	}
	return m.all(q.Pages, c.Page) && m.all(q.Author, c.Name) && m.all(q.Phrases, c.Content, c.Title, c.Name) && (!q.Link || HasLink(c))
}

// all reports whether each phrase stands in one of some texts.
func (m *Matcher) all(phrases []Phrase, texts ...string) bool {
	if len(phrases) == 0 {
		return true
	}
	missing := len(phrases)
	var found uint64 // as many bits as a question may have words
	for _, text := range texts {
		m.s.split(text)
		for i, p := range phrases {
			if found&(1<<i) == 0 && m.find(p, text, 0) >= 0 {
				found |= 1 << i
				if missing--; missing == 0 {
					return true
				}
			}
		}
	}
	return false
}

// find is where a phrase begins among the words of a text that was split, from one on; -1
// when it doesn't.
func (m *Matcher) find(p Phrase, text string, from int) int {
	for i := from; i+len(p) <= len(m.s.tokens); i++ {
		if m.at(p, text, i) {
			return i
		}
	}
	return -1
}

func (m *Matcher) at(p Phrase, text string, i int) bool {
	for k := range p {
		t := m.s.tokens[i+k]
		if string(m.s.folded[t.from:t.to]) != p[k].folded {
			return false
		}
	}
	for k := range p {
		t := m.s.tokens[i+k]
		if !p[k].is(text[t.start:t.end]) {
			return false
		}
	}
	return true
}

// Marks are the stretches of a field, in bytes, that the question asked for, in order and
// apart from each other.
func (m *Matcher) Marks(field, text string) (places []comments.Place) {
	phrases := m.q.Phrases
	if field == "name" {
		phrases = slices.Concat(phrases, m.q.Author)
	}
	if len(phrases) == 0 {
		return nil
	}
	m.s.split(text)
	for _, p := range phrases {
		for i := m.find(p, text, 0); i >= 0; i = m.find(p, text, i+len(p)) {
			places = append(places, comments.Place{Field: field, Start: m.s.tokens[i].start, End: m.s.tokens[i+len(p)-1].end})
		}
	}
	slices.SortFunc(places, func(a, b comments.Place) int { return a.Start - b.Start })
	apart := places[:0]
	for _, p := range places {
		if n := len(apart); n > 0 && p.Start < apart[n-1].End {
			apart[n-1].End = max(apart[n-1].End, p.End)
			continue
		}
		apart = append(apart, p)
	}
	return apart
}

// HasLink reports whether a comment holds what reads as an address on the web.
func HasLink(c *comments.Comment) bool {
	return hasLink(c.Content) || hasLink(c.Title) || hasLink(c.Name)
}

// endings are of domains that are met in comments without a scheme before them.
var endings = strings.Fields("com net org vn info io me ly xyz shop top online site store club biz link app dev co tv cc asia pro vip live win bet page example")

func hasLink(text string) bool {
	if !strings.Contains(text, ".") {
		return false
	}
	if strings.Contains(text, "://") {
		return true
	}
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '.')
		if i < 0 {
			return false
		}
		i += from
		from = i + 1
		if i == 0 || !inHost(text[i-1]) {
			continue
		}
		end := i + 1
		for end < len(text) && (text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z') {
			end++
		}
		if end < len(text) && (text[end] >= 0x80 || text[end] >= '0' && text[end] <= '9') {
			continue
		}
		if slices.Contains(endings, strings.ToLower(text[i+1:end])) {
			return true
		}
	}
}

func inHost(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '-' || b >= 0x80
}
