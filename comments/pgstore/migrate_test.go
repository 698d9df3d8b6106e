package pgstore_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/storetest"
)

// TestFirstSchema brings a database of the first schema up to date: replies know the
// topmost comment they answer, trees, days and counts are there, all can be found by a
// code, and everything fits.
func TestFirstSchema(t *testing.T) {
	dsn := cluster.Database(t)
	db, err := pgstore.Open(t.Context(), dsn, options())
	if err != nil {
		t.Fatal(err)
	}
	b := storetest.NewBench(t, db)
	b.AddSite("news")
	var thread []comments.ID // each answers the one before
	for i, status := range []comments.Status{comments.Approved, comments.Pending, comments.Approved, comments.Spam, comments.Approved} {
		c := b.Creation("news", "p", status)
		if i > 0 {
			c.Comment.Parent = thread[i-1]
		}
		thread = append(thread, b.Create(c).ID)
	}
	alone := b.Create(b.Creation("news", "q", comments.Approved)).ID
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	conn := stdlib.OpenDB(*connect(t, dsn).Config())
	defer conn.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, os.DirFS("migrations"),
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("duyet_version_comments"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var later int
	if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM information_schema.columns
		WHERE table_schema = 'public' AND (table_name = 'comments' AND column_name IN ('root', 'author', 'code', 'answers')
		OR table_name IN ('likes', 'reports', 'revisions', 'page_days', 'aliases'))`).Scan(&later); err != nil || later != 0 {
		t.Fatalf("%d columns of later schemas, %v", later, err)
	}

	db = open(t, dsn, options()) // which ends with a check
	for i, id := range thread {
		c, err := db.Comment(t.Context(), id)
		want := thread[0]
		if i == 0 {
			want = ""
		}
		if err != nil || c.Root != want {
			t.Errorf("comment %d answers %q by way of others, %v; want %q", i, c.Root, err, want)
		}
	}
	trees, err := db.Trees(t.Context(), "news", "p", comments.Oldest, comments.Point{}, 10)
	if err != nil || len(trees) != 1 || trees[0].Top.ID != thread[0] || trees[0].Replies != 2 {
		t.Errorf("trees: %+v, %v", trees, err)
	}
	key := func(id comments.ID) comments.CodeKey { return comments.CodeKey(id.UUID()[15]) | 1<<10 }
	if err := db.FillCodes(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for _, id := range append(thread, alone) {
		if list, err := db.ByCode(t.Context(), "news", key(id)); err != nil || len(list) == 0 {
			t.Errorf("%s is not found by its code: %v", id, err)
		}
	}
}
