package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"duyet/comments"
	"duyet/moderation/screen/learn"
)

type screenTrainCmd struct {
	Site  string   `required:"" help:"The site; * for every site that was not taught itself." placeholder:"ID"`
	Text  string   `required:"" help:"The column of the comments." placeholder:"COLUMN"`
	Label string   `required:"" help:"The column of the labels: 1, true or yes for what is to be found." placeholder:"COLUMN"`
	Files []string `arg:"" name:"file" help:"CSV files, in their order."`
}

// Help says what becomes of it.
func (*screenTrainCmd) Help() string {
	return `The site's classifier starts from what these comments teach instead of from nothing. What
was taught before is replaced; the site's own decisions are learnt on top, from its journal.`
}

// taughtMost is the most that the comments of one lesson may have, in bytes.
const taughtMost = 512 << 20

// prepare reads the files here: the server that may run the command does not see them.
func (c *screenTrainCmd) prepare(e *env) error {
	examples, err := readExamples(c.Files, c.Text, c.Label)
	if err != nil {
		return err
	}
	both := [2]int{}
	for _, x := range examples {
		if x.Positive {
			both[1]++
		} else {
			both[0]++
		}
	}
	if both[0] == 0 || both[1] == 0 {
		return usagef("there are %d comments labelled 0 and %d labelled 1; both are needed", both[0], both[1])
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, x := range examples {
		if err := enc.Encode(x); err != nil {
			return err
		}
	}
	e.in = &b
	return nil
}

func (c *screenTrainCmd) run(ctx context.Context, e *env, in *installation) error {
	var examples []learn.Example
	dec := json.NewDecoder(io.LimitReader(e.in, taughtMost))
	for {
		var x learn.Example
		err := dec.Decode(&x)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading comments: %w", err)
		}
		examples = append(examples, x)
	}
	if err := in.learner.Teach(ctx, c.Site, examples, comments.ActorOperator); err != nil {
		return knownSite(c.Site, err)
	}
	_, err := fmt.Fprintf(e.out, "taught %s by %d comments\n", c.Site, len(examples))
	return err
}
