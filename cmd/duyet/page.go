package main

import (
	"context"
	"errors"
	"fmt"

	"duyet/comments"
)

type pageMergeCmd struct {
	From string `arg:"" help:"The page to take up: its address, or an id of the site's own."`
	To   string `arg:"" help:"The page that it becomes part of."`
	Site string `required:"" help:"The site." placeholder:"ID"`
}

func (c *pageMergeCmd) run(ctx context.Context, e *env, in *installation) error {
	p, err := in.comments.MovePage(ctx, c.Site, c.From, c.To, true, comments.ActorOperator)
	if err != nil {
		return badPage(c.Site, c.From, c.To, err)
	}
	_, err = fmt.Fprintf(e.out, "merged into %s, which has %d comments; %s goes on leading there\n", p.Key, p.Counts.Total(), c.From)
	return err
}

type pageRenameCmd struct {
	From string `arg:"" help:"The page: its address, or an id of the site's own."`
	To   string `arg:"" help:"Its new address or id, which no page has."`
	Site string `required:"" help:"The site." placeholder:"ID"`
}

func (c *pageRenameCmd) run(ctx context.Context, e *env, in *installation) error {
	p, err := in.comments.MovePage(ctx, c.Site, c.From, c.To, false, comments.ActorOperator)
	if err != nil {
		return badPage(c.Site, c.From, c.To, err)
	}
	_, err = fmt.Fprintf(e.out, "renamed to %s; %s goes on leading there\n", p.Key, c.From)
	return err
}

// badPage makes what is wrong with a move say what to do.
func badPage(site, from, to string, err error) error {
	var invalid *comments.InvalidError
	switch {
	case errors.Is(err, comments.ErrUnknownSite):
		return knownSite(site, err)
	case errors.As(err, &invalid):
		return usagef("%s is neither an address on an origin of site %s nor an id: 'duyet site set %s' shows its origins", map[string]string{"from": from, "to": to}[invalid.Fields[0].Field], site, site)
	case errors.Is(err, comments.ErrExists):
		return fmt.Errorf("there is a page %s: 'duyet page merge' makes one of the two", to)
	case errors.Is(err, comments.ErrConflict):
		return fmt.Errorf("%s and %s are one page", from, to)
	case errors.Is(err, comments.ErrNotFound):
		return fmt.Errorf("no page of site %s stands at %s or %s that has comments: %w", site, from, to, err)
	}
	return err
}
