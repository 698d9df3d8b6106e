package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"duyet/cmd/internal/control"
	"duyet/cmd/internal/storage"
)

type moveCmd struct {
	From string `required:"" env:"-" help:"Data folder, or postgres://… address, to move from. It stays as it is." placeholder:"DIR|URL"`
	To   string `required:"" env:"-" help:"Empty folder, or address of an empty database, to move into." placeholder:"DIR|URL"`
}

// place is an end of the move, a folder with its whole path.
func (e *env) place(end string) (string, error) {
	if storage.IsServer(end) {
		return end, nil
	}
	return filepath.Abs(end)
}

func (c *moveCmd) run(ctx context.Context, e *env) error {
	from, err := e.place(c.From)
	if err != nil {
		return err
	}
	to, err := e.place(c.To)
	if err != nil {
		return err
	}
	if from == to {
		return usageError{errors.New("--from and --to are the same")}
	}
	for _, end := range []string{from, to} {
		if !storage.IsServer(end) && control.Running(ctx, end) {
			return fmt.Errorf("a server is running on %s: stop it first", end)
		}
	}
	o := storage.MoveOptions{From: from, To: to, Dir: e.data(), Secret: e.secret, Command: "duyet move"}
	done := func() {}
	shown := ""
	var count func(done, total int64)
	o.Step = func(step string, at, total int64) {
		if step != shown {
			done()
			shown = step
			count, done = e.counting(step)
		}
		count(at, total)
	}
	report, err := storage.Move(ctx, o)
	done()
	if err != nil {
		return err
	}
	return c.print(e, report)
}

func (c *moveCmd) print(e *env, report storage.MoveReport) error {
	switch {
	case report.Resumed:
		fmt.Fprintln(e.out, "went on where a move was interrupted")
	case report.Anew:
		fmt.Fprintln(e.out, "began anew: the source had changed since a move was interrupted")
	}
	for _, n := range report.Nouns {
		fmt.Fprintf(e.out, "%-16s %9d  %s\n", n.Noun, n.Count, n.Hash)
	}
	_, err := fmt.Fprintln(e.out, "moved, read back and found the same; --from stands as it was: put it away, so that nobody serves it again")
	return err
}
