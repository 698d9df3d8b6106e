package screen

import (
	"iter"
	"strconv"

	"duyet/comments"
)

// fields are the words of a comment by the name of their field.
func fields(c comments.Comment) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		_ = yield("name", c.Name) && yield("title", c.Title) && yield("content", c.Content)
	}
}

// count is a signal about places: how many in Args "count", the first of them shown.
func count(level comments.Level, code string, places []comments.Place) comments.Signal {
	return comments.Signal{
		Level: level, Code: code,
		Args:   map[string]string{"count": strconv.Itoa(len(places))},
		Places: places[:min(len(places), placesMost)],
	}
}
