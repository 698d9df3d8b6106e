package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// crowd is who uses the nodes, and what they were answered.
type crowd struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	posted   []posted
	decided  []decided
	repeated int
	troubles []trouble
}

// posted is a comment that was answered with success.
type posted struct{ id, content string }

// decided is a decision that was answered with success.
type decided struct {
	id, status string
	moderator  int
}

// trouble is a request that met errors until one of its repeats was answered.
type trouble struct {
	began, ended time.Time
	tries        int
	first        error
}

// people let readers and moderators loose.
func (c *chaos) people(readers, moderators int) {
	ctx, cancel := context.WithCancel(c.t.Context())
	c.crowd.stop = cancel
	for i := range readers {
		p := c.newPerson(uint64(1 + i))
		c.crowd.wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				p.read()
				p.write(fmt.Sprintf("Người đọc %d, thư %d: phố đi bộ mở thêm hai tối.", i, n))
			}
		})
	}
	for i := range moderators {
		p := c.newPerson(uint64(100 + i))
		c.crowd.wg.Go(func() {
			for ctx.Err() == nil {
				if !p.decide(i) {
					time.Sleep(10 * time.Millisecond) // the queue is empty
				}
			}
		})
	}
}

func (c *chaos) goHome() {
	c.crowd.stop()
	c.crowd.wg.Wait()
	c.say("%d comments answered, %d asked for twice, %d decisions answered, %d requests met an error on their way",
		len(c.crowd.posted), c.crowd.repeated, len(c.crowd.decided), len(c.crowd.troubles))
}

// progress waits until people have come on: everything works.
func (c *chaos) progress() {
	c.t.Helper()
	count := func() (int, int) {
		c.crowd.mu.Lock()
		defer c.crowd.mu.Unlock()
		return len(c.crowd.posted), len(c.crowd.decided)
	}
	p, d := count()
	c.until("progress", func() bool { posted, decided := count(); return posted >= p+40 && decided >= d+30 })
}

// person asks one node after another, as a load balancer would have it.
type person struct {
	*chaos
	rng    *rand.Rand
	client *http.Client
}

func (c *chaos) newPerson(n uint64) *person {
	return &person{chaos: c, rng: rand.New(rand.NewPCG(c.seed, n)), client: &http.Client{Timeout: 10 * time.Second}}
}

// ask repeats a request on one node after another until it is answered: no answer, and the
// answers that say that it can't be given now, are troubles. It returns the status.
func (p *person) ask(method, path, token string, body, answer any) int {
	var t trouble
	for node := p.rng.IntN(len(p.nodes)); ; node++ {
		began := time.Now()
		status, err := p.once(p.nodes[node%len(p.nodes)], method, path, token, body, answer)
		switch {
		case err == nil && t.tries > 0:
			t.ended = time.Now()
			p.crowd.mu.Lock()
			p.crowd.troubles = append(p.crowd.troubles, t)
			p.crowd.mu.Unlock()
			fallthrough
		case err == nil:
			return status
		case t.tries == 0:
			t.began, t.first = began, err
		}
		t.tries++
		if time.Since(t.began) > time.Minute {
			p.t.Errorf("%s %s: given up after a minute: %v", method, path, err)
			return 0
		}
		time.Sleep(time.Duration(5+p.rng.IntN(20)) * time.Millisecond)
	}
}

var errLater = errors.New("not now")

func (p *person) once(n *node, method, path, token string, body, answer any) (status int, err error) {
	data, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(method, *n.base.Load()+path, bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		if resp.Header.Get("Retry-After") == "" {
			p.t.Errorf("%s %s on %s: 503 without Retry-After", method, path, n.name)
		}
		return 0, fmt.Errorf("%s: %w: %s", n.name, errLater, data)
	}
	if resp.StatusCode >= 300 {
		p.t.Errorf("%s %s on %s: %d %s", method, path, n.name, resp.StatusCode, data)
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(data, answer)
}

// pages are few, so that people meet on them.
const chaosPages = 4

func chaosPage(n int) string { return fmt.Sprintf("https://news.example/vi/bai-%d", n) }

func threadPath(n int) string {
	return "/api/v1/sites/" + testSite + "/thread?limit=200&page=" + url.QueryEscape(chaosPage(n))
}

func (p *person) read() {
	var thread struct{}
	p.ask("GET", threadPath(p.rng.IntN(chaosPages)), "", nil, &thread)
}

// write posts a comment the whole way in. Now and then it sends the same once more, as a
// reader does who saw no answer.
func (p *person) write(content string) {
	page := chaosPage(p.rng.IntN(chaosPages))
	var code struct{ Ticket string }
	if p.ask("POST", "/api/v1/sites/"+testSite+"/captcha", "", map[string]string{"page": page}, &code) != http.StatusCreated {
		return
	}
	digits, err := p.solver.solve(code.Ticket)
	if err != nil {
		p.t.Error(err)
		return
	}
	first := p.post(page, content, code.Ticket, digits)
	if first == "" {
		return
	}
	again := p.rng.IntN(5) == 0
	if again {
		if second := p.post(page, content, code.Ticket, digits); second != first {
			p.t.Errorf("the same ticket and words let %s in, and then %s", first, second)
		}
	}
	p.crowd.mu.Lock()
	defer p.crowd.mu.Unlock()
	p.crowd.posted = append(p.crowd.posted, posted{first, content})
	if again {
		p.crowd.repeated++
	}
}

func (p *person) post(page, content, ticket, digits string) string {
	var answer struct{ Comment struct{ ID string } }
	p.ask("POST", "/api/v1/sites/"+testSite+"/comments", "", map[string]string{
		"page": page, "page_title": "Phố đi bộ", "name": "Nguyễn Văn Ạ", "title": "Ý kiến", "content": content,
		"ticket": ticket, "code": digits,
	}, &answer)
	return answer.Comment.ID
}

// decide takes some of the oldest comments that wait, as the others do at the same time.
// It reports whether there were any.
func (p *person) decide(moderator int) bool {
	var queue struct {
		Items []struct {
			ID      string
			Version uint64
		}
	}
	token := p.tokens[moderator]
	p.ask("GET", "/api/v1/moderation/queue?site="+testSite+"&limit=8", token, nil, &queue)
	var list []map[string]any
	for _, item := range queue.Items {
		if p.rng.IntN(2) == 0 {
			action := []string{"approve", "approve", "reject", "spam"}[p.rng.IntN(4)]
			list = append(list, map[string]any{"id": item.ID, "version": item.Version, "action": action})
		}
	}
	if len(list) == 0 {
		return false
	}
	var answer struct {
		Results []struct {
			ID, Status string
			Error      *struct{ Code string }
		}
	}
	p.ask("POST", "/api/v1/moderation/decisions", token, map[string]any{"decisions": list}, &answer)
	p.crowd.mu.Lock()
	defer p.crowd.mu.Unlock()
	for _, r := range answer.Results {
		switch {
		case r.Error == nil:
			p.crowd.decided = append(p.crowd.decided, decided{r.ID, r.Status, moderator})
		case r.Error.Code != "conflict":
			p.t.Errorf("a decision on %s: %s", r.ID, r.Error.Code)
		}
	}
	return true
}
