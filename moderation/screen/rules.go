package screen

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
)

// KindRules is the kind of the documents that hold a site's own rules, one each;
// KindRuleChanged and KindRuleRemoved are the journal's events about them.
const (
	KindRules                     = "rules"
	KindRuleChanged comments.Kind = "rule.changed"
	KindRuleRemoved comments.Kind = "rule.removed"
)

// Rule says what becomes of comments that meet all of its conditions.
type Rule struct {
	card
	Name string `json:"name"`
	Off  bool   `json:"off,omitempty"`
	// Order is its place among the site's rules, whose signals are kept in that order.
	Order int         `json:"order,omitempty"`
	When  []Condition `json:"when"`
	Then  Effect      `json:"then"`
}

// Condition compares one fact about a comment.
type Condition struct {
	Fact  Fact   `json:"fact"`
	Is    Op     `json:"is"`
	Value string `json:"value,omitempty"` // a number, a text, or none for a fact that is or isn't
}

// Fact is something that can be told of a comment when it comes, and still later.
type Fact string

// Facts.
const (
	FactLinks  Fact = "links"  // how many web addresses
	FactLength Fact = "length" // characters of the content
	FactHour   Fact = "hour"   // 0 to 23, when it came, by the site's clock
	FactPage   Fact = "page"   // the page's address or id
	FactName   Fact = "name"
	FactTitle  Fact = "title"
	FactText   Fact = "text"       // the content
	FactLang   Fact = "lang"       // of the form: vi or en
	FactReply  Fact = "reply"      // it answers another comment
	FactNew    Fact = "author_new" // nothing by its author's key is approved yet
	FactSignal Fact = "signal"     // the name of a check that found something
)

// Op is how a fact is compared.
type Op string

// Comparisons.
const (
	OpMore     Op = "more"     // than a number
	OpLess     Op = "less"     // than a number
	OpBegins   Op = "begins"   // with a text
	OpContains Op = "contains" // a text, without regard to case, diacritics and width
	OpIs       Op = "is"       // a text, or yes
	OpNot      Op = "not"      // a text, or no
)

// Facts are all, in the order in which they are shown, with the comparisons that each knows.
func Facts() []FactOps {
	number, text := []Op{OpMore, OpLess}, []Op{OpBegins, OpContains, OpIs, OpNot}
	flag, word := []Op{OpIs, OpNot}, []Op{OpIs, OpNot}
	return []FactOps{
		{FactLinks, number, true}, {FactLength, number, true}, {FactHour, number, true},
		{FactPage, text, true}, {FactName, text, true}, {FactTitle, text, true}, {FactText, text, true}, {FactLang, word, true},
		{FactReply, flag, false}, {FactNew, flag, false}, {FactSignal, word, true},
	}
}

// Ops are all comparisons, in the order in which they are shown.
func Ops() []Op { return []Op{OpMore, OpLess, OpIs, OpNot, OpContains, OpBegins} }

// FactOps is a fact with what it can be compared by, and whether with a value.
type FactOps struct {
	Fact  Fact
	Ops   []Op
	Value bool
}

// Limits of rules.
const (
	RulesMost      = 100 // of a site
	RuleNameMost   = 80
	ConditionsMost = 8
	RuleValueMost  = 500
)

// Codes of what can be wrong with a rule.
const (
	CodeUnknownFact = "unknown_fact"
	CodeUnknownOp   = "unknown_op"
	CodeNoNumber    = "no_number"
)

// canonical is the rule cleaned. The error is an InvalidError.
func (r Rule) canonical() (Rule, error) {
	var wrong []comments.FieldError
	note := func(bad bool, field, code string, most int) {
		if bad {
			wrong = append(wrong, comments.FieldError{Field: field, Code: code, Max: most})
		}
	}
	r.Name = comments.Clean(r.Name)
	note(r.Name == "", "name", comments.CodeRequired, 0)
	note(comments.Characters(r.Name) > RuleNameMost, "name", comments.CodeTooLong, RuleNameMost)
	note(r.Then != EffectHold && r.Then != EffectSpam && r.Then != EffectTwo, "then", comments.CodeWrongType, 0)
	note(len(r.When) == 0, "when", comments.CodeRequired, 0)
	note(len(r.When) > ConditionsMost, "when", comments.CodeTooLong, ConditionsMost)
	r.When = slices.Clone(r.When)
	for i := range r.When {
		c := &r.When[i]
		c.Value = comments.Clean(c.Value)
		field := fmt.Sprintf("when[%d]", i)
		known := slices.IndexFunc(Facts(), func(f FactOps) bool { return f.Fact == c.Fact })
		if known < 0 {
			note(true, field, CodeUnknownFact, 0)
			continue
		}
		fact := Facts()[known]
		_, err := strconv.Atoi(c.Value)
		switch {
		case !slices.Contains(fact.Ops, c.Is):
			note(true, field, CodeUnknownOp, 0)
		case !fact.Value:
			c.Value = ""
		case c.Value == "":
			note(true, field, comments.CodeRequired, 0)
		case len(c.Value) > RuleValueMost:
			note(true, field, comments.CodeTooLong, RuleValueMost)
		case (c.Is == OpMore || c.Is == OpLess) && err != nil:
			note(true, field, CodeNoNumber, 0)
		}
	}
	if wrong != nil {
		return r, &comments.InvalidError{Fields: wrong}
	}
	return r, nil
}

// ruled is a site's rules, ready to be asked.
type ruled struct {
	rules []Rule
	links *regexp.Regexp
}

// met is the rules that a comment meets, given what the checks found, the site's zone and
// how to find what else its author wrote.
func (r *ruled) met(ctx context.Context, c comments.Comment, signals []comments.Signal, zone *time.Location, authors AuthorReader) (met []*Rule, _ error) {
	for i := range r.rules {
		rule := &r.rules[i]
		holds := !rule.Off
		for _, w := range rule.When {
			if !holds {
				break
			}
			var err error
			if w.Fact != FactNew {
				holds = r.holds(w, c, signals, zone)
			} else if holds, err = isNew(ctx, c, authors); err != nil {
				return nil, err
			} else {
				holds = holds == (w.Is == OpIs)
			}
		}
		if holds {
			met = append(met, rule)
		}
	}
	return met, nil
}

// authorLook is how many of an author's latest comments are looked at for one approved.
const authorLook = 100

// AuthorReader finds what an author has written.
type AuthorReader interface {
	Written(ctx context.Context, by comments.Wrote, after comments.ID, limit int) ([]comments.Comment, error)
}

// isNew reports whether none of what a comment's author wrote before it is approved. Who
// sends no key is new each time.
func isNew(ctx context.Context, c comments.Comment, authors AuthorReader) (bool, error) {
	if c.Author.IsZero() {
		return true, nil
	}
	list, err := authors.Written(ctx, comments.Wrote{Site: c.Site, Author: c.Author}, c.ID, authorLook)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(list, func(c comments.Comment) bool { return c.Status == comments.Approved }), nil
}

func (r *ruled) holds(w Condition, c comments.Comment, signals []comments.Signal, zone *time.Location) bool {
	switch w.Fact {
	case FactLinks:
		n := 0
		for field, text := range fields(c) {
			n += len(findLinks(r.links, field, text))
		}
		return w.number(n)
	case FactLength:
		return w.number(comments.Characters(c.Content))
	case FactHour:
		return w.number(c.CreatedAt.In(zone).Hour())
	case FactPage:
		return w.text(c.Page)
	case FactName:
		return w.text(c.Name)
	case FactTitle:
		return w.text(c.Title)
	case FactText:
		return w.text(c.Content)
	case FactLang:
		return w.text(c.Lang)
	case FactReply:
		return (c.Parent != "") == (w.Is == OpIs)
	case FactSignal:
		found := slices.ContainsFunc(signals, func(s comments.Signal) bool { return s.Check == w.Value })
		return found == (w.Is == OpIs)
	}
	return false
}

func (w Condition) number(n int) bool {
	than, err := strconv.Atoi(w.Value)
	return err == nil && (w.Is == OpMore && n > than || w.Is == OpLess && n < than)
}

func (w Condition) text(s string) bool {
	switch w.Is {
	case OpBegins:
		return strings.HasPrefix(s, w.Value)
	case OpContains:
		return strings.Contains(foldName(s), foldName(w.Value))
	case OpIs:
		return s == w.Value
	case OpNot:
		return s != w.Value
	}
	return false
}

// Ruled is a Screener whose findings the sites' rules are asked about: they run once all
// checks have looked. Rules that can't be read hold the comment, like a check that can't
// look.
type Ruled struct {
	comments.Screener
	Rules *Rules
}

// Screen implements comments.Screener.
func (r Ruled) Screen(ctx context.Context, c comments.Candidate) (comments.Screening, error) {
	found, err := r.Screener.Screen(ctx, c)
	rules := Check{Name: comments.CheckRule, Look: func(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
		all, err := r.Rules.kept.Of(ctx, c.Site.ID)
		if err != nil {
			return nil, err
		}
		var met []comments.Signal
		rules, err := all.met(ctx, c.Comment, found.Signals, c.Site.Settings.Location(), r.Rules.authors)
		for _, rule := range rules {
			met = append(met, comments.Signal{
				Level: rule.Then.level(), Code: string(rule.Then), Args: map[string]string{"rule": rule.ID, "name": rule.Name},
			})
		}
		return met, err
	}}
	asked, _ := New(rules).Screen(ctx, c) // in bounded time, like the checks
	found.Signals = append(found.Signals, asked.Signals...)
	return found, err
}
