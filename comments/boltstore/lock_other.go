//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package boltstore

import "os"

// flock does nothing here; bbolt's own lock on the database stands.
func flock(*os.File) error { return nil }
