package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

const documentColumns = `site, kind, id, version, at, by, data`

func scanDocument(row pgx.Row) (d moderation.Document, err error) {
	var at pgtype.Timestamptz
	err = row.Scan(&d.Site, &d.Kind, &d.ID, &d.Version, &at, &d.By, &d.Data)
	d.At = comments.TimeOf(at)
	return d, err
}

// siteThere is nil when a site stands, or comments.ErrUnknownSite.
func siteThere(ctx context.Context, q querier, site string) error {
	var there bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM heads WHERE site = $1)`, site).Scan(&there)
	if err == nil && !there {
		err = fmt.Errorf("%q: %w", site, core.ErrUnknownSite)
	}
	return err
}

// Document implements moderation.DocumentStore.
func (s *Store) Document(ctx context.Context, site, kind, id string) (d moderation.Document, err error) {
	if comments.CheckText(site, kind, id) != nil {
		return d, absent("document")
	}
	err = s.db.Read(ctx, func(q comments.Queryer) (err error) {
		d, err = scanDocument(q.QueryRow(ctx, `SELECT `+documentColumns+` FROM documents WHERE site = $1 AND kind = $2 AND id = $3`, site, kind, id))
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := siteThere(ctx, q, site); err != nil {
			return err
		}
		return absent("document " + kind + "/" + id)
	})
	if err != nil {
		return moderation.Document{}, err
	}
	return d, nil
}

// Documents implements moderation.DocumentStore.
func (s *Store) Documents(ctx context.Context, site, kind string) (list []moderation.Document, err error) {
	if comments.CheckText(site, kind) != nil {
		return nil, nil
	}
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+documentColumns+` FROM documents WHERE site = $1 AND kind = $2 ORDER BY id`, site, kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDocument(rows)
			if err != nil {
				return err
			}
			list = append(list, d)
		}
		return rows.Err()
	})
	return list, err
}

// The change of a document in one statement, which may be run twice: it takes hold if the
// document is at the version it was read at, or was put there by this very call.
const (
	insertDocument = `INSERT INTO documents (site, kind, id, version, at, by, call, data)
		VALUES ($1, $2, $3, $4 + 1, $5, $6, $7, $8)
		ON CONFLICT (site, kind, id) DO UPDATE SET call = excluded.call WHERE documents.call = excluded.call`
	updateDocument = `UPDATE documents SET version = $4 + 1, at = $5, by = $6, call = $7, data = $8
		WHERE site = $1 AND kind = $2 AND id = $3 AND (version = $4 OR call = $7)`
)

// PutDocument implements moderation.DocumentStore.
func (s *Store) PutDocument(ctx context.Context, d moderation.Document, kind core.Kind) (moderation.Document, error) {
	if err := errors.Join(moderation.CheckDocument(d), comments.CheckText(d.Site)); err != nil {
		return moderation.Document{}, err
	}
	sql := updateDocument
	if d.Version == 0 {
		sql = insertDocument
	}
	stored := d
	stored.Version++
	stored.Data = append([]byte{}, d.Data...)
	put := func(exec func(sql string, args ...any) (int64, error), q querier, at pgtype.Timestamptz, call uuid.UUID) error {
		stored.At = comments.TimeOf(at)
		n, err := exec(sql, d.Site, d.Kind, d.ID, d.Version, at, d.By, pgtype.UUID{Bytes: call, Valid: true}, stored.Data)
		if err == nil && n == 0 {
			err = whyNot(ctx, q, d)
		}
		return err
	}
	call := uuid.New()
	var err error
	if kind == "" {
		err = s.db.Read(ctx, func(q comments.Queryer) error {
			if err := siteThere(ctx, q, d.Site); err != nil {
				return err
			}
			return put(func(sql string, args ...any) (int64, error) {
				tag, err := q.Exec(ctx, sql, args...)
				return tag.RowsAffected(), err
			}, q, comments.Stamp(s.db.Now()), call)
		})
	} else {
		err = s.db.Do(ctx, []string{d.Site}, func(ctx context.Context, tx *comments.Tx) error {
			if err := tell(tx, d, kind); err != nil {
				return err
			}
			return put(func(sql string, args ...any) (int64, error) {
				tag, err := tx.Exec(ctx, sql, args...)
				return tag.RowsAffected(), err
			}, tx, comments.Stamp(tx.Now()), call)
		})
	}
	if err != nil {
		return moderation.Document{}, err
	}
	return stored, nil
}

// whyNot says why a change found no document to change.
func whyNot(ctx context.Context, q querier, d moderation.Document) error {
	var version uint64
	err := q.QueryRow(ctx, `SELECT version FROM documents WHERE site = $1 AND kind = $2 AND id = $3`, d.Site, d.Kind, d.ID).Scan(&version)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return absent("document " + d.Subject())
	case err != nil:
		return err
	case d.Version == 0:
		return fmt.Errorf("document %s: %w", d.Subject(), core.ErrExists)
	}
	return fmt.Errorf("document %s is at version %d: %w", d.Subject(), version, core.ErrVersion)
}

func tell(tx *comments.Tx, d moderation.Document, kind core.Kind) error {
	_, err := tx.Append(core.Event{Site: d.Site, Actor: d.By, Kind: kind, Subject: d.Subject()})
	return err
}

// RemoveDocument implements moderation.DocumentStore.
func (s *Store) RemoveDocument(ctx context.Context, d moderation.Document, kind core.Kind) error {
	if err := errors.Join(moderation.CheckRemoval(d, kind), comments.CheckText(d.Site)); err != nil {
		return err
	}
	remove := `DELETE FROM documents WHERE site = $1 AND kind = $2 AND id = $3 AND version = $4`
	return s.db.Do(ctx, []string{d.Site}, func(ctx context.Context, tx *comments.Tx) error {
		if err := tell(tx, d, kind); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, remove, d.Site, d.Kind, d.ID, d.Version)
		if err == nil && tag.RowsAffected() == 0 {
			err = whyNot(ctx, tx, d)
		}
		return err
	})
}
