package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"duyet/cmd/internal/storage"
	"duyet/comments"
)

// knownHead is the end of a journal as it was told before, written SITE:SEQ:CHAIN.
type knownHead struct {
	Site  string
	Seq   uint64
	Chain string // hexadecimal, "" for a journal that had not begun
}

// UnmarshalText reads SITE:SEQ:CHAIN.
func (h *knownHead) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ":")
	if len(parts) != 3 {
		return fmt.Errorf("%q is no head like SITE:SEQ:CHAIN", text)
	}
	seq, err := strconv.ParseUint(parts[1], 10, 64)
	if _, hexErr := hex.DecodeString(parts[2]); err != nil || hexErr != nil || parts[0] == "" || (seq > 0) != (parts[2] != "") {
		return fmt.Errorf("%q is no head like SITE:SEQ:CHAIN", text)
	}
	*h = knownHead{Site: parts[0], Seq: seq, Chain: strings.ToLower(parts[2])}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (h knownHead) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h knownHead) String() string { return fmt.Sprintf("%s:%d:%s", h.Site, h.Seq, h.Chain) }

// headLines are the ends of journals, by site, each as --head takes it.
func headLines(heads map[string]storage.Head) []string {
	lines := make([]string, 0, len(heads))
	for _, site := range slices.Sorted(maps.Keys(heads)) {
		lines = append(lines, knownHead{site, heads[site].Seq, heads[site].Chain}.String())
	}
	return lines
}

func printHeads(w io.Writer, heads map[string]storage.Head) error {
	for _, line := range headLines(heads) {
		if _, err := fmt.Fprintln(w, "head "+line); err != nil {
			return err
		}
	}
	return nil
}

type auditVerifyCmd struct {
	Head []knownHead `help:"A head that a log, a backup or an earlier run has told, as SITE:SEQ:CHAIN: the journal must still hold it. Repeat for more." placeholder:"SITE:SEQ:CHAIN"`
}

func (c *auditVerifyCmd) run(ctx context.Context, e *env, in *installation) error {
	sites, err := in.comments.Sites(ctx)
	if err != nil {
		return err
	}
	journals := []string{comments.Installation}
	for _, s := range sites {
		journals = append(journals, s.ID)
	}
	for _, h := range c.Head {
		if !slices.Contains(journals, h.Site) {
			return fmt.Errorf("the journal of %s is gone, though it had %d events", h.Site, h.Seq)
		}
	}
	var broken []error
	for _, site := range journals {
		head, err := in.store.Comments().VerifyChain(ctx, site)
		if err == nil {
			err = c.holds(ctx, in, site, head)
		}
		switch {
		case errors.Is(err, comments.ErrDamaged):
			broken = append(broken, err)
			_, err = fmt.Fprintf(e.out, "broken %s: %s\n", site, explain(err))
		case err == nil:
			_, err = fmt.Fprintf(e.out, "whole %s\n", knownHead{site, head.Seq, hex.EncodeToString(head.Chain)})
		}
		if err != nil {
			return err
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d of %d journals are not what was written: compare with a backup", len(broken), len(journals))
	}
	return nil
}

// holds checks that a journal, whole in itself, still has every known head of its site.
func (c *auditVerifyCmd) holds(ctx context.Context, in *installation, site string, head comments.Head) error {
	for _, known := range c.Head {
		if known.Site != site || known.Seq == 0 {
			continue
		}
		if known.Seq > head.Seq {
			return fmt.Errorf("it ends at event %d, and had %d: %w", head.Seq, known.Seq, comments.ErrDamaged)
		}
		events, err := in.store.Comments().Events(ctx, site, known.Seq-1, 1)
		if err != nil {
			return err
		}
		chain, err := hex.DecodeString(known.Chain)
		if err != nil {
			return err
		}
		if len(events) == 0 || !bytes.Equal(events[0].Chain, chain) {
			return fmt.Errorf("its event %d is not the one that was known: %w", known.Seq, comments.ErrDamaged)
		}
	}
	return nil
}
