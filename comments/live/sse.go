package live

import (
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
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.FormValue("after")} {
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
func Serve(w http.ResponseWriter, r *http.Request, l *Listener) {
	defer l.Close()
	header(w)
	c := http.NewResponseController(w)
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	if send(w, c, []byte("retry: 5000\n\n")) != nil {
		return
	}
	for {
		n, err := l.Wait(r.Context())
		if err != nil || send(w, c, n.event(make([]byte, 0, 96))) != nil {
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
