// Command duyet takes readers' comments, lets moderators decide on them, and shows the
// approved ones. Each subcommand has a file of its own; `duyet --help` lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"duyet/cmd/internal/storage"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(report(os.Stderr, err))
}

// usageError is what was asked for in a wrong way.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// reported is the exit code of a command whose error was told already, by the server that
// ran it.
type reported int

func (r reported) Error() string { return fmt.Sprintf("exit code %d", int(r)) }

// report tells an error in one line and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	var told reported
	if errors.As(err, &told) {
		return int(told)
	}
	line := strings.Join(strings.Fields(explain(err)), " ")
	_, _ = fmt.Fprintln(stderr, "duyet: "+line) // there is nobody else to tell
	var usage usageError
	if errors.As(err, &usage) || errors.Is(err, storage.ErrPgDump) {
		return exitUsage
	}
	return exitFailed
}
