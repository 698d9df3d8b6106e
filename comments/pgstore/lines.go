package pgstore

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A server that dies with its machine says nothing: what waits for its answer would wait
// until its own time limit, and the next server would take over unnoticed. So a node
// watches its connections. The follower asks a small question twice a second; where it and
// all others who asked the same server have waited silentMost, and none of them has had a
// byte meanwhile, all connections to that server are cut, and whoever waits tries again on
// a new one, which finds the server that takes writes now. A single long statement cuts
// nothing, since the follower's answers come beside it.
const (
	silentMost = 2 * time.Second
	watchEvery = 250 * time.Millisecond
)

// lines are a node's connections.
type lines struct {
	dialer net.Dialer
	mu     sync.Mutex
	open   map[*line]bool
}

// line is one. Times are Unix nanoseconds.
type line struct {
	net.Conn
	lines  *lines
	server string
	asked  atomic.Int64 // when its first question was sent that is not answered
	heard  atomic.Int64 // when a byte last came
}

func newLines() *lines {
	return &lines{
		dialer: net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}},
		open:   map[*line]bool{},
	}
}

// dial opens one; it is pgconn.DialFunc.
func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &line{Conn: conn, lines: l, server: address}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	return c, nil
}

func (c *line) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
		c.asked.Store(0)
	}
	return n, err
}

func (c *line) Write(p []byte) (int, error) {
	c.asked.CompareAndSwap(0, time.Now().UnixNano())
	return c.Conn.Write(p)
}

func (c *line) Close() error {
	c.lines.mu.Lock()
	delete(c.lines.open, c)
	c.lines.mu.Unlock()
	return c.Conn.Close()
}

// silent are the connections to servers that have been asked and have said nothing to
// anybody for silentMost. Those that were never heard are still being made, which has a
// time limit of its own.
func (l *lines) silent(now time.Time) (list []*line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := now.Add(-silentMost).UnixNano()
	asked, alive := map[string]bool{}, map[string]bool{}
	for c := range l.open {
		a, h := c.asked.Load(), c.heard.Load()
		if h != 0 && a != 0 && a < since {
			asked[c.server] = true
		}
		if h > since {
			alive[c.server] = true
		}
	}
	for c := range l.open {
		if asked[c.server] && !alive[c.server] && c.heard.Load() != 0 {
			list = append(list, c)
		}
	}
	return list
}

// watch runs until the store is closed.
func (db *DB) watch(l *lines) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-db.background.Done():
			return
		case now := <-tick.C:
			list := l.silent(now)
			if len(list) == 0 {
				continue
			}
			db.log.Warn("the database says nothing; its connections are cut", "server", list[0].server, "connections", len(list))
			for _, c := range list {
				_ = c.Close() // whoever reads from it has an error now
			}
		}
	}
}

// prefer has connections ask first the server that the last one was made to: of several
// hosts, the first may have died without a word, and each question to it costs
// connectTimeout.
func (l *lines) prefer(config *pgxpool.Config) {
	var last atomic.Pointer[string]
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		under := conn.PgConn().Conn()
		if t, ok := under.(*tls.Conn); ok {
			under = t.NetConn()
		}
		if c, ok := under.(*line); ok {
			last.Store(&c.server)
		}
		return nil
	}
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		server := last.Load()
		if server == nil {
			return nil
		}
		for _, f := range c.Fallbacks {
			if _, address := pgconn.NetworkAddress(f.Host, f.Port); address == *server {
				c.Host, f.Host = f.Host, c.Host
				c.Port, f.Port = f.Port, c.Port
				c.TLSConfig, f.TLSConfig = f.TLSConfig, c.TLSConfig
				break
			}
		}
		return nil
	}
}
