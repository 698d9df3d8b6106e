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

const columns = `id, email, role, sites, password_hash, disabled, created_at, version, signed_out_at`

func scan(row pgx.Row) (m moderation.Moderator, err error) {
	var created, signedOut pgtype.Timestamptz
	err = row.Scan(&m.ID, &m.Email, &m.Role, &m.Sites, &m.PasswordHash, &m.Disabled, &created, &m.Version, &signedOut)
	if errors.Is(err, pgx.ErrNoRows) {
		return moderation.Moderator{}, absent("moderator")
	}
	m.CreatedAt, m.SignedOutAt = comments.TimeOf(created), comments.TimeOf(signedOut)
	return m, err
}

// check is comments.ErrInvalid for a person that can't be stored.
func check(m moderation.Moderator, actor string) error {
	if m.ID == "" || m.Email == "" {
		return fmt.Errorf("moderator without id or e-mail: %w", core.ErrInvalid)
	}
	return comments.CheckText(append([]string{m.ID, m.Email, string(m.Role), m.PasswordHash, actor}, m.Sites...)...)
}

// stored is a person as reading gives it back.
func stored(m moderation.Moderator) moderation.Moderator {
	m.CreatedAt = comments.TimeOf(comments.Stamp(m.CreatedAt))
	m.SignedOutAt = comments.TimeOf(comments.Stamp(m.SignedOutAt))
	return m
}

const insertModerator = `INSERT INTO moderators (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// values are a person's columns.
func values(m moderation.Moderator) []any {
	return []any{
		m.ID, m.Email, string(m.Role), m.Sites, m.PasswordHash, m.Disabled,
		comments.Stamp(m.CreatedAt), m.Version, comments.Stamp(m.SignedOutAt),
	}
}

func put(ctx context.Context, tx *comments.Tx, sql string, m moderation.Moderator) error {
	if _, err := tx.Exec(ctx, sql, values(m)...); err != nil {
		return fmt.Errorf("moderator %s: %w", m.ID, err)
	}
	return nil
}

// Moderators implements moderation.PeopleStore.
func (s *Store) Moderators(ctx context.Context) (list []moderation.Moderator, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+columns+` FROM moderators ORDER BY email`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	return list, err
}

// Moderator implements moderation.PeopleStore.
func (s *Store) Moderator(ctx context.Context, id string) (moderation.Moderator, error) {
	return s.find(ctx, `SELECT `+columns+` FROM moderators WHERE id = $1`, id)
}

// ModeratorByEmail implements moderation.PeopleStore.
func (s *Store) ModeratorByEmail(ctx context.Context, email string) (moderation.Moderator, error) {
	return s.find(ctx, `SELECT `+columns+` FROM moderators WHERE email = $1`, email)
}

func (s *Store) find(ctx context.Context, sql, by string) (m moderation.Moderator, err error) {
	if comments.CheckText(by) != nil {
		return m, absent("moderator")
	}
	err = s.db.Read(ctx, func(q comments.Queryer) (err error) {
		m, err = scan(q.QueryRow(ctx, sql, by))
		return err
	})
	return m, err
}

// free is nil when an e-mail and an id are nobody's, the one of this id aside.
func free(ctx context.Context, q querier, email, id, except string) error {
	var taken bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM moderators WHERE (email = $1 OR id = $2) AND id <> $3)`, email, id, except).Scan(&taken)
	if err == nil && taken {
		err = fmt.Errorf("moderator %s: %w", email, core.ErrExists)
	}
	return err
}

// AddModerator implements moderation.PeopleStore.
func (s *Store) AddModerator(ctx context.Context, m moderation.Moderator, actor string) (moderation.Moderator, error) {
	if err := check(m, actor); err != nil {
		return moderation.Moderator{}, err
	}
	m = stored(m)
	m.Version = 1
	err := s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		if err := free(ctx, tx, m.Email, m.ID, ""); err != nil {
			return err
		}
		if err := put(ctx, tx, insertModerator, m); err != nil {
			return err
		}
		return event(tx, actor, moderation.KindModeratorAdded, m.ID)
	})
	if err != nil {
		return moderation.Moderator{}, err
	}
	return m, nil
}

// ChangeModerator implements moderation.PeopleStore.
func (s *Store) ChangeModerator(ctx context.Context, m moderation.Moderator, actor string, kind core.Kind) (moderation.Moderator, error) {
	if err := check(m, actor); err != nil {
		return moderation.Moderator{}, err
	}
	changed := stored(m)
	changed.Version++
	err := s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		stands, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM moderators WHERE id = $1`, m.ID))
		if err != nil {
			return err
		}
		if stands.Version != m.Version {
			return fmt.Errorf("moderator %s is at version %d: %w", m.ID, stands.Version, core.ErrVersion)
		}
		if err := free(ctx, tx, m.Email, m.ID, m.ID); err != nil {
			return err
		}
		if err := put(ctx, tx, `UPDATE moderators SET email = $2, role = $3, sites = $4, password_hash = $5, disabled = $6,
			created_at = $7, version = $8, signed_out_at = $9 WHERE id = $1`, changed); err != nil {
			return err
		}
		return event(tx, actor, kind, m.ID)
	})
	if err != nil {
		return moderation.Moderator{}, err
	}
	return changed, nil
}

// RemoveModerator implements moderation.PeopleStore. Tokens and links go by their foreign
// keys.
func (s *Store) RemoveModerator(ctx context.Context, id, actor string) error {
	if comments.CheckText(id) != nil {
		return absent("moderator")
	}
	if err := comments.CheckText(actor); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, tx *comments.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM moderators WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return absent("moderator " + id)
		}
		return event(tx, actor, moderation.KindModeratorRemoved, id)
	})
}
