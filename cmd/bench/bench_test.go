package main

import (
	"strings"
	"testing"
	"time"
)

// tables runs a measure as small as can be: it must still work, whatever it says.
func tables(t *testing.T, run func(c *cli, out *strings.Builder) error) []string {
	t.Helper()
	var out strings.Builder
	if err := run(&cli{Rounds: 1, For: 50 * time.Millisecond, Dir: t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "|---") {
			rows = append(rows, line)
		}
		if strings.Contains(line, "NaN") || strings.Contains(line, "Inf") {
			t.Errorf("no figure in %q", line)
		}
	}
	return rows
}

func TestPostgres(t *testing.T) {
	rows := tables(t, func(c *cli, out *strings.Builder) error {
		return postgresCmd{Writers: []int{1, 4}, Nodes: 2, Comments: 11_000}.Run(t.Context(), c, out)
	})
	if want := 1 + 3 + 1 + 3 + 1 + 2 + 1 + 3; len(rows) != want {
		t.Errorf("%d rows, not %d:\n%s", len(rows), want, strings.Join(rows, ""))
	}
}

// TestLogOfTheServer: what was sent is what is read back.
func TestLogOfTheServer(t *testing.T) {
	entries := logEntries("7 LOG:  execute s1: INSERT INTO events\n\tVALUES ($1, $2, $3)\n" +
		"7 DETAIL:  parameters: $1 = 'site-0', $2 = NULL, $3 = 'It''s 5: $2 = \\ \n\tof two lines; {a}'\n8 FATAL:  x\n")
	if len(entries) != 3 || entries[1].process != "7" || entries[1].kind != "DETAIL" {
		t.Fatalf("%+v", entries)
	}
	_, sql, _ := strings.Cut(entries[0].text, ": ")
	s := statement{sql, logParams(entries[1].text)}
	got := script([]statement{{sql: "BEGIN"}, {sql: "SELECT 1"}, s, {sql: "COMMIT"}}, map[string]string{"site-0": "'site-' || :client_id"})
	want := `\set n :n + 1
\startpipeline
BEGIN;
SELECT 1;
\endpipeline
\startpipeline
INSERT INTO events VALUES ('site-' || :client_id, NULL, E'It''s 5\x3a $2 = \\ \nof two lines\x3b {a}');
COMMIT;
\endpipeline
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
