package templates

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
)

// The element's styles are those of our own pages and what it needs beside them, in two
// files: one for what a thread shows at once, one for what only comes when a reader does
// something. What it never shows is in neither.

// embedSources are put together in this order.
var embedSources = []string{"tokens.css", "reader.css", embedCSS}

// embedRestClasses are of what shows only once a reader has done something: a rule that
// concerns nothing else goes into the second file.
var embedRestClasses = []string{
	"dy-own", "dy-mine", "dy-state", "dy-receipt", "dy-deed", "dy-pick", "dy-yours", "dy-reported", "dy-ask", "dy-stale", "dy-not-here", "dy-err", "dy-good", "dy-bad", "dy-look",
	"dy-to", "dy-say", "dy-fresh", "dy-sound", "dy-busy", "dy-write-more", "dy-works",
}

// embedNever are of what is gone, or hidden, once there are styles, or stands on our own
// pages alone.
var embedNever = []string{"dy-wait", "dy-kept"}

// embedStyles are the element's two files.
func (s *Set) embedStyles() (first, rest []byte, err error) {
	var all strings.Builder
	for _, name := range embedSources {
		one, ok := s.assets.byName[name]
		if !ok {
			return nil, nil, fmt.Errorf("static/%s is missing", name)
		}
		all.Write(one.body)
	}
	text := cssComment.ReplaceAllString(all.String(), "")
	parts := [3]string{}
	shown, err := s.embedClasses()
	if err != nil {
		return nil, nil, err
	}
	place := func(selectors string) int { return cssPlace(selectors, shown) }
	if err := splitCSS(cssRoot.ReplaceAllString(text, ""), place, &parts); err != nil {
		return nil, nil, fmt.Errorf("static/%s: %w", strings.Join(embedSources, ", "), err)
	}
	a, b := shortTokens(dropTokens(parts[cssFirst], parts[cssRest]), parts[cssRest])
	if first, err = shortCSS(a); err != nil {
		return nil, nil, err
	}
	rest, err = shortCSS(b)
	return first, rest, err
}

func shortCSS(text string) ([]byte, error) {
	m := minify.New()
	m.AddFunc("text/css", css.Minify)
	short, err := m.Bytes("text/css", []byte(cssSpace.ReplaceAllString(text, " ")))
	return cssAfter.ReplaceAll(short, []byte("$1")), err // what @container holds is not read
}

// embedClasses are the classes that the element may show: those of the fragment's templates
// and those that its scripts give.
func (s *Set) embedClasses() (map[string]bool, error) {
	shown := map[string]bool{}
	for _, class := range embedRestClasses { // some have their names put together
		shown[class] = true
	}
	templates, err := fs.Glob(s.files, "html/reader/_*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range append(templates, "html/reader/fragment.html", "static/"+embedElement, "static/"+embedLive, "static/"+embedMore, "static/"+embedLater, "static/"+embedOwn, "static/"+embedDeed, "static/"+embedForm) {
		text, err := fs.ReadFile(s.files, file)
		if err != nil {
			return nil, err
		}
		for _, class := range dyClass.FindAllString(string(text), -1) {
			shown[class] = true
		}
	}
	return shown, nil
}

// Places of a rule.
const (
	cssFirst = iota
	cssRest
	cssNever
)

// cssPlace is where a rule of these selectors goes; one that nothing shown can meet goes
// nowhere.
func cssPlace(selectors string, shown map[string]bool) int {
	place := cssNever
	for one := range strings.SplitSeq(cssBrackets.ReplaceAllString(selectors, ""), ",") {
		classes := cssClass.FindAllString(one, -1)
		switch {
		case cssElsewhere.MatchString(one), strings.Contains(one, ":target"): // the address names nothing inside a shadow root
		case slices.ContainsFunc(classes, func(c string) bool { return !shown[c[1:]] || slices.Contains(embedNever, c[1:]) }):
		case slices.ContainsFunc(classes, func(c string) bool { return slices.Contains(embedRestClasses, c[1:]) }):
			place = min(place, cssRest)
		default:
			place = cssFirst
		}
	}
	return place
}

// splitCSS puts each rule, inside the rules that hold rules, into its place.
func splitCSS(text string, place func(selectors string) int, parts *[3]string) error {
	for {
		head, after, found := strings.Cut(text, "{")
		head = strings.TrimSpace(head)
		if !found {
			if head != "" {
				return fmt.Errorf("a rule without an end: %.40s", head)
			}
			return nil
		}
		depth, end := 1, 0
		for ; end < len(after) && depth > 0; end++ {
			switch after[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		if depth > 0 {
			return fmt.Errorf("a rule without an end: %.40s", head)
		}
		body := after[:end-1]
		text = after[end:]
		if !strings.HasPrefix(head, "@") {
			parts[place(head)] += head + "{" + strings.TrimSpace(body) + "}\n"
			continue
		}
		if strings.HasPrefix(head, "@keyframes") { // of what waits, which is never seen with styles
			continue
		}
		var inner [3]string
		if err := splitCSS(body, place, &inner); err != nil {
			return err
		}
		for i, rules := range inner {
			if rules != "" {
				parts[i] += head + "{" + rules + "}\n"
			}
		}
	}
}

var (
	dyClass = regexp.MustCompile(`\bdy-[a-z]+(-[a-z]+)*`)
	cssRoot = regexp.MustCompile(`:root[^,{]*,\s*`) // our own pages' side of a token
	// Our own pages, and states that no field or button of the element has.
	cssElsewhere = regexp.MustCompile(`^\s*body|\[(readonly|disabled)\]|::placeholder`)
	cssComment   = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssBrackets  = regexp.MustCompile(`\([^()]*\)`)
	cssClass     = regexp.MustCompile(`\.dy-[a-z-]+`)
	cssAfter     = regexp.MustCompile(`([:;{}]) `)
	cssSpace     = regexp.MustCompile(`\s+`)
	cssToken     = regexp.MustCompile(`(--duyet-[\w-]+):[^;}]*;?`)
)

// dropTokens takes out tokens that nothing in either file reads, and then those that only
// they read.
func dropTokens(css, rest string) string {
	for {
		less := cssToken.ReplaceAllStringFunc(css, func(set string) string {
			name, _, _ := strings.Cut(set, ":")
			for _, text := range []string{css, rest} {
				if strings.Contains(text, "var("+name+")") || strings.Contains(text, "var("+name+",") {
					return set
				}
			}
			return ""
		})
		if less == css {
			return css
		}
		css = less
	}
}

// embedPromised are the names that a site may set.
var embedPromised = []string{
	"--duyet-unit", "--duyet-font", "--duyet-font-text", "--duyet-accent", "--duyet-on-accent", "--duyet-ink", "--duyet-sheet", "--duyet-rule",
}

// inlineMost is the length in bytes from which a value costs more than its name.
const inlineMost = 20

// shortTokens writes the value of a token in its place where it never changes, and gives
// every other that is not promised a short name.
func shortTokens(a, b string) (string, string) {
	type token struct {
		value string
		times int
	}
	tokens := map[string]*token{}
	var names []string
	for _, m := range cssToken.FindAllStringSubmatch(a, -1) {
		name := m[1]
		if slices.Contains(embedPromised, name) {
			continue
		}
		if tokens[name] == nil {
			tokens[name] = new(token)
			names = append(names, name)
		}
		tokens[name].times++
		tokens[name].value = strings.TrimSuffix(m[0][len(name)+1:], ";")
	}
	for i, name := range names {
		t := tokens[name]
		once := len(t.value) <= inlineMost || !strings.Contains(a, "var("+name+")")
		if t.times == 1 && once && !strings.Contains(t.value, "var(") {
			a = strings.Replace(a, name+":"+t.value+";", "", 1)
			a, b = strings.ReplaceAll(a, "var("+name+")", t.value), strings.ReplaceAll(b, "var("+name+")", t.value)
			continue
		}
		short := "--dy" + string(rune('a'+i%26)) + strings.Repeat("_", i/26)
		for _, end := range []string{":", ")", ","} {
			a, b = strings.ReplaceAll(a, name+end, short+end), strings.ReplaceAll(b, name+end, short+end)
		}
	}
	return a, b
}
