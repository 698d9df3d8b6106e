package search

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"duyet/comments"
)

// Limits of a question.
const (
	queryBytes = 1000
	queryWords = 40
)

// Query is a question about comments: all of it must be so. The zero Query is answered by
// every comment.
type Query struct {
	Phrases []Phrase // in name, title or content
	Author  []Phrase // in the name
	Pages   []Phrase // in the page's key
	Site    string
	Status  comments.Status
	Queue   comments.Queue
	Before  time.Time // written before; zero = whenever
	Since   time.Time // written then or later
	Link    bool      // has a link
	Signal  bool      // has a signal of any check
	Check   string    // has a signal of this check
	Unheld  bool      // no check holds it, nor takes it for spam
	Lang    string
	PageKey string // stands on this page
	Reply   *bool  // answers another comment, or the article
	Network netip.Prefix
}

// Phrase is words that follow each other.
type Phrase []word

// word is a word of a question. Marks and capitals count if it has some.
type word struct {
	text           string // in NFC
	folded         string
	marked, cased  bool
	marks, capital string // what is compared then: with marks; and with capitals, marks as asked
}

// newWord reads a word that split has cut out.
func newWord(text string) word {
	w := word{text: norm.NFC.String(text)}
	w.folded = Fold(w.text)
	w.marks = exact(w.text)
	w.marked = fold(w.text, false, true) != w.folded
	w.cased = fold(w.text, false, true) != w.text
	w.capital = w.spelt(w.text)
	return w
}

// spelt is how a word reads to one whose capitals count.
func (w *word) spelt(text string) string {
	if w.marked {
		return placed(fold(text, false, false))
	}
	return fold(text, true, false)
}

// is reports whether a word of a text, whose folded form is that of w, is w.
func (w *word) is(text string) bool {
	switch {
	case w.cased:
		return w.spelt(text) == w.capital
	case w.marked:
		return exact(text) == w.marks
	}
	return true
}

// Marked reports whether marks or capitals of the words asked for count anywhere.
func (q Query) Marked() bool {
	for _, list := range [][]Phrase{q.Phrases, q.Author} {
		for _, p := range list {
			if slices.ContainsFunc(p, func(w word) bool { return w.marked || w.cased }) {
				return true
			}
		}
	}
	return false
}

// Plain reports whether nothing is asked.
func (q Query) Plain() bool {
	return len(q.Phrases) == 0 && len(q.Author) == 0 && len(q.Pages) == 0 && q.Before.IsZero() && q.Since.IsZero() && !q.Link && !q.Signal && !q.Unheld &&
		q.Check == "" && q.Lang == "" && q.PageKey == "" && q.Reply == nil && !q.Network.IsValid()
}

// UnreadError is a part of what was typed that can't be read.
type UnreadError struct{ Part string }

func (e *UnreadError) Error() string { return "search: can't read " + e.Part }

// Unwrap makes it comments.ErrMalformed.
func (e *UnreadError) Unwrap() error { return comments.ErrMalformed }

// Part is a piece of what was typed: text, or an operator and its value.
type Part struct {
	Operator string // "" = words
	Value    string
	Text     string // as typed
}

// Parts takes apart what was typed. An operator is one of those known, a colon and a value,
// which may stand in quotation marks.
func Parts(typed string) (list []Part) {
	rest := norm.NFC.String(typed)
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return list
		}
		var p Part
		value, operator := rest, ""
		if name, after, ok := strings.Cut(rest, ":"); ok && slices.Contains(Operators[:], strings.ToLower(name)) {
			operator, value = strings.ToLower(name), after
		}
		before := rest
		p.Value, rest = piece(value)
		p.Operator = operator
		p.Text = strings.TrimSpace(before[:len(before)-len(rest)])
		list = append(list, p)
	}
}

// piece cuts off what is in quotation marks, or up to the next space.
func piece(s string) (value, rest string) {
	r, size := utf8.DecodeRuneInString(s)
	if end, ok := map[rune]string{'"': `"`, '“': "”", '«': "»"}[r]; ok {
		if value, rest, ok = strings.Cut(s[size:], end); ok {
			return value, rest
		}
		return s[size:], "" // the other mark is still to be typed
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// Operators are what may stand before a colon.
var Operators = [...]string{"author", "page", "site", "status", "before", "after", "has", "ip", "lang"}

// Parse reads what was typed; dates are of a place. The error is an *UnreadError.
func Parse(typed string, place *time.Location) (Query, error) {
	var q Query
	if len(typed) > queryBytes || !utf8.ValidString(typed) || strings.ContainsRune(typed, 0) {
		return q, &UnreadError{"q"}
	}
	parts := Parts(typed)
	if len(parts) > queryWords {
		return q, &UnreadError{"q"}
	}
	for _, p := range parts {
		if p.Value == "" || !q.take(p, place) {
			return Query{}, &UnreadError{p.Text}
		}
	}
	return q, nil
}

func (q *Query) take(p Part, place *time.Location) (ok bool) {
	switch p.Operator {
	case "":
		if phrase := NewPhrase(p.Value); phrase != nil {
			q.Phrases = append(q.Phrases, phrase)
		}
		return true
	case "author":
		q.Author = append(q.Author, NewPhrase(p.Value))
		return q.Author[len(q.Author)-1] != nil
	case "page":
		q.Pages = append(q.Pages, NewPhrase(Fold(p.Value)))
		return q.Pages[len(q.Pages)-1] != nil
	case "site":
		q.Site = strings.ToLower(p.Value)
		return comments.ValidSiteID(q.Site)
	case "status":
		return q.status(strings.ToLower(p.Value))
	case "before":
		q.Before, ok = day(p.Value, place)
		return ok
	case "after":
		q.Since, ok = day(p.Value, place)
		return ok
	case "lang":
		q.Lang = strings.ToLower(p.Value)
		return q.Lang == "vi" || q.Lang == "en"
	case "has":
		return q.has(strings.ToLower(p.Value))
	case "ip":
		var err error
		q.Network, err = network(p.Value)
		return err == nil
	}
	return false
}

func (q *Query) status(name string) bool {
	if name == "trash" {
		name = string(comments.Trashed)
	}
	q.Status, q.Queue = "", ""
	switch {
	case comments.Status(name).Valid():
		q.Status = comments.Status(name)
	case comments.Queue(name).Valid():
		q.Queue = comments.Queue(name)
	default:
		return false
	}
	return true
}

func (q *Query) has(what string) bool {
	yes := true
	switch what {
	case "link":
		q.Link = true
	case "signal":
		q.Signal = true
	case "parent":
		q.Reply = &yes
	default:
		return false
	}
	return true
}

func day(s string, place *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "2/1/2006", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, place); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var errNetwork = errors.New("no network")

func network(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, errNetwork
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// NewPhrase is the words of a text; nil when there are none.
func NewPhrase(text string) (p Phrase) {
	var s splitter
	text = norm.NFC.String(text)
	s.split(text)
	for _, t := range s.tokens {
		p = append(p, newWord(text[t.start:t.end]))
	}
	return p
}
