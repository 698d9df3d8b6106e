package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"duyet/cmd/internal/storage"
	"duyet/comments"
)

type captchaSolveCmd struct {
	Tickets []string `arg:"" optional:"" name:"ticket" help:"Tickets; without any, they are read from standard input, a line each."`
}

func (c *captchaSolveCmd) run(_ context.Context, e *env, in *installation) error {
	return c.solve(e, in.tickets)
}

// runOnSecret solves without a server: tickets are sealed with the secret alone, so the
// store stays closed.
func (c *captchaSolveCmd) runOnSecret(_ context.Context, e *env) error {
	secret, err := storage.ReadSecret(e.data(), e.secret)
	if err != nil {
		return err
	}
	var t tickets
	if err := t.use(secret); err != nil {
		return err
	}
	return c.solve(e, &t)
}

func (c *captchaSolveCmd) solve(e *env, t *tickets) error {
	if len(c.Tickets) > 0 {
		for _, ticket := range c.Tickets {
			if err := solveOne(e, t, ticket); err != nil {
				return err
			}
		}
		return nil
	}
	lines := bufio.NewScanner(e.in)
	for lines.Scan() {
		if ticket := strings.TrimSpace(lines.Text()); ticket != "" {
			if err := solveOne(e, t, ticket); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading tickets: %w", err)
	}
	return nil
}

func solveOne(e *env, t *tickets, ticket string) error {
	digits, err := t.solve(ticket)
	if errors.Is(err, comments.ErrTicketUnreadable) {
		return fmt.Errorf("%.20q… is no ticket of this installation: use the --data of the server that made it", ticket)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, digits)
	return err
}
