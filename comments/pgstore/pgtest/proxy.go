package pgtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands between a store and the server and breaks what runs through it. It knows
// just enough of PostgreSQL's protocol to see commits.
type Proxy struct {
	dir     string
	cluster *Cluster
	listen  net.Listener

	mu      sync.Mutex
	conns   map[net.Conn]bool
	cut     bool
	stalled chan struct{} // closed at the end of a stall; nil = there is none
	answers int           // how many of them are still to be lost
	answer  string        // which; "COMMIT"
	commits int           // commits that are still to be lost themselves
	lost    int
}

// NewProxy is a proxy before a cluster's socket, gone when the test ends.
func NewProxy(t testing.TB, c *Cluster) *Proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgp")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{dir: dir, cluster: c, conns: map[net.Conn]bool{}}
	if p.listen, err = net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432")); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.accept()
	}()
	t.Cleanup(func() {
		p.listen.Close()
		p.Cut()
		<-ended
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Database makes an empty database for one test, as Cluster.Database does, and returns its
// address through the proxy.
func (p *Proxy) Database(t testing.TB) string {
	t.Helper()
	name := p.cluster.name(t)
	p.Point(p.cluster) // again, now that it has its folder, which serve reads in goroutines of its own
	return DSN(p.dir, name)
}

// Point has new connections lead to another cluster.
func (p *Proxy) Point(c *Cluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cluster = c
}

func (p *Proxy) socket() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cluster.socket()
}

// Through is the address of a database, through the proxy.
func (p *Proxy) Through(dsn string) string { return behind(p.dir, dsn) }

// LoseAnswers has the connections of the next n commits die after the server has
// committed and before the client hears of it.
func (p *Proxy) LoseAnswers(n int) { p.LoseAnswersTo("COMMIT", n) }

// LoseAnswersTo does the same to statements that the server answers with a tag: "UPDATE 1"
// is one that stands for itself and has changed a row.
func (p *Proxy) LoseAnswersTo(tag string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer, p.answers = tag, n
}

// LoseCommits has the connections of the next n commits die before the server hears of
// the commit.
func (p *Proxy) LoseCommits(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits = n
}

// Lost is how many commits and answers were lost.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Cut ends all connections and lets no new one through until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.resume()
	for c := range p.conns {
		c.Close()
	}
}

// Stall leaves connections open and lets nothing through until Mend: a network that has
// gone without a word.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// Mend undoes Cut and Stall.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	p.resume()
}

func (p *Proxy) resume() {
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// pass writes a message, once nothing is stalled.
func (p *Proxy) pass(to io.Writer, m []byte) error {
	p.mu.Lock()
	stalled := p.stalled
	p.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	_, err := to.Write(m)
	return err
}

func (p *Proxy) accept() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		wg.Go(func() { p.serve(client) })
	}
}

// hold keeps a connection for Cut to end.
func (p *Proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.socket())
	if err != nil {
		return
	}
	defer server.Close()
	if !p.hold(client) {
		return
	}
	defer p.drop(client)
	if !p.hold(server) {
		return
	}
	defer p.drop(server)
	var wg sync.WaitGroup
	for _, way := range []func() error{
		func() error { return p.forth(client, server) },
		func() error { return p.back(server, client) },
	} {
		wg.Go(func() {
			_ = way()
			client.Close()
			server.Close()
		})
	}
	wg.Wait()
}

var errLost = errors.New("lost on purpose")

// forth passes the client's messages on. It learns the names of prepared statements, and
// so knows a commit when it is asked for.
func (p *Proxy) forth(from io.Reader, to io.Writer) error {
	r := bufio.NewReader(from)
	first, err := message(r, false)
	if err != nil {
		return err
	}
	if err := p.pass(to, first); err != nil {
		return err
	}
	commits := map[string]bool{}
	for {
		m, err := message(r, true)
		if err != nil {
			return err
		}
		fields := bytes.SplitN(m[5:], []byte{0}, 3)
		if m[0] == 'P' && len(fields) == 3 {
			commits[string(fields[0])] = string(fields[1]) == "COMMIT"
		}
		if m[0] == 'B' && len(fields) == 3 && commits[string(fields[1])] && p.take(&p.commits) {
			return errLost
		}
		if err := p.pass(to, m); err != nil {
			return err
		}
	}
}

// back passes the server's messages on, but for the answers that are to be lost.
func (p *Proxy) back(from io.Reader, to io.Writer) error {
	r := bufio.NewReader(from)
	for {
		m, err := message(r, true)
		if err != nil {
			return err
		}
		if m[0] == 'C' && p.loses(string(m[5:len(m)-1])) && p.take(&p.answers) {
			return errLost
		}
		if err := p.pass(to, m); err != nil {
			return err
		}
	}
}

func (p *Proxy) loses(tag string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return tag == p.answer
}

func (p *Proxy) take(n *int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	p.lost++
	return true
}

// message reads one message: its type, unless it is a connection's first, its length and
// the rest.
func message(r *bufio.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 5)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > 1<<28 {
		return nil, errors.New("no message of PostgreSQL's")
	}
	m := append(head, make([]byte, length-4)...)
	_, err := io.ReadFull(r, m[len(head):])
	return m, err
}
