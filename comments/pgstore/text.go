package pgstore

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"duyet/comments"
)

// PostgreSQL's text is UTF-8 without NUL. The services let no other through; a caller
// that does is told before its words cost its neighbours a transaction.

// CheckText is comments.ErrInvalid when one of the texts can't be stored.
func CheckText(texts ...string) error {
	for _, s := range texts {
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return fmt.Errorf("text that is not UTF-8, or has a NUL: %w", comments.ErrInvalid)
		}
	}
	return nil
}

// clean is text that can be stored, of text that is ours and not a reader's.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
