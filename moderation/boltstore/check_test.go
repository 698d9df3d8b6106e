package boltstore

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

// TestCheckFinds: whatever does not fit among the moderators' records is told of.
func TestCheckFinds(t *testing.T) {
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	hash := moderation.Hash{1}
	for name, c := range map[string]struct {
		tamper func(tx *comments.Tx)
		want   string
	}{
		"nothing":           {func(*comments.Tx) {}, ""},
		"e-mail missing":    {func(tx *comments.Tx) { tx.Delete(bucketEmails, []byte("a@example.org")) }, "moderator m-1: the list of e-mails does not lead to it"},
		"moderator missing": {func(tx *comments.Tx) { tx.Delete(bucketModerators, []byte("m-1")) }, "moderator m-1: an e-mail leads to it"},
		"expiry missing":    {func(tx *comments.Tx) { tx.Delete(bucketExpiries, expiryKey(at, expiringLink, hash)) }, "link 01"},
		"session missing":   {func(tx *comments.Tx) { tx.Delete(bucketSessions, hash[:]) }, "what expires at"},
		"no record":         {func(tx *comments.Tx) { tx.PutEntry(bucketTokens, hash[:]) }, "token 01"},
		"no document":       {func(tx *comments.Tx) { tx.PutEntry(bucketDocuments, []byte("*\x00words\x00a")) }, `document "*\x00words\x00a"`},
		"no site": {func(tx *comments.Tx) {
			payload, _ := encodeDocument(moderation.Document{Version: 1})
			tx.PutRecord(bucketDocuments, documentKey("nowhere", "words", "a"), format, payload)
		}, "site"},
		"no expiry": {func(tx *comments.Tx) { tx.PutEntry(bucketExpiries, []byte("short")) }, "its key has a wrong length"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := comments.Open(t.Context(), comments.Options{
				Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "f", Key: make([]byte, 32),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s, err := New(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.AddModerator(t.Context(), moderation.Moderator{ID: "m-1", Email: "a@example.org"}, "operator"); err != nil {
				t.Fatal(err)
			}
			if err := s.AddToken(t.Context(), moderation.Token{Hash: hash, Moderator: "m-1"}, "operator"); err != nil {
				t.Fatal(err)
			}
			if err := s.AddLink(t.Context(), moderation.Link{Hash: hash, Moderator: "m-1", Expires: at}); err != nil {
				t.Fatal(err)
			}
			if err := s.PutSession(t.Context(), hash, []byte("s"), at); err != nil {
				t.Fatal(err)
			}
			if err := db.Do(t.Context(), func(tx *comments.Tx) error { c.tamper(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			var list []string
			if err := s.Check(t.Context(), func(p comments.Problem) { list = append(list, p.String()) }); err != nil {
				t.Fatal(err)
			}
			all := strings.Join(list, "\n")
			if c.want == "" && all != "" || !strings.Contains(all, c.want) {
				t.Errorf("want %q in:\n%s", c.want, all)
			}
		})
	}
}
