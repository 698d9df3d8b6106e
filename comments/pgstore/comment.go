package pgstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// commentColumns are a comment, of comments c and pages p.
const commentColumns = `c.id, c.parent, p.key, c.name, c.title, c.content, c.lang, c.status, c.version, c.signals, c.created_at, c.edited_at,
	c.root, c.author, c.risk, c.likes, c.reports, c.marks, c.public`

// maybeComment is commentColumns where there may be none; its id is NULL then.
const maybeComment = `c.id, c.parent, coalesce(p.key, ''), coalesce(c.name, ''), coalesce(c.title, ''), coalesce(c.content, ''),
	coalesce(c.lang, ''), coalesce(c.status, ''), coalesce(c.version, 0), c.signals, c.created_at, c.edited_at,
	c.root, c.author, coalesce(c.risk, 0), coalesce(c.likes, 0), coalesce(c.reports, 0), coalesce(c.marks, 0), c.public`

// commentFields are where a row of commentColumns goes. finish completes the comment.
type commentFields struct {
	id, parent, root, author pgtype.UUID
	signals, public          []byte
	created, edited          pgtype.Timestamptz
}

func (f *commentFields) into(c *comments.Comment) []any {
	return []any{&f.id, &f.parent, &c.Page, &c.Name, &c.Title, &c.Content, &c.Lang, &c.Status, &c.Version, &f.signals, &f.created, &f.edited,
		&f.root, &f.author, &c.Risk, &c.Likes, &c.Reports, &c.Marks, &f.public}
}

func (f *commentFields) finish(site string, c *comments.Comment) (err error) {
	c.Site, c.ID, c.Parent, c.Root = site, commentID(site, f.id), commentID(site, f.parent), commentID(site, f.root)
	c.Author = comments.AuthorKey(f.author.Bytes)
	if c.Public, err = decodeWords(f.public); err != nil {
		return fmt.Errorf("comment %s: %w: %w", c.ID, comments.ErrDamaged, err)
	}
	c.CreatedAt, c.EditedAt = TimeOf(f.created), TimeOf(f.edited)
	if c.Signals, err = decodeSignals(f.signals); err != nil {
		return fmt.Errorf("comment %s: %w: %w", c.ID, comments.ErrDamaged, err)
	}
	return nil
}

func collectComments(rows pgx.Rows, site string) (list []comments.Comment, err error) {
	defer rows.Close()
	for rows.Next() {
		var c comments.Comment
		var f commentFields
		if err := rows.Scan(f.into(&c)...); err != nil {
			return nil, err
		}
		if err := f.finish(site, &c); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// Comment implements comments.CommentReader.
func (db *DB) Comment(ctx context.Context, id comments.ID) (c comments.Comment, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		rows, err := q.Query(ctx, `SELECT `+commentColumns+` FROM comments c JOIN pages p ON p.site = c.site AND p.id = c.page
			WHERE c.site = $1 AND c.id = $2`, id.Site(), uuidOf(id))
		if err != nil {
			return err
		}
		list, err := collectComments(rows, id.Site())
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("comment %s: %w", id, comments.ErrNotFound)
		}
		c = list[0]
		return nil
	})
	return c, err
}

// signalRecord names what a signal holds for the database, so that a field renamed in the
// core does not lose what was stored.
type signalRecord struct {
	Check  string            `json:"check"`
	Level  string            `json:"level"`
	Code   string            `json:"code"`
	Args   map[string]string `json:"args,omitempty"`
	Places []placeRecord     `json:"places,omitempty"`
}

type placeRecord struct {
	Field string `json:"field"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// encodeSignals is NULL for none. jsonb takes neither NUL nor half a surrogate pair, so
// what a check has quoted of such is left out.
func encodeSignals(signals []comments.Signal) (pgtype.Text, error) {
	if len(signals) == 0 {
		return pgtype.Text{}, nil
	}
	records := make([]signalRecord, len(signals))
	for i, s := range signals {
		r := signalRecord{Check: clean(s.Check), Level: clean(string(s.Level)), Code: clean(s.Code)}
		for k, v := range s.Args {
			if r.Args == nil {
				r.Args = map[string]string{}
			}
			r.Args[clean(k)] = clean(v)
		}
		for _, p := range s.Places {
			r.Places = append(r.Places, placeRecord{clean(p.Field), p.Start, p.End})
		}
		records[i] = r
	}
	b, err := json.Marshal(records)
	return pgtype.Text{String: string(b), Valid: true}, err
}

func decodeSignals(b []byte) ([]comments.Signal, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var records []signalRecord
	if err := json.Unmarshal(b, &records); err != nil {
		return nil, err
	}
	signals := make([]comments.Signal, len(records))
	for i, r := range records {
		s := comments.Signal{Check: r.Check, Level: comments.Level(r.Level), Code: r.Code, Args: r.Args}
		for _, p := range r.Places {
			s.Places = append(s.Places, comments.Place{Field: p.Field, Start: p.Start, End: p.End})
		}
		signals[i] = s
	}
	return signals, nil
}

// wordsRecord is comments.Words for the database.
type wordsRecord struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Content  string `json:"content"`
	EditedAt int64  `json:"edited_at,omitempty"` // Unix milliseconds
}

// encodeWords is NULL for none. That they are text was seen to by CheckText.
func encodeWords(w *comments.Words) (pgtype.Text, error) {
	if w == nil {
		return pgtype.Text{}, nil
	}
	r := wordsRecord{Name: w.Name, Title: w.Title, Content: w.Content}
	if !w.EditedAt.IsZero() {
		r.EditedAt = w.EditedAt.UnixMilli()
	}
	b, err := json.Marshal(r)
	return pgtype.Text{String: string(b), Valid: true}, err
}

func decodeWords(b []byte) (*comments.Words, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var r wordsRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	w := &comments.Words{Name: r.Name, Title: r.Title, Content: r.Content}
	if r.EditedAt != 0 {
		w.EditedAt = time.UnixMilli(r.EditedAt).UTC()
	}
	return w, nil
}

// suspicious reports whether a check holds a comment back; while it is pending, it stands
// in the queue of suspects.
func suspicious(c *comments.Comment) bool {
	pending := comments.Comment{Status: comments.Pending, Signals: c.Signals}
	return pending.In(comments.Suspect)
}

func authorUUID(k comments.AuthorKey) pgtype.UUID {
	return pgtype.UUID{Bytes: k, Valid: !k.IsZero()}
}

func uuidOf(id comments.ID) pgtype.UUID {
	if id == "" {
		return pgtype.UUID{}
	}
	return pgtype.UUID{Bytes: id.UUID(), Valid: true}
}

func commentID(site string, u pgtype.UUID) comments.ID {
	if !u.Valid {
		return ""
	}
	return comments.MakeID(site, u.Bytes)
}

// Stamp is a time as it is stored: in milliseconds, NULL for the zero time.
func Stamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: milli(t), Valid: !t.IsZero()}
}

// TimeOf is the time that Stamp stored.
func TimeOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}
