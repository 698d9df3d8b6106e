package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
)

// Handler runs one command and returns its exit code. Its context ends when the client
// goes away or the server ends.
type Handler func(ctx context.Context, req Request, stdin io.Reader, stdout, stderr io.Writer) (code int)

// Serve takes commands on the socket of a data folder until ctx ends, then waits for those
// that run. The caller holds the store's lock all the while. ready is called once commands
// are taken.
func Serve(ctx context.Context, dir string, h Handler, log *slog.Logger, ready func()) error {
	l, cleanUp, err := listen(dir)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	ready()
	var running sync.WaitGroup
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			running.Wait()
			err = errors.Join(ignoreClosed(err), ignoreClosed(l.Close()), cleanUp())
			if err != nil {
				return fmt.Errorf("control socket: %w", err)
			}
			return nil
		}
		running.Go(func() {
			defer conn.Close()
			if err := samePeer(conn); err != nil {
				log.Warn("control socket", "err", err)
				return
			}
			if err := answer(ctx, conn, h, log); err != nil {
				log.Info("a command ended early", "err", err)
			}
		})
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// answer runs the command of one connection.
func answer(ctx context.Context, conn net.Conn, h Handler, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A probe says nothing and goes; one that stays silent goes when the server does.
	hangUp := context.AfterFunc(ctx, func() { conn.Close() })
	kind, payload, err := readFrame(conn)
	hangUp()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	var req Request
	if kind != frameRequest {
		return fmt.Errorf("control: frame %q where a request was due", kind)
	}
	if err := json.Unmarshal(payload, &req); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	t := &talk{conn: conn, input: make(chan []byte, 1)}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer cancel()
		t.listen()
	}()
	code := run(ctx, h, req, t, log)
	err = t.send(frameExit, []byte{byte(code)})
	conn.Close()
	<-gone
	return err
}

func run(ctx context.Context, h Handler, req Request, t *talk, log *slog.Logger) (code int) {
	defer func() {
		if fault := recover(); fault != nil {
			log.Error("panic in a command", "command", req.Command, "stack", string(debug.Stack()))
			_, _ = fmt.Fprintf(stream{t, frameErr}, "duyet: a fault of ours: %v\n", fault)
			code = 1
		}
	}()
	return h(ctx, req, &input{talk: t, ctx: ctx}, stream{t, frameOut}, stream{t, frameErr})
}

// talk is the server's side of one connection.
type talk struct {
	conn  net.Conn
	write sync.Mutex
	input chan []byte // one answer to a frameWant
}

func (t *talk) send(kind byte, payload []byte) error {
	t.write.Lock()
	defer t.write.Unlock()
	return writeFrame(t.conn, kind, payload)
}

// listen takes what the client sends until it goes away.
func (t *talk) listen() {
	for {
		kind, payload, err := readFrame(t.conn)
		if err != nil || kind != frameInput {
			return
		}
		select {
		case t.input <- payload:
		default:
			return // more than was asked for
		}
	}
}

// stream is stdout or stderr.
type stream struct {
	talk *talk
	kind byte
}

func (s stream) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		part := p[sent:min(len(p), sent+frameMost)]
		if err := s.talk.send(s.kind, part); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return len(p), nil
}

// input is stdin: each read asks the client for some, so that a command that reads none
// takes none.
type input struct {
	talk *talk
	ctx  context.Context
	rest []byte
	end  bool
}

func (in *input) Read(p []byte) (int, error) {
	if len(in.rest) == 0 && !in.end {
		if err := in.talk.send(frameWant, nil); err != nil {
			return 0, err
		}
		select {
		case in.rest = <-in.talk.input:
			in.end = len(in.rest) == 0
		case <-in.ctx.Done():
			return 0, in.ctx.Err()
		}
	}
	if in.end {
		return 0, io.EOF
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}
