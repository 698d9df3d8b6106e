package main

import (
	"context"
	"errors"
	"fmt"
)

type secretRotateCmd struct{}

func (*secretRotateCmd) run(_ context.Context, e *env, in *installation) error {
	if !in.ownSecret {
		return errors.New("the secret comes from DUYET_SECRET: put a new key before the one there and start every node again")
	}
	if err := in.store.RotateSecret(); err != nil {
		return err
	}
	if err := in.tickets.use(in.store.Secret()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.out, "the secret has a new key; codes sealed with the one before are good until the next rotation: make a backup, and copy secret.key to every other node")
	return err
}
