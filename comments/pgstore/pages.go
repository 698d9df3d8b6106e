package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// Aliases implements comments.PageKeeper.
func (db *DB) Aliases(ctx context.Context, site string) (all map[string]string, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		all = map[string]string{}
		rows, err := q.Query(ctx, `SELECT key, target FROM aliases WHERE site = $1`, site)
		if err != nil {
			return err
		}
		var from, to string
		if _, err := pgx.ForEachRow(rows, []any{&from, &to}, func() error { all[from] = to; return nil }); err != nil {
			return err
		}
		return known(ctx, q, site)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// resolve is the key of a page by one that may be an alias.
func resolve(ctx context.Context, q querier, site, key string) (string, error) {
	target := key
	err := q.QueryRow(ctx, `SELECT target FROM aliases WHERE site = $1 AND id = $2`, site, pageUUID(site, key)).Scan(&target)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return target, err
}

func readPage(ctx context.Context, q querier, site, key string) (comments.Page, error) {
	p := comments.Page{Site: site}
	var f pageFields
	err := missing(q.QueryRow(ctx, `SELECT `+pageColumns+` FROM pages WHERE site = $1 AND id = $2`,
		site, pageUUID(site, key)).Scan(f.into(&p)...), "page %s", key)
	f.finish(&p)
	return p, err
}

// TitlePage implements comments.PageKeeper.
func (db *DB) TitlePage(ctx context.Context, site, key, title, actor string) (p comments.Page, err error) {
	if err := CheckText(key, title, actor); err != nil {
		return p, err
	}
	err = db.Do(ctx, []string{site}, func(ctx context.Context, tx *Tx) error {
		if tx.heads[site] == nil || site == comments.Installation {
			return unknown(site)
		}
		key, err := resolve(ctx, tx, site, key)
		if err != nil {
			return err
		}
		if p, err = readPage(ctx, tx, site, key); err != nil {
			return err
		}
		p.Title = title
		if _, err := tx.Exec(ctx, `UPDATE pages SET title = $3 WHERE site = $1 AND id = $2`, site, pageUUID(site, key), title); err != nil {
			return err
		}
		_, err = tx.Append(comments.Event{Site: site, Actor: actor, Kind: comments.KindPageTitled, Subject: key})
		return err
	})
	return p, err
}

// GatePage implements comments.PageKeeper.
func (db *DB) GatePage(ctx context.Context, site, key string, gate comments.Gate, actor string) (p comments.Page, err error) {
	if err := CheckText(key, actor); err != nil {
		return p, err
	}
	err = db.Do(ctx, []string{site}, func(ctx context.Context, tx *Tx) error {
		if tx.heads[site] == nil || site == comments.Installation {
			return unknown(site)
		}
		key, err := resolve(ctx, tx, site, key)
		if err != nil {
			return err
		}
		if p, err = readPage(ctx, tx, site, key); err != nil || p.Gate() == gate {
			return err
		}
		gate.Set(&p)
		_, err = tx.Exec(ctx, `UPDATE pages SET closed = $3, held = $4 WHERE site = $1 AND id = $2`, site, pageUUID(site, key), p.Closed, p.Held)
		if err != nil {
			return err
		}
		_, err = tx.Append(comments.Event{Site: site, Actor: actor, Kind: gate.Kind(), Subject: key})
		return err
	})
	return p, err
}

// moveMost bounds the move of a page.
const moveMost = time.Hour

// MovePage implements comments.PageKeeper.
func (db *DB) MovePage(ctx context.Context, m comments.PageMove) (p comments.Page, err error) {
	if err := CheckText(m.From, m.To, m.URL, m.Actor); err != nil {
		return p, err
	}
	if m.From == m.To {
		return p, fmt.Errorf("page %s into itself: %w", m.From, comments.ErrConflict)
	}
	err = db.do(ctx, moveMost, []string{m.Site}, func(ctx context.Context, tx *Tx) error {
		if tx.heads[m.Site] == nil || m.Site == comments.Installation {
			return unknown(m.Site)
		}
		move := m // anew each time
		if err := look(ctx, tx, &move); err != nil {
			return err
		}
		if err := write(ctx, tx, move); err != nil {
			return err
		}
		if p, err = readPage(ctx, tx, move.Site, move.To); err != nil {
			return err
		}
		_, err = tx.Append(comments.Event{Site: move.Site, Actor: move.Actor, Kind: move.Kind(), Subject: move.Subject()})
		return err
	})
	return p, err
}

// look finds whether a move can be.
func look(ctx context.Context, tx *Tx, m *comments.PageMove) error {
	if _, err := readPage(ctx, tx, m.Site, m.From); err != nil {
		return err
	}
	target, err := resolve(ctx, tx, m.Site, m.To)
	if err != nil {
		return err
	}
	if target != m.To && m.Merge {
		m.To = target
	} else if target != m.To && target != m.From {
		return fmt.Errorf("page %s stands at %s: %w", m.To, target, comments.ErrExists)
	}
	if m.To == m.From {
		return fmt.Errorf("page %s into itself: %w", m.From, comments.ErrConflict)
	}
	_, err = readPage(ctx, tx, m.Site, m.To)
	switch {
	case errors.Is(err, comments.ErrNotFound) && !m.Merge:
		return nil
	case err == nil && !m.Merge:
		return fmt.Errorf("page %s: %w", m.To, comments.ErrExists)
	}
	return err
}

// write moves all that is a page's: its comments, what is counted of them, its views, and
// the aliases that lead to it.
func write(ctx context.Context, tx *Tx, m comments.PageMove) error {
	from, to := pageUUID(m.Site, m.From), pageUUID(m.Site, m.To)
	steps := []struct {
		sql  string
		args []any
	}{
		{`SET LOCAL statement_timeout = 0`, nil},
		{`UPDATE comments SET page = $3 WHERE site = $1 AND page = $2`, []any{m.Site, from, to}},
		{`INSERT INTO page_days AS d (site, day, page, standing) SELECT site, day, $3, standing FROM page_days WHERE site = $1 AND page = $2
			ON CONFLICT (site, day, page) DO UPDATE SET standing = d.standing + excluded.standing`, []any{m.Site, from, to}},
		{`DELETE FROM page_days WHERE site = $1 AND page = $2`, []any{m.Site, from}},
		{`INSERT INTO views AS v (site, page, key, views) SELECT site, $3, $4, views FROM views WHERE site = $1 AND page = $2
			ON CONFLICT (site, page) DO UPDATE SET views = v.views + excluded.views`, []any{m.Site, from, to, m.To}},
		{`DELETE FROM views WHERE site = $1 AND page = $2`, []any{m.Site, from}},
	}
	add := func(sql string, args ...any) {
		steps = append(steps, struct {
			sql  string
			args []any
		}{sql, args})
	}
	if m.Merge {
		add(`UPDATE pages AS t SET pending = t.pending + f.pending, approved = t.approved + f.approved, rejected = t.rejected + f.rejected,
				spam = t.spam + f.spam, trashed = t.trashed + f.trashed, edited = t.edited + f.edited
			FROM pages AS f WHERE t.site = $1 AND t.id = $3 AND f.site = $1 AND f.id = $2`, m.Site, from, to)
		add(`DELETE FROM pages WHERE site = $1 AND id = $2`, m.Site, from)
	} else {
		add(`UPDATE pages SET id = $3, key = $4, url = $5 WHERE site = $1 AND id = $2`, m.Site, from, to, m.To, m.URL)
	}
	add(`DELETE FROM aliases WHERE site = $1 AND id = $2`, m.Site, to)
	add(`UPDATE aliases SET page = $3, target = $4 WHERE site = $1 AND page = $2`, m.Site, from, to, m.To)
	add(`INSERT INTO aliases (site, id, key, page, target) VALUES ($1, $2, $3, $4, $5)`, m.Site, from, m.From, to, m.To)
	for _, s := range steps {
		if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
			return fmt.Errorf("move page %s: %w", m.From, err)
		}
	}
	return nil
}

// aliasesByID finds the pages that wanted keys stand for now.
const aliasesByID = `SELECT a.id, p.id, ` + pageColumns + ` FROM unnest($2::uuid[]) AS k (id)
	CROSS JOIN LATERAL (SELECT id, page FROM aliases WHERE site = $1 AND id = k.id LIMIT 1) AS a
	CROSS JOIN LATERAL (SELECT * FROM pages WHERE site = $1 AND id = a.page LIMIT 1) AS p`

// readAliases notes them, and the pages as if they had been wanted.
func (s *siteSet) readAliases(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var alias, id pgtype.UUID
		var f pageFields
		p := &page{Page: comments.Page{Site: s.site}}
		if err := rows.Scan(append([]any{&alias, &id}, f.into(&p.Page)...)...); err != nil {
			return err
		}
		f.finish(&p.Page)
		if s.pages[id.Bytes] == nil {
			s.pages[id.Bytes] = p
		}
		s.aliases[alias.Bytes] = id.Bytes
	}
	return rows.Err()
}

func movedAliases() Shelf[comments.MovedAlias] {
	return Shelf[comments.MovedAlias]{
		Name: "aliases", Tables: []string{"aliases"},
		SQL:   `SELECT site, key, target FROM aliases WHERE (site, id) > ($1, $2::uuid) ORDER BY site, id LIMIT $3`,
		Start: []string{"", nowhere},
		Scan: func(rows pgx.Rows) (m comments.MovedAlias, err error) {
			return m, rows.Scan(&m.Site, &m.From, &m.To)
		},
		Place: func(m comments.MovedAlias) []string {
			return []string{m.Site, uuid.UUID(comments.PageHash(m.Site, m.From)).String()}
		},
		Put: func(b *pgx.Batch, list []comments.MovedAlias) error {
			for _, m := range list {
				b.Queue(`INSERT INTO aliases (site, id, key, page, target) VALUES ($1, $2, $3, $4, $5)`,
					m.Site, pageUUID(m.Site, m.From), m.From, pageUUID(m.Site, m.To), m.To)
			}
			return nil
		},
	}
}
