package main

import (
	"context"
	"fmt"

	"duyet/cmd/internal/storage"
)

type backupCmd struct {
	File string `arg:"" type:"path" help:"Where to write it; it holds the secret, so only you can read it."`
}

func (c *backupCmd) run(ctx context.Context, e *env, in *installation) error {
	done := e.working("writing the backup")
	manifest, err := in.store.Backup(ctx, c.File)
	done()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.out, "backed up to %s\n", c.File); err != nil {
		return err
	}
	return printHeads(e.out, manifest.Heads)
}

type restoreCmd struct {
	File string `arg:"" type:"path" help:"A backup."`
}

func (c *restoreCmd) runOnFiles(ctx context.Context, e *env) error {
	done := e.working("restoring")
	manifest, err := storage.Restore(ctx, storage.Options{Dir: e.data(), Wait: waitForLock, Command: "duyet restore"}, c.File)
	done()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.out, "restored to %s what was backed up at %s\n", e.data(), manifest.MadeAt.Format("2006-01-02 15:04:05 MST")); err != nil {
		return err
	}
	return printHeads(e.out, manifest.Heads)
}
