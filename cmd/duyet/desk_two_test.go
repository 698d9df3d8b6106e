package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"duyet/cmd/internal/config"
	"duyet/comments"
	"duyet/moderation"
)

// newsroom is a service in this process, whose store a test looks into while moderators work
// in browsers.
type newsroom struct {
	*testing.T
	s       *service
	address string
}

func newNewsroom(t *testing.T, moderators ...string) *newsroom {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(t.Context(), config.Serve{}, l, options{data: filepath.Join(t.TempDir(), "data"), holder: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n := &newsroom{T: t, s: s, address: "http://" + l.Addr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-ready
	if _, err := s.in.comments.AddSite(t.Context(), testSite, "Báo Lào Cai", []string{"https://news.example"}, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	for _, email := range moderators {
		if _, err := s.in.moderation.AddPerson(t.Context(), email, moderation.Editor, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// letters adds comments that wait, and returns their ids, the oldest first.
func (n *newsroom) letters(from, to int) (ids []comments.ID) {
	n.Helper()
	for i := from; i < to; i++ {
		id, err := comments.NewID(testSite)
		if err != nil {
			n.Fatal(err)
		}
		_, _, err = n.s.in.store.Comments().Create(n.Context(), comments.Creation{
			Comment: comments.Comment{
				ID: id, Site: testSite, Page: testPage, Name: "Nguyễn Thị Hạnh", Title: fmt.Sprintf("Thư số %03d", i), Lang: "vi",
				Content: "Mở thêm tối nhưng phải lo chỗ gửi xe trước. Nhà tôi ở đầu ngõ 12, tối thứ bảy nào xe cũng để kín vỉa hè.",
				Status:  comments.Pending, CreatedAt: time.Now().Truncate(time.Millisecond),
			},
			Page:  comments.Page{Site: testSite, Key: testPage, URL: testPage, Title: "Phố đi bộ ven sông mở thêm hai tối", CreatedAt: time.Now().Truncate(time.Millisecond)},
			Actor: comments.ActorReader,
		})
		if err != nil {
			n.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func (n *newsroom) pending() int64 {
	n.Helper()
	head, err := n.s.in.store.Comments().Head(n.Context(), testSite)
	if err != nil {
		n.Fatal(err)
	}
	return head.Counts.Pending
}

func (n *newsroom) comment(id comments.ID) comments.Comment {
	n.Helper()
	c, err := n.s.in.store.Comments().Comment(n.Context(), id)
	if err != nil {
		n.Fatal(err)
	}
	return c
}

// seat is a moderator's tab at the desk.
type seat struct {
	*testing.T
	tab context.Context
}

// seat signs somebody in through an address of the service, in a browser context of its own.
func (n *newsroom) seat(browser context.Context, email, address string) *seat {
	n.Helper()
	secret, err := n.s.in.moderation.NewLink(n.Context(), email)
	if err != nil {
		n.Fatal(err)
	}
	tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	n.Cleanup(cancel)
	do(n.T, tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(signInLink(address, secret)),
		chromedp.Click(chromedp.CSS("form .btn-main")), chromedp.WaitVisible(chromedp.CSS(".rows, .rest")))
	return &seat{n.T, tab}
}

func (s *seat) key(keys string) { s.Helper(); do(s.T, s.tab, chromedp.KeyEvent(keys)) }

// seen is a value of the page.
func seen[T any](s *seat, expression string) T {
	s.Helper()
	return get(s.T, s.tab, chromedp.Evaluate[T](expression))
}

// facing is the comment that is open and whose proof is on the screen, "" while it is not.
func (s *seat) facing() string {
	s.Helper()
	return seen[string](s, `(() => {
		const form = document.getElementById("decide"), row = document.querySelector('.row[aria-current="true"]');
		const id = form ? form.elements.pick.value.split(" ")[1] : "";
		return row && !row.hidden && !row.dataset.state && row.dataset.id === id ? id : "";
	})()`)
}

// sight is the version of the comment whose proof is on the screen.
func (s *seat) sight() uint64 {
	s.Helper()
	return uint64(seen[float64](s, `parseInt(document.getElementById("decide").elements.pick.value)`))
}

// ahead reports whether the proof of a comment has been read before it is needed.
func (s *seat) ahead(id comments.ID) bool {
	s.Helper()
	return get(s.T, s.tab, chromedp.Evaluate[bool](fmt.Sprintf(`Promise.resolve(duyetDesk.ready.get(%q)).then(Boolean, () => false)`, id), chromedp.EvalAwaitPromise))
}

// overtaken reports whether a colleague has decided on the comment that is open.
func (s *seat) overtaken() bool {
	s.Helper()
	return seen[bool](s, `Boolean(document.querySelector('.row[aria-current="true"][data-state="gone"]'))`)
}

// settled waits until nothing is on its way.
func (s *seat) settled() {
	s.Helper()
	eventually(s.T, "the decisions' confirmation", func() bool { return seen[int](s, `duyetDesk.outbox.entries().length`) == 0 })
}

func (s *seat) waiting() int64 {
	s.Helper()
	return int64(seen[float64](s, `Number(document.querySelector('.rail [data-count="pending"]').dataset.n)`))
}

// decide presses one key and waits for the next comment, if there is one.
func (s *seat) decide(key string) (id string) {
	s.Helper()
	eventually(s.T, "a comment to decide on", func() bool { id = s.facing(); return id != "" })
	s.key(key)
	return id
}

// cable is a connection to a server that can be cut.
type cable struct {
	address string
	to      string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: "http://" + l.Addr().String(), to: to, conns: map[net.Conn]bool{}}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.join(in)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); c.set(true) })
	return c
}

func (c *cable) join(in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	c.mu.Lock()
	if c.cut {
		c.mu.Unlock()
		return
	}
	c.conns[in], c.conns[out] = true, true
	c.mu.Unlock()
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	_, _ = io.Copy(in, out)
	c.mu.Lock()
	delete(c.conns, in)
	delete(c.conns, out)
	c.mu.Unlock()
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			_ = conn.Close()
		}
	}
}

// TestTwoModerators: two people work off one queue by keys alone, while comments come in, the
// network of one is cut and mended, and one of them undoes. Nothing is decided twice, nothing
// left out, and what both pages count is what the store counts.
func TestTwoModerators(t *testing.T) {
	n := newNewsroom(t, "lan@news.example", "minh@news.example")
	const letters = 200
	ids := n.letters(0, letters-10)
	browser := newBrowser(t, nil)
	line := newCable(t, strings.TrimPrefix(n.address, "http://"))
	lan := n.seat(browser, "lan@news.example", line.address)
	eventually(t, "Lan's open comment to be known", func() bool { return len(n.leases()) == 1 })
	minh := n.seat(browser, "minh@news.example", n.address)
	if lan.facing() == "" || lan.facing() == minh.facing() {
		t.Errorf("both have %q open", lan.facing())
	}
	eventually(t, "Lan to see what Minh reads", func() bool {
		return strings.Contains(seen[string](lan, `document.querySelector(".row-by")?.textContent || ""`), "minh đang đọc bình luận này")
	})

	both := func(what string) {
		t.Helper()
		for _, s := range []*seat{lan, minh} {
			s.settled()
			eventually(t, what+": counts", func() bool { return s.waiting() == n.pending() })
		}
	}
	// A key on a comment that the other one has just decided on goes on to the next.
	turn := func(s *seat, key string) {
		t.Helper()
		eventually(t, "a comment", func() bool { return s.facing() != "" || s.overtaken() })
		s.key(key)
	}
	for range 30 {
		turn(lan, "a")
		turn(minh, "r")
	}
	both("after sixty")
	left := n.pending()
	if left < letters-10-60 || left == letters-10 { // some keys met comments that the other had decided on
		t.Errorf("%d wait", left)
	}

	// One is undone, and comes back on both desks.
	lan.key("u")
	both("after an undo")
	if got := n.pending(); got != left+1 {
		t.Errorf("after an undo %d wait, not %d", got, left+1)
	}

	// New ones gather and move nothing.
	eventually(t, "Minh to face one", func() bool { return minh.facing() != "" })
	before := seen[string](minh, `[...document.querySelectorAll(".row:not([hidden])")].map(r => r.dataset.id).join()`)
	ids = append(ids, n.letters(letters-10, letters)...)
	both("after new ones")
	if after := seen[string](minh, `[...document.querySelectorAll(".row:not([hidden])")].map(r => r.dataset.id).join()`); after != before {
		t.Error("the list has moved")
	}

	// Lan's line is cut in the middle of it.
	eventually(t, "Lan to face one", func() bool {
		if lan.overtaken() {
			lan.key("j")
		}
		return lan.facing() != ""
	})
	line.set(true)
	lan.key("s")
	turn(minh, "a")
	do(t, lan.tab, chromedp.WaitVisible(chromedp.CSS(".desk-alerts .say-bad")))
	for range 5 {
		turn(minh, "a")
	}
	line.set(false)
	both("after the cut")

	for rounds := 0; n.pending() > 0; rounds++ {
		if rounds > letters {
			t.Fatal("there is no end to it")
		}
		for s, key := range map[*seat]string{lan: "a", minh: "x"} {
			if s.facing() != "" || s.overtaken() {
				s.key(key)
			}
		}
	}
	both("at the end")
	decided := 0
	for _, id := range ids {
		history, err := n.s.in.store.Comments().History(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		for _, e := range history {
			switch e.Kind {
			case comments.KindDecided:
				made++
			case moderation.KindUndone:
				made--
			}
		}
		if made != 1 {
			t.Errorf("%s was decided on %d times: %+v", id, made, history)
		}
		decided += made
	}
	t.Logf("%d decided; decision to screen %s at the median of both desks", decided,
		seen[string](lan, `(() => { const l = performance.getEntriesByName("desk:decision").map(e => e.duration).sort((a, b) => a - b); return l.length + ": " + (l[l.length >> 1] || 0).toFixed(1) + " ms"; })()`))
	for _, s := range []*seat{lan, minh} {
		eventually(t, "nothing left", func() bool {
			if seen[bool](s, `Boolean(document.querySelector("section.proof .rest"))`) {
				return true
			}
			s.key("j") // on from what a colleague has decided, which stays to be read
			return false
		})
	}
}

func (n *newsroom) leases() []moderation.Lease {
	n.Helper()
	list, err := n.s.in.store.Moderation().Leases(n.Context(), testSite, time.Now())
	if err != nil {
		n.Fatal(err)
	}
	return list
}
