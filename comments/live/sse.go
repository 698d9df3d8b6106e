package live

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// writeWithin is how long a client may take to receive a few bytes before it is let go.
const writeWithin = 10 * time.Second

// After reads where a client was when it was last told something: the Last-Event-ID header,
// which browsers send when they come back by themselves, else the parameter after, else
// Seen.
func After(r *http.Request) uint64 {
	// Not FormValue, whose map would be kept as long as the stream.
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if seq, err := strconv.ParseUint(text, 10, 64); err == nil {
			return seq
		}
	}
	return Seen
}

// Serve sends what a listener is told as server-sent events until the client goes, is too
// slow, or the hub closes; it closes the listener. Events: "news" with data
// {"added":2,"removed":0}; "stale" when the page must be looked at to know. Each has the
// journal's sequence number as its id. Idle streams get a comment with each heartbeat.
//
// A connection of HTTP/1 is taken over and Serve returns at once: two small goroutines hold
// it then, in place of the server's, whose buffers and deep stack an idle listener would
// keep for nothing. Elsewhere Serve returns when the stream has ended.
func Serve(w http.ResponseWriter, r *http.Request, l *Listener) {
	header(w)
	c := http.NewResponseController(w)
	if r.ProtoMajor == 1 {
		if conn, _, err := c.Hijack(); err == nil {
			take(conn, w.Header(), l)
			return
		}
	}
	defer l.Close()
	// A server's limits are for answers that end: the one on reading would end the stream
	// through its request's context, and each piece has its own limit on writing.
	_ = c.SetReadDeadline(time.Time{})
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	pump(r.Context(), l, []byte(retry), func(b []byte) error { return send(w, c, b) })
}

// retry asks browsers to come back five seconds after a stream has ended.
const retry = "retry: 5000\n\n"

// take sends a stream over a connection of its own.
func take(conn net.Conn, h http.Header, l *Listener) {
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Connection", "close") // its end is the stream's
	var first bytes.Buffer
	first.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&first) // to memory: can't fail
	first.WriteString("\r\n" + retry)
	_ = conn.SetDeadline(time.Time{})
	go func() {
		pump(context.Background(), l, first.Bytes(), func(b []byte) error {
			if err := conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
				return err
			}
			_, err := conn.Write(b)
			return err
		})
		_ = conn.Close() // which ends the one below
		l.Close()
	}()
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // a listener says nothing more: this is its end
		l.Close()
	}()
}

// pump writes what a listener is told until either ends.
func pump(ctx context.Context, l *Listener, first []byte, write func([]byte) error) {
	if write(first) != nil {
		return
	}
	for {
		n, err := l.Wait(ctx)
		if err != nil || write(n.event(make([]byte, 0, 96))) != nil {
			return
		}
	}
}

// Refuse answers a client that there is no room for: an event "poll" tells it to ask now and
// then instead. (An error status would be a fault in the console of the page's reader.)
func Refuse(w http.ResponseWriter) {
	header(w)
	_ = send(w, http.NewResponseController(w), []byte("event: poll\ndata: {}\n\n"))
}

func header(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
}

func send(w http.ResponseWriter, c *http.ResponseController, b []byte) error {
	_ = c.SetWriteDeadline(time.Now().Add(writeWithin)) // where it can't be set, the hub drops the slow
	if _, err := w.Write(b); err != nil {
		return err
	}
	return c.Flush()
}

// event is n as a server-sent event.
func (n News) event(b []byte) []byte {
	if n.Heartbeat() {
		return append(b, ":\n\n"...)
	}
	b = append(b, "id: "...)
	b = strconv.AppendUint(b, n.Seq, 10)
	if n.Unknown {
		return append(b, "\nevent: stale\ndata: {}\n\n"...)
	}
	b = append(b, "\nevent: news\ndata: {\"added\":"...)
	b = strconv.AppendInt(b, int64(n.Added), 10)
	b = append(b, ",\"removed\":"...)
	b = strconv.AppendInt(b, int64(n.Removed), 10)
	return append(b, "}\n\n"...)
}
