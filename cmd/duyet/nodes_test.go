package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"

	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments/pgstore/pgtest"
)

// pair is two nodes of one installation, each with its own way to the database.
type pair struct {
	t     *testing.T
	nodes [2]*program
	ways  [2]*pgtest.Proxy
	at    []string // flags of commands beside the nodes
	token string
}

// TestNodes tries what two nodes on one database must do together.
func TestNodes(t *testing.T) {
	cluster := new(pgtest.Cluster)
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, try := range map[string]func(*testing.T, *pair){
		"share": nodesShare, "cut off": nodeCutOff, "rolling upgrade": rollingUpgrade,
	} {
		t.Run(name, func(t *testing.T) { try(t, newPair(t, cluster)) })
	}
}

func newPair(t *testing.T, cluster *pgtest.Cluster) *pair {
	t.Helper()
	dsn, err := cluster.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	operator := filepath.Join(t.TempDir(), "operator")
	p := &pair{t: t, at: []string{"--data", operator, "--store", dsn}}
	p.admin("site", "add", testSite, "--name", "Báo Lào Cai", "--origin", "https://news.example")
	p.admin("site", "set", testSite, "rate_limit=off")
	p.admin("moderator", "add", "an@news.example", "--role", "admin")
	p.token = strings.TrimSpace(p.admin("token", "add", "--moderator", "an@news.example"))
	secret, err := storage.ReadSecret(operator, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DUYET_SECRET", secret.Text())
	for i := range p.nodes {
		p.ways[i] = pgtest.NewProxy(t, cluster)
		n := &program{t: t, data: filepath.Join(t.TempDir(), "data"), solver: new(tickets), client: &http.Client{Timeout: 30 * time.Second}}
		if err := n.solver.use(secret); err != nil {
			t.Fatal(err)
		}
		p.nodes[i] = n
		n.start("--store", p.ways[i].Through(dsn), "--drain-delay", "1s")
		t.Cleanup(func() { n.end(syscall.SIGKILL) })
	}
	return p
}

func (p *pair) admin(args ...string) string {
	p.t.Helper()
	return must(p.t, append(args, p.at...)...)
}

// until waits for what must come to pass, and says how long that took.
func (p *pair) until(what string, ok func() bool) {
	p.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > 30*time.Second {
			for _, n := range p.nodes {
				p.t.Log(n.logs())
			}
			p.t.Fatalf("not %s in 30 s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	p.t.Logf("%s after %s", what, time.Since(began).Round(time.Millisecond))
}

// code is a verification code of one node with its digits.
func code(t *testing.T, n *program) (ticket, digits string) {
	t.Helper()
	var c struct{ Ticket string }
	status, err := n.call(t.Context(), "POST", "/api/v1/sites/"+testSite+"/captcha", "", map[string]string{"page": testPage}, &c)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("captcha: %d %v", status, err)
	}
	if digits, err = n.solver.solve(c.Ticket); err != nil {
		t.Fatal(err)
	}
	return c.Ticket, digits
}

func submit(t *testing.T, n *program, ticket, digits, content string) (status int, id string) {
	t.Helper()
	var answer struct{ Comment struct{ ID string } }
	status, err := n.call(t.Context(), "POST", "/api/v1/sites/"+testSite+"/comments", "", map[string]string{
		"page": testPage, "page_title": "Bài một", "name": "Nguyễn Văn Ạ", "title": "Ý kiến", "content": content,
		"ticket": ticket, "code": digits,
	}, &answer)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer.Comment.ID
}

func read(t *testing.T, n *program, path string, client *http.Client) (int, string, http.Header) {
	t.Helper()
	resp, err := client.Get(n.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

const fragmentOfPage = "/s/" + testSite + "/fragment?page=https%3A%2F%2Fnews.example%2Fvi%2Fbai-1"

// nodesShare: what one node does, the other knows: codes, dead and spent tickets,
// decisions, sessions, limits.
func nodesShare(t *testing.T, p *pair) {
	one, two := p.nodes[0], p.nodes[1]

	ticket, digits := code(t, one)
	status, id := submit(t, two, ticket, digits, "Qua nút hai")
	if status != http.StatusCreated {
		t.Fatalf("a code of the other node: %d", status)
	}
	if status, again := submit(t, one, ticket, digits, "Qua nút hai"); status != http.StatusOK || again != id {
		t.Errorf("the same again, on the other node: %d %s", status, again)
	}
	if status, _ := submit(t, one, ticket, digits, "Lời khác"); status != http.StatusUnprocessableEntity {
		t.Errorf("a spent ticket, on the other node: %d", status)
	}
	ticket, digits = code(t, two)
	if status, _ := submit(t, two, ticket, "000000", "Sai mã"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", status)
	}
	if status, _ := submit(t, one, ticket, digits, "Sai mã"); status != http.StatusUnprocessableEntity {
		t.Errorf("a dead ticket, on the other node: %d", status)
	}

	decide := func(n *program, action string, version int) {
		t.Helper()
		decision := map[string]any{"id": id, "action": action}
		if version > 0 {
			decision["version"] = version
		}
		if status, err := n.call(t.Context(), "POST", "/api/v1/moderation/decisions", p.token, map[string]any{"decisions": []any{decision}}, nil); status != http.StatusOK {
			t.Fatalf("%s: %d %v", action, status, err)
		}
	}
	shows := func(n *program) bool {
		_, body, _ := read(t, n, fragmentOfPage, n.client)
		return strings.Contains(body, "Qua nút hai")
	}
	decide(one, "approve", 0)
	p.until("approved on one, shown by both", func() bool { return shows(one) && shows(two) })
	decide(two, "reject", 2)
	p.until("rejected on the other, shown by none", func() bool { return !shows(one) && !shows(two) })

	signInOnOneActOnTheOther(t, p)

	p.admin("site", "set", testSite, "rate_limit=on")
	limited := 0
	for i := range 12 {
		n := p.nodes[i%2]
		ticket, digits := code(t, n)
		if status, _ := submit(t, n, ticket, digits, fmt.Sprint("Lời thứ ", i)); status == http.StatusTooManyRequests {
			limited++
		}
	}
	// Five a minute on both together; a few more if a new minute begins meanwhile, or until
	// both nodes know of the setting.
	if limited < 2 {
		t.Errorf("of 12 comments on two nodes %d were too many", limited)
	}
}

func signInOnOneActOnTheOther(t *testing.T, p *pair) {
	t.Helper()
	link := strings.TrimSpace(p.admin("moderator", "link", "an@news.example"))
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil) // which can't fail without options
	client := &http.Client{Timeout: 30 * time.Second, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(n *program, path string, form url.Values) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", n.address+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", n.address)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	one, two := p.nodes[0], p.nodes[1]
	if status := post(one, "/moderation/link", url.Values{"token": {u.Query().Get("token")}}); status != http.StatusSeeOther {
		t.Fatalf("sign-in: %d", status)
	}
	// Cookies know no ports.
	if status, body, _ := read(t, two, "/moderation/", client); status != http.StatusOK || !strings.Contains(body, "an@news.example") {
		t.Errorf("signed in on one, the desk of the other: %d", status)
	}
	if status := post(two, "/moderation/link", url.Values{"token": {u.Query().Get("token")}}); status == http.StatusSeeOther {
		t.Error("a link was good twice")
	}
	if status := post(two, "/moderation/logout", nil); status != http.StatusSeeOther {
		t.Errorf("sign-out: %d", status)
	}
	if status, _, _ := read(t, one, "/moderation/", client); status == http.StatusOK {
		t.Error("signed out on the other node, and still at the desk")
	}
}

// nodeCutOff: a node that can't reach the database says so, serves what it has in
// memory and says that it may be old, keeps what readers typed, and recovers by itself;
// its neighbour goes on.
func nodeCutOff(t *testing.T, p *pair) {
	one, two := p.nodes[0], p.nodes[1]
	ticket, digits := code(t, one)
	_, id := submit(t, one, ticket, digits, "Qua nút hai")
	approve := map[string]any{"decisions": []any{map[string]any{"id": id, "action": "approve"}}}
	if status, err := one.call(t.Context(), "POST", "/api/v1/moderation/decisions", p.token, approve, nil); status != http.StatusOK {
		t.Fatal(status, err)
	}
	ready := func(n *program) int {
		status, _, _ := read(t, n, "/readyz", n.client)
		return status
	}
	read(t, one, fragmentOfPage, one.client)
	p.ways[0].Cut()
	p.until("not ready", func() bool { return ready(one) == http.StatusServiceUnavailable })
	p.until("marked as stale", func() bool {
		status, body, h := read(t, one, fragmentOfPage, one.client)
		if status != http.StatusOK || !strings.Contains(body, "Qua nút hai") {
			t.Fatalf("a thread in memory: %d", status)
		}
		return strings.HasPrefix(h.Get("Cache-Status"), "duyet; hit; ttl=-")
	})
	ticket, digits = code(t, one)
	if status, _ := submit(t, one, ticket, digits, "Trong lúc đứt"); status != http.StatusServiceUnavailable {
		t.Errorf("posted while cut off: %d", status)
	}
	if ready(two) != http.StatusOK {
		t.Error("the neighbour is not ready")
	}
	p.ways[0].Mend()
	p.until("ready again", func() bool { return ready(one) == http.StatusOK })
	p.until("up to date again", func() bool {
		_, _, h := read(t, one, fragmentOfPage, one.client)
		return h.Get("Cache-Status") == ""
	})
	if status, _ := submit(t, one, ticket, digits, "Trong lúc đứt"); status != http.StatusCreated {
		t.Errorf("the same again afterwards: %d", status)
	}
}

// rollingUpgrade: nodes behind a balancer are restarted one after the other while
// readers read and post, and no reader sees an error.
func rollingUpgrade(t *testing.T, p *pair) {
	b := &balancer{}
	for _, n := range p.nodes {
		b.add(t, n)
	}
	stop := make(chan struct{})
	var people sync.WaitGroup
	var reads, posts atomic.Int64
	front := &http.Server{Handler: b}
	address := serveOn(t, front)
	customer := &program{t: t, address: address, solver: p.nodes[0].solver, client: p.nodes[0].client}
	for range 3 {
		people.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := customer.client.Get(address + fragmentOfPage)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("a reader got %d", resp.StatusCode)
					return
				}
				reads.Add(1)
			}
		})
	}
	people.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := customer.post(t.Context(), fmt.Sprint("Lời thứ ", i)); err != nil {
				t.Error(err)
				return
			}
			posts.Add(1)
		}
	})
	for i, n := range p.nodes {
		before := reads.Load() + posts.Load()
		if err := n.end(syscall.SIGTERM); err != nil {
			t.Errorf("node %d ended with %v: %s", i, err, n.logs())
		}
		n.startAt("--store", p.ways[i].Through(p.at[3]), "--drain-delay", "1s", "--listen", b.at(i))
		p.until("in turn again", func() bool { return b.healthy(i) && reads.Load()+posts.Load() > before })
	}
	close(stop)
	people.Wait()
	if reads.Load() == 0 || posts.Load() == 0 {
		t.Errorf("%d reads, %d posts", reads.Load(), posts.Load())
	}
	t.Logf("%d reads, %d posts", reads.Load(), posts.Load())
}

// balancer sends requests to nodes in turn, as HAProxy does: to those whose /readyz said
// 200 when it last asked, a few times a second.
type balancer struct {
	mu    sync.Mutex
	nodes []*balanced
	next  int
}

type balanced struct {
	listen string
	proxy  *httputil.ReverseProxy
	up     atomic.Bool
}

func (b *balancer) add(t *testing.T, n *program) {
	t.Helper()
	log := n.logs() // of all its lives
	listen, _, _ := strings.Cut(log[strings.LastIndex(log, " listen=")+len(" listen="):], " ")
	target := &url.URL{Scheme: "http", Host: listen}
	node := &balanced{listen: listen, proxy: httputil.NewSingleHostReverseProxy(target)}
	node.proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	b.nodes = append(b.nodes, node)
	node.up.Store(true)
	ctx, check := t.Context(), &http.Client{Timeout: time.Second}
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			resp, err := check.Get(target.String() + "/readyz")
			node.up.Store(err == nil && resp.StatusCode == http.StatusOK)
			if err == nil {
				resp.Body.Close()
			}
		}
	}()
}

func (b *balancer) at(i int) string    { return b.nodes[i].listen }
func (b *balancer) healthy(i int) bool { return b.nodes[i].up.Load() }
func (b *balancer) pick() (n *balanced) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.nodes {
		b.next++
		if n = b.nodes[b.next%len(b.nodes)]; n.up.Load() {
			return n
		}
	}
	return n
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.pick().proxy.ServeHTTP(w, r) }

// serveOn serves on a free port until the test ends.
func serveOn(t *testing.T, s *http.Server) (address string) {
	t.Helper()
	l, err := listen(t.Context(), "the balancer", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}
