package pgtest

import (
	"context"
	"fmt"
	"time"
)

// Standby makes a streaming replica of a cluster that runs. It follows until it is
// promoted, and from now on no commit of this cluster is answered before the replica has
// it too. Close it as well.
func (c *Cluster) Standby(ctx context.Context) (*Cluster, error) {
	s := &Cluster{Settings: c.Settings}
	s.once.Do(func() {}) // it has its data from elsewhere
	if err := s.prepare(); err != nil {
		return s, err
	}
	out, err := s.command("pg_basebackup", "-D", s.data(), "-h", c.dir, "-U", "postgres",
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync").CombinedOutput()
	if err != nil {
		return s, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := s.Start(); err != nil {
		return s, err
	}
	// After the copy was made, so that the copy waits for nobody once it is promoted.
	for _, sql := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if err := c.admin(ctx, sql); err != nil {
			return s, err
		}
	}
	return s, c.poll(ctx, `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`)
}

// Promote makes a primary of a standby and waits until it takes writes.
func (c *Cluster) Promote(ctx context.Context) error {
	if err := c.admin(ctx, `SELECT pg_promote(false)`); err != nil {
		return err
	}
	return c.poll(ctx, `SELECT NOT pg_is_in_recovery()`)
}

// Address is that of a database on this server, given its address on another.
func (c *Cluster) Address(dsn string) string { return behind(c.dir, dsn) }

// EndSessions ends every session of every database, as an administrator might.
func (c *Cluster) EndSessions(ctx context.Context) error {
	return c.admin(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
}

// poll waits until a query says true.
func (c *Cluster) poll(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for done := false; ; {
		if err := conn.QueryRow(ctx, sql).Scan(&done); err != nil {
			return fmt.Errorf("waiting for %q: %w", sql, err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %q: %w", sql, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
