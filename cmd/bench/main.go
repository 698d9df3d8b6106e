// Command bench measures Duyệt against the limits of the machine it runs on, both in one
// run and in turn, since machines drift: durable submissions against a bare group commit
// of the same bytes in bbolt, and thread reads against a bare gorilla/mux handler that
// writes the same bytes. It prints tables in Markdown.
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type cli struct {
	Write    writeCmd    `cmd:"" help:"Durable submissions per second at 1, 16 and 64 writers."`
	Read     readCmd     `cmd:"" help:"Thread reads per second."`
	Postgres postgresCmd `cmd:"" help:"Submissions, decisions and first pages on PostgreSQL, against pgbench."`
	Capacity capacityCmd `cmd:"" help:"What a large installation takes, computed from what is measured here."`
	Screen   screenCmd   `cmd:"" help:"What the checks find and what they cost."`
	Attack   attackCmd   `cmd:"" help:"A flood of comments while readers write."`
	Queue    queueCmd    `cmd:"" help:"First pages of queues and searches, at a thousand comments and at a million."`
	Desk     deskCmd     `cmd:"" help:"From a moderator's key to the next comment on the screen, in a browser."`
	All      allCmd      `cmd:"" default:"1" help:"Writes and reads on the embedded file (the default)."`

	Rounds int           `help:"Rounds of each measure, in turn; the median counts." default:"5"`
	For    time.Duration `help:"How long a round takes." default:"2s"`
	Dir    string        `help:"Folder on the disk to measure; a new one inside is removed afterwards." default:"." type:"existingdir"`
}

type allCmd struct{}

func (allCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if err := (writeCmd{}).Run(ctx, c, out); err != nil {
		return err
	}
	return readCmd{Pages: 100_000}.Run(ctx, c, out)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var c cli
	k := kong.Parse(&c, kong.Name("bench"), kong.Description("Measures Duyệt against its machine's own limits."))
	k.BindTo(ctx, (*context.Context)(nil))
	k.BindTo(os.Stdout, (*io.Writer)(nil))
	fmt.Printf("%s, %s\n\n", machine(), runtime.Version())
	k.FatalIfErrorf(k.Run(&c))
}

// machine names the processor and how many of it there are.
func machine() string {
	name := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s, %s", runtime.NumCPU(), name, runtime.GOOS)
}

// median of a few figures; they are sorted in place.
func median[T cmp.Ordered](figures []T) T {
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// series are the figures of several measures taken in turn.
type series struct {
	names   []string
	figures [][]float64
}

// measure takes each measure once a round.
func measure(rounds int, names []string, run func(name string) (float64, error)) (series, error) {
	s := series{names: names, figures: make([][]float64, len(names))}
	for range rounds {
		for i, name := range names {
			f, err := run(name)
			if err != nil {
				return series{}, fmt.Errorf("%s: %w", name, err)
			}
			s.figures[i] = append(s.figures[i], f)
		}
	}
	return s, nil
}

// median of the i-th measure.
func (s series) median(i int) float64 { return median(slices.Clone(s.figures[i])) }

// ratio is the median of the i-th measure over the k-th, round by round.
func (s series) ratio(i, k int) float64 {
	ratios := make([]float64, len(s.figures[i]))
	for r := range ratios {
		ratios[r] = s.figures[i][r] / s.figures[k][r]
	}
	return median(ratios)
}
