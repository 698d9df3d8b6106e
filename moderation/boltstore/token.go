package boltstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

type tokenRecord struct {
	Moderator string                  `json:"moderator"`
	Name      string                  `json:"name,omitempty"`
	Scopes    []moderation.Permission `json:"scopes,omitempty"`
	CreatedAt time.Time               `json:"created_at"`
	Expires   time.Time               `json:"expires,omitzero"`
}

func newTokenRecord(t moderation.Token) tokenRecord {
	return tokenRecord{Moderator: t.Moderator, Name: t.Name, Scopes: t.Scopes, CreatedAt: milli(t.CreatedAt), Expires: milli(t.Expires)}
}

// AddToken implements moderation.TokenStore. A moderator who is not there is ErrNotFound.
func (s *Store) AddToken(ctx context.Context, t moderation.Token, actor string) error {
	payload, err := encode(newTokenRecord(t))
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := known(tx, t.Moderator); err != nil {
			return err
		}
		if tx.Has(bucketTokens, t.Hash[:]) {
			return fmt.Errorf("token: %w", core.ErrExists)
		}
		if err := tx.Ready(core.Installation); err != nil {
			return err
		}
		tx.PutRecord(bucketTokens, t.Hash[:], format, payload)
		return event(tx, actor, moderation.KindTokenAdded, t.Moderator)
	})
}

// known is nil when there is a moderator of that id, else ErrNotFound.
func known(tx *comments.Tx, id string) error {
	if id == "" || !tx.Has(bucketModerators, []byte(id)) {
		return fmt.Errorf("moderator %q: %w", id, core.ErrNotFound)
	}
	return nil
}

func token(tx *comments.Tx, h moderation.Hash) (moderation.Token, error) {
	var r tokenRecord
	if err := read(tx, bucketTokens, h[:], &r); err != nil {
		return moderation.Token{}, err
	}
	return moderation.Token{
		Hash: h, Moderator: r.Moderator, Name: r.Name, Scopes: r.Scopes, CreatedAt: r.CreatedAt, Expires: r.Expires,
	}, nil
}

// Token implements moderation.TokenStore.
func (s *Store) Token(ctx context.Context, h moderation.Hash) (t moderation.Token, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) (err error) {
		t, err = token(tx, h)
		return err
	})
	return t, err
}

// Tokens implements moderation.TokenStore.
func (s *Store) Tokens(ctx context.Context, moderator string) (list []moderation.Token, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) (err error) {
		list, err = tokensOf(tx, moderator)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b moderation.Token) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

// RemoveToken implements moderation.TokenStore.
func (s *Store) RemoveToken(ctx context.Context, h moderation.Hash, actor string) error {
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		t, err := token(tx, h)
		if err != nil {
			return err
		}
		if err := tx.Ready(core.Installation); err != nil {
			return err
		}
		tx.Delete(bucketTokens, h[:])
		return event(tx, actor, moderation.KindTokenRemoved, t.Moderator)
	})
}

// tokensOf lists a moderator's tokens. There are few of them, of anybody's.
func tokensOf(tx *comments.Tx, id string) (list []moderation.Token, err error) {
	for k := range tx.Keys(bucketTokens, nil) {
		t, err := token(tx, hash(k))
		if err != nil {
			return nil, err
		}
		if t.Moderator == id {
			list = append(list, t)
		}
	}
	return list, nil
}
