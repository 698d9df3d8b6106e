package main

import (
	"math"
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

func TestQueue(t *testing.T) {
	rows := tables(t, func(c *cli, out *strings.Builder) error {
		return queueCmd{Comments: 3000, Small: 100, Stores: []string{"bbolt", "postgres"}, Searches: 1}.Run(t.Context(), c, out)
	})
	if want := 2 * (1 + 3 + 1 + len(searched) + 1); len(rows) != want {
		t.Errorf("%d rows, not %d:\n%s", len(rows), want, strings.Join(rows, ""))
	}
}

func TestCapacity(t *testing.T) {
	rows := tables(t, func(c *cli, out *strings.Builder) error {
		return capacityCmd{
			Comments: 1e6, Reads: 1000, Writes: 10, OnPage: 100, Cores: 2, Busy: 0.5, Cache: 1e8, Disk: 1e12,
			Exponent: 0.9, Exponents: []float64{0.9, 1}, Entries: []int{500}, CacheReads: 2000, Sample: 100, EntriesMost: 1000,
		}.Run(t.Context(), c, out)
	})
	if want := 6 + 5 + 2 + 11 + 6; len(rows) != want {
		t.Errorf("%d rows, not %d:\n%s", len(rows), want, strings.Join(rows, ""))
	}
}

// TestReadersChoose: the first pages are read as often as Zipf's law has it.
func TestReadersChoose(t *testing.T) {
	for _, exponent := range []float64{0.8, 1, 1.1} {
		s := capacityCmd{Comments: 1e5, OnPage: 100}.stream(exponent, 0)
		var most, all, times float64
		for n := 1.0; n < s.pages; n++ {
			share := math.Pow(n, -exponent)
			if all += share; n >= 10 && n < 20 {
				most += share
			}
		}
		const draws = 200_000
		for range draws {
			p := s.page()
			if p < 1 || float64(p) >= s.pages {
				t.Fatalf("page %d of %.0f", p, s.pages)
			}
			if p >= 10 && p < 20 {
				times++
			}
		}
		if want := most / all; math.Abs(times/draws-want) > 0.1*want {
			t.Errorf("exponent %.1f: pages 10 to 19 are %.3f of the reads, not %.3f", exponent, times/draws, want)
		}
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

func TestDesk(t *testing.T) {
	rows := tables(t, func(c *cli, out *strings.Builder) error {
		return deskCmd{Comments: 300, Small: 60, Keys: 5, Browser: "/usr/bin/chromium"}.Run(t.Context(), c, out)
	})
	if len(rows) != 1+4 {
		t.Errorf("%d rows:\n%s", len(rows), strings.Join(rows, ""))
	}
}
