package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

// BenchmarkFragment measures a cached fragment over the loopback against a bare
// gorilla/mux handler that writes the same bytes with the same headers it must have.
func BenchmarkFragment(b *testing.B) {
	for _, n := range []int{30, 100, 1000} {
		h := newHouse(b, "")
		for i := range n {
			h.publish(testPage, fmt.Sprintf("Bạn đọc %d", i), strings.Repeat("Nhà tôi ở đầu ngõ 12, tối nào xe cũng kín vỉa hè. ", 4), "")
		}
		target := fragmentPath + testPage + "&limit=1000"
		for _, accept := range []string{"identity", "gzip", "br"} {
			w := h.get(target, "Accept-Encoding", accept)
			if w.Code != http.StatusOK {
				b.Fatalf("%d %s", w.Code, w.Body)
			}
			b.Run(fmt.Sprintf("%d/%s/bare", n, accept), func(b *testing.B) { drive(b, bare(w.Header(), w.Body.Bytes()), target, accept) })
			b.Run(fmt.Sprintf("%d/%s/door", n, accept), func(b *testing.B) { drive(b, h.handler, target, accept) })
		}
	}
}

// bare is the least that a handler on the same router can do.
func bare(header http.Header, body []byte) http.Handler {
	kind, length, encoding := header.Get("Content-Type"), strconv.Itoa(len(body)), header.Get("Content-Encoding")
	r := mux.NewRouter()
	r.HandleFunc("/s/{site}/fragment", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Length", length)
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		_, _ = w.Write(body)
	}).Methods(http.MethodGet)
	return r
}

// drive asks for target over a kept connection for each goroutine, with a client that
// costs as little as it can.
func drive(b *testing.B, handler http.Handler, target, accept string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	ask := []byte("GET " + target + " HTTP/1.1\r\nHost: comments.example\r\nAccept-Encoding: " + accept + "\r\n\r\n")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		in := bufio.NewReaderSize(conn, 64<<10)
		for pb.Next() {
			if err := exchange(conn, in, ask); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func exchange(conn net.Conn, in *bufio.Reader, ask []byte) error {
	if _, err := conn.Write(ask); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !strings.HasPrefix(string(line), "HTTP/1.1 200") {
			return fmt.Errorf("%s", line)
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	_, err := io.CopyN(io.Discard, in, int64(length))
	return err
}

// BenchmarkHit is what a cached fragment costs without a connection.
func BenchmarkHit(b *testing.B) {
	h := newHouse(b, "")
	for range 30 {
		h.publish(testPage, "Bạn đọc", strings.Repeat("Nhà tôi ở đầu ngõ 12. ", 10), "")
	}
	r := request(http.MethodGet, fragmentPath+testPage, "", "Accept-Encoding", "gzip, deflate, br")
	h.do(r)
	b.ReportAllocs()
	for b.Loop() {
		h.handler.ServeHTTP(sink{}, r)
	}
}

// sink takes an answer and keeps nothing.
type sink struct{}

func (sink) Header() http.Header         { return make(http.Header, 8) }
func (sink) Write(p []byte) (int, error) { return len(p), nil }
func (sink) WriteHeader(int)             {}

// BenchmarkMiss measures a fragment of 50 comments that has changed since it was last
// asked for.
func BenchmarkMiss(b *testing.B) {
	h := newHouse(b, "")
	for i := range 50 {
		h.publish(testPage, fmt.Sprintf("Bạn đọc %d", i), strings.Repeat("Nhà tôi ở đầu ngõ 12, tối nào xe cũng kín vỉa hè. ", 4), "")
	}
	for _, accept := range []string{"identity", "gzip"} {
		b.Run(accept, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.door.cache.generation(testSite, testPage, false).Add(1)
				if w := h.get(fragmentPath+testPage, "Accept-Encoding", accept); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
