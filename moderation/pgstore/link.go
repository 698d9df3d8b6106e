package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

// expiry is a time by which rows are swept: never NULL.
func expiry(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t.UTC().Truncate(time.Millisecond), Valid: true}
}

// AddLink implements moderation.LinkStore. A moderator who is not there is ErrNotFound.
func (s *Store) AddLink(ctx context.Context, l moderation.Link) error {
	if comments.CheckText(l.Moderator) != nil {
		return absent("moderator")
	}
	// Adding the same link twice, which happens when the first answer is lost, is one.
	n, err := s.db.Exec(ctx, `INSERT INTO links (hash, moderator, expires)
		SELECT $1, id, $3 FROM moderators WHERE id = $2
		ON CONFLICT (hash) DO UPDATE SET expires = links.expires
			WHERE links.moderator = excluded.moderator AND links.expires = excluded.expires AND links.spent_by IS NULL`,
		l.Hash[:], l.Moderator, expiry(l.Expires))
	if err != nil || n > 0 {
		return err
	}
	return s.db.Read(ctx, func(q comments.Queryer) error {
		if err := known(ctx, q, l.Moderator); err != nil {
			return err
		}
		return fmt.Errorf("link: %w", core.ErrExists)
	})
}

// Link implements moderation.LinkStore.
func (s *Store) Link(ctx context.Context, h moderation.Hash) (moderation.Link, error) {
	return s.link(ctx, h, `SELECT moderator, expires FROM links WHERE hash = $1 AND spent_by IS NULL`, h[:])
}

// SpendLink implements moderation.LinkStore. The row stays until it is swept, under the
// name of this call: should its answer be lost, asking again gives the same.
func (s *Store) SpendLink(ctx context.Context, h moderation.Hash) (moderation.Link, error) {
	call := pgtype.UUID{Bytes: uuid.New(), Valid: true}
	return s.link(ctx, h, `UPDATE links SET spent_by = $2 WHERE hash = $1 AND (spent_by IS NULL OR spent_by = $2)
		RETURNING moderator, expires`, h[:], call)
}

func (s *Store) link(ctx context.Context, h moderation.Hash, sql string, args ...any) (l moderation.Link, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		l = moderation.Link{Hash: h}
		var expires pgtype.Timestamptz
		err := q.QueryRow(ctx, sql, args...).Scan(&l.Moderator, &expires)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent("link")
		}
		l.Expires = comments.TimeOf(expires)
		return err
	})
	if err != nil {
		return moderation.Link{}, err
	}
	return l, nil
}

// SignedIn implements moderation.LinkStore.
func (s *Store) SignedIn(ctx context.Context, moderator string, kind core.Kind) error {
	if err := comments.CheckText(moderator, string(kind)); err != nil {
		return err
	}
	return s.do(ctx, func(_ context.Context, tx *comments.Tx) error {
		return event(tx, moderator, kind, moderator)
	})
}
