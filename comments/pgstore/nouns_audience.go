package pgstore

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"duyet/comments"
	"duyet/comments/audience"
)

func movedVisitors() Shelf[audience.MovedPart] {
	return Shelf[audience.MovedPart]{
		Name: "visitors", Tables: []string{"audience", "audience_days"}, Most: 100,
		SQL: `SELECT site, part, day, data FROM (
				SELECT site, 'slots' AS part, 0 AS day, slots AS data FROM audience WHERE slots IS NOT NULL
				UNION ALL SELECT site, 'summary', 0, summary FROM audience WHERE summary IS NOT NULL
				UNION ALL SELECT site, 'sketch', day, sketch FROM audience_days) AS k
			WHERE (site, part COLLATE "C", day) > ($1, $2, $3::int) ORDER BY site, part COLLATE "C", day LIMIT $4`,
		Start: []string{"", "", "0"},
		Scan: func(rows pgx.Rows) (m audience.MovedPart, err error) {
			return m, rows.Scan(&m.Site, &m.Part, &m.Day, &m.Data)
		},
		Place: func(m audience.MovedPart) []string { return []string{m.Site, m.Part, strconv.Itoa(int(m.Day))} },
		Put: func(b *pgx.Batch, list []audience.MovedPart) error {
			for _, m := range list {
				b.Queue(`INSERT INTO audience (site) VALUES ($1) ON CONFLICT DO NOTHING`, m.Site)
				switch m.Part {
				case "summary":
					b.Queue(`UPDATE audience SET summary = $2 WHERE site = $1`, m.Site, m.Data)
				case "slots":
					b.Queue(`UPDATE audience SET slots = $2 WHERE site = $1`, m.Site, m.Data)
				case "sketch":
					b.Queue(`INSERT INTO audience_days (site, day, sketch) VALUES ($1, $2, $3)`, m.Site, int32(m.Day), m.Data)
				default:
					return fmt.Errorf("part %q of a site's visitors: %w", m.Part, comments.ErrDamaged)
				}
			}
			return nil
		},
	}
}

func movedViews() Shelf[audience.MovedViews] {
	return Shelf[audience.MovedViews]{
		Name: "views", Tables: []string{"views"},
		SQL:   `SELECT site, key, views FROM views WHERE (site, page) > ($1, $2::uuid) ORDER BY site, page LIMIT $3`,
		Start: []string{"", nowhere},
		Scan: func(rows pgx.Rows) (m audience.MovedViews, err error) {
			return m, rows.Scan(&m.Site, &m.Page, &m.Views)
		},
		Place: func(m audience.MovedViews) []string {
			return []string{m.Site, uuid.UUID(comments.PageHash(m.Site, m.Page)).String()}
		},
		Put: func(b *pgx.Batch, list []audience.MovedViews) error {
			for _, m := range list {
				b.Queue(`INSERT INTO views (site, page, key, views) VALUES ($1, $2, $3, $4)`, m.Site, pageUUID(m.Site, m.Page), m.Page, m.Views)
			}
			return nil
		},
	}
}
