package pgstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// Amend implements comments.Amender.
func (db *DB) Amend(ctx context.Context, amendments []comments.Amendment) ([]comments.Amended, error) {
	op := &amending{amendments: amendments, done: make([]comments.Amended, len(amendments))}
	var sites []string
	for _, a := range amendments {
		if site := a.ID.Site(); comments.ValidSiteID(site) && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	op.reset()
	var err error
	switch len(sites) {
	case 0:
		err = ctx.Err()
	case 1:
		err = db.submit(ctx, sites[0], op)
	default:
		err = db.alone(ctx, sites, op)
	}
	if err != nil {
		return nil, err
	}
	return op.done, nil
}

type amending struct {
	amendments []comments.Amendment
	done       []comments.Amended
}

func (op *amending) reset() {
	for i, a := range op.amendments {
		op.done[i] = comments.Amended{Err: fmt.Errorf("comment %s: %w", a.ID, comments.ErrNotFound)}
	}
}

func (op *amending) want(s *siteSet) {
	for _, a := range op.amendments {
		if a.ID.Site() == s.site {
			s.wantComments[a.ID.UUID()] = true
		}
	}
}

// run applies the amendments that are about one site. A request about several sites has an
// event in the journal of each, and within each they keep their order.
func (op *amending) run(s *siteSet, tx *Tx) error {
	for i, a := range op.amendments {
		if a.ID.Site() == s.site {
			op.done[i] = s.apply(tx, a)
		}
	}
	return nil
}

func (s *siteSet) apply(tx *Tx, a comments.Amendment) comments.Amended {
	h, c := tx.heads[s.site], s.comments[a.ID.UUID()]
	if h == nil || c == nil || c.ID != a.ID {
		return comments.Amended{Err: fmt.Errorf("comment %s: %w", a.ID, comments.ErrNotFound)}
	}
	var step *comments.Step
	err := safely(func() (err error) {
		shown := c.Comment
		shown.Signals = slices.Clone(c.Signals)
		step, err = a.Decide(shown, c.last)
		return err
	})
	if err != nil || step == nil {
		return comments.Amended{Comment: c.Comment, Err: err}
	}
	next, err := step.Apply(c.Comment)
	if err == nil {
		err = checkStep(a.Actor, step, next)
	}
	if err != nil {
		return comments.Amended{Comment: c.Comment, Err: err}
	}
	p := s.pages[comments.PageHash(s.site, c.Page)]
	if p == nil {
		return comments.Amended{Comment: c.Comment, Err: fmt.Errorf("page of comment %s: %w", a.ID, comments.ErrDamaged)}
	}
	s.become(tx, h, p, c, next, a.Actor, step)
	return comments.Amended{Comment: c.Comment}
}

// become makes of a comment what an amendment has decided.
func (s *siteSet) become(tx *Tx, h *head, p *page, c *stored, next comments.Comment, actor string, step *comments.Step) {
	before := c.Comment
	c.Comment, c.dirty = next, true
	when := tx.Now()
	if step.Kind != "" {
		last, seq := c.last, c.seq
		tx.told(h, c, comments.Event{
			Site: s.site, Actor: actor, Kind: step.Kind, Comment: c.ID,
			From: before.Status, To: c.Status, Version: c.Version, Reason: step.Reason,
		}, step.Detail)
		tx.commits[len(tx.commits)-1].Stood = before.Standing()
		when = c.last.At
		if step.Aside { // what Decide is told of is the last that moved a version
			c.last, c.seq = last, seq
		}
	} else {
		tx.dirty = true
	}
	if comments.Reworded(before, next) {
		c.reworded = true
		s.revisions = append(s.revisions, revision{c.ID.UUID(), comments.Revision{
			Version: before.Version, Words: before.Words(), Public: before.Public, At: when, By: actor,
		}})
	}
	if before.Reports > 0 && c.Reports == 0 {
		s.closeReports(c.ID)
	}
	tally(h, p, &before, &c.Comment)
	s.grow(&before, &c.Comment)
}

func checkStep(actor string, step *comments.Step, next comments.Comment) error {
	texts := []string{actor, string(step.Kind), step.Reason, next.Name, next.Title, next.Content}
	if next.Public != nil {
		texts = append(texts, next.Public.Name, next.Public.Title, next.Public.Content)
	}
	if step.Detail != nil {
		texts = append(texts, step.Detail.Reason, step.Detail.Note)
	}
	return CheckText(texts...)
}

// updateComments queues a statement for each: an update joined to a list of keys is one
// that the planner may turn around.
func (s *siteSet) updateComments(q *pgx.Batch) {
	for id, c := range s.comments {
		if !c.dirty || c.fresh {
			continue
		}
		key := pgtype.UUID{Bytes: id, Valid: true}
		public, _ := encodeWords(c.Public) // of texts and a number: it can't fail
		signals, _ := encodeSignals(c.Signals)
		q.Queue(`UPDATE comments SET status = $3, version = $4, seq = $5, signals = $6, suspect = $7,
				risk = $8, reports = $9, marks = $10, appealed = $11, public = $12 WHERE site = $1 AND id = $2`,
			s.site, key, string(c.Status), c.Version, c.seq, signals, suspicious(&c.Comment),
			c.Risk, c.Reports, c.Marks, c.In(comments.Appeals), public)
		if c.reworded {
			q.Queue(`UPDATE comments SET name = $3, title = $4, content = $5, edited_at = $6 WHERE site = $1 AND id = $2`,
				s.site, key, c.Name, c.Title, c.Content, Stamp(c.EditedAt))
		}
	}
}

type revision struct {
	comment uuid.UUID
	comments.Revision
}

func (s *siteSet) writeRevisions(q *pgx.Batch) {
	for _, r := range s.revisions {
		public, _ := encodeWords(r.Public)
		q.Queue(`INSERT INTO revisions (site, comment, version, name, title, content, edited_at, public, at, by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			s.site, pgtype.UUID{Bytes: r.comment, Valid: true}, r.Version, r.Words.Name, r.Words.Title, r.Words.Content,
			Stamp(r.Words.EditedAt), public, Stamp(r.At), r.By)
	}
}

const revisionColumns = `version, name, title, content, edited_at, public, at, by`

// revisionFields are where a row of revisionColumns goes. finish completes the revision.
type revisionFields struct {
	edited, at pgtype.Timestamptz
	public     []byte
}

func (f *revisionFields) into(r *comments.Revision) []any {
	w := &r.Words
	return []any{&r.Version, &w.Name, &w.Title, &w.Content, &f.edited, &f.public, &f.at, &r.By}
}

func (f *revisionFields) finish(id comments.ID, r *comments.Revision) (err error) {
	r.Words.EditedAt, r.At = TimeOf(f.edited), TimeOf(f.at)
	if r.Public, err = decodeWords(f.public); err != nil {
		return fmt.Errorf("revision of comment %s: %w: %w", id, comments.ErrDamaged, err)
	}
	return nil
}

// Revisions implements comments.Amender.
func (db *DB) Revisions(ctx context.Context, id comments.ID) (list []comments.Revision, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+revisionColumns+` FROM revisions
			WHERE site = $1 AND comment = $2 ORDER BY version`, id.Site(), uuidOf(id))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r comments.Revision
			var f revisionFields
			if err := rows.Scan(f.into(&r)...); err != nil {
				return err
			}
			if err := f.finish(id, &r); err != nil {
				return err
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}
