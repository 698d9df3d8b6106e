package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// operator is who the command line is to the rooms that ask for permission.
func operator() moderation.Moderator {
	return moderation.Moderator{ID: comments.ActorOperator, Role: moderation.Owner}
}

type wordsListCmd struct {
	Site string `required:"" help:"The site." placeholder:"ID"`
}

func (c *wordsListCmd) run(ctx context.Context, e *env, in *installation) error {
	if _, err := in.comments.Site(ctx, c.Site); err != nil {
		return knownSite(c.Site, err)
	}
	lists, err := in.lists.All(ctx, operator(), c.Site)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSITE\tNAME\tLANG\tACTION\tENTRIES\tSTATE")
	for _, l := range lists {
		state := "on"
		if l.Off {
			state = "off"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", l.ID, l.Site, l.Name, l.Lang, l.Action, len(l.Entries), state)
	}
	return t.Flush()
}

type wordsShowCmd struct {
	Site string `required:"" help:"The site." placeholder:"ID"`
	List string `arg:"" help:"The list's id, as 'duyet words list' shows it."`
}

func (c *wordsShowCmd) run(ctx context.Context, e *env, in *installation) error {
	l, err := in.lists.List(ctx, operator(), c.Site, c.List)
	if err != nil {
		return knownList(c.List, knownSite(c.Site, err))
	}
	for _, entry := range l.Entries {
		if _, err := fmt.Fprintln(e.out, screen.FormatEntry(entry)); err != nil {
			return err
		}
	}
	return nil
}

func knownList(id string, err error) error {
	if errors.Is(err, comments.ErrNotFound) && !errors.Is(err, comments.ErrUnknownSite) {
		return fmt.Errorf("there is no list %q: 'duyet words list --site ID' shows those there are", id)
	}
	return err
}

type wordsPutCmd struct {
	Site   string `required:"" help:"The site; * for every site." placeholder:"ID"`
	List   string `help:"The id of a list to replace; without one, a new list is made." placeholder:"ID"`
	Name   string `help:"The list's name; needed for a new one."`
	Lang   string `enum:"vi,en,any" default:"any" help:"Which language its words are of: ${enum}."`
	Action string `enum:"hold,spam,hint" default:"hold" help:"What a word of it does: ${enum}."`
	Hint   string `help:"What a reader is told by a list of action hint."`
	Off    bool   `help:"Keep it switched off."`
}

// Help says how entries are written.
func (*wordsPutCmd) Help() string {
	return `Entries come on standard input, a line each: a word or phrase, matched with its
diacritics and as whole syllables.

  ~word    without regard to diacritics
  *word*   inside words too
  !word    an exception: what others match within it is let be
  # text   a remark`
}

// entriesMost is the most that the entries of a list may have, in bytes.
const entriesMost = 8 << 20

func (c *wordsPutCmd) run(ctx context.Context, e *env, in *installation) error {
	text, err := io.ReadAll(io.LimitReader(e.in, entriesMost+1))
	if err != nil {
		return fmt.Errorf("reading entries: %w", err)
	}
	if len(text) > entriesMost {
		return fmt.Errorf("a list has at most %d bytes", entriesMost)
	}
	list := screen.WordList{Site: c.Site, ID: c.List}
	if c.List != "" {
		if list, err = in.lists.List(ctx, operator(), c.Site, c.List); err != nil {
			return knownList(c.List, knownSite(c.Site, err))
		}
	} else if c.Name == "" {
		return usagef("a new list needs a --name")
	}
	if c.Name != "" {
		list.Name = c.Name
	}
	list.Action, list.Hint, list.Off = screen.ListAction(c.Action), c.Hint, c.Off
	list.Lang = strings.TrimPrefix(c.Lang, "any")
	list.Entries = screen.ParseEntries(strings.ToValidUTF8(string(text), ""))
	if list, err = in.lists.Put(ctx, operator(), list); err != nil {
		return knownSite(c.Site, explainList(err))
	}
	_, err = fmt.Fprintf(e.out, "%s holds %d entries\n", list.ID, len(list.Entries))
	return err
}

// explainList names the entry that can't be kept.
func explainList(err error) error {
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		f := invalid.Fields[0]
		if f.Code == screen.CodeBadEntry {
			return usagef("%s has no letter, or more than %d", f.Field, f.Max)
		}
		return usagef("%s: %s", f.Field, f.Code)
	}
	if errors.Is(err, comments.ErrForbidden) {
		return comments.ErrUnknownSite
	}
	return err
}

type wordsRemoveCmd struct {
	Site string `required:"" help:"The site; * for every site." placeholder:"ID"`
	List string `arg:"" help:"The list's id."`
}

func (c *wordsRemoveCmd) run(ctx context.Context, e *env, in *installation) error {
	l, err := in.lists.List(ctx, operator(), c.Site, c.List)
	if err == nil {
		err = in.lists.Remove(ctx, operator(), c.Site, c.List, l.Version)
	}
	if err != nil {
		return knownList(c.List, knownSite(c.Site, err))
	}
	_, err = fmt.Fprintf(e.out, "removed %s\n", c.List)
	return err
}

type wordsTestCmd struct {
	Site string `required:"" help:"The site." placeholder:"ID"`
	Text string `arg:"" help:"The sentence."`
}

func (c *wordsTestCmd) run(ctx context.Context, e *env, in *installation) error {
	if _, err := in.comments.Site(ctx, c.Site); err != nil {
		return knownSite(c.Site, err)
	}
	text := comments.Clean(c.Text)
	hits, err := in.lists.Try(ctx, operator(), c.Site, text, nil)
	if err != nil {
		return err
	}
	for _, h := range hits {
		if _, err := fmt.Fprintf(e.out, "%s\t%q\t%s\t%s\n", h.Entry.Text, text[h.Start:h.End], h.List.Action, h.List.Name); err != nil {
			return err
		}
	}
	return nil
}
