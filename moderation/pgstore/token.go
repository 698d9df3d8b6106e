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

// AddToken implements moderation.TokenStore. A moderator who is not there is ErrNotFound.
func (s *Store) AddToken(ctx context.Context, t moderation.Token, actor string) error {
	if err := comments.CheckText(t.Moderator, actor); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		if err := known(ctx, tx, t.Moderator); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO tokens (hash, moderator, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			t.Hash[:], t.Moderator, comments.Stamp(t.CreatedAt))
		if err == nil && tag.RowsAffected() == 0 {
			err = fmt.Errorf("token: %w", core.ErrExists)
		}
		if err != nil {
			return err
		}
		return event(tx, actor, moderation.KindTokenAdded, t.Moderator)
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
		t = moderation.Token{Hash: h}
		var created pgtype.Timestamptz
		err := q.QueryRow(ctx, `SELECT moderator, created_at FROM tokens WHERE hash = $1`, h[:]).Scan(&t.Moderator, &created)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent("token")
		}
		t.CreatedAt = comments.TimeOf(created)
		return err
	})
	if err != nil {
		return moderation.Token{}, err
	}
	return t, nil
}
