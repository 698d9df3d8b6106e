package templates

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Languages are the catalogues there are, the first the one of last resort.
var Languages = [...]string{"vi", "en"}

type catalogues struct {
	bundle  *i18n.Bundle
	matcher language.Matcher
}

// loadCatalogues reads locales/*.{lang}.toml. The catalogues of all languages must hold
// the same messages: one that lacks some, or has others, is refused by name.
func loadCatalogues(files fs.FS) (*catalogues, error) {
	c := &catalogues{bundle: i18n.NewBundle(language.Make(Languages[0]))}
	c.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	var first []string
	var tags []language.Tag
	for i, lang := range Languages {
		ids, err := c.load(files, lang)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = ids
		} else if missing := difference(first, ids); len(missing) > 0 {
			return nil, fmt.Errorf("locales: %s lacks %s", lang, strings.Join(missing, ", "))
		} else if extra := difference(ids, first); len(extra) > 0 {
			return nil, fmt.Errorf("locales: %s has %s, which %s lacks", lang, strings.Join(extra, ", "), Languages[0])
		}
		tags = append(tags, language.Make(lang))
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// load reads the files of one language and returns the ids of their messages, sorted.
func (c *catalogues) load(files fs.FS, lang string) (ids []string, err error) {
	names, err := fs.Glob(files, "locales/*."+lang+".toml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("locales: nothing for %q (%w)", lang, err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		parsed, err := c.bundle.ParseMessageFileBytes(data, path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range parsed.Messages {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			return nil, fmt.Errorf("locales: %s has %s twice", lang, ids[i])
		}
	}
	return ids, nil
}

// difference is what sorted a has and sorted b lacks.
func difference(a, b []string) []string {
	var out []string
	for _, s := range a {
		if _, found := slices.BinarySearch(b, s); !found {
			out = append(out, s)
		}
	}
	return out
}

// Locale says things in one language, with times in one zone.
type Locale struct {
	Lang    string // one of Languages
	words   *i18n.Localizer
	numbers *message.Printer
	zone    *time.Location
}

// Known reports whether lang is one of Languages.
func Known(lang string) bool { return slices.Contains(Languages[:], lang) }

// Locale makes a language and a time zone ready. An unknown language is the first of
// Languages; a nil zone is UTC.
func (s *Set) Locale(lang string, zone *time.Location) *Locale {
	if !Known(lang) {
		lang = Languages[0]
	}
	if zone == nil {
		zone = time.UTC
	}
	return &Locale{
		Lang:    lang,
		words:   i18n.NewLocalizer(s.locales.bundle, lang),
		numbers: message.NewPrinter(language.Make(lang)),
		zone:    zone,
	}
}

// Accepted is the best of Languages for an Accept-Language header, or "" when the header
// names none of them.
func (s *Set) Accepted(header string) string {
	if len(header) > 1<<10 {
		return ""
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) == 0 {
		return ""
	}
	_, i, confidence := s.locales.matcher.Match(wanted...)
	if confidence == language.No {
		return ""
	}
	return Languages[i]
}

// Has reports whether there is such a message.
func (l *Locale) Has(id string) bool {
	_, err := l.words.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: map[string]any{}})
	return err == nil
}

// T is a message in words. Arguments are names and values for its {{.Name}} places. A
// message that isn't there shows its id, which the tests look for.
func (l *Locale) T(id string, pairs ...any) (string, error) {
	data, err := args(pairs...)
	if err != nil {
		return "", fmt.Errorf("%s: %w", id, err)
	}
	return l.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: data}), nil
}

// N is a message that counts: "1 comment", "2 comments". Its {{.Count}} is the number as
// the language writes it.
func (l *Locale) N(id string, count any, pairs ...any) (string, error) {
	data, err := args(pairs...)
	if err != nil {
		return "", fmt.Errorf("%s: %w", id, err)
	}
	data["Count"] = l.Number(count)
	return l.say(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: plural(count)}), nil
}

func plural(count any) any {
	switch n := count.(type) {
	case int64:
		return n
	case uint64:
		return int64(n)
	}
	return count
}

func (l *Locale) say(c *i18n.LocalizeConfig) string {
	// Where a language is counted in more forms than its catalogue has (CLDR 48 gives
	// Vietnamese a "one" that reads like "other"), the error comes with the words.
	s, err := l.words.Localize(c)
	if err != nil && s == "" {
		return c.MessageID
	}
	return s
}

// Say is T for Go code: it can't fail.
func (l *Locale) Say(id string, pairs ...any) string {
	s, err := l.T(id, pairs...)
	if err != nil {
		return id
	}
	return s
}

// Number is a count as the language writes it: 12.408 in Vietnamese, 12,408 in English.
func (l *Locale) Number(n any) string { return l.numbers.Sprint(number.Decimal(n)) }

// Time is a moment as the language writes it: "17:42, 21/11/2026" or "21 November 2026,
// 17:42".
func (l *Locale) Time(t time.Time) string {
	t = t.In(l.zone)
	if l.Lang == "vi" {
		return t.Format("15:04, 2/1/2006")
	}
	return t.Format("2 January 2006, 15:04")
}

// ISO is a moment for a datetime attribute.
func (l *Locale) ISO(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Wait is a span of time in words, rounded up: "40 seconds", "3 minutes", "2 hours".
func (l *Locale) Wait(d time.Duration) string {
	units := []struct {
		unit time.Duration
		id   string
	}{{24 * time.Hour, "wait.days"}, {time.Hour, "wait.hours"}, {time.Minute, "wait.minutes"}}
	for _, u := range units {
		if d >= u.unit {
			return l.count(u.id, (d+u.unit-1)/u.unit)
		}
	}
	return l.count("wait.seconds", max(1, (d+time.Second-1)/time.Second))
}

// Age is how long ago something was, rounded down.
func (l *Locale) Age(t, now time.Time) string {
	d := max(0, now.Sub(t))
	switch {
	case d >= 48*time.Hour:
		return l.count("wait.days", d/(24*time.Hour))
	case d >= time.Hour:
		return l.count("wait.hours", d/time.Hour)
	}
	return l.count("wait.minutes", d/time.Minute)
}

func (l *Locale) count(id string, n time.Duration) string {
	s, err := l.N(id, int(n))
	if err != nil {
		return id
	}
	return s
}
