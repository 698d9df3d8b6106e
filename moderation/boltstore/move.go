package boltstore

import (
	"fmt"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

// NotMoved says of the buckets that no noun answers for why they stay.
func NotMoved() map[string]string {
	return map[string]string{
		string(bucketEmails):   "made from the moderators",
		string(bucketExpiries): "made from the sessions and links",
	}
}

// documentsAtOnce bounds the memory that moving documents takes: one is up to 16 MiB.
const documentsAtOnce = 4

// Nouns are this wing's for core.Movable.
func (s *Store) Nouns() []core.Noun {
	documents := comments.NounOf(s.db, "documents", []comments.Bucket{bucketDocuments},
		func(tx *comments.Tx, k, _ []byte) (moderation.Document, error) { return document(tx, k) },
		func(tx *comments.Tx, d moderation.Document) error {
			payload, err := encodeDocument(d)
			if err == nil {
				tx.PutRecord(bucketDocuments, documentKey(d.Site, d.Kind, d.ID), format, payload)
			}
			return err
		})
	documents.Most = documentsAtOnce
	return []core.Noun{
		comments.NounOf(s.db, "moderators", []comments.Bucket{bucketModerators},
			func(tx *comments.Tx, k, _ []byte) (moderation.Moderator, error) { return moderator(tx, string(k)) },
			func(tx *comments.Tx, m moderation.Moderator) error {
				p, err := newPerson(m)
				if err == nil {
					p.put(tx)
				}
				return err
			}),
		comments.NounOf(s.db, "tokens", []comments.Bucket{bucketTokens},
			func(tx *comments.Tx, k, _ []byte) (moderation.Token, error) { return token(tx, hash(k)) },
			func(tx *comments.Tx, t moderation.Token) error {
				return putMoved(tx, bucketTokens, t.Hash, newTokenRecord(t))
			}),
		comments.NounOf(s.db, "links", []comments.Bucket{bucketLinks},
			func(tx *comments.Tx, k, _ []byte) (moderation.Link, error) { return link(tx, hash(k)) },
			func(tx *comments.Tx, l moderation.Link) error {
				tx.PutEntry(bucketExpiries, expiryKey(l.Expires, expiringLink, l.Hash))
				return putMoved(tx, bucketLinks, l.Hash, linkRecord{Moderator: l.Moderator, Expires: l.Expires})
			}),
		comments.NounOf(s.db, "sessions", []comments.Bucket{bucketSessions},
			func(tx *comments.Tx, k, _ []byte) (m moderation.MovedSession, err error) {
				var r sessionRecord
				err = read(tx, bucketSessions, k, &r)
				return moderation.MovedSession{Hash: hash(k), Data: r.Data, Expires: r.Expires}, err
			},
			func(tx *comments.Tx, m moderation.MovedSession) error {
				tx.PutEntry(bucketExpiries, expiryKey(m.Expires, expiringSession, m.Hash))
				return putMoved(tx, bucketSessions, m.Hash, sessionRecord{Data: m.Data, Expires: m.Expires})
			}),
		documents,
	}
}

func putMoved(tx *comments.Tx, b comments.Bucket, h moderation.Hash, record any) error {
	payload, err := encode(record)
	if err != nil {
		return fmt.Errorf("%s: %w", b, err)
	}
	tx.PutRecord(b, h[:], format, payload)
	return nil
}
