package screen

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen/words"
)

// KindWords is the kind of the documents that hold word lists; KindWordsChanged and
// KindWordsRemoved are the journal's events about them.
const (
	KindWords                      = "words"
	KindWordsChanged comments.Kind = "words.changed"
	KindWordsRemoved comments.Kind = "words.removed"
)

// ListAction is what a word of a list does to a comment.
type ListAction string

// Actions of a list. A hint tells the reader kindly what the words trip, where they are asked
// before posting; a comment that is posted nonetheless is held.
const (
	HoldWords ListAction = "hold"
	SpamWords ListAction = "spam"
	HintWords ListAction = "hint"
)

// ListActions are in the order of their weight.
var ListActions = [...]ListAction{SpamWords, HoldWords, HintWords}

// Limits of a list.
const (
	ListEntriesMost = 20_000
	ListNameMost    = 80
	ListHintMost    = 500
	entryBytesMost  = 400
)

// Entry is a word or phrase of a list; see words.Entry.
type Entry struct {
	Text   string `json:"text"`
	Inside bool   `json:"inside,omitempty"` // within words too, not as whole syllables alone
	Loose  bool   `json:"loose,omitempty"`  // without regard to diacritics
	Allow  bool   `json:"allow,omitempty"`  // an exception: what others match within it is let be
}

// WordList is a list of a site, or of every site when Site is comments.Installation. Its
// language says which words it holds; comments are looked through for those of all lists,
// since readers don't keep to the page's language.
type WordList struct {
	Site    string     `json:"-"`
	ID      string     `json:"-"`
	Version uint64     `json:"-"`
	Name    string     `json:"name"`
	Lang    string     `json:"lang"` // "vi", "en" or "" for both
	Action  ListAction `json:"action"`
	Hint    string     `json:"hint,omitempty"` // what a reader is told; "" = the usual words
	Off     bool       `json:"off,omitempty"`
	Entries []Entry    `json:"entries"`
}

// check is an InvalidError for a list that can't be kept.
func (l WordList) check() error {
	var wrong []comments.FieldError
	note := func(bad bool, field, code string, most int) {
		if bad {
			wrong = append(wrong, comments.FieldError{Field: field, Code: code, Max: most})
		}
	}
	note(l.Name == "", "name", comments.CodeRequired, 0)
	note(len([]rune(l.Name)) > ListNameMost, "name", comments.CodeTooLong, ListNameMost)
	note(len([]rune(l.Hint)) > ListHintMost, "hint", comments.CodeTooLong, ListHintMost)
	note(!slices.Contains(ListActions[:], l.Action), "action", comments.CodeWrongType, 0)
	note(l.Lang != "" && l.Lang != "vi" && l.Lang != "en", "lang", comments.CodeWrongType, 0)
	note(len(l.Entries) > ListEntriesMost, "entries", comments.CodeTooLong, ListEntriesMost)
	if wrong == nil {
		for i, e := range l.Entries {
			if _, err := words.Compile([]words.Entry{e.compiled()}); err != nil || len(e.Text) > entryBytesMost {
				note(true, fmt.Sprintf("entries[%d]", i), CodeBadEntry, words.MaxLetters)
			}
			if len(wrong) == 20 {
				break
			}
		}
	}
	if wrong != nil {
		return &comments.InvalidError{Fields: wrong}
	}
	return nil
}

// CodeBadEntry is the field error of an entry without a letter, or with too many.
const CodeBadEntry = "bad_entry"

func (e Entry) compiled() words.Entry {
	c := words.Entry{Text: e.Text, Loose: e.Loose, Allow: e.Allow}
	if e.Inside {
		c.Mode = words.Inside
	}
	return c
}

func readList(d moderation.Document) (WordList, error) {
	l := WordList{}
	if err := json.Unmarshal(d.Data, &l); err != nil {
		return l, fmt.Errorf("word list %s of %s: %w", d.ID, d.Site, comments.ErrDamaged)
	}
	l.Site, l.ID, l.Version = d.Site, d.ID, d.Version
	return l, nil
}

// compiled is every list of a site in one automaton.
type compiled struct {
	lists   []WordList
	list    *words.List
	entries []entryOf // by number in list
}

type entryOf struct{ list, entry int }

func compile(_ string, documents []moderation.Document) (*compiled, error) {
	var lists []WordList
	for _, d := range documents {
		l, err := readList(d)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return compileLists(lists)
}

func compileLists(lists []WordList) (*compiled, error) {
	c := &compiled{lists: lists}
	var all []words.Entry
	for i, l := range lists {
		if l.Off {
			continue
		}
		for k, e := range l.Entries {
			all = append(all, e.compiled())
			c.entries = append(c.entries, entryOf{i, k})
		}
	}
	var err error
	c.list, err = words.Compile(all)
	return c, err
}

// Hit is a word of a list in a text.
type Hit struct {
	List  *WordList
	Entry Entry
	comments.Place
	Disguised bool // by spelling, signs, look-alikes …
}

// find looks through the fields of a comment, in their order.
func (c *compiled) find(comment comments.Comment) (hits []Hit) {
	for field, text := range fields(comment) {
		for _, m := range c.list.Find(text) {
			at := c.entries[m.Entry]
			l := &c.lists[at.list]
			hits = append(hits, Hit{
				List: l, Entry: l.Entries[at.entry], Disguised: m.Tricks != 0,
				Place: comments.Place{Field: field, Start: m.Start, End: m.End},
			})
		}
	}
	return hits
}

// wordsShown bounds the words that a signal names.
const wordsShown = 5

// Check finds the words of the site's lists, one signal for each action: "spam" of level spam,
// "hold" and "hint" of level hold, the words in Args "words", a hint's own text in Args "hint".
func (l *Lists) Check() Check {
	return Check{
		Name:  "words",
		Codes: []string{string(SpamWords), string(HoldWords), string(HintWords)},
		Look: func(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
			all, err := l.kept.Of(ctx, c.Site.ID)
			if err != nil {
				return nil, err
			}
			return listSignals(all.find(c.Comment)), nil
		},
	}
}

func listSignals(hits []Hit) (signals []comments.Signal) {
	for _, action := range ListActions {
		var places []comments.Place
		var named []string
		hint := ""
		for _, h := range hits {
			if h.List.Action != action {
				continue
			}
			if !slices.Contains(named, h.Entry.Text) {
				named = append(named, h.Entry.Text)
			}
			places = append(places, h.Place)
			hint = cmp.Or(hint, h.List.Hint)
		}
		if places == nil {
			continue
		}
		level := comments.LevelHold
		if action == SpamWords {
			level = comments.LevelSpam
		}
		s := count(level, string(action), places)
		s.Args["words"] = strings.Join(named[:min(len(named), wordsShown)], ", ")
		if hint != "" {
			s.Args["hint"] = hint
		}
		signals = append(signals, s)
	}
	return signals
}
