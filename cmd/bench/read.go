package main

import (
	"context"
	"io"
)

type readCmd struct{}

func (readCmd) Run(ctx context.Context, c *cli, out io.Writer) error { return nil }
