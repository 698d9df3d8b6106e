package pgstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/storetest"
)

// distributed are the tables that CITUS.md spreads by site; all others are reference
// tables or local.
var distributed = []string{"heads", "pages", "comments", "likes", "revisions", "reports", "events", "details", "spent", "addresses", "audience", "audience_days", "views", "page_days", "aliases", "indexes", "terms"}

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// TestKeysBeginWithTheSite: Citus enforces a unique key, and a foreign key between tables,
// only within a shard. So each holds the site, at its beginning, and foreign keys tie site
// to site.
func TestKeysBeginWithTheSite(t *testing.T) {
	dsn := cluster.Database(t)
	open(t, dsn, options())
	conn := connect(t, dsn)
	rows, err := conn.Query(t.Context(), `
		SELECT c.conrelid::regclass::text, c.conname, c.contype::text,
			(SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]),
			coalesce(c.confrelid::regclass::text, ''),
			coalesce((SELECT attname FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = c.confkey[1]), '')
		FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f', 'x')
		UNION ALL
		SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, 'u',
			(SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]), '', ''
		FROM pg_index i WHERE i.indisunique AND i.indrelid::regclass::text = ANY ($1)`, distributed)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var table, name, kind, first, to, toFirst string
		if err := rows.Scan(&table, &name, &kind, &first, &to, &toFirst); err != nil {
			t.Fatal(err)
		}
		seen[table] = true
		ours, theirs := slices.Contains(distributed, table), slices.Contains(distributed, to)
		switch {
		case ours && first != "site":
			t.Errorf("%s: %s (%s) begins with %s", table, name, kind, first)
		case theirs && (!ours || toFirst != "site"):
			t.Errorf("%s: %s refers to %s, which is spread, by %s", table, name, to, toFirst)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range distributed {
		if !seen[table] {
			t.Errorf("%s has no key", table)
		}
	}
	// Every table is spoken for: one with a column site that is not spread would be
	// forgotten when a site's rows are moved.
	var others []string
	err = conn.QueryRow(t.Context(), `SELECT array_agg(DISTINCT table_name::text ORDER BY table_name::text) FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name = 'site' AND NOT table_name = ANY ($1)`, distributed).Scan(&others)
	if err != nil || !slices.Equal(others, []string{"arrivals", "limits"}) {
		t.Errorf("tables with a site that are not spread: %v, %v; want arrivals and limits alone, which are unlogged", others, err)
	}
}

// TestTenNodesStartAtOnce on a database that is empty.
func TestTenNodesStartAtOnce(t *testing.T) {
	dsn := cluster.Database(t)
	var mu sync.Mutex
	var nodes []*pgstore.DB
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			o := options()
			o.Installation = fmt.Sprint("node ", i)
			db, err := pgstore.Open(t.Context(), dsn, o)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, db)
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, db := range nodes {
		id, err := db.Installation(t.Context())
		if err != nil {
			t.Error(err)
		}
		ids[id] = true
		if h, err := db.Head(t.Context(), comments.Installation); err != nil || h.Seq != 0 {
			t.Errorf("head of the installation: %+v, %v", h, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 1 {
		t.Errorf("the nodes think they are of %v", ids)
	}
}

func TestOtherSecret(t *testing.T) {
	dsn := cluster.Database(t)
	db := open(t, dsn, options())
	o := options()
	o.Fingerprint = "another"
	refused := func(o pgstore.Options) {
		t.Helper()
		_, err := pgstore.Open(t.Context(), dsn, o)
		if !errors.Is(err, pgstore.ErrOtherSecret) || strings.Contains(err.Error(), "\n") {
			t.Errorf("a node with another secret: %v", err)
		}
	}
	refused(o)
	if err := db.Refingerprint(t.Context(), "a third", "another"); !errors.Is(err, pgstore.ErrOtherSecret) {
		t.Errorf("changing it without knowing it: %v", err)
	}
	if err := db.Refingerprint(t.Context(), options().Fingerprint, "another"); err != nil {
		t.Fatal(err)
	}
	open(t, dsn, o)
	refused(options())
}

func TestNewerDatabase(t *testing.T) {
	dsn := cluster.Database(t)
	open(t, dsn, options())
	conn := connect(t, dsn)
	set := func(version int) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), `INSERT INTO duyet_version_comments (version_id, is_applied) VALUES ($1, true)`, version); err != nil {
			t.Fatal(err)
		}
	}
	set(999) // what older nodes can live with
	open(t, dsn, options())
	set(1000)
	if _, err := pgstore.Open(t.Context(), dsn, options()); !errors.Is(err, pgstore.ErrNewer) {
		t.Errorf("a database of a newer release: %v", err)
	}
}

// plan is a node of what EXPLAIN (FORMAT JSON) tells.
type plan struct {
	Node    string `json:"Node Type"`
	Index   string `json:"Index Name"`
	Hit     int    `json:"Shared Hit Blocks"`
	Read    int    `json:"Shared Read Blocks"`
	Removed int    `json:"Rows Removed by Filter"`
	Plans   []plan `json:"Plans"`
}

func (p plan) walk(visit func(plan)) {
	visit(p)
	for _, q := range p.Plans {
		q.walk(visit)
	}
}

// TestListsCostTheirLimit: each list is a range of its own index, whether the server knows
// nothing of a table that is new or all of one that has grown; a page of it touches as
// many blocks in a long list as in a short one, and nothing is sorted.
func TestListsCostTheirLimit(t *testing.T) {
	dsn := cluster.Database(t)
	storetest.NewBench(t, unchecked(t, dsn, options())).AddSite("news")
	conn, err := pgstore.Conn(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	const page, limit = "https://news.example/1", 20
	explain := func(what string) {
		t.Helper()
		for name, list := range pgstore.Lists("news", page, limit) {
			var raw []byte
			// As the store runs it: planned without a look at the parameters.
			if _, err := conn.Exec(t.Context(), `PREPARE list AS `+list.SQL, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := conn.QueryRow(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE list (`+list.Literals()+`)`,
				pgx.QueryExecModeSimpleProtocol).Scan(&raw); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := conn.Exec(t.Context(), `DEALLOCATE list`, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var out []struct{ Plan plan }
			if err := json.Unmarshal(raw, &out); err != nil {
				t.Fatal(err)
			}
			root := out[0].Plan
			if root.Hit+root.Read > 12*limit {
				t.Errorf("%s, %s: touches %d blocks:\n%s", what, name, root.Hit+root.Read, raw)
			}
			found := false
			root.walk(func(p plan) {
				found = found || p.Index == list.Index
				if p.Node == "Sort" {
					t.Errorf("%s, %s: sorts:\n%s", what, name, raw)
				}
				if p.Removed > 0 {
					t.Errorf("%s, %s: %s of %s passes over %d rows", what, name, p.Node, p.Index, p.Removed)
				}
			})
			if !found {
				t.Errorf("%s, %s: is not read by %s:\n%s", what, name, list.Index, raw)
			}
		}
	}
	explain("empty")
	for i, n := range []int{1000, 50_000} {
		for _, err := range pgstore.Grow(t.Context(), conn, "news", page, n) {
			if err != nil {
				t.Fatal(err)
			}
		}
		explain(fmt.Sprint(n))
		if i == 0 {
			if _, err := conn.Exec(t.Context(), `DELETE FROM comments`); err != nil {
				t.Fatal(err)
			}
		}
	}
}
