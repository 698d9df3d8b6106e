package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"

	"duyet/comments"
)

// The embedded element is put together from static/embed: each file is stripped of comments,
// given its words from the catalogues and the hashed names of the files it fetches, and then
// hashed itself. So a page that names one file by its hash names them all.

// The element's files, in the order in which they are put together.
const (
	embedCSS     = "embed/embed.css"
	embedRest    = "embed/rest.css" // has no source of its own: see embed_css.go
	embedLive    = "embed/live.js"  // a part of element.js
	embedMore    = "embed/rest.js"
	embedForm    = "embed/form.js"
	embedLater   = "embed/later.js"
	embedOwn     = "embed/own.js"
	embedDeed    = "embed/deed.js"
	embedWork    = "embed/work.js"
	embedElement = "embed/element.js"
)

// What the scripts say: a name is the script's, a message the catalogue's.
var (
	embedWords = map[string]string{
		"loading": "embed.loading", "down": "embed.down", "down_help": "embed.down_help", "retry": "embed.retry",
		"open": "embed.open", "new": "embed.new",
	}
	embedLaterWords = map[string]string{"showing": "thread.showing"}
	embedOwnWords   = map[string]string{
		"pending": "own.pending", "alone": "own.alone", "receipt": "own.receipt", "receipt_help": "own.receipt_help", "look_up": "lookup.what_for",
		"rejected": "own.rejected", "public": "mine.public", "changed": "mine.changed", "why": "mine.why",
		"appeal_open": "mine.appeal_open", "appeal_upheld": "mine.appeal_upheld", "until": "mine.until",
		"edit": "mine.edit", "withdraw": "mine.withdraw", "appeal": "mine.appeal",
	}
	embedDeedWords = map[string]string{
		"edit_help": "deed.edit_help", "edit_send": "deed.edit_send", "withdraw_help": "deed.withdraw_help", "withdraw_send": "deed.withdraw_send",
		"appeal_help": "deed.appeal_help", "appeal_send": "deed.appeal_send", "appeal_label": "deed.appeal_label",
		"report_help": "deed.report_help", "report_send": "deed.report_send", "report_text": "deed.report_text",
		"intact": "deed.intact", "flagged": "embed.flagged", "cancel": "embed.cancel", "optional": "form.optional", "sending": "embed.sending",
		"unsent": "embed.unsent", "unsent_help": "embed.unsent_help", "alt": "code.alt", "listen": "code.listen", "no_sound": "embed.no_sound",
	}
	embedFormWords = map[string]string{
		"another": "code.another", "expired": "code.expired", "renewed": "code.renewed", "alt": "code.alt",
		"listen": "code.listen", "pause": "code.pause", "getting": "embed.getting", "no_code": "embed.no_code", "no_sound": "embed.no_sound",
		"to": "reply.to", "cancel": "reply.cancel", "errors": "form.errors", "intact": "form.intact",
		"sending": "embed.sending", "unsent": "embed.unsent", "unsent_help": "embed.unsent_help", "until": "embed.until",
		"sent": "sent.pending", "sent_help": "sent.pending_own", "published": "sent.published", "published_help": "sent.published_help",
		"more": "embed.more", "working": "work.doing", "worked": "work.done", "unworked": "work.failed",
	}
	embedFields = []string{"name", "title", "content", "code"}
	embedSlips  = []string{
		comments.CodeRequired, comments.CodeTooLong, comments.CodeControl, comments.CodeBidi, comments.CodeOneLine,
		comments.CodeUnknownParent, comments.CodePageForeign, comments.CodePageInvalid, comments.CodeTicketSpent,
		comments.CodeCaptchaInvalid, comments.CodeCaptchaExpired, comments.CodeCaptchaWrongPage, comments.CodeCaptchaWrong,
	}
)

// assembleEmbed puts the element's files together and in the place of their sources.
func (s *Set) assembleEmbed() error {
	first, rest, err := s.embedStyles()
	if err != nil {
		return err
	}
	if err := errors.Join(s.assets.replace(embedCSS, first), s.assets.replace(embedRest, rest)); err != nil {
		return err
	}
	script := func(name string, values map[string]any) error {
		body, err := s.embedScript(name, values)
		if err != nil {
			return fmt.Errorf("static/%s: %w", name, err)
		}
		return s.assets.replace(name, body)
	}
	words := func(ids map[string]string) map[string]any {
		return s.allWords(func(l *Locale) any { return l.scriptWords(ids) })
	}
	if err := script(embedForm, map[string]any{"words": s.allWords((*Locale).formWords)}); err != nil {
		return err
	}
	icons, err := s.embedIconParts()
	if err != nil {
		return err
	}
	if err := script(embedLater, map[string]any{"words": s.allWords((*Locale).laterWords)}); err != nil {
		return err
	}
	if err := script(embedWork, nil); err != nil {
		return err
	}
	if err := script(embedOwn, map[string]any{"words": s.allWords((*Locale).ownWords)}); err != nil {
		return err
	}
	if err := script(embedDeed, map[string]any{"words": s.allWords((*Locale).deedWords)}); err != nil {
		return err
	}
	beside := func(names map[string]string) map[string]string {
		for name, file := range names {
			names[name] = s.assets.beside(file)
		}
		return names
	}
	parts := beside(map[string]string{"css": embedRest, "form": embedForm, "later": embedLater, "own": embedOwn, "deed": embedDeed, "work": embedWork})
	if err := script(embedMore, map[string]any{"icons": icons, "files": parts}); err != nil {
		return err
	}
	return script(embedElement, map[string]any{
		"words": words(embedWords), "files": beside(map[string]string{"css": embedCSS, "rest": embedMore}),
	})
}

// embedScript is a source with its values in the place of '@name'.
func (s *Set) embedScript(name string, values map[string]any) ([]byte, error) {
	source, ok := s.assets.byName[name]
	if !ok {
		return nil, errors.New("it is missing")
	}
	script := strings.Replace(string(source.body), "'@live';", string(s.assets.byName[embedLive].body), 1)
	for key, value := range values {
		place := "'@" + key + "'"
		if strings.Count(script, place) != 1 {
			return nil, fmt.Errorf("it must say %s once", place)
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		script = strings.Replace(script, place, string(text), 1)
	}
	var short bytes.Buffer
	if err := js.Minify(minify.New(), &short, strings.NewReader(script), nil); err != nil {
		return nil, err
	}
	return short.Bytes(), nil
}

// embedIcons are those that the scripts draw; others come with the fragment.
var embedIcons = []string{"check", "warn", "clock", "sound", "cross", "pencil", "undo", "flag"}

var (
	iconPart  = regexp.MustCompile(`<(path|circle|ellipse|line|polyline|rect)((?: [\w-]+="[^"]*")+) ?/>`)
	iconValue = regexp.MustCompile(`([\w-]+)="([^"]*)"`)
)

// embedIconParts are the shapes of each icon, as a script can make them: where no HTML may
// be parsed, a name and its attributes.
func (s *Set) embedIconParts() (map[string][]any, error) {
	icons := map[string][]any{}
	for _, name := range embedIcons {
		one, ok := s.assets.byName["icons/"+name+".svg"]
		if !ok {
			return nil, fmt.Errorf("static/icons/%s.svg is missing", name)
		}
		for _, part := range iconPart.FindAllStringSubmatch(string(one.body), -1) {
			values := map[string]string{}
			for _, v := range iconValue.FindAllStringSubmatch(part[2], -1) {
				values[v[1]] = v[2]
			}
			icons[name] = append(icons[name], []any{part[1], values})
		}
		if icons[name] == nil {
			return nil, fmt.Errorf("static/icons/%s.svg has no shape that is known", name)
		}
	}
	return icons, nil
}

// allWords are the words of every language.
func (s *Set) allWords(of func(*Locale) any) map[string]any {
	all := make(map[string]any, len(Languages))
	for _, lang := range Languages {
		all[lang] = of(s.Locale(lang, nil))
	}
	return all
}

func (l *Locale) formWords() any {
	all := l.scriptWords(embedFormWords)
	field := map[string]map[string]string{"any": {}}
	slip := map[string]string{"digits": l.Say("embed.digits_short")}
	for _, code := range embedSlips {
		slip[code] = l.Say("slip."+code, "Max", "{max}")
		field["any"][code] = l.Say("field.any."+code, "Max", "{max}")
		for _, name := range embedFields {
			if id := "field." + name + "." + code; l.Has(id) {
				if field[name] == nil {
					field[name] = map[string]string{}
				}
				field[name][code] = l.Say(id, "Max", "{max}")
			}
		}
	}
	field["any"]["digits"] = l.Say("embed.digits")
	label := map[string]string{}
	for _, name := range embedFields {
		label[name] = l.Say("label." + name)
	}
	all["field"], all["slip"], all["label"] = field, slip, label
	return all
}

// scriptWords are messages with their places left open for a script: {n} for the number that
// counts, {all}, {max} and {time} for others. One that counts is a form for each kind of number.
func (l *Locale) scriptWords(ids map[string]string) map[string]any {
	words := make(map[string]any, len(ids))
	for name, id := range ids {
		forms := map[string]string{}
		for kind, n := range map[string]int{"one": 1, "other": 2} {
			forms[kind] = l.say(&i18n.LocalizeConfig{
				MessageID: id, PluralCount: n, TemplateData: map[string]any{"Count": "{n}", "All": "{all}", "Max": "{max}", "Time": "{time}"},
			})
		}
		if forms["one"] == forms["other"] {
			words[name] = forms["other"]
		} else {
			words[name] = forms
		}
	}
	return words
}

// replace puts a file in the place of one of the same name.
func (a *assets) replace(name string, body []byte) error {
	one, err := newAsset(name, body)
	if err != nil {
		return fmt.Errorf("static/%s: %w", name, err)
	}
	if old, ok := a.byName[name]; ok {
		delete(a.byPath, old.hashed)
	}
	a.byName[name], a.byPath[one.hashed] = one, one
	return nil
}

// beside is how a file in the same folder names another.
func (a *assets) beside(name string) string {
	hashed := a.byName[name].hashed
	return "./" + hashed[strings.LastIndexByte(hashed, '/')+1:]
}

// Embed serves /embed.js: a script of one line, kept for five minutes, that fetches the
// element by its hashed name, which is kept for ever.
func (s *Set) Embed() http.Handler { return s.loader("embed.js", embedElement) }

// EmbedScript is the element's own script, for pages that name it with its integrity:
//
//	<script type="module" src="URL" integrity="INTEGRITY" crossorigin></script>
//
// Its hash covers its words and the names, hashes of their content, of what it fetches.
func (s *Set) EmbedScript() (url, integrity string) {
	one := s.assets.byName[embedElement]
	return s.assets.base + "/static/" + one.hashed, one.integrity
}
