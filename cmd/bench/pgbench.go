package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
)

// plain runs with pgbench what the store sends the server for one submission and for one
// decision. The statements are not written down here but recorded from the store, by the
// server's own log, and so are the values, but for those that differ from one comment to
// the next: they are computed from the client's number and a counter.
type plain struct {
	cluster *pgtest.Cluster
	dsn     string
	dir     string            // of the scripts
	scripts map[string]string // by what they do
	options string            // the store's settings of a session
	runs    int
}

// warmUp is how many comments stand before the recording, so that the journal's numbers are
// like no other number in a statement.
const warmUp = 500

func newPlain(ctx context.Context, cluster *pgtest.Cluster, sites int) (_ *plain, err error) {
	nodes, stop, err := newPgNodes(ctx, cluster, 1, sites)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	p := &plain{cluster: cluster, dsn: nodes[0].dsn, scripts: map[string]string{}}
	if p.dir, err = os.MkdirTemp("", "pgbench"); err != nil {
		return nil, err
	}
	if p.options, err = sessionOptions(p.dsn); err != nil {
		return nil, err
	}
	if _, err := hammer(16, time.Hour, func(w, k int) error {
		if k*16 >= warmUp {
			return errEnough
		}
		_, err := nodes[0].submit(ctx, siteName(0), w, k)
		return err
	}); !errors.Is(err, errEnough) {
		return nil, err
	}
	return p, p.record(ctx, nodes[0], sites)
}

// Each client has its own stretch of a journal, and nothing of others' to hear of.
const (
	nextSeq    = `(:client_id::bigint * 100000000 + :n::bigint + 1000000)`
	noneMissed = `'9000000000000000000'`
)

var errEnough = errors.New("enough")

// record has the store do each thing once while the server logs, and makes the scripts.
func (p *plain) record(ctx context.Context, n *pgNode, sites int) error {
	conn, err := pgx.Connect(ctx, p.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	database := conn.Config().Database
	if _, err := conn.Exec(ctx, `ALTER DATABASE `+database+` SET log_statement = 'all'; ALTER DATABASE `+database+` SET log_min_messages = 'log'`); err != nil {
		return err
	}
	logged, err := newPgNode(ctx, p.dsn)
	if err != nil {
		return err
	}
	defer logged.db.Close()
	logged.boss = n.boss
	page := "https://news.example/vi/bai-viet-1"
	sub, err := submission(logged.sealer, siteName(0), page, 0, 1)
	if err != nil {
		return err
	}
	site, err := logged.site(ctx, siteName(0))
	if err != nil {
		return err
	}
	ticket, err := logged.sealer.Open(sub.Ticket)
	if err != nil {
		return err
	}
	done, err := logged.service.Submit(ctx, site, sub)
	if err != nil {
		return err
	}
	c := done.Comment
	logged.turns[fmt.Sprint(siteName(0), "/", 0)] = &turn{c.ID, c.Version, "approve"}
	if err := logged.decide(ctx, siteName(0), 0); err != nil {
		return err
	}
	head, err := logged.db.Head(ctx, siteName(0))
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `ALTER DATABASE `+database+` RESET ALL`); err != nil {
		return err
	}
	transactions, err := p.logged()
	if err != nil {
		return err
	}
	if len(transactions) != 2 {
		return fmt.Errorf("the log has %d transactions, not a submission and a decision", len(transactions))
	}
	fresh := map[string]string{
		c.ID.UUID().String():               `lpad(to_hex(:n::bigint * 1024 + :client_id::bigint), 32, '0')::uuid`,
		uuidText(ticket.ID):                `md5(:n || '/' || :client_id)::uuid`,
		strconv.FormatUint(head.Seq-1, 10): nextSeq,
		strconv.FormatUint(head.Seq-2, 10): noneMissed,
	}
	stands := map[string]string{
		c.ID.UUID().String():               `('01900000-0000-7000-8000-' || lpad(to_hex(:client_id::bigint + 1), 12, '0'))::uuid`,
		strconv.FormatUint(head.Seq, 10):   nextSeq,
		strconv.FormatUint(head.Seq-1, 10): noneMissed,
	}
	for what, t := range map[string]struct {
		statements []statement
		values     map[string]string
	}{load{decisions: false}.String(): {transactions[0], fresh}, load{decisions: true}.String(): {transactions[1], stands}} {
		for name, site := range map[string]string{"one": `'` + siteName(0) + `'`, "many": `('site-' || :client_id)`} {
			t.values[siteName(0)] = site
			path := filepath.Join(p.dir, what+"-"+name)
			if err := os.WriteFile(path, []byte(script(t.statements, t.values)), 0o600); err != nil {
				return err
			}
			p.scripts[what+"-"+name] = path
		}
	}
	return p.spread(ctx, conn, c, sites)
}

// spread gives each client its comment, and each site the page.
func (p *plain) spread(ctx context.Context, conn *pgx.Conn, c comments.Comment, sites int) error {
	row := `site = 'site-0' AND id = '` + c.ID.UUID().String() + `'`
	id := `'id', '01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0')`
	return errors.Join(
		clone(ctx, conn, "comments", row, `jsonb_build_object(`+id+`)`, sites),
		clone(ctx, conn, "comments", row, `jsonb_build_object('site', 'site-' || (i - 1), `+id+`)`, sites),
		clone(ctx, conn, "pages", `site = 'site-0' AND id = (SELECT page FROM comments WHERE `+row+`)`, `jsonb_build_object('site', 'site-' || (i - 1))`, sites),
		clone(ctx, conn, "events", `site = 'site-0' AND seq = (SELECT seq FROM comments WHERE `+row+`)`, `jsonb_build_object('site', 'site-' || (i - 1))`, sites),
	)
}

func uuidText(id comments.TicketID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// statement is one that the store sent, with its parameters as the log has them: SQL
// literals.
type statement struct {
	sql    string
	params []string
}

// logged reads the transactions that write from the server's log.
func (p *plain) logged() (list [][]statement, err error) {
	log, err := p.cluster.Log()
	if err != nil {
		return nil, err
	}
	open := map[string][]statement{} // by process
	for _, e := range logEntries(log) {
		s := open[e.process]
		switch {
		case e.kind == "LOG" && strings.HasPrefix(e.text, "execute "):
			_, sql, _ := strings.Cut(e.text, ": ")
			s = append(s, statement{sql: sql})
		case e.kind == "DETAIL" && strings.HasPrefix(e.text, "parameters: ") && len(s) > 0:
			s[len(s)-1].params = logParams(strings.TrimPrefix(e.text, "parameters: "))
			open[e.process] = s
			continue
		default:
			continue
		}
		switch last := s[len(s)-1].sql; last {
		case "BEGIN":
			s = s[len(s)-1:]
		case "COMMIT":
			if s[0].sql == "BEGIN" && slices.ContainsFunc(s, func(s statement) bool { return strings.HasPrefix(s.sql, "INSERT INTO events") }) {
				list = append(list, s)
			}
			s = nil
		}
		open[e.process] = s
	}
	return list, nil
}

type logEntry struct{ process, kind, text string }

var logLine = regexp.MustCompile(`^(\d+) ([A-Z]+):  (.*)$`)

// logEntries puts lines together that belong together: later ones begin with a tab.
func logEntries(log string) (list []logEntry) {
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if m := logLine.FindStringSubmatch(line); m != nil {
			list = append(list, logEntry{m[1], m[2], m[3]})
		} else if rest, ok := strings.CutPrefix(line, "\t"); ok && len(list) > 0 {
			list[len(list)-1].text += "\n" + rest
		}
	}
	return list
}

var logParam = regexp.MustCompile(`(?s)\$\d+ = (NULL|'(?:[^']|'')*')`)

func logParams(text string) (list []string) {
	for _, m := range logParam.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

var parameter = regexp.MustCompile(`\$\d+`)

// script is statements for pgbench: all reads in one message, all writes in another. Text
// of values holds no colon, by which pgbench knows its variables.
func script(statements []statement, values map[string]string) string {
	var b strings.Builder
	b.WriteString("\\set n :n + 1\n\\startpipeline\n")
	writing := false
	for _, s := range statements {
		if s.sql != "BEGIN" && !strings.HasPrefix(s.sql, "SELECT") && !writing {
			writing = true
			b.WriteString("\\endpipeline\n\\startpipeline\n")
		}
		sql := parameter.ReplaceAllStringFunc(s.sql, func(n string) string {
			i, err := strconv.Atoi(n[1:])
			if err != nil || i > len(s.params) {
				return n
			}
			return value(s.params[i-1], values)
		})
		b.WriteString(strings.Join(strings.Fields(sql), " ") + ";\n")
	}
	b.WriteString("\\endpipeline\n")
	return b.String()
}

// value is a recorded literal, or what stands for it.
func value(literal string, values map[string]string) string {
	if literal == "NULL" {
		return literal
	}
	text := literal[1 : len(literal)-1]
	if v, ok := values[text]; ok {
		return v
	}
	if v, ok := values[strings.Trim(text, "{}")]; ok {
		return "ARRAY[" + v + "]"
	}
	return "E'" + strings.NewReplacer(`\`, `\\`, ":", `\x3a`, "\n", `\n`, "\t", `\t`, ";", `\x3b`, "  ", ` \x20`).Replace(text) + "'"
}

// sessionOptions are the store's settings of its connections, for libpq.
func sessionOptions(dsn string) (string, error) {
	config, err := pgstore.ConnConfig(dsn)
	if err != nil {
		return "", err
	}
	var list []string
	for name, value := range config.RuntimeParams {
		list = append(list, "-c "+name+"="+value)
	}
	return strings.Join(list, " "), nil
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// run is transactions per second.
func (p *plain) run(ctx context.Context, l load, d time.Duration) (float64, error) {
	name := l.String() + "-one"
	if l.sites > 1 {
		name = l.String() + "-many"
	}
	p.runs++
	long := "--time=" + strconv.Itoa(int(d.Seconds()+0.5))
	if d < time.Second { // to try it
		long = "--transactions=10"
	}
	cmd := exec.CommandContext(ctx, p.cluster.Program("pgbench"), "--no-vacuum", "--protocol=prepared",
		"--client="+strconv.Itoa(l.writers), "--jobs="+strconv.Itoa(min(l.writers, 2)), long,
		"--define=n="+strconv.Itoa(p.runs*1_000_000), "--file="+p.scripts[name], p.dsn)
	cmd.Env = append(os.Environ(), "PGOPTIONS="+p.options)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	m := tps.FindSubmatch(out)
	if m == nil && d > 0 && d < time.Minute && strings.Contains(string(out), "actually processed: 0") {
		return p.run(ctx, l, 2*d) // connecting took all of it
	}
	if m == nil {
		return 0, fmt.Errorf("pgbench says no tps:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
