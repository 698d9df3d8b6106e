package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// The elements around an article are a module of their own with styles of their own: a front
// page needs them and no thread, and an article's thread comes first. They are put together
// as the thread's element is.
const (
	aroundScript = "embed/around.js"
	aroundCSS    = "embed/around.css"
	aroundHTML   = "html/reader/around.html"
)

// What the script says: a name is the script's, a message the catalogue's.
var aroundWords = map[string]string{"count": "around.count", "views": "around.views"}

// assembleAround puts script and styles together and in the place of their sources. It
// comes before assembleEmbed, which puts its own styles in the place of theirs.
func (s *Set) assembleAround() error {
	css, err := s.aroundStyles()
	if err != nil {
		return err
	}
	if err := s.assets.replace(aroundCSS, css); err != nil {
		return err
	}
	body, err := s.embedScript(aroundScript, map[string]any{
		"words": s.allWords(func(l *Locale) any { return l.scriptWords(aroundWords) }),
		"files": map[string]string{"css": s.assets.beside(aroundCSS)},
	})
	if err != nil {
		return fmt.Errorf("static/%s: %w", aroundScript, err)
	}
	return s.assets.replace(aroundScript, body)
}

// aroundStyles are the tokens and those rules of our own pages that these elements show.
func (s *Set) aroundStyles() ([]byte, error) {
	shown := map[string]bool{}
	for _, file := range []string{aroundHTML, "static/" + aroundScript} {
		text, err := fs.ReadFile(s.files, file)
		if err != nil {
			return nil, err
		}
		for _, class := range dyClass.FindAllString(string(text), -1) {
			shown[class] = true
		}
	}
	text := ""
	for _, name := range []string{"tokens.css", "reader.css", aroundCSS} {
		one, ok := s.assets.byName[name]
		if !ok {
			return nil, fmt.Errorf("static/%s is missing", name)
		}
		text += string(one.body)
	}
	text = cssRoot.ReplaceAllString(cssComment.ReplaceAllString(text, ""), "")
	var parts [3]string
	if err := splitCSS(text, func(selectors string) int { return cssPlace(selectors, shown) }, &parts); err != nil {
		return nil, fmt.Errorf("static/%s: %w", aroundCSS, err)
	}
	css, _ := shortTokens(dropTokens(parts[cssFirst], ""), "")
	return shortCSS(css)
}

// Around serves /around.js: a script of one line, kept for five minutes, that fetches the
// module of the elements around an article by its hashed name, which is kept for ever.
func (s *Set) Around() http.Handler { return s.loader("around.js", aroundScript) }

// AroundScript is the module's address and integrity, for pages that name it themselves; see
// EmbedScript.
func (s *Set) AroundScript() (url, integrity string) {
	one := s.assets.byName[aroundScript]
	return s.assets.base + "/static/" + one.hashed, one.integrity
}

// loader serves a script that imports a module by its hashed name.
func (s *Set) loader(name, module string) http.Handler {
	one, ok := s.assets.byName[module]
	err := errors.New("static/" + module + " is missing")
	var script *asset
	if ok {
		// A script of another origin knows no base of its own but what its tag says.
		script, err = newAsset(name, []byte(`import(new URL("./static/`+one.hashed+"\",document.currentScript.src));\n"))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			s.Error(w, r, err)
			return
		}
		script.serve(w, r, "public, max-age=300")
	})
}
