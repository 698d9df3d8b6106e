package main

import (
	"context"

	"duyet/cmd/internal/config"
)

type serveCmd struct {
	config.Serve `embed:""`
}

func (c *serveCmd) run(ctx context.Context, e *env) error {
	if c.ReadStore != "" && e.store.DSN == "" {
		return usagef("--read-store is a standby of --store, which is missing")
	}
	log := newLogger(e.errs, c.LogFormat)
	s, err := newService(ctx, c.Serve, nil, options{data: e.data(), dsn: e.store.DSN, readDSN: c.ReadStore, secret: e.secret, holder: "duyet serve"}, log)
	if err != nil {
		return err
	}
	err = s.run(ctx, func() {
		args := []any{"address", s.in.address, "listen", s.listener.Addr().String(), "version", version()}
		if s.ops != nil {
			args = append(args, "ops", s.ops.Addr().String())
		}
		log.Info("ready", args...)
	})
	if err == nil {
		log.Info("ended")
	}
	return err
}
