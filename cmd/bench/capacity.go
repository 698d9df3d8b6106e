package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"duyet/comments/pgstore/pgtest"
)

// capacityCmd computes what a large installation takes. What goes in is measured in the
// same run on this machine, but for what is asked of the installation and what machines it
// is to have: those are flags.
type capacityCmd struct {
	Comments float64 `help:"Comments stored." default:"1e9"`
	Reads    float64 `help:"Reads of threads a second." default:"100000"`
	Writes   float64 `help:"Submissions a second, each decided on once." default:"1000"`
	OnPage   float64 `help:"Comments on a page, on average." default:"100"`

	Cores int     `help:"Of each machine, as fast as those of this one." default:"16"`
	Busy  float64 `help:"Share of them that may be in use." default:"0.5"`
	Cache float64 `help:"Bytes of each node's page cache." default:"8e9"`
	Disk  float64 `help:"Bytes of each database server." default:"2e12"`

	Exponent    float64   `help:"Of Zipf's law, by which readers choose pages, for the model." default:"0.9"`
	Exponents   []float64 `help:"Those whose hit rates are shown beside it." default:"0.8,0.9,1.0"`
	Entries     []int     `help:"Entries that a cache holds, for the same." default:"1000,10000,100000"`
	Sample      int       `help:"Comments stored at least before their bytes are measured." default:"50000"`
	CacheReads  int       `help:"Reads simulated for each hit rate." default:"2000000"`
	EntriesMost int       `help:"Entries at most of a simulated cache; the model's own may hold more." default:"200000"`
}

func (m capacityCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	cluster := &pgtest.Cluster{Settings: durable}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	k, err := measureCosts(ctx, c, cluster, m.Sample)
	if err != nil {
		return err
	}
	m.printCosts(out, k)
	if err := m.hitRates(ctx, c, out); err != nil {
		return err
	}
	anyNode, err := m.plan(ctx, c, k, false)
	if err != nil {
		return err
	}
	byPage, err := m.plan(ctx, c, k, true)
	if err != nil {
		return err
	}
	m.printPlan(out, k, anyNode, byPage)
	return nil
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }

func (m capacityCmd) printCosts(out io.Writer, k costs) {
	fmt.Fprintln(out, "Measured on this machine: processor time of a node (the client's included) and of the database, and bytes of its log.")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| one | node | database | log |")
	fmt.Fprintln(out, "|---|---:|---:|---:|")
	for _, row := range []struct {
		name string
		cost
	}{
		{fmt.Sprintf("read of %d comments from the page cache, gzip", perPage), k.hit}, {"the same, rendered anew", k.miss},
		{"submission", k.submission}, {"decision", k.decision}, {"commit heard of from another node", k.heard},
	} {
		fmt.Fprintf(out, "| %s | %s | %s | %.0f |\n", row.name, micros(row.node), micros(row.database), row.log)
	}
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| stored, indexes included | bytes a row |")
	fmt.Fprintln(out, "|---|---:|")
	for _, t := range k.comment {
		fmt.Fprintf(out, "| %s | %.0f |\n", t.name, t.bytes)
	}
	fmt.Fprintf(out, "\nOne site's head lets %.0f submissions a second through, with 64 waiting. A first page takes %d bytes of the cache.\n\n", k.oneSite, k.page)
}

// hitRates shows what a cache is worth, by how many entries it holds.
func (m capacityCmd) hitRates(ctx context.Context, c *cli, out io.Writer) error {
	fmt.Fprintf(out, "Share of reads that the page cache answers, %.0f pages chosen after Zipf's law, %d reads of which the second half\n", m.pages(), m.CacheReads)
	fmt.Fprintln(out, "counts, through the readers' door itself; nothing is approved meanwhile.")
	fmt.Fprintln(out)
	fmt.Fprint(out, "| entries |")
	for _, e := range m.Exponents {
		fmt.Fprintf(out, " exponent %.1f |", e)
	}
	fmt.Fprintln(out, "\n|---:|"+strings.Repeat("---:|", len(m.Exponents)))
	for _, entries := range m.Entries {
		fmt.Fprintf(out, "| %d |", entries)
		for _, e := range m.Exponents {
			rate, err := hitRate(ctx, c.Dir, m.stream(e, 0), entries, m.CacheReads)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, " %.2f |", rate)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	return nil
}

func (m capacityCmd) pages() float64 { return max(2, m.Comments/m.OnPage) }

func (m capacityCmd) stream(exponent, approvals float64) stream {
	return stream{pages: m.pages(), exponent: exponent, approvals: approvals, random: rand.New(rand.NewPCG(1, 2))}
}

// plan is what comes out.
type plan struct {
	entries        int
	hits           float64 // share of reads
	nodes, shards  int
	node, database float64 // processors in use
	disk, log      float64 // bytes; bytes a second
	past           float64 // reads a second past the caches
}

// plan finds how many nodes there must be. Where a balancer gives a read to any node, each
// caches what the others do, and hears of as many approvals though fewer reads come to it;
// where it chooses the node by the page, the nodes' caches add up. Either way the hit rate
// hangs on how many they are, so it is computed again with what it led to.
func (m capacityCmd) plan(ctx context.Context, c *cli, k costs, byPage bool) (p plan, err error) {
	p.nodes = 2
	for range 4 {
		share := 1 // of the readers' pages, as many nodes' caches
		if byPage {
			share = p.nodes
		}
		p.entries = share * int(m.Cache/float64(k.page+1<<10))
		approvals := m.Writes * float64(p.nodes) / float64(share) / m.Reads
		if p.hits, err = hitRate(ctx, c.Dir, m.stream(m.Exponent, approvals), min(p.entries, m.EntriesMost), m.CacheReads); err != nil {
			return p, err
		}
		before := p.nodes
		m.processors(&p, k)
		if p.nodes == before {
			break
		}
	}
	rows := map[string]float64{
		"comments": m.Comments, "events": 2 * m.Comments, // submitted and decided
		"addresses": min(m.Comments, m.Writes*(90*24*time.Hour).Seconds()),
		"spent":     min(m.Comments, m.Writes*(24*time.Hour+30*time.Minute).Seconds()),
	}
	for _, t := range k.comment {
		p.disk += rows[t.name] * t.bytes
	}
	p.log = m.Writes * (k.submission.log + k.decision.log)
	p.shards = max(1, int(math.Ceil(max(p.database/m.usable(), p.disk/(m.Disk*diskUsed)))))
	return p, nil
}

// diskUsed is the share of a disk that is planned for: what is left takes the log and what vacuum has yet to free.
const diskUsed = 0.7

// usable is how many processors of a machine may be in use.
func (m capacityCmd) usable() float64 { return float64(m.Cores) * m.Busy }

func (m capacityCmd) processors(p *plan, k costs) {
	hits, misses := m.Reads*p.hits, m.Reads*(1-p.hits)
	heard := 2 * m.Writes // by each node
	own := hits*k.hit.node.Seconds() + misses*k.miss.node.Seconds() + m.Writes*(k.submission.node+k.decision.node).Seconds()
	left := m.usable() - heard*k.heard.node.Seconds()
	p.nodes = max(2, int(math.Ceil(own/max(left, 0.01)))) // two, so that one may die
	p.node = own + float64(p.nodes)*heard*k.heard.node.Seconds()
	p.past = misses
	p.database = misses*k.miss.database.Seconds() + m.Writes*(k.submission.database+k.decision.database).Seconds() +
		float64(p.nodes)*heard*k.heard.database.Seconds()
}

func (m capacityCmd) printPlan(out io.Writer, k costs, anyNode, byPage plan) {
	fmt.Fprintf(out, "Computed from these for %.0f comments, %.0f reads and %.0f submissions a second, each decided on once. Machines have %d\n", m.Comments, m.Reads, m.Writes, m.Cores)
	fmt.Fprintf(out, "processors of which %.0f %% may be in use; disks are %.1f TB and kept below %.0f %%. A balancer gives a read to any node, or to\n", 100*m.Busy, m.Disk/1e12, 100*diskUsed)
	fmt.Fprintf(out, "the one that its page belongs to. Hit rates: exponent %.1f, approvals coming in, %d entries simulated at most.\n\n", m.Exponent, m.EntriesMost)
	fmt.Fprintln(out, "| | any node | by page |")
	fmt.Fprintln(out, "|---|---:|---:|")
	for _, row := range []struct {
		name string
		of   func(plan) string
	}{
		{fmt.Sprintf("first pages that caches of %.0f GB a node hold, of %.0f", m.Cache/1e9, m.pages()), func(p plan) string { return fmt.Sprint(p.entries) }},
		{"reads that the page cache answers", func(p plan) string { return fmt.Sprintf("%.2f", p.hits) }},
		{"reads past it", func(p plan) string { return fmt.Sprintf("%.0f/s", p.past) }},
		{"processors in use on nodes", func(p plan) string { return fmt.Sprintf("%.1f", p.node) }},
		{"nodes", func(p plan) string { return fmt.Sprint(p.nodes) }},
		{"processors in use on databases", func(p plan) string { return fmt.Sprintf("%.1f", p.database) }},
		{"disk, indexes included", func(p plan) string { return fmt.Sprintf("%.2f TB", p.disk/1e12) }},
		{"log", func(p plan) string { return fmt.Sprintf("%.1f MB/s, %.2f TB a day", p.log/1e6, p.log*86400/1e12) }},
		{"shards, each a primary and a standby", func(p plan) string { return fmt.Sprint(p.shards) }},
		{"sites at least, for their heads to let all writes through", func(plan) string { return fmt.Sprintf("%.0f", math.Ceil(2*m.Writes/k.oneSite)) }},
	} {
		fmt.Fprintf(out, "| %s | %s | %s |\n", row.name, row.of(anyNode), row.of(byPage))
	}
	m.printLimits(out, k, byPage)
}

// printLimits orders what there is by how soon it is too little.
func (m capacityCmd) printLimits(out io.Writer, k costs, p plan) {
	type limit struct {
		name string
		room float64
	}
	limits := []limit{
		{"one site's head, were all writes on one site", k.oneSite / (2 * m.Writes)},
		{"one database server's processors", m.usable() / p.database},
		{"one database server's disk", m.Disk * diskUsed / p.disk},
		{"one node's processors", m.usable() / p.node},
		{"a node's hearing of all others' commits", m.usable() / max(2*m.Writes*k.heard.node.Seconds(), 1e-9)},
	}
	slices.SortFunc(limits, func(a, b limit) int { return cmp.Compare(a.room, b.room) })
	fmt.Fprintln(out, "\nWhat breaks first, reads given out by page: how much of what is asked one of each can carry.")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| | times the demand |")
	fmt.Fprintln(out, "|---|---:|")
	for _, l := range limits {
		fmt.Fprintf(out, "| %s | %.2f |\n", l.name, l.room)
	}
	fmt.Fprintln(out)
}
