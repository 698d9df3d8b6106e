package pgstore

import (
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

// Nouns are this wing's for core.Movable.
func (s *Store) Nouns() []core.Noun {
	return []core.Noun{
		comments.NounOf(s.db, movedModerators()), comments.NounOf(s.db, movedTokens()),
		comments.NounOf(s.db, movedLinks()), comments.NounOf(s.db, movedSessions()),
		comments.NounOf(s.db, movedDocuments()),
	}
}

func movedModerators() comments.Shelf[moderation.Moderator] {
	return comments.Shelf[moderation.Moderator]{
		Name: "moderators", Tables: []string{"moderators"},
		SQL:   `SELECT ` + columns + ` FROM moderators WHERE id > $1 ORDER BY id LIMIT $2`,
		Start: []string{""},
		Scan:  func(rows pgx.Rows) (moderation.Moderator, error) { return scan(rows) },
		Place: func(m moderation.Moderator) []string { return []string{m.ID} },
		Put: func(b *pgx.Batch, list []moderation.Moderator) error {
			for _, m := range list {
				b.Queue(insertModerator, values(m)...)
			}
			return nil
		},
	}
}

func movedTokens() comments.Shelf[moderation.Token] {
	return comments.Shelf[moderation.Token]{
		Name: "tokens", Tables: []string{"tokens"},
		SQL:   `SELECT ` + tokenColumns + ` FROM tokens WHERE hash > $1::bytea ORDER BY hash LIMIT $2`,
		Start: []string{`\x`},
		Scan:  func(rows pgx.Rows) (moderation.Token, error) { return scanToken(rows) },
		Place: func(t moderation.Token) []string { return place(t.Hash) },
		Put: func(b *pgx.Batch, list []moderation.Token) error {
			for _, t := range list {
				b.Queue(insertToken, tokenValues(t)...)
			}
			return nil
		},
	}
}

func movedLinks() comments.Shelf[moderation.Link] {
	return comments.Shelf[moderation.Link]{
		Name: "links", Tables: []string{"links"},
		SQL: `SELECT hash, moderator, expires FROM links WHERE hash > $1::bytea AND spent_by IS NULL
			ORDER BY hash LIMIT $2`,
		Start: []string{`\x`},
		Scan: func(rows pgx.Rows) (l moderation.Link, err error) {
			var expires pgtype.Timestamptz
			err = scanHashed(rows, &l.Hash, &l.Moderator, &expires)
			l.Expires = comments.TimeOf(expires)
			return l, err
		},
		Place: func(l moderation.Link) []string { return place(l.Hash) },
		Put: func(b *pgx.Batch, list []moderation.Link) error {
			for _, l := range list {
				b.Queue(`INSERT INTO links (hash, moderator, expires) VALUES ($1, $2, $3)`, l.Hash[:], l.Moderator, expiry(l.Expires))
			}
			return nil
		},
	}
}

func movedSessions() comments.Shelf[moderation.MovedSession] {
	return comments.Shelf[moderation.MovedSession]{
		Name: "sessions", Tables: []string{"sessions"},
		SQL:   `SELECT hash, data, expires FROM sessions WHERE hash > $1::bytea ORDER BY hash LIMIT $2`,
		Start: []string{`\x`},
		Scan: func(rows pgx.Rows) (m moderation.MovedSession, err error) {
			var expires pgtype.Timestamptz
			err = scanHashed(rows, &m.Hash, &m.Data, &expires)
			m.Expires = comments.TimeOf(expires)
			return m, err
		},
		Place: func(m moderation.MovedSession) []string { return place(m.Hash) },
		Put: func(b *pgx.Batch, list []moderation.MovedSession) error {
			for _, m := range list {
				if m.Data == nil {
					m.Data = []byte{}
				}
				b.Queue(`INSERT INTO sessions (hash, data, expires) VALUES ($1, $2, $3)`, m.Hash[:], m.Data, expiry(m.Expires))
			}
			return nil
		},
	}
}

// documentsAtOnce bounds the memory that moving documents takes: one is up to 16 MiB.
const documentsAtOnce = 4

func movedDocuments() comments.Shelf[moderation.Document] {
	return comments.Shelf[moderation.Document]{
		Name: "documents", Tables: []string{"documents"}, Most: documentsAtOnce,
		SQL: `SELECT ` + documentColumns + ` FROM documents
			WHERE (site, kind, id) > ($1, $2, $3) ORDER BY site, kind, id LIMIT $4`,
		Start: []string{"", "", ""},
		Scan:  func(rows pgx.Rows) (moderation.Document, error) { return scanDocument(rows) },
		Place: func(d moderation.Document) []string { return []string{d.Site, d.Kind, d.ID} },
		Put: func(b *pgx.Batch, list []moderation.Document) error {
			for _, d := range list {
				b.Queue(insertDocument, d.Site, d.Kind, d.ID, d.Version-1, comments.Stamp(d.At), d.By,
					pgtype.UUID{Bytes: uuid.New(), Valid: true}, append([]byte{}, d.Data...))
			}
			return nil
		},
	}
}

// scanHashed scans a row that begins with a hash.
func scanHashed(rows pgx.Rows, h *moderation.Hash, rest ...any) error {
	var b []byte
	if err := rows.Scan(append([]any{&b}, rest...)...); err != nil {
		return err
	}
	if len(b) != len(h) {
		return fmt.Errorf("a hash of %d bytes: %w", len(b), core.ErrDamaged)
	}
	copy(h[:], b)
	return nil
}

func place(h moderation.Hash) []string { return []string{`\x` + hex.EncodeToString(h[:])} }
