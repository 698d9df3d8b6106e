package templates

import (
	"html"
	"html/template"
	"regexp"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
	"mvdan.cc/xurls/v2"
)

// This file alone may say template.HTML. Everything it lets through is made of escaped
// text and of the tags written below.

var (
	blankLine = regexp.MustCompile(`\n[\t ]*\n\s*`)
	bareURL   = mustURLs()
)

func mustURLs() *regexp.Regexp {
	re, err := xurls.StrictMatchingScheme("https?://")
	if err != nil {
		panic(err)
	}
	return re
}

// Text sets a reader's plain text as HTML: a blank line makes a paragraph, a line break
// stays, bare http(s) addresses become links. There is no Markdown.
func Text(text string) template.HTML {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8 + 16)
	for _, paragraph := range blankLine.Split(strings.Trim(text, "\n"), -1) {
		b.WriteString("<p>")
		for i, line := range strings.Split(paragraph, "\n") {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			writeLine(&b, line)
		}
		b.WriteString("</p>\n")
	}
	return template.HTML(strings.TrimSuffix(b.String(), "\n"))
}

func writeLine(b *strings.Builder, line string) {
	if !strings.Contains(line, "://") {
		b.WriteString(html.EscapeString(line))
		return
	}
	end := 0
	for _, at := range bareURL.FindAllStringIndex(line, -1) {
		b.WriteString(html.EscapeString(line[end:at[0]]))
		writeLink(b, line[at[0]:at[1]])
		end = at[1]
	}
	b.WriteString(html.EscapeString(line[end:]))
}

func writeLink(b *strings.Builder, address string) {
	escaped := html.EscapeString(address)
	lower := strings.ToLower(address)
	if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		b.WriteString(escaped)
		return
	}
	b.WriteString(`<a href="`)
	b.WriteString(escaped)
	b.WriteString(`" rel="nofollow ugc noopener">`)
	b.WriteString(escaped)
	b.WriteString(`</a>`)
}

// Span is a stretch of a text, in bytes, to be marked, with the number of the remark
// beside the text that it belongs to.
type Span struct{ Start, End, Number int }

// Marked sets plain text like Text, without links, and puts the spans (in order, not
// overlapping; others are passed over) into <mark>.
func Marked(text string, spans []Span) template.HTML {
	if len(spans) == 0 {
		return Text(text)
	}
	var b strings.Builder
	b.WriteString("<p>")
	end := 0
	for _, s := range spans {
		if s.Start < end || s.End > len(text) || s.Start >= s.End {
			continue
		}
		writePlain(&b, text[end:s.Start])
		b.WriteString("<mark>")
		writePlain(&b, text[s.Start:s.End])
		if s.Number > 0 && s.Number < 10 {
			b.WriteString("<sup>" + string(rune('0'+s.Number)) + "</sup>")
		}
		b.WriteString("</mark>")
		end = s.End
	}
	writePlain(&b, text[end:])
	b.WriteString("</p>")
	return template.HTML(b.String())
}

// Hits sets plain text within a line, with the spans in <mark> like Marked.
func Hits(text string, spans []Span) template.HTML {
	if len(spans) == 0 {
		return template.HTML(html.EscapeString(text))
	}
	marked := string(Marked(text, spans))
	return template.HTML(strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(marked, "<p>"), "</p>"), "<br>\n", " "))
}

func writePlain(b *strings.Builder, text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteString("<br>\n")
		}
		b.WriteString(html.EscapeString(line))
	}
}

// Changes sets two versions of a plain text as one, with what was removed in <del> and
// what was added in <ins>. The words removed and added stand before each, for whoever does
// not see how they are marked.
func Changes(before, after, removed, added string) template.HTML {
	var b strings.Builder
	mark := func(tag, word, text string) {
		b.WriteString("<" + tag + `><span class="out">` + html.EscapeString(word) + ": </span>")
		writePlain(&b, text)
		b.WriteString("</" + tag + ">")
	}
	b.WriteString("<p>")
	for _, c := range changes(before, after) {
		switch c.kind {
		case diffmatchpatch.DiffDelete:
			mark("del", removed, c.text)
		case diffmatchpatch.DiffInsert:
			mark("ins", added, c.text)
		default:
			writePlain(&b, c.text)
		}
	}
	b.WriteString("</p>")
	return template.HTML(b.String())
}

// trusted is HTML made by this package from its own embedded files.
func trusted(ours string) template.HTML { return template.HTML(ours) }

// Prerendered lets a fragment that this package rendered before stand in a page.
type Prerendered struct{ html template.HTML }

// Fragment renders a part of a page for use inside others.
func (s *Set) Fragment(page, part string, v View) (Prerendered, error) {
	body, err := s.Execute(page, part, v)
	return Prerendered{template.HTML(body)}, err
}

// HTML is the fragment as a template shows it.
func (p Prerendered) HTML() template.HTML { return p.html }
