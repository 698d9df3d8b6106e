package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
)

// Call has the server of a data folder run a command and returns its exit code. The error
// is ErrNoServer when none runs there, ctx's when it ends first, and otherwise says how
// the connection failed.
func Call(ctx context.Context, dir string, req Request, stdin io.Reader, stdout, stderr io.Writer) (code int, err error) {
	conn, err := dial(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	body, err := json.Marshal(req)
	if err != nil {
		return 0, fmt.Errorf("control: %w", err)
	}
	type outcome struct {
		code int
		err  error
	}
	done := make(chan outcome, 1)
	go func() { // may stay in a read of stdin that nothing can end; then the process does
		if err := writeFrame(conn, frameRequest, body); err != nil {
			done <- outcome{err: err}
			return
		}
		code, err := relay(conn, stdin, stdout, stderr)
		done <- outcome{code, err}
	}()
	select {
	case o := <-done:
		if o.err != nil && ctx.Err() == nil {
			o.err = fmt.Errorf("the server went away before it had finished: %w", o.err)
		}
		return o.code, o.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func dial(ctx context.Context, dir string) (*net.UnixConn, error) {
	path, err := socketPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoServer
	}
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNoServer
	}
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	conn := c.(*net.UnixConn)
	if err := samePeer(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Running reports whether a server answers on the data folder.
func Running(ctx context.Context, dir string) bool {
	conn, err := dial(ctx, dir)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// relay passes on what the server prints, and stdin as far as it asks for it.
func relay(conn io.ReadWriter, stdin io.Reader, stdout, stderr io.Writer) (code int, err error) {
	buf := make([]byte, 32<<10)
	for {
		kind, payload, err := readFrame(conn)
		if err != nil {
			return 0, err
		}
		switch kind {
		case frameOut:
			_, err = stdout.Write(payload)
		case frameErr:
			_, err = stderr.Write(payload)
		case frameWant:
			var n int
			for n == 0 && err == nil {
				n, err = stdin.Read(buf)
			}
			if err == io.EOF {
				err = nil
			}
			err = errors.Join(err, writeFrame(conn, frameInput, buf[:n]))
		case frameExit:
			if len(payload) != 1 {
				return 0, errors.New("control: no exit code")
			}
			return int(payload[0]), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
