package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation/screen"
	"duyet/moderation/screen/learn"
	"duyet/moderation/screen/redteam"
	wordlist "duyet/moderation/screen/words"
)

type screenCmd struct {
	Data string `help:"Folder with labelled comments: ViCTSD_{train,valid}.csv and Youtube*.csv; without one, what needs them is left out." type:"existingdir"`
}

// Run measures what the checks find, and what they cost.
func (s screenCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	suite, err := redteam.Load()
	if err != nil {
		return err
	}
	var texts []string
	for _, h := range suite.Harmless {
		texts = append(texts, h.Text)
	}
	if s.Data != "" {
		if texts, err = s.accuracy(out); err != nil {
			return err
		}
	}
	b, err := newScreenBench(ctx, c.Dir, texts)
	if err != nil {
		return err
	}
	defer b.close()
	if s.Data != "" {
		if err := b.alarms(ctx, out); err != nil {
			return err
		}
	}
	if err := b.cost(ctx, c, out); err != nil {
		return err
	}
	return redTeam(out, suite)
}

// table reads one labelled table.
func (s screenCmd) table(name, text, label string) ([]learn.Example, error) {
	f, err := os.Open(filepath.Join(s.Data, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	examples, err := learn.ReadCSV(f, text, label)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return examples, nil
}

// accuracy measures the classifier as `duyet screen evaluate` does, and returns the texts it
// was measured on.
func (s screenCmd) accuracy(out io.Writer) (texts []string, err error) {
	fmt.Fprint(out, "## The classifier, each comment learnt once, in order\n\n| task | trained on | AUC | average precision | macro-F1 | accuracy | AUC after 50 | 200 | 1,000 decisions | ms a comment |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, label := range []string{"Toxicity", "Constructiveness"} {
		train, err := s.table("ViCTSD_train.csv", "Comment", label)
		if err != nil {
			return nil, err
		}
		test, err := s.table("ViCTSD_valid.csv", "Comment", label)
		if err != nil {
			return nil, err
		}
		row(out, "ViCTSD "+strings.ToLower(label)+", train → valid", len(train), learn.Evaluate(train, test))
		texts = texts[:0]
		for _, e := range test {
			texts = append(texts, e.Text)
		}
	}
	files, err := filepath.Glob(filepath.Join(s.Data, "Youtube*.csv"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var sum learn.Report
	for _, left := range files {
		var train []learn.Example
		for _, other := range files {
			if other != left {
				examples, err := s.table(filepath.Base(other), "CONTENT", "CLASS")
				if err != nil {
					return nil, err
				}
				train = append(train, examples...)
			}
		}
		test, err := s.table(filepath.Base(left), "CONTENT", "CLASS")
		if err != nil {
			return nil, err
		}
		r := learn.Evaluate(train, test)
		row(out, strings.TrimSuffix(filepath.Base(left), ".csv")+" left out", len(train), r)
		sum.AUC, sum.Accuracy = sum.AUC+r.AUC, sum.Accuracy+r.Accuracy
	}
	if n := float64(len(files)); n > 0 {
		fmt.Fprintf(out, "\nOne video left out in turn, mean of %d: AUC %.3f, accuracy %.3f.\n\n", len(files), sum.AUC/n, sum.Accuracy/n)
	}
	return texts, nil
}

func row(out io.Writer, name string, trained int, r learn.Report) {
	curve := map[int]string{50: "–", 200: "–", 1000: "–"}
	for _, p := range r.Curve {
		curve[p.Decisions] = fmt.Sprintf("%.3f", p.AUC)
	}
	fmt.Fprintf(out, "| %s | %d | %.3f | %.3f | %.3f | %.3f | %s | %s | %s | %.3f |\n", name, trained,
		r.AUC, r.AveragePrecision, r.MacroF1, r.Accuracy, curve[50], curve[200], curve[1000], r.MsPerComment)
}

// alarms tells how often each check remarks on ordinary readers' comments.
func (b *screenBench) alarms(ctx context.Context, out io.Writer) error {
	n, held := map[string]int{}, 0
	for _, text := range b.texts {
		found, err := screen.Default().Screen(ctx, b.candidate(text))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found.Signals, func(s comments.Signal) bool { return s.Level != comments.LevelInfo }) {
			held++
		}
		for _, g := range found.Signals {
			n[g.Check+"."+g.Code+" ("+string(g.Level)+")"]++
		}
	}
	fmt.Fprintf(out, "## Signals of the checks that need nothing but the comment, on %d comments of readers\n\n%d held.", len(b.texts), held)
	for _, k := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(out, " %s: %d.", k, n[k])
	}
	fmt.Fprint(out, "\n\n")
	return nil
}

// cost takes each check over all texts in turn, on one core.
func (b *screenBench) cost(ctx context.Context, c *cli, out io.Writer) error {
	checks := b.list.Checks()
	candidates := make([]comments.Candidate, len(b.texts))
	for i, text := range b.texts {
		candidates[i] = b.candidate(text)
	}
	each := make([][]float64, len(checks))
	for range c.Rounds {
		for i, check := range checks {
			start := time.Now()
			for _, candidate := range candidates {
				if err := lookOnce(ctx, check, candidate); err != nil {
					return fmt.Errorf("%s: %w", check.Name, err)
				}
			}
			each[i] = append(each[i], time.Since(start).Seconds()*1e6/float64(len(candidates)))
		}
	}
	fmt.Fprintf(out, "## Cost of a comment, one core (word lists of %d entries, a model of %d decisions, %d recent texts)\n\n| check | µs |\n|---|---|\n", listEntries, modelDecisions, recentTexts)
	total := 0.0
	for i, check := range checks {
		m := median(each[i])
		total += m
		fmt.Fprintf(out, "| %s | %.1f |\n", check.Name, m)
	}
	fmt.Fprintf(out, "| **all** | **%.1f** |\n\n", total)
	return nil
}

func lookOnce(ctx context.Context, check screen.Check, c comments.Candidate) (err error) {
	if check.Weigh != nil {
		_, _, err = check.Weigh(ctx, c)
	} else {
		_, err = check.Look(ctx, c)
	}
	return err
}

func redTeam(out io.Writer, suite redteam.Suite) error {
	list, err := wordlist.Compile(suite.List)
	if err != nil {
		return err
	}
	r := suite.Run(redteam.Finder(list))
	fmt.Fprintf(out, "## Red team\n\nDisguised words: %d of %d caught (%.1f %%). Harmless look-alikes: %d of %d taken for bad (%.1f %%).\n\n| trick | caught |\n|---|---|\n",
		r.Caught, r.Disguised, 100*r.CatchRate(), r.FalseAlarms, r.Harmless, 100*r.FalseAlarmRate())
	tricks := slices.SortedFunc(maps.Keys(r.ByTrick), func(a, b string) int {
		return cmp.Or(r.ByTrick[b].Cases-r.ByTrick[a].Cases, strings.Compare(a, b))
	})
	for _, t := range tricks {
		fmt.Fprintf(out, "| %s | %d of %d |\n", t, r.ByTrick[t].Caught, r.ByTrick[t].Cases)
	}
	var errs []error
	for _, m := range r.Missed {
		_, err := fmt.Fprintf(out, "\nMissed: %q (%s)\n", m.Text, m.Entry)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
