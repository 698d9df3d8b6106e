package pgstore

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// nowhere is before every uuid.
const nowhere = "00000000-0000-0000-0000-000000000000"

// Nouns implements comments.Movable.
func (db *DB) Nouns() []comments.Noun {
	return []comments.Noun{
		NounOf(db, movedSites()), NounOf(db, movedPages()), NounOf(db, movedComments()), NounOf(db, movedRevisions()), NounOf(db, movedReports()), NounOf(db, movedLikes()),
		NounOf(db, movedEvents()),
		NounOf(db, movedSpent()), NounOf(db, movedAddresses()),
		NounOf(db, movedAliases()), NounOf(db, movedVisitors()), NounOf(db, movedViews()), NounOf(db, movedHeads()),
	}
}

func movedSites() Shelf[comments.Site] {
	return Shelf[comments.Site]{
		Name: "sites", Tables: []string{"sites"},
		SQL:   `SELECT ` + siteColumns + ` FROM sites WHERE id > $1 ORDER BY id LIMIT $2`,
		Start: []string{""},
		Scan:  func(rows pgx.Rows) (comments.Site, error) { return scanSite(rows) },
		Place: func(s comments.Site) []string { return []string{s.ID} },
		Put: func(b *pgx.Batch, list []comments.Site) error {
			for _, s := range list {
				values, err := siteValues(s)
				if err != nil {
					return err
				}
				b.Queue(insertSite, values...)
			}
			return nil
		},
	}
}

func movedPages() Shelf[comments.Page] {
	return Shelf[comments.Page]{
		Name: "pages", Tables: []string{"pages"},
		SQL:   `SELECT site, ` + pageColumns + ` FROM pages WHERE (site, id) > ($1, $2::uuid) ORDER BY site, id LIMIT $3`,
		Start: []string{"", nowhere},
		Scan: func(rows pgx.Rows) (p comments.Page, err error) {
			var f pageFields
			err = rows.Scan(append([]any{&p.Site}, f.into(&p)...)...)
			f.finish(&p)
			return p, err
		},
		Place: func(p comments.Page) []string {
			return []string{p.Site, uuid.UUID(comments.PageHash(p.Site, p.Key)).String()}
		},
		Put: func(b *pgx.Batch, list []comments.Page) error {
			sets := sets{}
			for _, p := range list {
				sets.of(p.Site).pages[comments.PageHash(p.Site, p.Key)] = &page{Page: p, fresh: true}
			}
			for _, s := range sets {
				s.writePages(b)
			}
			return nil
		},
	}
}

func movedComments() Shelf[comments.MovedComment] {
	return Shelf[comments.MovedComment]{
		Name: "comments", Tables: []string{"comments", "page_days"},
		SQL: `SELECT c.site, ARRAY(SELECT e.seq FROM events e WHERE e.site = c.site AND e.comment = c.id ORDER BY e.seq), ` + commentColumns + `
		FROM comments c JOIN pages p ON p.site = c.site AND p.id = c.page
		WHERE (c.site, c.id) > ($1, $2::uuid) ORDER BY c.site, c.id LIMIT $3`,
		Start: []string{"", nowhere},
		Scan: func(rows pgx.Rows) (m comments.MovedComment, err error) {
			var site string
			var f commentFields
			if err := rows.Scan(append([]any{&site, &m.History}, f.into(&m.Comment)...)...); err != nil {
				return m, err
			}
			return m, f.finish(site, &m.Comment)
		},
		Place: func(m comments.MovedComment) []string {
			return []string{m.Comment.Site, m.Comment.ID.UUID().String()}
		},
		Put: func(b *pgx.Batch, list []comments.MovedComment) error {
			sets := sets{}
			for _, m := range list {
				c := &stored{Comment: m.Comment, fresh: true}
				if n := len(m.History); n > 0 {
					c.seq = m.History[n-1]
				}
				sets.of(m.Comment.Site).comments[m.Comment.ID.UUID()] = c
			}
			for _, s := range sets {
				s.insertComments(b)
				s.countDays(b)
			}
			return nil
		},
	}
}

func movedRevisions() Shelf[comments.MovedRevision] {
	return Shelf[comments.MovedRevision]{
		Name: "revisions", Tables: []string{"revisions"},
		SQL: `SELECT site, comment, ` + revisionColumns + ` FROM revisions
		WHERE (site, comment, version) > ($1, $2::uuid, $3::bigint) ORDER BY site, comment, version LIMIT $4`,
		Start: []string{"", nowhere, "0"},
		Scan: func(rows pgx.Rows) (m comments.MovedRevision, err error) {
			var site string
			var id pgtype.UUID
			var f revisionFields
			if err := rows.Scan(append([]any{&site, &id}, f.into(&m.Revision)...)...); err != nil {
				return m, err
			}
			m.Comment = commentID(site, id)
			return m, f.finish(m.Comment, &m.Revision)
		},
		Place: func(m comments.MovedRevision) []string {
			return []string{m.Comment.Site(), m.Comment.UUID().String(), strconv.FormatUint(m.Revision.Version, 10)}
		},
		Put: func(b *pgx.Batch, list []comments.MovedRevision) error {
			sets := sets{}
			for _, m := range list {
				s := sets.of(m.Comment.Site())
				s.revisions = append(s.revisions, revision{m.Comment.UUID(), m.Revision})
			}
			for _, s := range sets {
				s.writeRevisions(b)
			}
			return nil
		},
	}
}

func movedLikes() Shelf[comments.MovedLike] {
	return Shelf[comments.MovedLike]{
		Name: "likes", Tables: []string{"likes"},
		SQL: `SELECT site, comment, author FROM likes
		WHERE (site, comment, author) > ($1, $2::uuid, $3::uuid) ORDER BY site, comment, author LIMIT $4`,
		Start: []string{"", nowhere, nowhere},
		Scan: func(rows pgx.Rows) (m comments.MovedLike, err error) {
			var site string
			var id, by pgtype.UUID
			err = rows.Scan(&site, &id, &by)
			m.Comment, m.By = commentID(site, id), by.Bytes
			return m, err
		},
		Place: func(m comments.MovedLike) []string {
			return []string{m.Comment.Site(), m.Comment.UUID().String(), uuid.UUID(m.By).String()}
		},
		Put: func(b *pgx.Batch, list []comments.MovedLike) error {
			for _, m := range list {
				b.Queue(`INSERT INTO likes (site, comment, author) VALUES ($1, $2, $3)`,
					m.Comment.Site(), uuidOf(m.Comment), pgtype.UUID{Bytes: m.By, Valid: true})
			}
			return nil
		},
	}
}

func movedEvents() Shelf[comments.MovedEvent] {
	return Shelf[comments.MovedEvent]{
		Name: "events", Tables: []string{"events", "details"},
		SQL: `SELECT e.site, ` + transitionColumns + ` FROM events e` + joinDetail + `
		WHERE (e.site, e.seq) > ($1, $2::bigint) ORDER BY e.site, e.seq LIMIT $3`,
		Start: []string{"", "0"},
		Scan: func(rows pgx.Rows) (m comments.MovedEvent, err error) {
			var site string
			var f eventFields
			var d comments.Detail
			if err := rows.Scan(append(append([]any{&site}, f.into(&m.Event)...), &d.Salt, &d.Reason, &d.Note)...); err != nil {
				return m, err
			}
			f.finish(site, &m.Event)
			if d.Salt != nil { // NULL where there is no row
				m.Detail = &d
			}
			return m, nil
		},
		Place: func(m comments.MovedEvent) []string {
			return []string{m.Event.Site, strconv.FormatUint(m.Event.Seq, 10)}
		},
		Put: func(b *pgx.Batch, list []comments.MovedEvent) error {
			var tx Tx
			sites := map[string]bool{}
			for _, m := range list {
				sites[m.Event.Site] = true
				tx.commits = append(tx.commits, told{Event: m.Event})
				if m.Detail != nil {
					tx.details = append(tx.details, detailRow{site: m.Event.Site, seq: m.Event.Seq, Detail: *m.Detail})
				}
			}
			for site := range sites {
				tx.writeJournal(b, site)
			}
			return nil
		},
	}
}

func movedSpent() Shelf[comments.MovedSpent] {
	return Shelf[comments.MovedSpent]{
		Name: "spent tickets", Tables: []string{"spent"},
		SQL: `SELECT site, id, expires, comment, words FROM spent
		WHERE (expires, id) > ($1::timestamptz, $2::uuid) ORDER BY expires, id LIMIT $3`,
		Start: []string{"0001-01-01T00:00:00Z", nowhere},
		Scan: func(rows pgx.Rows) (m comments.MovedSpent, err error) {
			var site string
			var id, comment pgtype.UUID
			var expires time.Time
			err = rows.Scan(&site, &id, &expires, &comment, &m.Words)
			m.Ticket, m.Expires, m.Comment = id.Bytes, expires.UnixMilli(), commentID(site, comment)
			return m, err
		},
		Place: func(m comments.MovedSpent) []string {
			return []string{time.UnixMilli(m.Expires).UTC().Format(time.RFC3339Nano), uuid.UUID(m.Ticket).String()}
		},
		Put: func(b *pgx.Batch, list []comments.MovedSpent) error {
			sets := sets{}
			for _, m := range list {
				spent, err := newSpent(m.Comment.Site(), uuidOf(m.Comment), m.Words)
				if err != nil {
					return err
				}
				sets.of(m.Comment.Site()).tickets[uuid.UUID(m.Ticket)] = &spentTicket{
					Spent: spent, spend: comments.Spend{ID: m.Ticket, Expires: time.UnixMilli(m.Expires)}, fresh: true,
				}
			}
			for _, s := range sets {
				s.writeTickets(b)
			}
			return nil
		},
	}
}

func movedAddresses() Shelf[comments.MovedAddress] {
	return Shelf[comments.MovedAddress]{
		Name: "addresses", Tables: []string{"addresses"},
		SQL: `SELECT site, comment, addr, expires FROM addresses
		WHERE (site, comment) > ($1, $2::uuid) ORDER BY site, comment LIMIT $3`,
		Start: []string{"", nowhere},
		Scan: func(rows pgx.Rows) (m comments.MovedAddress, err error) {
			var site string
			var id pgtype.UUID
			var addr netip.Prefix
			err = rows.Scan(&site, &id, &addr, &m.Author.Expires)
			m.Comment, m.Author.Addr, m.Author.Expires = commentID(site, id), addr.Addr(), m.Author.Expires.UTC()
			return m, err
		},
		Place: func(m comments.MovedAddress) []string {
			return []string{m.Comment.Site(), m.Comment.UUID().String()}
		},
		Put: func(b *pgx.Batch, list []comments.MovedAddress) error {
			sets := sets{}
			for _, m := range list {
				s := sets.of(m.Comment.Site())
				s.authors = append(s.authors, author{comment: m.Comment.UUID(), Author: m.Author})
			}
			for _, s := range sets {
				s.writeAuthors(b)
			}
			return nil
		},
	}
}

// movedHeads come after all that they count.
func movedHeads() Shelf[comments.MovedHead] {
	return Shelf[comments.MovedHead]{
		Name: "heads", Tables: []string{"heads"},
		SQL:   `SELECT site, ` + headColumns + ` FROM heads WHERE site > $1 ORDER BY site LIMIT $2`,
		Start: []string{""},
		Scan: func(rows pgx.Rows) (m comments.MovedHead, err error) {
			var h head
			err = rows.Scan(append([]any{&m.Site}, h.into()...)...)
			m.Head = h.Head
			return m, err
		},
		Place: func(m comments.MovedHead) []string { return []string{m.Site} },
		Put: func(b *pgx.Batch, list []comments.MovedHead) error {
			for _, m := range list {
				h := head{Head: m.Head, epoch: newEpoch(), fresh: m.Site != comments.Installation}
				h.write(b, m.Site)
				b.Queue(countAnswers, m.Site)
			}
			return nil
		},
	}
}

// sets are records by site.
type sets map[string]*siteSet

func (m sets) of(site string) *siteSet {
	s := m[site]
	if s == nil {
		s = &siteSet{
			site: site, tickets: map[uuid.UUID]*spentTicket{}, pages: map[uuid.UUID]*page{}, comments: map[uuid.UUID]*stored{},
		}
		m[site] = s
	}
	return s
}
