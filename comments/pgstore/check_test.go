package pgstore_test

import (
	"errors"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/storetest"
)

// TestRewrittenJournal: where the server has lost commits that this node has told of, as a
// failover without a synchronous standby does, it says so and goes on.
func TestRewrittenJournal(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	conn := connect(t, dsn)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE old AS SELECT * FROM heads WHERE site = 'news'`); err != nil {
		t.Fatal(err)
	}
	b.Post("news", "p", comments.Pending)
	b.Post("news", "p", comments.Pending)
	if _, err := conn.Exec(t.Context(), `BEGIN; DELETE FROM addresses; DELETE FROM spent; DELETE FROM comments; DELETE FROM pages;
		DELETE FROM events WHERE site = 'news' AND seq > 1; DELETE FROM heads WHERE site = 'news';
		INSERT INTO heads SELECT * FROM old; COMMIT`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b.Post("news", "p", comments.Pending)
	}
	if h := b.Head("news"); h.Seq != 4 || h.Counts.Pending != 3 {
		t.Errorf("head %+v", h)
	}
	b.Verify("news")
}

// TestTampering: VerifyChain and Check find what was done to the tables behind the store.
func TestTampering(t *testing.T) {
	for name, sql := range map[string]string{
		"changed event":   `UPDATE events SET actor = 'm-9' WHERE site = 'news' AND seq = 3`,
		"missing event":   `DELETE FROM events WHERE site = 'news' AND seq = 3`,
		"cut journal":     `DELETE FROM events WHERE site = 'news' AND seq = 4`,
		"cut and hidden":  `DELETE FROM events WHERE site = 'news' AND seq = 4; UPDATE heads SET seq = 3 WHERE site = 'news'`,
		"swapped events":  `UPDATE events SET seq = -seq WHERE site = 'news' AND seq IN (3, 4); UPDATE events SET seq = 7 + seq WHERE seq < 0`,
		"changed chain":   `UPDATE events SET chain = sha256(chain) WHERE site = 'news' AND seq = 2`,
		"a comment more":  `INSERT INTO comments SELECT site, gen_random_uuid(), page, parent, name, title, content, lang, status, version, seq, signals, suspect, created_at, edited_at FROM comments LIMIT 1`,
		"status":          `UPDATE comments SET status = 'approved'`,
		"count of a page": `UPDATE pages SET approved = 1`,
		"count of a site": `UPDATE heads SET suspect = 1 WHERE site = 'news'`,
		"appeal":          `UPDATE comments SET marks = 2, appealed = true`,
		"edited":          `UPDATE pages SET edited = 1`,
		"root":            `UPDATE comments SET root = id`,
		"revision":        `INSERT INTO revisions SELECT site, id, 1, '', '', '', NULL, NULL, now(), 'm' FROM comments`,
		"reports":         `UPDATE comments SET reports = 1`,
		"replies counted": `UPDATE comments SET answers = 1 WHERE site = 'news'`,
		"likes counted":   `UPDATE comments SET likes = 1`,
		"a like more":     `INSERT INTO likes SELECT site, id, gen_random_uuid() FROM comments`,
		"page's key":      `UPDATE pages SET key = 'q'`,
		"site gone":       `DELETE FROM sites`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := cluster.Database(t)
			db := unchecked(t, dsn, options())
			b := storetest.NewBench(t, db)
			b.AddSite("news")
			for range 3 {
				b.Post("news", "p", comments.Pending)
			}
			check(t, db)
			if _, err := connect(t, dsn).Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
			problems := 0
			if err := db.Check(t.Context(), nil, func(pgstore.Problem) { problems++ }); err != nil {
				t.Error(err)
			}
			if problems == 0 {
				t.Error("the check finds nothing")
			}
			_, err := db.VerifyChain(t.Context(), "news")
			if strings.Contains(sql, "events") != errors.Is(err, comments.ErrDamaged) {
				t.Errorf("audit: %v", err)
			}
		})
	}
}
