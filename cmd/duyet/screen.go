package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"duyet/moderation/screen/learn"
)

// readExamples reads labelled comments from tables, in order.
func readExamples(files []string, text, label string) (all []learn.Example, err error) {
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("can't read %s: %w", file, errors.Unwrap(err))
		}
		examples, err := learn.ReadCSV(f, text, label)
		f.Close()
		if errors.Is(err, learn.ErrTable) {
			return nil, usagef("%s: %w: see 'duyet screen evaluate --help'", file, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, examples...)
	}
	return all, nil
}

type screenEvaluateCmd struct {
	Text  string   `required:"" help:"The column of the comments." placeholder:"COLUMN"`
	Label string   `required:"" help:"The column of the labels: 0 or 1, true or false, yes or no." placeholder:"COLUMN"`
	Train []string `required:"" help:"CSV files to learn from, comment by comment in their order; repeat for more." placeholder:"FILE" sep:"none"`
	Test  []string `required:"" help:"CSV files to measure on; nothing is learnt from them." placeholder:"FILE" sep:"none"`
	JSON  bool     `help:"Print one JSON object." name:"json"`
}

// Help says what is measured.
func (*screenEvaluateCmd) Help() string {
	return `A new model learns the --train files from nothing, one comment after the other as a
desk's decisions would come, and is measured on the --test files, which it has never seen.

  auc                probability that a positive comment is ranked over a negative one
  average_precision  area under precision and recall
  macro_f1, accuracy at the threshold
  threshold          chosen on the --train files alone
  ms_per_comment     time to score one comment of --test

It opens no installation.`
}

// evaluation is a learn.Report for programs.
type evaluation struct {
	AUC              float64 `json:"auc"`
	AveragePrecision float64 `json:"average_precision"`
	MacroF1          float64 `json:"macro_f1"`
	Accuracy         float64 `json:"accuracy"`
	Threshold        float64 `json:"threshold"`
	MsPerComment     float64 `json:"ms_per_comment"`
}

func (c *screenEvaluateCmd) run(_ context.Context, e *env) error {
	train, err := readExamples(c.Train, c.Text, c.Label)
	if err != nil {
		return err
	}
	test, err := readExamples(c.Test, c.Text, c.Label)
	if err != nil {
		return err
	}
	if len(train) == 0 || len(test) == 0 {
		return usagef("there are %d comments to learn from and %d to measure on; both need some", len(train), len(test))
	}
	r := learn.Evaluate(train, test)
	out := evaluation{r.AUC, r.AveragePrecision, r.MacroF1, r.Accuracy, r.Threshold, r.MsPerComment}
	if c.JSON {
		return json.NewEncoder(e.out).Encode(out)
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "auc\t%.4f\naverage_precision\t%.4f\nmacro_f1\t%.4f\naccuracy\t%.4f\nthreshold\t%.4f\nms_per_comment\t%.4f\n",
		out.AUC, out.AveragePrecision, out.MacroF1, out.Accuracy, out.Threshold, out.MsPerComment)
	return t.Flush()
}
