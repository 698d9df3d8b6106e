package pgstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// wing is the name under which this wing's version stands in the database.
const wing = "comments"

// migrateLock is the advisory lock that nodes take in turn to bring tables up to date;
// leadLock that of whoever leads.
const (
	migrateLock int64 = 0x6475796574_01 // "duyet", 1
	leadLock    int64 = 0x6475796574_02
)

// Migrate brings the tables of a wing up to date by its goose migrations. However many
// nodes start at once, one does the work and the others wait for it.
//
// A database that is ahead of this release is taken as it is, so that nodes can be
// replaced one by one: migrations only add what older nodes can live with. One that can't
// keep to that gets a version of the next thousand, and older releases refuse the database
// with ErrNewer.
func (db *DB) Migrate(ctx context.Context, wing string, files fs.FS) error {
	return migrate(ctx, db.pool.Config().ConnConfig, wing, files)
}

func migrate(ctx context.Context, config *pgx.ConnConfig, wing string, files fs.FS) error {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration, or the wait for another's, may take its time
	conn := stdlib.OpenDB(*config)
	defer conn.Close()
	if err := conn.PingContext(ctx); err != nil {
		return err
	}
	files, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, files, goose.WithSessionLocker(locker{}),
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("duyet_version_"+wing))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the database up to date: %w", err)
	}
	stands, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	sources := provider.ListSources()
	if known := sources[len(sources)-1].Version; stands/1000 > known/1000 {
		return fmt.Errorf("version %d, this release knows %d: %w", stands, known, ErrNewer)
	}
	return nil
}

// locker is goose's session lock. It waits in the server, so that the next node goes on at
// once.
type locker struct{}

func (locker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return fmt.Errorf("wait for another node's migration: %w", err)
	}
	return nil
}

func (locker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, migrateLock)
	return err
}
