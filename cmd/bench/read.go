package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"golang.org/x/sync/errgroup"

	"duyet/comments"
	"duyet/comments/web"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
)

type readCmd struct {
	Pages int `help:"Other pages in the store, with a comment each." default:"100000"`
}

// connections is how many clients read at once.
const connections = 16

func (r readCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	dir, err := os.MkdirTemp(c.Dir, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rig, err := newReadRig(ctx, dir)
	if err != nil {
		return err
	}
	defer rig.close()

	if err := rig.crowd(ctx, r.Pages); err != nil {
		return err
	}
	fmt.Fprintf(out, "Reads per second over loopback, %d connections kept alive, %d other pages in the store, nothing changing meanwhile: the whole service\n", connections, r.Pages)
	fmt.Fprintln(out, "(headers, origin rules, metrics, cache) against a bare gorilla/mux handler that writes the same bytes.")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| read | bytes | service | bare mux | service ÷ bare |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|")
	for _, count := range []int{30, 100, 1000} {
		for _, depth := range []int{0, 3} {
			if err := rig.reads(ctx, c, out, count, depth); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(out)
	return rig.invalidates(ctx, out)
}

// invalidates shows what an approval on one page costs the readers of others.
func (r *readRig) invalidates(ctx context.Context, out io.Writer) error {
	const threads = 500
	page := func(n int) string { return fmt.Sprintf("https://news.example/vi/tin-%d", n) }
	for n := range threads {
		if err := r.fill(ctx, page(n), 1, 0); err != nil {
			return err
		}
	}
	read := func() (rendered int64, err error) {
		before := r.store.trees.Load()
		for n := range threads {
			if _, _, err := fetch(r.address, "/s/"+benchSite+"/fragment?page="+url.QueryEscape(page(n)), ""); err != nil {
				return 0, err
			}
		}
		return r.store.trees.Load() - before, nil
	}
	first, err := read()
	if err != nil {
		return err
	}
	if err := r.fill(ctx, page(0), 1, 0); err != nil {
		return err
	}
	again, err := read()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d threads read for the first time: %d read from the store and rendered. After an approval on one of them, all read again: %d.\n\n", threads, first, again)
	return nil
}

// treesRead is a store that counts how often a thread is read from it.
type treesRead struct {
	comments.Store
	trees atomic.Int64
}

func (s *treesRead) Trees(ctx context.Context, site, key string, sort comments.Sort, from comments.Point, limit int) ([]comments.Tree, error) {
	s.trees.Add(1)
	return s.Store.Trees(ctx, site, key, sort, from, limit)
}

// reads measures the reads of one thread: flat, or of trees so many replies deep.
func (r *readRig) reads(ctx context.Context, c *cli, out io.Writer, count, depth int) error {
	page := fmt.Sprintf("https://news.example/vi/%d-%d", count, depth)
	if err := r.fill(ctx, page, count, depth); err != nil {
		return err
	}
	name := fmt.Sprintf("%d comments", count)
	if depth > 0 {
		name += ", in trees"
	}
	fragment := "/s/" + benchSite + "/fragment?limit=1000&page=" + url.QueryEscape(page)
	if err := r.compare(c, out, "fragment, "+name, fragment, ""); err != nil {
		return err
	}
	if err := r.compare(c, out, "fragment, "+name+", gzip", fragment, "gzip"); err != nil || depth > 0 || count > comments.ThreadMost {
		return err // JSON is flat either way
	}
	return r.compare(c, out, "JSON, "+name,
		"/api/v1/sites/"+benchSite+"/thread?limit="+strconv.Itoa(count)+"&page="+url.QueryEscape(page), "")
}

// readRig is the readers' door behind its front, and a bare handler beside it.
type readRig struct {
	store   *treesRead
	service *comments.Service
	desk    *moderation.Service
	boss    moderation.Moderator
	submit  func(ctx context.Context, page string, n int, parent comments.ID) (comments.ID, error)
	address string
	stop    func()
	closers []func() error
}

func newReadRig(ctx context.Context, dir string) (*readRig, error) {
	_, db, _, err := readers(ctx, dir)
	if err != nil {
		return nil, err
	}
	store := &treesRead{Store: db}
	service, sealer, err := wing(store)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r := &readRig{store: store, service: service, closers: []func() error{db.Close}, stop: func() {}}
	people, err := modstore.New(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r.desk = moderation.NewService(moderation.Config{
		Store: people, Comments: service, Sites: db, Pages: db, Journal: db, Throttle: nil, Now: time.Now,
	})
	if r.boss, err = r.desk.AddPerson(ctx, "bench@news.example", moderation.Owner, nil, ""); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	site, err := service.Site(ctx, benchSite)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r.submit = func(ctx context.Context, page string, n int, parent comments.ID) (comments.ID, error) {
		sub, err := submission(sealer, benchSite, page, 0, n)
		if err != nil {
			return "", err
		}
		sub.Parent = string(parent)
		done, err := service.Submit(ctx, site, sub)
		return done.Comment.ID, err
	}
	if err := r.serve(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *readRig) serve(db comments.Observable) error {
	address, observe, stop, err := serveDoor(r.service, web.DefaultCacheBytes)
	if err != nil {
		return err
	}
	db.Observe(observe)
	r.address, r.stop = address, stop
	return nil
}

func (r *readRig) close() {
	r.stop()
	for _, c := range r.closers {
		_ = c()
	}
}

// fill puts approved comments on a page. With a depth they stand in chains so many replies
// deep.
func (r *readRig) fill(ctx context.Context, page string, count, depth int) error {
	var above comments.ID
	for n := range count {
		if n%(depth+1) == 0 {
			above = ""
		}
		id, err := r.submit(ctx, page, n, above)
		if err != nil {
			return err
		}
		if _, err := r.desk.Decide(ctx, r.boss, []moderation.Decision{{ID: string(id), Action: moderation.Approve}}); err != nil {
			return err
		}
		above = id
	}
	return nil
}

// crowd puts other pages into the store, of a comment each, many to a commit.
func (r *readRig) crowd(ctx context.Context, pages int) error {
	const writers = 64
	var g errgroup.Group
	g.SetLimit(writers)
	for n := range pages {
		g.Go(func() error {
			_, err := r.submit(ctx, fmt.Sprintf("https://news.example/vi/bai-viet-%d", n), n, "")
			return err
		})
	}
	return g.Wait()
}

func (r *readRig) compare(c *cli, out io.Writer, name, path, encoding string) error {
	body, header, err := fetch(r.address, path, encoding)
	if err != nil {
		return err
	}
	bare, stop, err := bareHandler(path, header, body)
	if err != nil {
		return err
	}
	defer stop()
	s, err := measure(c.Rounds, []string{"service", "bare"}, func(which string) (float64, error) {
		address := r.address
		if which == "bare" {
			address = bare
		}
		return readAll(address, path, encoding, len(body), c.For)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| %s | %d | %.0f | %.0f | %.2f |\n", name, len(body), s.median(0), s.median(1), s.ratio(0, 1))
	return nil
}

// bareHandler serves the same bytes under the same route with the same headers.
func bareHandler(path string, header http.Header, body []byte) (address string, stop func(), err error) {
	router := mux.NewRouter()
	u, err := url.Parse(path)
	if err != nil {
		return "", nil, err
	}
	header = header.Clone()
	header.Del("Date")
	router.HandleFunc(u.Path, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for k, v := range header {
			h[k] = v
		}
		_, _ = w.Write(body)
	}).Methods(http.MethodGet)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	return l.Addr().String(), func() { _ = srv.Close() }, nil
}

func request(address, path, encoding string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, address)
	if encoding != "" {
		fmt.Fprintf(&b, "Accept-Encoding: %s\r\n", encoding)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// fetch reads once, for what the bare handler is to repeat.
func fetch(address, path, encoding string) ([]byte, http.Header, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(request(address, path, encoding)); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %d", path, resp.StatusCode)
	}
	return body, resp.Header, err
}

// readAll asks over connections kept alive, with a client that does no more than find the
// end of each answer, so that the servers are what is measured.
func readAll(address, path, encoding string, size int, d time.Duration) (float64, error) {
	req := request(address, path, encoding)
	type client struct {
		net.Conn
		*bufio.Reader
	}
	clients := make([]client, connections)
	for i := range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		clients[i] = client{conn, bufio.NewReaderSize(conn, 64<<10)}
	}
	return hammer(connections, d, func(writer, _ int) error {
		c := clients[writer]
		if _, err := c.Conn.Write(req); err != nil {
			return err
		}
		for first := true; ; first = false {
			line, err := c.ReadSlice('\n')
			if err != nil {
				return err
			}
			if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
				return fmt.Errorf("answered %q", line)
			}
			if len(line) == 2 {
				break
			}
		}
		_, err := c.Discard(size)
		return err
	})
}
