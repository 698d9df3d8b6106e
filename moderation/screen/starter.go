package screen

import (
	"embed"
	"strings"
)

// A starter is a short list of words that most newsrooms want to look at twice. No site has
// one unless its people take it into use; then it is a list of the site's own.
//
//go:embed starter/*.txt
var starters embed.FS

// Starters are the languages in which there is one.
func Starters() []string { return []string{"vi", "en"} }

// Starter is the list to begin with in a language. It holds; its name and site are the
// caller's to set.
func Starter(lang string) (WordList, bool) {
	if strings.ContainsAny(lang, "/.") {
		return WordList{}, false
	}
	data, err := starters.ReadFile("starter/" + lang + ".txt")
	if err != nil {
		return WordList{}, false
	}
	return WordList{Lang: lang, Action: HoldWords, Entries: ParseEntries(string(data))}, true
}
