package main

import (
	"context"
	"fmt"

	"duyet/cmd/internal/storage"
)

type checkCmd struct{}

func (*checkCmd) run(ctx context.Context, e *env, in *installation) error {
	progress, done := e.counting("checking")
	problems, err := in.store.Check(ctx, progress)
	done()
	for _, p := range problems {
		if _, err := fmt.Fprintln(e.out, p); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return fmt.Errorf("%d problems found: stop the server, move the database away and put the latest sound backup in its place with 'duyet restore'", len(problems))
	}
	_, err = fmt.Fprintln(e.out, "everything is sound")
	return err
}

type compactCmd struct{}

func (*compactCmd) runOnFiles(ctx context.Context, e *env) error {
	done := e.working("compacting")
	size, err := storage.Compact(ctx, storage.Options{Dir: e.data(), Secret: e.secret, Wait: waitForLock, Command: "duyet compact"})
	done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%d bytes before, %d after\n", size.Before, size.After)
	return err
}
