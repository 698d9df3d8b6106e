package moderation

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"duyet/comments"
)

// Document is what a site configures or what is learned for it: a word list, a ban, a
// rule, a model. The store knows nothing of its Data.
type Document struct {
	Site    string // comments.Installation for what is everybody's
	Kind    string // "words", "bans" …: [a-z0-9_-], 1–32 bytes
	ID      string // within site and kind: [A-Za-z0-9_.-], 1–64 bytes
	Version uint64 // 1 when new, one more with every change
	Data    []byte
	At      time.Time // of the last change; the store's clock
	By      string    // actor of the last change
}

// DocumentMost is the most bytes of a document's Data.
const DocumentMost = 16 << 20

// Subject is how the journal names a document: "words/default".
func (d Document) Subject() string { return d.Kind + "/" + d.ID }

// CheckDocument is comments.ErrInvalid for a document that no store takes.
func CheckDocument(d Document) error {
	switch {
	case !documentName(d.Kind, 32, false):
		return fmt.Errorf("a document's kind %q: %w", d.Kind, comments.ErrInvalid)
	case !documentName(d.ID, 64, true):
		return fmt.Errorf("a document's id %q: %w", d.ID, comments.ErrInvalid)
	case len(d.Data) > DocumentMost:
		return fmt.Errorf("document %s has %d bytes, more than %d: %w", d.Subject(), len(d.Data), DocumentMost, comments.ErrInvalid)
	case strings.ContainsRune(d.By, 0) || !utf8.ValidString(d.By):
		return fmt.Errorf("a document's author: %w", comments.ErrInvalid)
	}
	return nil
}

func documentName(s string, most int, id bool) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, r := range []byte(s) {
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-'
		if !plain && !(id && (r >= 'A' && r <= 'Z' || r == '.')) {
			return false
		}
	}
	return true
}

// CheckRemoval is comments.ErrInvalid, or comments.ErrVersion, for a removal that no store
// takes.
func CheckRemoval(d Document, kind comments.Kind) error {
	d.Data = nil
	switch err := CheckDocument(d); {
	case err != nil:
		return err
	case kind == "":
		return fmt.Errorf("removal of document %s without an event: %w", d.Subject(), comments.ErrInvalid)
	case d.Version == 0:
		return fmt.Errorf("document %s at version 0: %w", d.Subject(), comments.ErrVersion)
	}
	return nil
}

// DocumentStore keeps documents. All of them go with their site.
type DocumentStore interface {
	// Document is one, or comments.ErrNotFound (comments.ErrUnknownSite where the site is
	// not there either).
	Document(ctx context.Context, site, kind, id string) (Document, error)
	// Documents lists those of a kind by id, with their Data. A site without any, or that
	// is not there, has none.
	Documents(ctx context.Context, site, kind string) ([]Document, error)
	// PutDocument stores d if the one that stands is still at d.Version: 0 makes a new one
	// (comments.ErrExists if there is one), another version changes one
	// (comments.ErrVersion if it is not at that, comments.ErrNotFound if there is none).
	// The stored version is one more, At is the store's clock. The event is of the given
	// kind under the document's site, by d.By, its Subject the document's; with kind ""
	// there is none, for what changes often and tells nobody anything, such as a model
	// that notes how far it has read.
	PutDocument(ctx context.Context, d Document, kind comments.Kind) (Document, error)
	// RemoveDocument removes d if the one that stands is still at d.Version, with an event
	// of the given kind, which there must be, by d.By; errors as of PutDocument.
	RemoveDocument(ctx context.Context, d Document, kind comments.Kind) error
}
