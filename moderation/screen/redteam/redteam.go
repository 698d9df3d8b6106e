// Package redteam is a suite of disguised words, Vietnamese and English, with their harmless
// look-alikes, to measure a finder of words against: what it catches, and what it takes for bad
// that is not. The tables stand in testdata, made to be read and added to.
package redteam

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"duyet/moderation/screen/words"
)

//go:embed testdata/*.tsv
var tables embed.FS

// Case is a line of the suite.
type Case struct {
	Lang  string // "vi" or "en"
	Trick string // how the word is disguised, or the word that a harmless text looks like
	Entry string // what must be found, "" for a harmless text
	Text  string
}

// Suite is the list to search with and the texts to search.
type Suite struct {
	List     []words.Entry
	Disguise []Case
	Harmless []Case
}

// Load reads the suite that comes with the package.
func Load() (Suite, error) {
	sub, err := fs.Sub(tables, "testdata")
	if err != nil {
		return Suite{}, fmt.Errorf("red team: %w", err)
	}
	return read(sub)
}

func read(from fs.FS) (s Suite, err error) {
	if err := rows(from, "list.tsv", 3, func(f []string) error {
		e := words.Entry{Text: f[0]}
		switch f[1] {
		case "whole":
		case "inside":
			e.Mode = words.Inside
		default:
			return fmt.Errorf("mode %q", f[1])
		}
		e.Loose = strings.Contains(f[2], "loose")
		e.Allow = strings.Contains(f[2], "allow")
		s.List = append(s.List, e)
		return nil
	}); err != nil {
		return s, err
	}
	cases := func(to *[]Case) func([]string) error {
		return func(f []string) error {
			*to = append(*to, Case{f[0], f[1], strings.TrimPrefix(f[2], "-"), f[3]})
			return nil
		}
	}
	if err := rows(from, "obfuscations.tsv", 4, cases(&s.Disguise)); err != nil {
		return s, err
	}
	return s, rows(from, "harmless.tsv", 4, cases(&s.Harmless))
}

// rows reads a table: columns between tabs, # before a remark, Go's escapes for what can't be seen.
func rows(from fs.FS, name string, columns int, row func([]string) error) error {
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return fmt.Errorf("red team: %w", err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != columns {
			return fmt.Errorf("red team: %s line %d has %d columns, not %d", name, i+1, len(fields), columns)
		}
		last := columns - 1
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(fields[last], `"`, `\"`) + `"`)
		if err != nil {
			return fmt.Errorf("red team: %s line %d: %w", name, i+1, err)
		}
		fields[last] = text
		if err := row(fields); err != nil {
			return fmt.Errorf("red team: %s line %d: %w", name, i+1, err)
		}
	}
	return nil
}

// Report is what a finder did with the suite.
type Report struct {
	Disguised, Caught     int
	Harmless, FalseAlarms int
	ByTrick               map[string]Tally
	Missed                []Case // disguised and not found
	Alarmed               []Case // harmless and found
}

// Tally counts the cases of one trick.
type Tally struct{ Cases, Caught int }

// CatchRate is the share of the disguised that was found, 0 to 1.
func (r Report) CatchRate() float64 { return share(r.Caught, r.Disguised) }

// FalseAlarmRate is the share of the harmless that was found, 0 to 1.
func (r Report) FalseAlarmRate() float64 { return share(r.FalseAlarms, r.Harmless) }

func share(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

// Run tries a finder on every case. find gives the numbers in Suite.List of the entries that it
// finds in a text. A disguised text is caught when its own entry is found; a harmless one is a
// false alarm when anything is.
func (s Suite) Run(find func(text string) []int) Report {
	r := Report{ByTrick: map[string]Tally{}}
	for _, c := range s.Disguise {
		tally := r.ByTrick[c.Trick]
		tally.Cases++
		r.Disguised++
		if s.holds(find(c.Text), c.Entry) {
			r.Caught++
			tally.Caught++
		} else {
			r.Missed = append(r.Missed, c)
		}
		r.ByTrick[c.Trick] = tally
	}
	for _, c := range s.Harmless {
		r.Harmless++
		if len(find(c.Text)) > 0 {
			r.FalseAlarms++
			r.Alarmed = append(r.Alarmed, c)
		}
	}
	return r
}

func (s Suite) holds(found []int, entry string) bool {
	for _, i := range found {
		if i >= 0 && i < len(s.List) && s.List[i].Text == entry {
			return true
		}
	}
	return false
}

// Finder makes Run's find of a list compiled from the suite's.
func Finder(l *words.List) func(text string) []int {
	return func(text string) []int {
		var out []int
		for _, m := range l.Find(text) {
			out = append(out, m.Entry)
		}
		return out
	}
}
