package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"duyet/comments/pgstore/pgtest"
)

// postgresCmd measures on a PostgreSQL server that it starts itself and that syncs every
// commit.
type postgresCmd struct {
	Writers  []int `help:"How many write at once." default:"1,16,64"`
	Nodes    int   `help:"Nodes at most, each with connections and services of its own." default:"3"`
	Comments int   `help:"Size of the larger of the two tables whose first pages are read." default:"1000000"`
}

// durable is a server with the settings it comes with, but for room.
var durable = []string{"fsync=on", "full_page_writes=on", "shared_buffers=512MB", "log_line_prefix=%p "}

func (p postgresCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	cluster := &pgtest.Cluster{Settings: durable}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	for _, part := range []func(context.Context, *cli, *pgtest.Cluster, io.Writer) error{p.writes, p.nodes, p.lists} {
		if err := part(ctx, c, cluster, out); err != nil {
			return err
		}
	}
	return nil
}

// load is one way to write: what, by how many, and on how many sites.
type load struct {
	decisions bool
	writers   int
	sites     int
}

func (l load) String() string {
	what := "submissions"
	if l.decisions {
		what = "decisions"
	}
	return what
}

// loads are one site and one site each for every number of writers.
func (p postgresCmd) loads(decisions bool) (list []load) {
	for _, w := range p.Writers {
		list = append(list, load{decisions, w, 1})
		if w > 1 {
			list = append(list, load{decisions, w, w})
		}
	}
	return list
}

func (p postgresCmd) writes(ctx context.Context, c *cli, cluster *pgtest.Cluster, out io.Writer) (err error) {
	sites := slices.Max(p.Writers)
	node, stop, err := newPgNodes(ctx, cluster, 1, sites)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	plain, err := newPlain(ctx, cluster, sites)
	if err != nil {
		return err
	}
	defer os.RemoveAll(plain.dir)
	for _, decisions := range []bool{false, true} {
		fmt.Fprintf(out, "%s per second on PostgreSQL, each durable before it is answered. The service runs the whole way; pgbench, on the same\n", upper(load{decisions: decisions}.String()))
		fmt.Fprintln(out, "server in turn, the very statements that the store sends for one, as recorded from it, in the store's two messages.")
		fmt.Fprintln(out)
		fmt.Fprintln(out, "| writers | sites | service | operations a commit | pgbench | service ÷ pgbench |")
		fmt.Fprintln(out, "|---:|---:|---:|---:|---:|---:|")
		for _, l := range p.loads(decisions) {
			node[0].commits.reset()
			s, err := measure(c.Rounds, []string{"service", "pgbench"}, func(which string) (float64, error) {
				if which == "pgbench" {
					return plain.run(ctx, l, c.For)
				}
				return hammerNodes(ctx, node, l, c.For)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "| %d | %d | %.0f | %.1f | %.0f | %.2f |\n", l.writers, l.sites, s.median(0), node[0].commits.mean(), s.median(1), s.ratio(0, 1))
		}
		fmt.Fprintln(out)
	}
	return nil
}

// nodes shows what more of them bring, and what one site's head does to it.
func (p postgresCmd) nodes(ctx context.Context, c *cli, cluster *pgtest.Cluster, out io.Writer) (err error) {
	writers := slices.Max(p.Writers)
	nodes, stop, err := newPgNodes(ctx, cluster, p.Nodes, writers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	loads := []load{{false, writers, 1}, {false, writers, writers}, {true, writers, 1}, {true, writers, writers}}
	names := make([]string, 0, len(loads)*p.Nodes)
	for n := range p.Nodes {
		for i := range loads {
			names = append(names, fmt.Sprint(n+1, "/", i))
		}
	}
	s, err := measure(c.Rounds, names, func(name string) (float64, error) {
		i := slices.Index(names, name)
		return hammerNodes(ctx, nodes[:1+i/len(loads)], loads[i%len(loads)], c.For)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Nodes, %d writers in all, on this one machine: each node has connections, batches and services of its own.\n\n", writers)
	fmt.Fprintf(out, "| nodes | submissions, 1 site | %d sites | 1 ÷ %d | decisions, 1 site | %d sites | 1 ÷ %d |\n", writers, writers, writers, writers)
	fmt.Fprintln(out, "|---:|---:|---:|---:|---:|---:|---:|")
	for n := range p.Nodes {
		at := n * len(loads)
		fmt.Fprintf(out, "| %d | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", n+1, s.median(at), s.median(at+1), s.ratio(at, at+1),
			s.median(at+2), s.median(at+3), s.ratio(at+2, at+3))
	}
	fmt.Fprintln(out)
	at := (p.Nodes - 1) * len(loads)
	fmt.Fprintf(out, "One site's head: %s for submissions, %s for decisions.\n\n", verdict(s.ratio(at, at+1)), verdict(s.ratio(at+2, at+3)))
	return nil
}

// verdict reads the ratio of one site to many.
func verdict(ratio float64) string {
	if ratio < 0.9 {
		return fmt.Sprintf("the limit (one site takes %.2f of what many take)", ratio)
	}
	return "not the limit here: the processors are, whether on one site or on many"
}

func upper(s string) string { return string(s[0]-'a'+'A') + s[1:] }

// lists reads first pages of two tables, of which one is far larger.
func (p postgresCmd) lists(ctx context.Context, c *cli, cluster *pgtest.Cluster, out io.Writer) error {
	fmt.Fprintln(out, "First pages of 50, read by one after the other, a fifth of the comments in each status and all on one page.")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| comments | queue, oldest first | thread, newest first |")
	fmt.Fprintln(out, "|---:|---:|---:|")
	small := min(10_000, p.Comments)
	rigs := map[int]*listRig{}
	defer func() {
		for _, r := range rigs {
			_ = r.stop()
		}
	}()
	for _, n := range []int{small, p.Comments} {
		r, err := newListRig(ctx, cluster, n)
		if err != nil {
			return err
		}
		rigs[n] = r
	}
	names := []string{"queue " + strconv.Itoa(small), "thread " + strconv.Itoa(small), "queue " + strconv.Itoa(p.Comments), "thread " + strconv.Itoa(p.Comments)}
	s, err := measure(c.Rounds, names, func(name string) (float64, error) {
		i := slices.Index(names, name)
		return hammer(1, c.For, rigs[[]int{small, p.Comments}[i/2]].read(ctx, i%2 == 0))
	})
	if err != nil {
		return err
	}
	for i, n := range []int{small, p.Comments} {
		fmt.Fprintf(out, "| %d | %.2f ms | %.2f ms |\n", n, 1000/s.median(2*i), 1000/s.median(2*i+1))
	}
	fmt.Fprintf(out, "| larger ÷ smaller | %.2f | %.2f |\n\n", s.ratio(0, 2), s.ratio(1, 3))
	return nil
}
