package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/search"
)

// queueCmd measures what a moderator waits for: first pages of queues and of searches.
type queueCmd struct {
	Comments int      `help:"Comments of the larger of two sites; all are pending." default:"1000000"`
	Small    int      `help:"Comments of the smaller site." default:"1000"`
	Stores   []string `help:"Stores to measure." default:"bbolt,postgres" enum:"bbolt,postgres"`
	Searches int      `help:"How often each question is asked." default:"20"`
}

const (
	largeSite, smallSite = "large", "small"
	// fillers is how many comments are on their way at once while a store is filled.
	fillers = 256
	// apart is how far the comments of the bench were written from each other.
	apart = 20 * time.Second
)

// searched are the questions: rare and usual words, both, phrases, marks, and what stands
// beside the words.
var searched = [...]string{
	"tieu9", "tiêu9", "ma0", "ma0 va0", "ma0 tieu9", `"va0 ma0"`, "nga30 sau12", "author:an", "author:an ma0", "page:bai-7 ma0",
	"has:link va0", "has:link tieu9 status:pending", "before:2026-06-01 va0", "khongco", "status:approved tieu9", "nga30 status:pending",
}

func (b queueCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	fmt.Fprintf(out, "What a moderator waits for, without a browser: first pages of 50 from two sites in one store, %d and %d comments, all pending;\n", b.Small, b.Comments)
	fmt.Fprintf(out, "then %d questions to the larger one, each asked %d times, counted up to %d.\n\n", len(searched), b.Searches, search.CountMost)
	for _, name := range b.Stores {
		if err := b.store(ctx, c, name, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b queueCmd) store(ctx context.Context, c *cli, name string, out io.Writer) (err error) {
	store, stop, err := b.open(ctx, c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	begun := time.Now()
	for site, n := range map[string]int{smallSite: b.Small, largeSite: b.Comments} {
		if err := fillQueue(ctx, store, site, n); err != nil {
			return err
		}
	}
	filled := time.Since(begun)
	engine := search.New(store, time.Now)
	begun = time.Now()
	if err := engine.KeepAll(ctx, store.Sites); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: filled in %.0f s, indexed in %.0f s.\n\n", name, filled.Seconds(), time.Since(begun).Seconds())
	if err := b.pages(ctx, c, store, out); err != nil {
		return err
	}
	return b.searches(ctx, engine, out)
}

func (b queueCmd) open(ctx context.Context, c *cli, name string) (comments.Store, func() error, error) {
	if name == "postgres" {
		cluster := &pgtest.Cluster{Settings: durable}
		dsn, err := cluster.New(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, cluster.Close())
		}
		db, err := pgstore.Open(ctx, dsn, pgstore.Options{Key: benchKey, Fingerprint: "bench", Installation: "bench"})
		if err != nil {
			return nil, nil, errors.Join(err, cluster.Close())
		}
		return db, func() error { return errors.Join(db.Close(), cluster.Close()) }, nil
	}
	dir, err := os.MkdirTemp(c.Dir, "bench-")
	if err != nil {
		return nil, nil, err
	}
	db, err := boltstore.Open(ctx, boltstore.Options{
		Path: filepath.Join(dir, "duyet.db"), Create: true, Installation: "bench", Fingerprint: "bench",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "bench",
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return db, func() error { return errors.Join(db.Close(), os.RemoveAll(dir)) }, nil
}

// vocabulary has words as texts have them: few of them nearly everywhere, most of them
// seldom.
var vocabulary = strings.Fields("là mà và có không người được một trong cho những với các này như đã khi rất nhiều ngã tiêu sáu bến đò phố sông đường chợ xe")

func wordOf(r *rand.Rand) string {
	n := int(math.Exp(r.Float64() * math.Log(30_000)))
	return fmt.Sprintf("%s%d", vocabulary[n%len(vocabulary)], n/len(vocabulary))
}

// fillQueue stores comments, written one after the other up to now.
func fillQueue(ctx context.Context, store comments.Store, site string, n int) error {
	if _, err := store.AddSite(ctx, comments.Site{ID: site, Name: site, Settings: comments.DefaultSettings()}, comments.ActorOperator); err != nil {
		return err
	}
	begin := time.Now().Add(-time.Duration(n) * apart)
	g, ctx := errgroup.WithContext(ctx)
	for k := range fillers {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(k), uint64(n)))
			for i := k; i < n; i += fillers {
				if _, _, err := store.Create(ctx, queuedComment(r, site, i, begin.Add(time.Duration(i)*apart))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func queuedComment(r *rand.Rand, site string, i int, at time.Time) comments.Creation {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	binary.BigEndian.PutUint64(u[:8], uint64(at.UnixMilli())<<16|uint64(i)&0xfff)
	u[6], u[8] = u[6]&0x0f|0x70, u[8]&0x3f|0x80
	words := make([]string, 45)
	for k := range words {
		words[k] = wordOf(r)
	}
	if i%25 == 0 {
		words[7] = "shop.example"
	}
	return comments.Creation{
		Comment: comments.Comment{
			ID: comments.MakeID(site, u), Site: site, Page: fmt.Sprintf("https://news.example/bai-%d", i%2000), Status: comments.Pending, Lang: "vi",
			Name: []string{"Nguyễn Văn An", "Lê Hạnh", "Trần Bình"}[i%3], Title: words[0] + " " + words[1], Content: strings.Join(words, " ") + ".",
			CreatedAt: at, Risk: uint16(r.IntN(1000)),
		},
		Page:   comments.Page{CreatedAt: at},
		Author: comments.Author{Addr: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), Expires: time.Now().Add(24 * time.Hour)},
		Actor:  comments.ActorReader,
	}
}

// pages reads first pages of both sites in turn.
func (b queueCmd) pages(ctx context.Context, c *cli, store comments.Store, out io.Writer) error {
	fmt.Fprintf(out, "| first page | %d pending | %d pending | larger ÷ smaller |\n|---|---:|---:|---:|\n", b.Small, b.Comments)
	for _, order := range []comments.Sort{comments.Oldest, comments.Newest, comments.ByRisk} {
		s, err := measure(c.Rounds, []string{smallSite, largeSite}, func(site string) (float64, error) {
			return hammer(1, c.For, func(int, int) error {
				list, err := store.Queue(ctx, comments.QueueFilter{Site: site, Status: comments.Pending, Order: order, Limit: 51})
				if err == nil && len(list) == 0 {
					err = errors.New("an empty page")
				}
				return err
			})
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %s | %.3f ms | %.3f ms | %.2f |\n", order, 1000/s.median(0), 1000/s.median(1), s.ratio(0, 1))
	}
	fmt.Fprintln(out)
	return nil
}

// searches asks each question some times, in turn.
func (b queueCmd) searches(ctx context.Context, engine *search.Engine, out io.Writer) error {
	fmt.Fprint(out, "| search, newest first | found | page, median | worst | page and number, median | worst |\n|---|---:|---:|---:|---:|---:|\n")
	var pages, all []float64
	partial := 0
	for _, typed := range searched {
		q, err := search.Parse(typed, time.UTC)
		if err != nil {
			return err
		}
		var page, counted []float64
		found := ""
		for i := range 2 * b.Searches {
			begun := time.Now()
			a, err := engine.Search(ctx, search.Ask{
				Filter: comments.QueueFilter{Site: largeSite, All: true, Order: comments.Newest, Limit: 50}, Query: q, Count: i%2 == 1,
			})
			if err != nil {
				return err
			}
			took := float64(time.Since(begun).Microseconds()) / 1000
			if a.Partial {
				partial++
			}
			if i%2 == 0 {
				page = append(page, took)
				continue
			}
			counted = append(counted, took)
			if found = fmt.Sprint(a.Found); a.AtLeast {
				found += "+"
			}
		}
		pages, all = append(pages, page...), append(all, counted...)
		fmt.Fprintf(out, "| `%s` | %s | %.1f ms | %.1f ms | %.1f ms | %.1f ms |\n", typed, found, median(page), slices.Max(page), median(counted), slices.Max(counted))
	}
	fmt.Fprintf(out, "| all | | %.1f ms | %.1f ms | %.1f ms | %.1f ms |\n\n", median(pages), slices.Max(pages), median(all), slices.Max(all))
	fmt.Fprintf(out, "%d of %d ended before their page was full, and said so.\n\n", partial, len(pages)+len(all))
	return nil
}
