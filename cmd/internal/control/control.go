// Package control lets the command line talk to a running server: one command a
// connection, over a socket in the data folder that only the same user (or root) may use.
// It carries commands and their streams; what they do is the server's.
package control

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Names of the files in the data folder.
const (
	socketName = "control.sock"
	pathName   = "control.path" // names the socket where the folder's own path is too long
)

// pathMost is the longest path that a socket may have everywhere: 104 bytes with a final
// NUL on some systems.
const pathMost = 100

// ErrNoServer says that no server runs on a data folder.
var ErrNoServer = errors.New("no server is running")

// Request is one command.
type Request struct {
	Version  string          // of the program; the server answers its own alone
	Command  string          // "site add"
	Params   json.RawMessage // what its flags and arguments say
	Terminal bool            // whether stderr is a terminal, for progress
}

// A frame is its kind, the length of its payload (32 bits, big endian) and the payload.
const (
	frameRequest = 'Q' // client: a Request, first and once
	frameInput   = 'I' // client: some of stdin; empty at its end
	frameWant    = 'W' // server: asks for some of stdin
	frameOut     = 'O' // server: some of stdout
	frameErr     = 'E' // server: some of stderr
	frameExit    = 'X' // server: the exit code, last
)

const frameMost = 1 << 20

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	frame := make([]byte, 5, 5+len(payload))
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(payload)))
	_, err := w.Write(append(frame, payload...))
	return err
}

func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > frameMost {
		return 0, nil, fmt.Errorf("control: a frame of %d bytes", n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return head[0], payload, err
}

// socketPath is where the server of a data folder listens: in the folder, or where
// control.path says.
func socketPath(dir string) (string, error) {
	own := filepath.Join(dir, socketName)
	if len(own) <= pathMost {
		return own, nil
	}
	short, err := os.ReadFile(filepath.Join(dir, pathName))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(short)), nil
}

// listen makes the socket of a data folder. Whoever calls it holds the store's lock, so a
// socket that is there is a dead server's.
func listen(dir string) (l *net.UnixListener, cleanUp func() error, err error) {
	path := filepath.Join(dir, socketName)
	pointer := filepath.Join(dir, pathName)
	if err := removeStale(path, pointer); err != nil {
		return nil, nil, fmt.Errorf("control socket: %w", err)
	}
	cleanUp = func() error { return nil }
	if len(path) > pathMost {
		if path, cleanUp, err = shortPath(pointer); err != nil {
			return nil, nil, fmt.Errorf("control socket: %w", err)
		}
	}
	l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("control socket: %w", err), cleanUp())
	}
	return l, cleanUp, nil
}

// shortPath makes a folder of our own for the socket and writes down where it is.
func shortPath(pointer string) (path string, cleanUp func() error, err error) {
	dir, err := os.MkdirTemp("", "duyet-") // 0700
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, socketName)
	cleanUp = func() error { return errors.Join(os.Remove(pointer), os.RemoveAll(dir)) }
	if len(path) > pathMost {
		return "", nil, errors.Join(fmt.Errorf("%s is too long for a socket: set TMPDIR to a shorter folder", path), os.RemoveAll(dir))
	}
	if err := os.WriteFile(pointer, []byte(path+"\n"), 0o600); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return path, cleanUp, nil
}

func removeStale(paths ...string) error {
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
