package pgstore

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// batch is the operations that share a transaction. They read together, decide one after
// the other on a common copy in memory, each seeing what those before it have done, and
// write together.
type batch struct {
	ops  []*waiting
	sets map[string]*siteSet
}

// siteSet is what a batch knows of one site.
type siteSet struct {
	site string

	// What to read.
	wantTickets  map[uuid.UUID]bool
	wantPages    map[uuid.UUID]bool
	wantComments map[uuid.UUID]bool // with page and last event

	// What was read, and what became of it.
	tickets  map[uuid.UUID]*spentTicket
	pages    map[uuid.UUID]*page
	aliases  map[uuid.UUID]uuid.UUID // of pages wanted, to those that stand
	comments map[uuid.UUID]*stored
	authors  []author

	revisions []revision
	grown     map[uuid.UUID]int64 // by how much the trees of tops have

	wantReports []reportKey
	reports     map[reportKey]bool // those that stand
	newReports  []*comments.Report
	closed      []comments.ID // whose reports are closed
}

type spentTicket struct {
	comments.Spent
	spend comments.Spend
	fresh bool
}

// stored is a comment with what its row holds beside it.
type stored struct {
	comments.Comment
	seq   uint64 // of its last event
	last  comments.Transition
	code  comments.CodeKey // of a fresh one
	fresh bool
	dirty bool

	reworded bool // its words differ from what is stored
}

type author struct {
	comment uuid.UUID
	comments.Author
}

// read implements job.
func (b *batch) read(q *pgx.Batch, tx *Tx) {
	b.sets = map[string]*siteSet{}
	for _, site := range tx.sites {
		s := &siteSet{
			site: site, wantTickets: map[uuid.UUID]bool{}, wantPages: map[uuid.UUID]bool{}, wantComments: map[uuid.UUID]bool{},
			tickets: map[uuid.UUID]*spentTicket{}, pages: map[uuid.UUID]*page{}, aliases: map[uuid.UUID]uuid.UUID{}, comments: map[uuid.UUID]*stored{},
		}
		for _, w := range b.ops {
			w.want(s)
		}
		s.read(q)
		b.sets[site] = s
	}
}

// Rows are looked up one by one, by their whole keys: a subquery with a limit is one the
// planner can't turn around. Left to itself it may go over all of a site's rows, as long
// as the tables are new to it.
const (
	spentByTicket = `SELECT t.id, s.comment, s.words FROM unnest($2::uuid[]) AS t (id)
		CROSS JOIN LATERAL (SELECT * FROM spent WHERE site = $1 AND id = t.id LIMIT 1) AS s`

	commentsByID = `SELECT ` + commentColumns + `, c.seq, ` + transitionColumns + `
		FROM unnest($2::uuid[]) AS k (id)
		CROSS JOIN LATERAL (SELECT * FROM comments WHERE site = $1 AND id = k.id LIMIT 1) AS c
		CROSS JOIN LATERAL (SELECT * FROM pages WHERE site = $1 AND id = c.page LIMIT 1) AS p
		CROSS JOIN LATERAL (SELECT * FROM events WHERE site = $1 AND seq = c.seq LIMIT 1) AS e
		LEFT JOIN LATERAL (SELECT * FROM details WHERE site = $1 AND seq = e.seq LIMIT 1) AS d ON true`

	pagesByID = `SELECT p.id, ` + pageColumns + ` FROM unnest($2::uuid[]) AS k (id)
		CROSS JOIN LATERAL (SELECT * FROM pages WHERE site = $1 AND id = k.id LIMIT 1) AS p`

	pagesByComment = `SELECT p.id, ` + pageColumns + ` FROM (SELECT DISTINCT c.page FROM unnest($2::uuid[]) AS k (id)
			CROSS JOIN LATERAL (SELECT * FROM comments WHERE site = $1 AND id = k.id LIMIT 1) AS c) AS k (id)
		CROSS JOIN LATERAL (SELECT * FROM pages WHERE site = $1 AND id = k.id LIMIT 1) AS p`
)

func (s *siteSet) read(q *pgx.Batch) {
	s.readReports(q)
	if len(s.wantTickets) > 0 {
		q.Queue(spentByTicket, s.site, uuids(s.wantTickets)).Query(s.readTickets)
	}
	if len(s.wantPages) > 0 {
		q.Queue(pagesByID, s.site, uuids(s.wantPages)).Query(s.readPages)
		q.Queue(aliasesByID, s.site, uuids(s.wantPages)).Query(s.readAliases)
	}
	if len(s.wantComments) > 0 {
		q.Queue(commentsByID, s.site, uuids(s.wantComments)).Query(s.readComments)
		q.Queue(pagesByComment, s.site, uuids(s.wantComments)).Query(s.readPages)
	}
}

// readRepeated reads what few batches need: the comments that tickets spent before have let
// in.
func (s *siteSet) readRepeated(ctx context.Context, tx *Tx) error {
	want := map[uuid.UUID]bool{}
	for _, t := range s.tickets {
		want[t.Comment.UUID()] = true
	}
	if len(want) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, commentsByID, s.site, uuids(want))
	if err != nil {
		return err
	}
	return s.readComments(rows)
}

// uuids are in order, so that rows are visited as they lie in the index.
func uuids(set map[uuid.UUID]bool) []pgtype.UUID {
	list := make([]pgtype.UUID, 0, len(set))
	for u := range set {
		list = append(list, pgtype.UUID{Bytes: u, Valid: true})
	}
	slices.SortFunc(list, func(a, b pgtype.UUID) int { return slices.Compare(a.Bytes[:], b.Bytes[:]) })
	return list
}

func (s *siteSet) readTickets(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var id, comment pgtype.UUID
		var words []byte
		if err := rows.Scan(&id, &comment, &words); err != nil {
			return err
		}
		t, err := newSpent(s.site, comment, words)
		if err != nil {
			return err
		}
		s.tickets[id.Bytes] = &spentTicket{Spent: t}
	}
	return rows.Err()
}

func (s *siteSet) readComments(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		c := new(stored)
		var cf commentFields
		var ef eventFields
		into := append(append(cf.into(&c.Comment), &c.seq), ef.into(&c.last.Event)...)
		if err := rows.Scan(append(into, &c.last.Salt, &c.last.Detail.Reason, &c.last.Note)...); err != nil {
			return err
		}
		ef.finish(s.site, &c.last.Event)
		if err := cf.finish(s.site, &c.Comment); err != nil {
			return err
		}
		s.comments[cf.id.Bytes] = c
	}
	return rows.Err()
}

func (s *siteSet) readPages(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var id pgtype.UUID
		p := &page{Page: comments.Page{Site: s.site}}
		var f pageFields
		if err := rows.Scan(append([]any{&id}, f.into(&p.Page)...)...); err != nil {
			return err
		}
		f.finish(&p.Page)
		if s.pages[id.Bytes] == nil { // may be asked for by key and by comment
			s.pages[id.Bytes] = p
		}
	}
	return rows.Err()
}

// decide implements job. What an operation returns is its own affair.
func (b *batch) decide(ctx context.Context, tx *Tx) error {
	for _, s := range b.sets {
		if err := s.readRepeated(ctx, tx); err != nil {
			return err
		}
	}
	for _, w := range b.ops {
		w.err = nil
		for _, site := range tx.sites {
			if err := safely(func() error { return w.run(b.sets[site], tx) }); err != nil {
				w.err = err
			}
		}
	}
	return nil
}

// safely turns a panic of what a caller has handed in into its error.
func safely(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return run()
}

// write implements job.
func (b *batch) write(q *pgx.Batch, tx *Tx) {
	for _, site := range tx.sites {
		s := b.sets[site]
		s.writePages(q)
		s.insertComments(q)
		s.updateComments(q)
		s.writeRevisions(q)
		s.writeReports(q)
		s.writeTrees(q)
		s.writeTickets(q)
		s.writeAuthors(q)
	}
}

func (s *siteSet) insertComments(q *pgx.Batch) {
	for id, c := range s.comments {
		if !c.fresh {
			continue
		}
		signals, err := encodeSignals(c.Signals)
		if err != nil { // a map of strings: it can't be
			signals = pgtype.Text{}
		}
		public, _ := encodeWords(c.Public)
		q.Queue(`INSERT INTO comments (site, id, page, parent, name, title, content, lang, status, version, seq, signals, suspect, created_at, edited_at,
				root, author, risk, likes, reports, marks, appealed, public, code)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
			s.site, pgtype.UUID{Bytes: id, Valid: true}, pageUUID(s.site, c.Page), uuidOf(c.Parent), c.Name, c.Title, c.Content, c.Lang,
			string(c.Status), c.Version, c.seq, signals, suspicious(&c.Comment), Stamp(c.CreatedAt), Stamp(c.EditedAt),
			uuidOf(c.Root), authorUUID(c.Author), c.Risk, c.Likes, c.Reports, c.Marks, c.In(comments.Appeals), public, codeOf(c.code))
	}
}

func (s *siteSet) writeTickets(q *pgx.Batch) {
	for id, t := range s.tickets {
		if t.fresh {
			q.Queue(`INSERT INTO spent (site, id, expires, comment, words) VALUES ($1, $2, $3, $4, $5)`,
				s.site, pgtype.UUID{Bytes: id, Valid: true}, ticketStamp(t.spend.Expires), uuidOf(t.Comment), t.Words[:])
		}
	}
}

func (s *siteSet) writeAuthors(q *pgx.Batch) {
	for _, a := range s.authors {
		q.Queue(`INSERT INTO addresses (site, comment, addr, expires) VALUES ($1, $2, $3, $4)`,
			s.site, pgtype.UUID{Bytes: a.comment, Valid: true}, a.Addr.WithZone(""), ticketStamp(a.Expires))
	}
}
