// Package pgtest starts a PostgreSQL server of its own for the tests of a package: in a
// temporary folder, on a socket, as a user without rights, gone when the tests are. It
// needs Debian's package postgresql and never skips a test for want of it.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a server for the tests of one process. The zero value has not begun; it
// starts with the first database asked of it. Close it when the tests are done.
type Cluster struct {
	// Settings are added to the server's: "fsync=on". Without them nothing waits for a
	// disk, which the death of the server, unlike the machine's, does not tell.
	Settings []string

	once     sync.Once
	startErr error
	bin      string
	dir      string // holds data, log and socket
	user     *syscall.Credential
	server   *server
	count    atomic.Int64
}

// server is a running postgres process.
type server struct {
	process *os.Process
	ended   chan struct{}
}

// errMissing says what to do.
var errMissing = errors.New("these tests start PostgreSQL and found none: apt-get install postgresql")

// Database makes an empty database for one test and returns its address. It is dropped
// when the test ends.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := c.name(t) // starts the server, whose folder it makes
	return DSN(c.dir, name)
}

// name makes a database for one test and returns its name.
func (c *Cluster) name(t testing.TB) string {
	t.Helper()
	name, err := c.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := c.admin(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return name
}

// New makes an empty database that goes with the cluster, and returns its address.
func (c *Cluster) New(ctx context.Context) (string, error) {
	name, err := c.make(ctx)
	return DSN(c.dir, name), err
}

func (c *Cluster) make(ctx context.Context) (string, error) {
	c.once.Do(func() { c.startErr = c.create() })
	if c.startErr != nil {
		return "", c.startErr
	}
	name := fmt.Sprintf("t%d", c.count.Add(1))
	return name, c.admin(ctx, `CREATE DATABASE `+name)
}

// socket is the path of the socket that the server listens on.
func (c *Cluster) socket() string { return filepath.Join(c.dir, ".s.PGSQL.5432") }

// DSN is the address of a database behind the socket in a folder.
func DSN(dir, database string) string {
	return "postgres:///" + database + "?host=" + url.QueryEscape(dir) + "&user=postgres"
}

// behind is the address of a database behind another socket.
func behind(dir, dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // whoever opens it says what is wrong
	}
	return DSN(dir, strings.TrimPrefix(u.Path, "/"))
}

// Hosts adds ways to a database's address.
func Hosts(dsn string, more ...*Proxy) string {
	for _, p := range more {
		dsn = strings.Replace(dsn, "&user=", ","+url.QueryEscape(p.dir)+"&user=", 1)
	}
	return dsn
}

// admin runs a statement outside of any test's database.
func (c *Cluster) admin(ctx context.Context, sql string) error {
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func (c *Cluster) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, DSN(c.dir, "postgres"))
}

// create makes a cluster and starts it.
func (c *Cluster) create() error {
	if err := c.prepare(); err != nil {
		return err
	}
	out, err := c.command("initdb", "-D", c.data(), "-A", "trust", "-U", "postgres", "-E", "UTF8",
		"--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.Start()
}

// prepare finds PostgreSQL's programs and makes a folder for them to work in.
func (c *Cluster) prepare() (err error) {
	if c.bin, err = find(); err != nil {
		return err
	}
	// Short, since the path of a socket has at most 107 bytes.
	if c.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if c.user, err = unprivileged(); err != nil {
			return err
		}
		if err := os.Chown(c.dir, int(c.user.Uid), int(c.user.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// find is the folder of PostgreSQL's programs: the newest that Debian has, or the one in
// PATH.
func find() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	return filepath.Dir(path), nil
}

// unprivileged is a user for the server, which refuses to be root's.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL can't run as root, and there is neither a user postgres nor nobody")
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.user, Setpgid: true}
	return cmd
}

// Start starts the server, which is not running, and waits until it answers.
func (c *Cluster) Start() error {
	settings := append([]string{
		"listen_addresses=", "unix_socket_directories=" + c.dir, "max_connections=300", "shared_buffers=64MB",
		"fsync=off", "full_page_writes=off", "timezone=UTC", "log_min_messages=fatal", "max_wal_size=2GB",
	}, c.Settings...)
	args := []string{"-D", c.data()}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := c.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	// Should this process be killed, the server goes as well: the signal comes when the
	// thread that started it ends, so that thread stays.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	s := &server{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(s.ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	c.server = s
	return c.await()
}

// await waits until the server answers.
func (c *Cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := c.admin(ctx, `SELECT 1`)
		if err == nil {
			return nil
		}
		select {
		case <-c.server.ended:
			return c.failed(errors.New("postgres did not start"))
		case <-ctx.Done():
			return c.failed(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *Cluster) failed(err error) error {
	log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(log))
}

// Log is what the server has written to its log.
func (c *Cluster) Log() (string, error) {
	log, err := os.ReadFile(filepath.Join(c.dir, "log"))
	return string(log), err
}

// Process is the number of the server's first process, which runs.
func (c *Cluster) Process() int { return c.server.process.Pid }

// Program is the path of one of PostgreSQL's programs, of the server's release.
func (c *Cluster) Program(name string) string { return filepath.Join(c.bin, name) }

// Stop stops the server, cutting its connections; SIGQUIT does so without its putting
// anything in order, as a crash would.
func (c *Cluster) Stop(how syscall.Signal) error {
	if c.server == nil {
		return nil
	}
	if err := c.server.process.Signal(how); err != nil {
		return err
	}
	<-c.server.ended
	c.server = nil
	return nil
}

// Close stops the server and removes what it has written.
func (c *Cluster) Close() error {
	err := c.Stop(syscall.SIGQUIT)
	if c.dir != "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

// Main runs the tests of a package with a cluster and ends the process: it is what a
// package's TestMain calls.
func Main(m *testing.M, c *Cluster) {
	code := m.Run()
	if err := c.Close(); err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		code = max(code, 1)
	}
	os.Exit(code)
}
