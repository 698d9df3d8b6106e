package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

const (
	tokenColumns = `hash, moderator, name, scopes, created_at, expires`
	insertToken  = `INSERT INTO tokens (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
)

func tokenValues(t moderation.Token) []any {
	scopes := make([]string, len(t.Scopes))
	for i, p := range t.Scopes {
		scopes[i] = string(p)
	}
	return []any{t.Hash[:], t.Moderator, t.Name, scopes, comments.Stamp(t.CreatedAt), comments.Stamp(t.Expires)}
}

func scanToken(row pgx.Row) (t moderation.Token, err error) {
	var created, expires pgtype.Timestamptz
	var hash []byte
	var scopes []string
	if err := row.Scan(&hash, &t.Moderator, &t.Name, &scopes, &created, &expires); err != nil {
		return moderation.Token{}, err
	}
	if len(hash) != len(t.Hash) {
		return moderation.Token{}, fmt.Errorf("token with a hash of %d bytes: %w", len(hash), core.ErrDamaged)
	}
	copy(t.Hash[:], hash)
	for _, p := range scopes {
		t.Scopes = append(t.Scopes, moderation.Permission(p))
	}
	t.CreatedAt, t.Expires = comments.TimeOf(created), comments.TimeOf(expires)
	return t, nil
}

// AddToken implements moderation.TokenStore. A moderator who is not there is ErrNotFound.
func (s *Store) AddToken(ctx context.Context, t moderation.Token, actor string) error {
	if err := comments.CheckText(t.Moderator, t.Name, actor); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		if err := known(ctx, tx, t.Moderator); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, insertToken+` ON CONFLICT DO NOTHING`, tokenValues(t)...)
		if err == nil && tag.RowsAffected() == 0 {
			err = fmt.Errorf("token: %w", core.ErrExists)
		}
		if err != nil {
			return err
		}
		return event(tx, actor, moderation.KindTokenAdded, t.Moderator)
	})
}

// Tokens implements moderation.TokenStore.
func (s *Store) Tokens(ctx context.Context, moderator string) (list []moderation.Token, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE moderator = $1 ORDER BY created_at, hash`, moderator)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			t, err := scanToken(rows)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RemoveToken implements moderation.TokenStore.
func (s *Store) RemoveToken(ctx context.Context, h moderation.Hash, actor string) error {
	if err := comments.CheckText(actor); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		var moderator string
		err := tx.QueryRow(ctx, `DELETE FROM tokens WHERE hash = $1 RETURNING moderator`, h[:]).Scan(&moderator)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent("token")
		}
		if err != nil {
			return err
		}
		return event(tx, actor, moderation.KindTokenRemoved, moderator)
	})
}

// known is nil when there is a moderator of that id, else ErrNotFound.
func known(ctx context.Context, q querier, id string) error {
	var there bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM moderators WHERE id = $1)`, id).Scan(&there)
	if err == nil && !there {
		err = absent("moderator " + id)
	}
	return err
}

// Token implements moderation.TokenStore.
func (s *Store) Token(ctx context.Context, h moderation.Hash) (t moderation.Token, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		t, err = scanToken(q.QueryRow(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, h[:]))
		if errors.Is(err, pgx.ErrNoRows) {
			return absent("token")
		}
		return err
	})
	if err != nil {
		return moderation.Token{}, err
	}
	return t, nil
}
