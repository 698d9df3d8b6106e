package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"duyet/cmd/internal/httpd"
	"duyet/comments"
	"duyet/comments/captcha"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/web"
	"duyet/moderation"
	"duyet/templates"
)

// cost is what one operation takes: of a node's processors, of the database's, and of its
// log.
type cost struct {
	node, database time.Duration
	log            float64 // bytes
	rate           float64 // operations a second while it was measured
}

// meter reads what has been used so far: by this process, by the server, and of its log.
type meter struct {
	cluster *pgtest.Cluster
	conn    *pgx.Conn
}

type reading struct {
	node, database time.Duration
	log            float64
}

func (m meter) read(ctx context.Context) (r reading, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return r, err
	}
	r.node = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if err := m.conn.QueryRow(ctx, `SELECT pg_current_wal_insert_lsn() - '0/0'`).Scan(&r.log); err != nil {
		return r, err
	}
	r.database, err = processorTime(m.cluster.Process())
	return r, err
}

// of runs something for a while and says what one operation took.
func (m meter) of(ctx context.Context, run func() (rate float64, err error)) (cost, error) {
	before, err := m.read(ctx)
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	rate, err := run()
	if err != nil {
		return cost{}, err
	}
	ops := rate * time.Since(began).Seconds()
	after, err := m.read(ctx)
	if err != nil {
		return cost{}, err
	}
	if ops < 1 {
		return cost{}, errors.New("nothing was done")
	}
	each := func(d time.Duration) time.Duration { return time.Duration(float64(d) / ops) }
	return cost{each(after.node - before.node), each(after.database - before.database), (after.log - before.log) / ops, rate}, nil
}

// processorTime is that of a process and of its children, those that have ended included.
func processorTime(parent int) (time.Duration, error) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
		fields := strings.Fields(rest)
		if len(fields) < 15 || pid != parent && fields[1] != strconv.Itoa(parent) {
			continue
		}
		last := 13 // its own
		if pid == parent {
			last = 15 // and that of children that have ended
		}
		for _, f := range fields[11:last] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	const tick = time.Second / 100 // Linux tells programs so whatever it counts in
	return time.Duration(ticks) * tick, nil
}

// costs are what the model rests on.
type costs struct {
	hit, miss, submission, decision cost
	heard                           cost    // a commit of another node
	oneSite                         float64 // submissions a second that one site's head lets through
	comment                         []table // bytes of one, by table
	page                            int     // bytes of a rendered first page, as the cache holds it
}

type table struct {
	name  string
	bytes float64
}

// listeners are nodes that hear of what one of them writes; so many, that what hearing
// costs stands out.
const listeners = 8

func measureCosts(ctx context.Context, c *cli, cluster *pgtest.Cluster, sample int) (k costs, err error) {
	const writers = 16
	nodes, stop, err := newPgNodes(ctx, cluster, listeners, writers)
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	conn, err := pgx.Connect(ctx, nodes[0].dsn)
	if err != nil {
		return k, err
	}
	defer conn.Close(ctx)
	m := meter{cluster, conn}
	alone := nodes[:1]
	write := func(l load) (cost, error) {
		return m.median(ctx, c.Rounds, func() (float64, error) { return hammerNodes(ctx, alone, l, c.For) })
	}
	heard, err := write(load{false, writers, writers})
	if err != nil {
		return k, err
	}
	for _, n := range nodes[1:] {
		if err := n.db.Close(); err != nil {
			return k, err
		}
	}
	if k.submission, err = write(load{false, writers, writers}); err != nil {
		return k, err
	}
	k.heard = cost{
		node:     max(0, heard.node-k.submission.node) / (listeners - 1),
		database: max(0, heard.database-k.submission.database) / (listeners - 1),
	}
	one, err := write(load{false, 64, 1})
	if err != nil {
		return k, err
	}
	k.oneSite = one.rate
	if k.comment, err = sizes(ctx, conn, alone[0], sample); err != nil {
		return k, err
	}
	if k.decision, err = write(load{true, writers, writers}); err != nil {
		return k, err
	}
	return k, k.reads(ctx, c, m, alone[0])
}

// median measures in rounds, and takes the median of each part.
func (m meter) median(ctx context.Context, rounds int, run func() (float64, error)) (cost, error) {
	var node, database []time.Duration
	var log, rate []float64
	for range rounds {
		k, err := m.of(ctx, run)
		if err != nil {
			return cost{}, err
		}
		node, database = append(node, k.node), append(database, k.database)
		log, rate = append(log, k.log), append(rate, k.rate)
	}
	return cost{median(node), median(database), median(log), median(rate)}, nil
}

// sizes are the bytes that a comment takes, indexes included, by table. There are at least
// as many comments as the sample, so that tables are more than their first few blocks.
func sizes(ctx context.Context, conn *pgx.Conn, n *pgNode, sample int) (list []table, err error) {
	var stored int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM comments`).Scan(&stored); err != nil {
		return nil, err
	}
	const writers = 64
	if _, err := hammer(writers, time.Hour, func(w, k int) error {
		if stored+k*writers >= sample {
			return errEnough
		}
		_, err := n.submit(ctx, siteName(0), w, k)
		return err
	}); !errors.Is(err, errEnough) {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT relname, pg_total_relation_size(c.oid)::float8 / (SELECT count(*) FROM comments)
		FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
		AND relname IN ('comments', 'events', 'addresses', 'spent') ORDER BY relname`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		return t, row.Scan(&t.name, &t.bytes)
	})
}

// perPage is how many comments a first page has: the default of a thread.
const perPage = comments.ThreadLimit

// reads measures a page that stands in the cache, and one that does not since something on
// it has just changed.
func (k *costs) reads(ctx context.Context, c *cli, m meter, n *pgNode) error {
	var page string
	for i := range perPage {
		posted, err := n.submit(ctx, siteName(0), 200, i*100) // all on one page
		if err != nil {
			return err
		}
		page = posted.Page
		if _, err := n.desk.Decide(ctx, n.boss, []moderation.Decision{{ID: string(posted.ID), Action: moderation.Approve}}); err != nil {
			return err
		}
	}
	address, observe, stop, err := serveDoor(n.service, web.DefaultCacheBytes)
	if err != nil {
		return err
	}
	defer stop()
	path := "/s/" + siteName(0) + "/fragment?limit=" + strconv.Itoa(perPage) + "&page=" + url.QueryEscape(page)
	plain, _, err := fetch(address, path, "")
	if err != nil {
		return err
	}
	body, _, err := fetch(address, path, "gzip")
	if err != nil {
		return err
	}
	k.page = len(plain) + len(body)
	if k.hit, err = m.median(ctx, c.Rounds, func() (float64, error) { return readAll(address, path, "gzip", len(body), c.For) }); err != nil {
		return err
	}
	kept, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer kept.Close()
	in, ask := bufio.NewReader(kept), request(address, path, "gzip")
	changed := comments.Commit{Page: page, Event: comments.Event{Site: siteName(0), Kind: comments.KindDecided, To: comments.Approved}}
	k.miss, err = m.median(ctx, c.Rounds, func() (float64, error) {
		return hammer(1, c.For, func(int, int) error {
			observe(changed)
			if _, err := kept.Write(ask); err != nil {
				return err
			}
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	})
	return err
}

// serveDoor serves the readers' door on loopback.
func serveDoor(service *comments.Service, cacheBytes int64) (address string, observe comments.Observer, stop func(), err error) {
	front, observe, err := newFront(service, cacheBytes)
	if err != nil {
		return "", nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- front.Serve(ctx, l) }()
	return l.Addr().String(), observe, func() { cancel(); <-ended }, nil
}

// newFront is the readers' door behind the front of every node.
func newFront(service *comments.Service, cacheBytes int64) (*httpd.Server, comments.Observer, error) {
	set, err := templates.New(templates.Options{})
	if err != nil {
		return nil, nil, err
	}
	templates.UseProblems(set)
	gallery, err := captcha.NewGallery(captcha.NewPainter(), captcha.GalleryBytes)
	if err != nil {
		return nil, nil, err
	}
	speaker, err := captcha.NewSpeaker("")
	if err != nil {
		return nil, nil, err
	}
	router := mux.NewRouter()
	api := httpd.NewAPI(router, "bench", "")
	door, err := web.New(web.Config{Service: service, Templates: set, API: api, Picture: gallery, Sound: captcha.NewChoir(speaker), CacheBytes: cacheBytes})
	if err != nil {
		return nil, nil, err
	}
	front, err := httpd.New(httpd.Config{
		Templates: set, Router: router, API: api, Doors: []httpd.Door{door}, Ready: func(context.Context) error { return nil },
		Meter: func(string) httpd.Observe { return func(int, time.Duration) {} }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the front: %w", err)
	}
	return front, door.Observer(), nil
}
