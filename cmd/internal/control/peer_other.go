//go:build !linux

package control

import "net"

// samePeer relies on the socket's mode, 0600, where peers can't be asked who they are.
func samePeer(*net.UnixConn) error { return nil }
