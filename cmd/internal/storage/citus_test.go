package storage_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"duyet/cmd/internal/storage"
)

// recipe is what CITUS.md makes of the tables.
type recipe struct{ distributed, reference, local []string }

func readRecipe(t *testing.T) (r recipe) {
	t.Helper()
	text, err := os.ReadFile("../../../comments/pgstore/CITUS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := func(pattern string, text []byte) (names []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
		return names
	}
	r.distributed = named(`create_distributed_table\('(\w+)', 'site'`, text)
	r.reference = named(`create_reference_table\('(\w+)'\)`, text)
	stay := regexp.MustCompile("(?s)\n(`about`.*?) stay on the\\s+coordinator").FindSubmatch(text)
	if stay == nil {
		t.Fatal("CITUS.md does not say what stays on the coordinator")
	}
	r.local = append(named("`(\\w+)`", stay[1]), "duyet_version_comments", "duyet_version_moderation")
	return r
}

// TestCitusRecipe holds CITUS.md to the tables of both wings, after every migration: each
// is spread by site, copied everywhere or left where it is. Citus enforces a unique key
// only within a shard and a foreign key only within a group of shards, so each of a table
// that is spread has the site in it, and foreign keys tie site to site, or lead to a copy.
func TestCitusRecipe(t *testing.T) {
	dsn := database(t)
	_, closeNow := open(t, storage.Options{Dir: t.TempDir(), DSN: dsn})
	closeNow()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	r := readRecipe(t)

	rows, _ := conn.Query(t.Context(), `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	told := slices.Concat(r.distributed, r.reference, r.local)
	for _, table := range tables {
		n := 0
		for _, name := range told {
			if name == table {
				n++
			}
		}
		if n != 1 {
			t.Errorf("CITUS.md says %d times what becomes of %s", n, table)
		}
	}
	for _, name := range told {
		if !slices.Contains(tables, name) {
			t.Errorf("CITUS.md speaks of %s, which there is not", name)
		}
	}

	type key struct {
		Table, Name string
		Columns     []string
	}
	rows, _ = conn.Query(t.Context(), `SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text,
			ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = 'public'::regnamespace AND (i.indisunique OR i.indisexclusion)`)
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[key])
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if slices.Contains(r.distributed, k.Table) && !slices.Contains(k.Columns, "site") {
			t.Errorf("%s: the unique key %s is of %v, without the site", k.Table, k.Name, k.Columns)
		}
	}
	checkForeignKeys(t, conn, r)
	if got := len(keys); got < len(tables) {
		t.Errorf("%d keys of %d tables", got, len(tables))
	}
}

func checkForeignKeys(t *testing.T, conn *pgx.Conn, r recipe) {
	t.Helper()
	type tie struct {
		Table, Name, To string
		OnSite          bool // the site is tied to the site
	}
	rows, _ := conn.Query(t.Context(), `SELECT c.conrelid::regclass::text, c.conname::text, c.confrelid::regclass::text,
			EXISTS (SELECT FROM unnest(c.conkey, c.confkey) AS k (here, there)
				JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.here AND a.attname = 'site'
				JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.there AND b.attname = 'site')
		FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype = 'f'`)
	ties, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tie])
	if err != nil {
		t.Fatal(err)
	}
	if len(ties) == 0 {
		t.Error("there is no foreign key to look at")
	}
	for _, f := range ties {
		from, to := slices.Index(r.distributed, f.Table), slices.Index(r.distributed, f.To)
		switch {
		case from >= 0 && to >= 0:
			if !f.OnSite {
				t.Errorf("%s: %s leads to %s and not from site to site", f.Table, f.Name, f.To)
			}
			if to > from {
				t.Errorf("CITUS.md spreads %s before %s, to which %s leads", f.Table, f.To, f.Name)
			}
		case to >= 0, from >= 0 && !slices.Contains(r.reference, f.To):
			t.Errorf("%s: %s leads to %s, over the borders of shards", f.Table, f.Name, f.To)
		}
	}
}
