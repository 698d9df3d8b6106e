package boltstore

import (
	"context"
	"fmt"

	"duyet/comments"
)

const formatAbout Format = 1

// about is one of the plain values that say what this file is.
func (tx *Tx) about(name string) (string, error) {
	_, payload, err := tx.Record(bucketAbout, []byte(name))
	if err != nil {
		return "", fmt.Errorf("%s of the file: %w", name, err)
	}
	return string(payload), nil
}

func (tx *Tx) putAbout(name, value string) {
	tx.PutRecord(bucketAbout, []byte(name), formatAbout, []byte(value))
}

// Installation is the id that the file was made with.
func (db *DB) Installation(ctx context.Context) (id string, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		id, err = tx.about(aboutInstallation)
		return err
	})
	return id, err
}

// Heads are the ends of all journals by site, comments.Installation included, as of one
// moment.
func (db *DB) Heads(ctx context.Context) (heads map[string]comments.Head, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		heads, err = tx.Heads()
		return err
	})
	return heads, err
}

// Heads is DB.Heads within a transaction.
func (tx *Tx) Heads() (map[string]comments.Head, error) {
	all, err := tx.allHeads()
	heads := make(map[string]comments.Head, len(all))
	for site, h := range all {
		heads[site] = h.Head
	}
	return heads, err
}

func (tx *Tx) allHeads() (map[string]head, error) {
	heads := map[string]head{}
	c := tx.bucket(bucketHeads).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		h, err := decodeHead(k, v)
		if err != nil {
			return nil, err
		}
		heads[string(k)] = h
	}
	return heads, nil
}
