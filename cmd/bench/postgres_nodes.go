package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/receipt"
	"duyet/moderation"
	modstore "duyet/moderation/pgstore"
	"duyet/moderation/screen"
)

// pgNode is both wings on connections of their own.
type pgNode struct {
	dsn     string
	db      *pgstore.DB
	people  *modstore.Store
	service *comments.Service
	desk    *moderation.Service
	boss    moderation.Moderator
	sealer  *captcha.Sealer
	commits commits

	mu    sync.Mutex
	to    map[string]comments.Site
	turns map[string]*turn // comments to decide on, by writer and site
}

// turn is a comment that goes to and fro between pending and approved.
type turn struct {
	id      comments.ID
	version uint64
	action  moderation.Action
}

// commits counts what they held.
type commits struct {
	mu       sync.Mutex
	ops, all int
}

func (c *commits) add(ops int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops, c.all = c.ops+ops, c.all+1
}

func (c *commits) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops, c.all = 0, 0
}

func (c *commits) mean() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(c.ops) / float64(max(c.all, 1))
}

func siteName(n int) string { return fmt.Sprint("site-", n) }

// newPgNodes are nodes on a new database with sites.
func newPgNodes(ctx context.Context, cluster *pgtest.Cluster, n, sites int) (nodes []*pgNode, stop func() error, err error) {
	stop = func() error {
		var errs []error
		for _, node := range nodes {
			errs = append(errs, node.db.Close())
		}
		return errors.Join(errs...)
	}
	dsn, err := cluster.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	for range n {
		node, err := newPgNode(ctx, dsn)
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		nodes = append(nodes, node)
	}
	for i := range sites {
		if err := addBenchSite(ctx, nodes[0].service, siteName(i)); err != nil {
			return nil, nil, errors.Join(err, stop())
		}
	}
	boss, err := nodes[0].desk.AddPerson(ctx, "bench@news.example", moderation.Owner, nil, "")
	for _, node := range nodes {
		node.boss = boss
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return nodes, stop, nil
}

func newPgNode(ctx context.Context, dsn string) (_ *pgNode, err error) {
	n := &pgNode{dsn: dsn, to: map[string]comments.Site{}, turns: map[string]*turn{}}
	n.db, err = pgstore.Open(ctx, dsn, pgstore.Options{Key: benchKey, Fingerprint: "bench", Installation: "bench", OnCommit: n.commits.add})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.db.Close())
		}
	}()
	if n.people, err = modstore.New(ctx, n.db); err != nil {
		return nil, err
	}
	if n.sealer, err = captcha.New([][]byte{benchKey}); err != nil {
		return nil, err
	}
	receipts, err := receipt.New([][]byte{benchKey})
	if err != nil {
		return nil, err
	}
	alone, err := limit.New(limit.DefaultRules(), limit.NetworksMost, time.Now)
	if err != nil {
		return nil, err
	}
	n.service = comments.NewService(comments.Config{
		Store: n.db, Tickets: n.sealer, Judge: n.db.DeadTickets(), Limiter: n.db.Limiter(limit.DefaultRules(), alone),
		Receipts: receipts, Screener: screen.Default(), Now: time.Now,
	})
	n.desk = moderation.NewService(moderation.Config{
		Store: n.people, Comments: n.service, Sites: n.db, Pages: n.db, Journal: n.db, Throttle: nil, Now: time.Now,
	})
	return n, nil
}

// site is read once, as the door's cache would have it.
func (n *pgNode) site(ctx context.Context, id string) (s comments.Site, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, known := n.to[id]
	if !known {
		s, err = n.service.Site(ctx, id)
		n.to[id] = s
	}
	return s, err
}

func (n *pgNode) submit(ctx context.Context, id string, writer, k int) (comments.Comment, error) {
	site, err := n.site(ctx, id)
	if err != nil {
		return comments.Comment{}, err
	}
	sub, err := submission(n.sealer, id, fmt.Sprintf("https://news.example/vi/bai-viet-%d", k%100), writer, k)
	if err != nil {
		return comments.Comment{}, err
	}
	done, err := n.service.Submit(ctx, site, sub)
	return done.Comment, err
}

// decide takes a writer's own comment to where it is not.
func (n *pgNode) decide(ctx context.Context, id string, writer int) error {
	name := fmt.Sprint(id, "/", writer)
	n.mu.Lock()
	t := n.turns[name]
	n.mu.Unlock()
	if t == nil {
		c, err := n.submit(ctx, id, writer, 0)
		if err != nil {
			return err
		}
		t = &turn{c.ID, c.Version, moderation.Approve}
		n.mu.Lock()
		n.turns[name] = t
		n.mu.Unlock()
	}
	done, err := n.desk.Decide(ctx, n.boss, []moderation.Decision{{ID: string(t.id), Action: t.action, Version: &t.version}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		return err
	}
	t.version = done[0].Version
	if t.action == moderation.Approve {
		t.action = moderation.Restore
	} else {
		t.action = moderation.Approve
	}
	return nil
}

// hammerNodes has writers spread over nodes and sites.
func hammerNodes(ctx context.Context, nodes []*pgNode, l load, d time.Duration) (float64, error) {
	return hammer(l.writers, d, func(writer, k int) error {
		node, site := nodes[writer%len(nodes)], siteName(writer%l.sites)
		if l.decisions {
			return node.decide(ctx, site, writer)
		}
		_, err := node.submit(ctx, site, writer, k)
		return err
	})
}

// listRig is a database with many comments of which few are read.
type listRig struct {
	node *pgNode
	page string
	stop func() error
}

func newListRig(ctx context.Context, cluster *pgtest.Cluster, n int) (*listRig, error) {
	nodes, stop, err := newPgNodes(ctx, cluster, 1, 1)
	if err != nil {
		return nil, err
	}
	r := &listRig{node: nodes[0], stop: stop}
	c, err := r.node.submit(ctx, siteName(0), 0, 0)
	if err == nil {
		r.page = c.Page
		err = r.grow(ctx, c, n)
	}
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return r, nil
}

// grow makes many of one comment, past the store: nothing is counted.
func (r *listRig) grow(ctx context.Context, c comments.Comment, n int) error {
	conn, err := pgx.Connect(ctx, r.node.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := clone(ctx, conn, "comments", `site = 'site-0' AND id = '`+c.ID.UUID().String()+`'`,
		`jsonb_build_object('id', '01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'),
			'status', (ARRAY['pending', 'approved', 'rejected', 'spam', 'trashed'])[1 + i % 5])`, n); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `ANALYZE comments`)
	return err
}

// clone puts copies of a row into its table, number i of which differs by a JSON object.
func clone(ctx context.Context, conn *pgx.Conn, table, row, differs string, n int) error {
	_, err := conn.Exec(ctx, `INSERT INTO `+table+` SELECT (jsonb_populate_record(t, `+differs+`)).*
		FROM `+table+` AS t, generate_series(1, $1::int) AS i WHERE `+row+` ON CONFLICT DO NOTHING`, n)
	if err != nil {
		return fmt.Errorf("copy a row of %s: %w", table, err)
	}
	return nil
}

func (r *listRig) read(ctx context.Context, queue bool) func(int, int) error {
	return func(int, int) error {
		const first = 50
		if queue {
			list, err := r.node.people.Queue(ctx, moderation.QueueFilter{Site: siteName(0), Status: comments.Pending, Limit: first})
			return full(len(list), first, err)
		}
		site, err := r.node.site(ctx, siteName(0))
		if err != nil {
			return err
		}
		t, err := r.node.service.Thread(ctx, site, comments.ThreadQuery{Page: r.page, Sort: comments.Newest, Limit: first}, first)
		return full(len(t.Comments), first, err)
	}
}

func full(n, want int, err error) error {
	if err == nil && n != want {
		err = fmt.Errorf("a first page of %d, not %d", n, want)
	}
	return err
}
