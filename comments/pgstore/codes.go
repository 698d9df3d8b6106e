package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// codeOf is a key as the table has it.
func codeOf(k comments.CodeKey) pgtype.Int4 { return pgtype.Int4{Int32: int32(k), Valid: k != 0} }

const byCode = `SELECT ` + commentColumns + ` FROM (
		SELECT * FROM comments WHERE site = $1 AND code = $2 ORDER BY id
	) AS c CROSS JOIN LATERAL (SELECT key FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p ORDER BY id`

// ByCode implements comments.CodeKeeper.
func (db *DB) ByCode(ctx context.Context, site string, key comments.CodeKey) ([]comments.Comment, error) {
	return db.list(ctx, site, byCode, codeOf(key))
}

// fillStride is how many comments FillCodes fills a transaction: its rows are locked.
const fillStride = 500

// FillCodes implements comments.CodeKeeper. Rows that are being written are left to the
// next start, so that it waits for nobody while others wait for it.
func (db *DB) FillCodes(ctx context.Context, key func(comments.ID) comments.CodeKey) error {
	sites, err := db.Sites(ctx)
	if err != nil {
		return err
	}
	for _, s := range sites {
		for n := fillStride; n == fillStride; {
			if err := db.inTx(ctx, func(tx pgx.Tx) (err error) {
				n, err = fillSome(ctx, tx, s.ID, key)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

func fillSome(ctx context.Context, tx pgx.Tx, site string, key func(comments.ID) comments.CodeKey) (int, error) {
	rows, err := tx.Query(ctx, `SELECT id FROM comments WHERE site = $1 AND code IS NULL ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`, site, fillStride)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[pgtype.UUID])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	codes := make([]pgtype.Int4, len(ids))
	for i, id := range ids {
		codes[i] = codeOf(key(commentID(site, id)))
	}
	_, err = tx.Exec(ctx, `UPDATE comments SET code = k.code FROM unnest($2::uuid[], $3::int[]) AS k (id, code)
		WHERE comments.site = $1 AND comments.id = k.id`, site, ids, codes)
	return len(ids), err
}
