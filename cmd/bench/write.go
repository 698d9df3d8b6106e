package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/receipt"
	"duyet/moderation/screen"
)

type writeCmd struct{}

// words is a comment of ordinary length on Vietnamese news: 270 characters.
var words = strings.Repeat("Nhà tôi ở đầu ngõ 12, tối thứ bảy nào xe cũng để kín vỉa hè, người già phải đi xuống lòng đường. ", 3)[:]

func (writeCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	fmt.Fprintln(out, "Submissions per second, each durable before it is answered (ticket opened, code judged, checks run, one shared commit).")
	fmt.Fprintln(out, "Bare: as many bytes under as many keys, put by whoever waits into one bbolt transaction; Batch: bbolt's own DB.Batch.")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "| writers | service | bare | Batch | service ÷ bare |")
	fmt.Fprintln(out, "|---:|---:|---:|---:|---:|")
	for _, writers := range []int{1, 16, 64} {
		s, err := measure(c.Rounds, []string{"service", "bare", "Batch"}, func(name string) (float64, error) {
			dir, err := os.MkdirTemp(c.Dir, "bench-")
			if err != nil {
				return 0, err
			}
			defer os.RemoveAll(dir)
			switch name {
			case "service":
				return serviceWrites(ctx, dir, writers, c.For)
			case "bare":
				return bareWrites(dir, writers, c.For)
			}
			return batchWrites(dir, writers, c.For)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %.0f | %.0f | %.0f | %.2f |\n", writers, s.median(0), s.median(1), s.median(2), s.ratio(0, 1))
	}
	fmt.Fprintln(out)
	return nil
}

// hammer calls op from several writers for a while and returns calls per second.
func hammer(writers int, d time.Duration, op func(writer, n int) error) (float64, error) {
	var done atomic.Int64
	errs := make(chan error, writers)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 0; time.Since(start) < d; n++ {
				if err := op(w, n); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	select {
	case err := <-errs:
		return 0, err
	default:
	}
	return float64(done.Load()) / took.Seconds(), nil
}

const benchSite = "bench"

var benchKey = []byte("0123456789abcdef0123456789abcdef")

// readers puts the readers' wing together on a new bbolt file.
func readers(ctx context.Context, dir string) (*comments.Service, *boltstore.DB, *captcha.Sealer, error) {
	db, err := boltstore.Open(ctx, boltstore.Options{
		Path: filepath.Join(dir, "duyet.db"), Create: true, Installation: "bench", Fingerprint: "bench", Key: benchKey, Holder: "bench",
	})
	if err != nil {
		return nil, nil, nil, err
	}
	service, sealer, err := wing(db)
	if err == nil {
		err = addBenchSite(ctx, service, benchSite)
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return service, db, sealer, nil
}

// wing is the readers' on a store that no other node has open.
func wing(store comments.Store) (*comments.Service, *captcha.Sealer, error) {
	sealer, err := captcha.New([][]byte{benchKey})
	if err != nil {
		return nil, nil, err
	}
	receipts, err := receipt.New([][]byte{benchKey})
	if err != nil {
		return nil, nil, err
	}
	limiter, err := limit.New(limit.DefaultRules(), limit.NetworksMost, time.Now)
	if err != nil {
		return nil, nil, err
	}
	return comments.NewService(comments.Config{
		Store: store, Tickets: sealer, Judge: captcha.NewJudge(captcha.DeadMost, time.Now),
		Limiter: limiter, Receipts: receipts, Screener: screen.Default(), Now: time.Now,
	}), sealer, nil
}

func addBenchSite(ctx context.Context, service *comments.Service, id string) error {
	_, err := service.AddSite(ctx, id, "Bench", []string{"https://news.example"}, comments.ActorOperator)
	if err == nil {
		_, err = service.SetSite(ctx, id, []comments.Pair{{Key: "rate_limit", Value: "off"}}, comments.ActorOperator)
	}
	return err
}

// submission pays with a ticket of its own.
func submission(sealer *captcha.Sealer, site, page string, writer, n int) (comments.Submission, error) {
	text, t, err := sealer.Issue(site, page, time.Now(), time.Hour)
	return comments.Submission{
		Page: page, PageTitle: "Phố đi bộ ven sông mở thêm hai tối", Name: "Nguyễn Thị Hạnh",
		Title: "Mở thêm tối nhưng phải lo chỗ gửi xe trước", Content: fmt.Sprintf("%s %d/%d", words, writer, n),
		Ticket: text, Code: captcha.Text(t), Lang: "vi", Addr: netip.AddrFrom4([4]byte{10, byte(writer), byte(n >> 8), byte(n)}),
	}, err
}

func serviceWrites(ctx context.Context, dir string, writers int, d time.Duration) (rate float64, err error) {
	service, db, sealer, err := readers(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	site, err := service.Site(ctx, benchSite)
	if err != nil {
		return 0, err
	}
	return hammer(writers, d, func(writer, n int) error {
		sub, err := submission(sealer, benchSite, fmt.Sprintf("https://news.example/vi/bai-viet-%d", n%100), writer, n)
		if err != nil {
			return err
		}
		_, err = service.Submit(ctx, site, sub)
		return err
	})
}

// pair is one key and value that a stored comment puts, by size. Each comment writes its
// own record, an entry of its queue, an event, a spent ticket and an address; each commit
// writes once the page and the head.
type pair struct {
	bucket     string
	key, value int
}

var (
	perComment = []pair{{"comments", 20, 620}, {"queues", 21, 0}, {"journal", 12, 110}, {"spent", 24, 65}, {"addresses", 28, 15}}
	perCommit  = []pair{{"pages", 44, 140}, {"heads", 5, 120}}
)

func openBare(dir string) (*bbolt.DB, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 1 << 30})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, p := range append(perComment[:len(perComment):len(perComment)], perCommit...) {
			if _, err := tx.CreateBucket([]byte(p.bucket)); err != nil {
				return err
			}
		}
		return nil
	})
	return db, err
}

// put writes pairs under the next key: ascending, like comments' own.
func put(tx *bbolt.Tx, pairs []pair, n uint64) error {
	for _, p := range pairs {
		b := tx.Bucket([]byte(p.bucket))
		b.FillPercent = 0.9
		if err := b.Put(fmt.Appendf(nil, "%0*d", p.key, n), make([]byte, p.value)); err != nil {
			return err
		}
	}
	return nil
}

// bareWrites is the least a group commit can do: one writer takes whoever waits.
func bareWrites(dir string, writers int, d time.Duration) (rate float64, err error) {
	db, err := openBare(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	type waiting struct{ done chan error }
	queue := make(chan waiting, writers)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var n uint64
		for first := range queue {
			batch := []waiting{first}
			err := db.Update(func(tx *bbolt.Tx) error {
				for i := 0; i < len(batch); i++ {
					n++
					if err := put(tx, perComment, n); err != nil {
						return err
					}
					select {
					case next, ok := <-queue:
						if ok {
							batch = append(batch, next)
						}
					default:
					}
				}
				return put(tx, perCommit, 1)
			})
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	rate, err = hammer(writers, d, func(int, int) error {
		w := waiting{make(chan error, 1)}
		queue <- w
		return <-w.done
	})
	close(queue)
	<-ended
	return rate, err
}

func batchWrites(dir string, writers int, d time.Duration) (rate float64, err error) {
	db, err := openBare(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.MaxBatchSize = writers
	var keys atomic.Uint64
	return hammer(writers, d, func(int, int) error {
		n := keys.Add(1)
		return db.Batch(func(tx *bbolt.Tx) error {
			if err := put(tx, perComment, n); err != nil {
				return err
			}
			return put(tx, perCommit, 1)
		})
	})
}
