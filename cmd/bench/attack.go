package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"duyet/cmd/internal/httpd"
	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/receipt"
	"duyet/comments/search"
	"duyet/comments/web"
	"duyet/comments/work"
	"duyet/moderation"
	"duyet/moderation/alarm"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/screen"
	"duyet/templates"
)

// attackCmd floods the service over loopback, as from behind a proxy, while readers write.
type attackCmd struct {
	Posts    int `help:"Comments that bots send." default:"20000"`
	Networks int `help:"Networks they come from." default:"5000"`
	Rate     int `help:"Comments a second." default:"500"`
	Readers  int `help:"Honest readers who write meanwhile." default:"20"`
}

// attackResult is what came of it.
type attackResult struct {
	sent, accepted, refused, failed int64 // of the bots' comments; failed counts faults of ours
	took                            time.Duration
	honest                          []time.Duration // how long each reader's comment took to be answered
	lost                            int             // readers whose comment was not let in
	raisedAfter                     int64           // bots' comments sent before attack mode was on
	loose                           int64           // bots' comments that no check held
	heldReaders                     int             // readers' comments that a check held
	top, topReaders                 int             // comments on the first page of what no check holds, and readers' among them
	topTook                         time.Duration   // to read it
	heap                            uint64          // most bytes in use
	loweredAfter                    time.Duration   // of quiet, by the clock that was moved
}

func (a attackCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	dir, err := os.MkdirTemp(c.Dir, "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := a.attack(ctx, dir)
	if err != nil {
		return err
	}
	slowest := time.Duration(0)
	for _, d := range r.honest {
		slowest = max(slowest, d)
	}
	fmt.Fprintf(out, "## An attack\n\n%d comments from %d networks at %d a second, codes solved, without proof of work, while %d readers write.\n\n",
		r.sent, a.Networks, a.Rate, a.Readers)
	fmt.Fprintf(out, "| | |\n|---|---:|\n| it took | %.1f s |\n", r.took.Seconds())
	fmt.Fprintf(out, "| bots' comments let in | %d |\n| refused with 429 | %d |\n| faults of ours | %d |\n", r.accepted, r.refused, r.failed)
	fmt.Fprintf(out, "| sent before attack mode was on | %d |\n| that no check held | %d |\n", r.raisedAfter, r.loose)
	fmt.Fprintf(out, "| readers let in | %d of %d |\n| slowest, median answer to a reader | %.0f, %.0f ms |\n", a.Readers-r.lost, a.Readers,
		slowest.Seconds()*1000, median(r.honest).Seconds()*1000)
	fmt.Fprintf(out, "| readers' comments on the desk's first page of what no check holds | %d of %d, read in %.0f ms |\n", r.topReaders, r.top, r.topTook.Seconds()*1000)
	fmt.Fprintf(out, "| readers' comments that a check held | %d |\n| most memory in use | %d MB |\n", r.heldReaders, r.heap>>20)
	fmt.Fprintf(out, "| attack mode off after | %s of quiet |\n\n", r.loweredAfter)
	return nil
}

// field is the service under attack, by a clock that can be moved on.
type field struct {
	service *comments.Service
	store   *boltstore.DB
	desk    *modstore.Store
	sealer  *captcha.Sealer
	alarm   *alarm.Alarm
	site    comments.Site
	address string
	ahead   atomic.Int64 // of the clock
	client  *http.Client
}

func (f *field) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

const attackPage = "https://news.example/attack"

// attack runs the whole of it.
func (a attackCmd) attack(ctx context.Context, dir string) (r attackResult, err error) {
	f := &field{client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}}}
	if f.store, err = boltstore.Open(ctx, boltstore.Options{
		Path: filepath.Join(dir, "duyet.db"), Create: true, Installation: "bench", Fingerprint: "bench", Key: benchKey, Holder: "bench", Now: f.now,
	}); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, f.store.Close()) }()
	stop, err := f.open(ctx)
	if err != nil {
		return r, err
	}
	defer stop()

	watching, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	watched := func() { cancel(); background.Wait() }
	defer watched()
	background.Go(func() { f.watch(watching, &r) })
	began := time.Now()
	var readers sync.WaitGroup
	var mu sync.Mutex
	solving := make(chan struct{}, 1) // one core is the readers' own, as far as it goes
	every := time.Duration(a.Posts) * time.Second / time.Duration(a.Rate) / time.Duration(a.Readers)
	for i := range a.Readers {
		readers.Go(func() {
			select {
			case <-time.After(every * time.Duration(i)):
			case <-ctx.Done():
				return
			}
			took, err := f.honest(ctx, i, solving)
			mu.Lock()
			defer mu.Unlock()
			r.honest = append(r.honest, took)
			if err != nil {
				r.lost++
			}
		})
	}
	a.flood(ctx, f, &r)
	r.took = time.Since(began)
	readers.Wait()
	watched()
	if err := f.count(ctx, &r); err != nil {
		return r, err
	}
	return r, f.calm(ctx, &r)
}

// open puts the service together behind its front, whose proxy is this machine.
func (f *field) open(ctx context.Context) (stop func(), err error) {
	if f.desk, err = modstore.New(ctx, f.store); err != nil {
		return nil, err
	}
	if f.sealer, err = captcha.New([][]byte{benchKey}); err != nil {
		return nil, err
	}
	receipts, err := receipt.New([][]byte{benchKey})
	if err != nil {
		return nil, err
	}
	limiter, err := limit.New(limit.DefaultRules(), limit.NetworksMost, f.now)
	if err != nil {
		return nil, err
	}
	f.alarm = alarm.New(alarm.Config{Documents: f.desk, Sites: f.store, Now: f.now})
	f.store.Observe(f.alarm.Observe)
	f.service = comments.NewService(comments.Config{
		Store: f.store, Tickets: f.sealer, Judge: captcha.NewJudge(captcha.DeadMost, f.now), Limiter: limiter, Alarm: f.alarm,
		Works:    work.New(func() [][]byte { return [][]byte{benchKey} }, work.NewMemory(work.LedgerMost, f.now)),
		Receipts: receipts, Screener: screen.Default(), Now: f.now,
	})
	if f.site, err = f.service.AddSite(ctx, benchSite, "Bench", []string{"https://news.example"}, comments.ActorOperator); err != nil {
		return nil, err
	}
	set, err := templates.New(templates.Options{})
	if err != nil {
		return nil, err
	}
	templates.UseProblems(set)
	gallery, err := captcha.NewGallery(captcha.NewPainter(), captcha.GalleryBytes)
	if err != nil {
		return nil, err
	}
	speaker, err := captcha.NewSpeaker("")
	if err != nil {
		return nil, err
	}
	clientIP, err := httpd.ClientIP([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	if err != nil {
		return nil, err
	}
	router := mux.NewRouter()
	api := httpd.NewAPI(router, "bench", "")
	door, err := web.New(web.Config{Service: f.service, Templates: set, API: api, Picture: gallery, Sound: captcha.NewChoir(speaker), ClientIP: clientIP})
	if err != nil {
		return nil, err
	}
	f.store.Observe(door.Observer())
	door.Routes(router)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: door.Zone(router), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	f.address = "http://" + listener.Addr().String()
	return func() { _ = server.Close() }, nil
}

// watch ticks the alarm and looks how much memory is in use.
func (f *field) watch(ctx context.Context, r *attackResult) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var m runtime.MemStats
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.alarm.Tick(ctx)
			runtime.ReadMemStats(&m)
			r.heap = max(r.heap, m.HeapInuse)
		}
	}
}

// flood sends the bots' comments at their rate. Their tickets were fetched before, so that
// filling in took as long as a person's.
func (a attackCmd) flood(ctx context.Context, f *field, r *attackResult) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	var senders sync.WaitGroup
	defer senders.Wait()
	hash := comments.PageHash(benchSite, attackPage)
	for sent := 0; sent < a.Posts && ctx.Err() == nil; {
		<-tick.C
		due := min(a.Posts, int(time.Since(began).Seconds()*float64(a.Rate)))
		for ; sent < due; sent++ {
			if r.raisedAfter == 0 && f.alarm.Raised(f.site, hash) {
				r.raisedAfter = int64(sent)
			}
			addr := botAddress(sent % a.Networks)
			senders.Go(func() {
				status, err := f.bot(ctx, addr, rand.IntN(10) == 0)
				switch {
				case err != nil || status >= 500:
					atomic.AddInt64(&r.failed, 1)
				case status == http.StatusCreated:
					atomic.AddInt64(&r.accepted, 1)
				case status == http.StatusTooManyRequests:
					atomic.AddInt64(&r.refused, 1)
				}
			})
		}
	}
	r.sent = int64(a.Posts)
}

// botAddress has each network in a block of its own, as those of a rented botnet are: the
// limit of the wider network is no help.
func botAddress(i int) string {
	return netip.AddrFrom4([4]byte{100, byte(i / 256), byte(i % 256), 9}).String()
}

func (f *field) bot(ctx context.Context, addr string, wrong bool) (status int, err error) {
	text, t, err := f.sealer.Issue(benchSite, attackPage, f.now().Add(-time.Minute), time.Hour)
	if err != nil {
		return 0, err
	}
	code := captcha.Text(t)
	if wrong {
		code = "0"
	}
	status, _, err = f.post(ctx, "/comments", addr, map[string]string{
		"page": attackPage, "name": "Bot " + addr, "title": "Mua ngay", "content": fmt.Sprintf("Giá tốt hôm nay, số %d.", rand.Int()), "ticket": text, "code": code,
	})
	return status, err
}

// honest is a reader: asks for a code, has the browser do the work, types, and sends.
func (f *field) honest(ctx context.Context, i int, solving chan struct{}) (time.Duration, error) {
	addr := netip.AddrFrom4([4]byte{203, 0, byte(i), 7}).String()
	status, body, err := f.post(ctx, "/captcha", addr, map[string]string{"page": attackPage})
	var asked struct{ Ticket string }
	if err := errors.Join(err, json.Unmarshal(body, &asked)); err != nil || status != http.StatusCreated {
		return 0, fmt.Errorf("a reader's code: %d, %w", status, err)
	}
	t, err := f.sealer.Open(asked.Ticket)
	if err != nil {
		return 0, err
	}
	challenge, err := f.service.Challenge(f.site, attackPage, netip.MustParseAddr(addr))
	if err != nil {
		return 0, err
	}
	solving <- struct{}{}
	proof, err := work.Solve(ctx, challenge)
	<-solving
	if err != nil {
		return 0, err
	}
	if typing := 3*time.Second - f.now().Sub(t.Issued); typing > 0 {
		time.Sleep(typing)
	}
	began := time.Now()
	status, _, err = f.post(ctx, "/comments", addr, map[string]string{
		"page": attackPage, "name": honestName, "title": "Ý kiến", "content": fmt.Sprintf("Tôi thấy bài viết số %d rất đúng.", i),
		"ticket": asked.Ticket, "code": captcha.Text(t), "work": proof,
	})
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("a reader's comment is answered %d", status)
	}
	return time.Since(began), err
}

const honestName = "Bạn đọc thật"

func (f *field) post(ctx context.Context, path, addr string, body any) (status int, answer []byte, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.address+"/api/v1/sites/"+benchSite+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", addr)
	res, err := f.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// count looks through what lies in the queue.
func (f *field) count(ctx context.Context, r *attackResult) error {
	for after := comments.ID(""); ; {
		list, err := f.desk.Queue(ctx, moderation.QueueFilter{Site: benchSite, Status: comments.Pending, After: after, Limit: 500})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return f.top(ctx, r)
		}
		for _, c := range list {
			held := c.Held()
			switch {
			case c.Name == honestName && held:
				r.heldReaders++
			case c.Name != honestName && !held:
				r.loose++
			}
		}
		after = list[len(list)-1].ID
	}
}

// top reads the first page of what no check holds, the newest first, as the desk would.
func (f *field) top(ctx context.Context, r *attackResult) error {
	began := time.Now()
	page, err := search.New(f.store, time.Now).Search(ctx, search.Ask{
		Filter: moderation.QueueFilter{Site: benchSite, Status: comments.Pending, Order: comments.Newest, Limit: moderation.PageDefault}, Query: search.Query{Unheld: true},
	})
	r.topTook = time.Since(began)
	for _, c := range page.Comments {
		if r.top++; c.Name == honestName {
			r.topReaders++
		}
	}
	return err
}

// calm moves the clock on until attack mode is off.
func (f *field) calm(ctx context.Context, r *attackResult) error {
	hash := comments.PageHash(benchSite, attackPage)
	for f.alarm.Raised(f.site, hash) {
		if r.loweredAfter > time.Hour {
			return errors.New("attack mode does not end by itself")
		}
		f.ahead.Add(int64(time.Minute))
		r.loweredAfter += time.Minute
		f.alarm.Tick(ctx)
	}
	return nil
}
