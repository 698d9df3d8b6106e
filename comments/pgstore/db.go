// Package pgstore keeps comments, sites and journals in PostgreSQL, for several nodes at
// once. Tables are in migrations/, and CITUS.md says how to spread them over shards.
//
// It trusts PostgreSQL for durability, replication and failover, and builds none of its
// own. Nodes hold no state that another would miss: what they must agree on is in tables,
// and the journal tells each what the others have done.
package pgstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"duyet/comments"
)

// DB is a PostgreSQL database that both wings keep their records in. It implements
// comments.Store and is safe for concurrent use.
type DB struct {
	pool     *pgxpool.Pool
	dsn      string
	key      []byte
	now      func() time.Time
	onCommit func(ops int, took time.Duration)
	log      *slog.Logger
	patience time.Duration
	replica  *replica // nil = none
	sole     bool     // nobody else has the database open
	node     string   // random; tells this node's nudges from others'

	mu     sync.Mutex // guards lanes, work and closed
	lanes  map[string]*lane
	work   sync.WaitGroup // writes under way
	closed bool

	tell  tellings
	likes likeTellings

	nudges     chan struct{}
	background context.Context // of what runs until Close
	stop       context.CancelFunc
	running    sync.WaitGroup
	distrusted atomic.Int64 // when the pool was last emptied, Unix nanoseconds
	heard      atomic.Int64 // when the journals were last looked at, Unix nanoseconds
}

// The whole contract, in one type.
var _ comments.Store = (*DB)(nil)

// Options say how to open a database. Key and Fingerprint are needed.
type Options struct {
	Key          []byte // of the journal's chain, 32 bytes
	Fingerprint  string // of the secret: a database made with another is ErrOtherSecret
	Installation string // id of a database that is new; one that stands keeps its own

	// Patience is how long a write is tried again, with growing pauses, while the server
	// can't be reached or asks for it; then it is comments.ErrUnavailable. A write whose
	// commit was sent and not answered is asked after three times as long. 0 = 3 s.
	Patience time.Duration

	// Alone opens the database for a mover: others that have it open are ErrInUse, and
	// nobody can open it meanwhile. An unfinished move is none of its refusals.
	Alone bool

	// ReadDSN names a standby, or several, that answer what comments.Shared marks; "" =
	// none. It need not be up.
	ReadDSN string

	Now      func() time.Time                         // nil = time.Now
	OnCommit func(operations int, took time.Duration) // told after each commit; nil = nobody
	Logger   *slog.Logger                             // nil = silent
}

// Errors of opening. Each is told in one line that says what to do.
var (
	// ErrOtherSecret is a database made with another secret.
	ErrOtherSecret = errors.New("the database belongs to another secret; give this node the secret.key (or DUYET_SECRET) of the nodes that use it")
	// ErrNewer is a database that a later release has changed in ways this one can't know.
	ErrNewer = errors.New("the database was written by a newer release; install that release")
	// ErrClosed is a store that has been closed. It is comments.ErrUnavailable.
	ErrClosed = fmt.Errorf("closed: %w", comments.ErrUnavailable)
)

// patience is the default of Options.Patience.
const patience = 3 * time.Second

// Open connects to the database that dsn names (a postgres:// URL or key=value pairs, as
// libpq reads them; with several hosts the one that takes writes is found) and brings its
// tables up to date, one node at a time. A pooler in between must leave a session to one
// client (LISTEN and advisory locks belong to sessions). Errors: comments.ErrUnavailable when no server
// answers, ErrOtherSecret, ErrNewer, ErrInUse, ErrBeingMoved, comments.ErrUnfinishedMove.
func Open(ctx context.Context, dsn string, o Options) (_ *DB, err error) {
	if len(o.Key) == 0 || o.Fingerprint == "" {
		return nil, errors.New("a database needs a key and a fingerprint")
	}
	config, err := poolConfig(dsn)
	if err != nil {
		return nil, err
	}
	db := &DB{
		dsn: dsn, key: slices.Clone(o.Key), now: o.Now, onCommit: o.OnCommit, log: o.Logger, patience: o.Patience,
		sole: o.Alone, node: rand.Text(), lanes: map[string]*lane{}, nudges: make(chan struct{}, 1),
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.patience <= 0 {
		db.patience = patience
	}
	if db.replica, err = newReplica(ctx, o.ReadDSN); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			db.replica.close()
		}
	}()
	if err := db.retry(ctx, func() error { return migrate(ctx, config.ConnConfig, wing, migrations) }); err != nil {
		return nil, err
	}
	watched := newLines()
	config.ConnConfig.DialFunc = watched.dial
	watched.prefer(config)
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	defer func() {
		if err != nil {
			db.pool.Close()
		}
	}()
	conn, err := db.enter(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.claim(ctx, o); err != nil {
		closeQuietly(conn)
		return nil, err
	}
	if err := db.startCursors(ctx); err != nil {
		closeQuietly(conn)
		return nil, err
	}
	db.background, db.stop = context.WithCancel(context.Background())
	if db.sole {
		db.running.Go(func() {
			<-db.background.Done()
			closeQuietly(conn)
		})
		return db, nil
	}
	db.running.Go(func() { db.watch(watched) })
	db.running.Go(db.sendNudges)
	db.running.Go(func() { db.follow(conn) })
	return db, nil
}

// poolConfig reads a dsn and sets what it leaves open.
func poolConfig(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = int32(max(connsLeast, 4*runtime.GOMAXPROCS(0)))
	}
	params := config.ConnConfig.RuntimeParams
	for name, value := range map[string]string{
		"application_name":  "duyet",
		"timezone":          "UTC",
		"client_encoding":   "UTF8",
		"statement_timeout": "60s", // of a single statement; nobody waits longer
		// Statements find rows by key. Other ways to them look cheaper while the server has
		// no statistics of a table, as when it is new, and are not; and with one way only
		// there is nothing to plan anew for each execution. See moment for the others.
		"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off",
		"enable_hashjoin": "off", "enable_mergejoin": "off", "plan_cache_mode": "force_generic_plan",
		"jit": "off",
		// A node that is gone without a word must not keep a site's head locked.
		"idle_in_transaction_session_timeout": "10s",
		"tcp_keepalives_idle":                 "5",
		"tcp_keepalives_interval":             "2",
		"tcp_keepalives_count":                "3",
	} {
		if _, set := params[name]; !set {
			params[name] = value
		}
	}
	return config, nil
}

// ConnConfig is how the store connects, for whoever measures beside it.
func ConnConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := poolConfig(dsn)
	if err != nil {
		return nil, err
	}
	return config.ConnConfig, nil
}

// connsLeast is how many connections a node may open at least; pool_max_conns in the dsn
// says otherwise. A site takes one while it writes, and a read one while it reads.
const connsLeast = 16

// connectTimeout bounds how long one host may take to answer.
const connectTimeout = 2 * time.Second

// claim makes the database this installation's if it is nobody's, and otherwise holds the
// secret against the one it was made with.
func (db *DB) claim(ctx context.Context, o Options) error {
	var fingerprint string
	var moving *string
	err := db.Read(ctx, func(q Queryer) error {
		if _, err := q.Exec(ctx, `INSERT INTO about (installation, fingerprint) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			o.Installation, o.Fingerprint); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `INSERT INTO heads (site, epoch, seq, pending, approved, rejected, spam, trashed, suspect)
			VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`, comments.Installation, newEpoch()); err != nil {
			return err
		}
		return q.QueryRow(ctx, `SELECT fingerprint, moving FROM about`).Scan(&fingerprint, &moving)
	})
	switch {
	case err != nil:
		return err
	case fingerprint != o.Fingerprint:
		return ErrOtherSecret
	case moving != nil && !o.Alone:
		return comments.ErrUnfinishedMove
	}
	return nil
}

// Close lets the writes under way finish and closes the connections. Calls after it are
// ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	db.mu.Unlock()
	db.work.Wait()
	db.stop()
	db.running.Wait()
	db.replica.close()
	db.pool.Close()
	return nil
}

// begin notes a write under way, unless the store is closed; end it with db.work.Done.
func (db *DB) begin() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return ErrClosed
	}
	db.work.Add(1)
	return nil
}

// Installation is the id that the database was made with.
func (db *DB) Installation(ctx context.Context) (id string, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		return q.QueryRow(ctx, `SELECT installation FROM about`).Scan(&id)
	})
	return id, err
}

// Refingerprint lets another secret be the database's, if the old one still is: of two
// racing calls one gets ErrOtherSecret.
func (db *DB) Refingerprint(ctx context.Context, old, fresh string) error {
	n, err := db.Exec(ctx, `UPDATE about SET fingerprint = $2 WHERE fingerprint IN ($1, $2)`, old, fresh)
	if err == nil && n == 0 {
		err = ErrOtherSecret
	}
	return err
}

// Ping reports whether the store answers, as comments.ErrUnavailable when it doesn't.
func (db *DB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(q Queryer) error {
		var ok bool
		return q.QueryRow(ctx, `SELECT NOT pg_is_in_recovery()`).Scan(&ok)
	})
}

// Behind is how long ago this node last made sure that it knows of every commit of the
// others: well below a second, unless the server can't be reached.
func (db *DB) Behind() time.Duration { return time.Since(time.Unix(0, db.heard.Load())) }

// Stats is the size of the store and of what it is reached by.
type Stats struct {
	Bytes       int64 // of the database on disk
	Connections int   // open
	Busy        int   // of them in use
}

// Stats reads the size of the store.
func (db *DB) Stats(ctx context.Context) (s Stats, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		return q.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&s.Bytes)
	})
	stat := db.pool.Stat()
	s.Connections, s.Busy = int(stat.TotalConns()), int(stat.AcquiredConns())
	return s, err
}
