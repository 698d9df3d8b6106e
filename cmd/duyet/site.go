package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"duyet/comments"
)

// knownSite makes an unknown site's error say what to do.
func knownSite(id string, err error) error {
	if errors.Is(err, comments.ErrUnknownSite) {
		return fmt.Errorf("there is no site %q: 'duyet site list' shows those there are", id)
	}
	return err
}

// badSetting makes an error about a setting one of usage.
func badSetting(err error) error {
	if errors.Is(err, comments.ErrBadSetting) || errors.Is(err, comments.ErrUnknownSetting) {
		return usageError{err}
	}
	return err
}

type siteAddCmd struct {
	ID     string   `arg:"" help:"1 to 32 of a-z, 0-9 and -."`
	Name   string   `required:"" help:"The site's name, as readers and moderators see it." placeholder:"NAME"`
	Origin []string `required:"" help:"Where its articles are served from, like https://news.example; repeat for more." placeholder:"URL" sep:","`
}

func (c *siteAddCmd) run(ctx context.Context, e *env, in *installation) error {
	site, err := in.comments.AddSite(ctx, c.ID, c.Name, c.Origin, comments.ActorOperator)
	if errors.Is(err, comments.ErrExists) {
		return fmt.Errorf("there is a site %q already: 'duyet site set %s KEY=VALUE' changes it", c.ID, c.ID)
	}
	if err != nil {
		return badSetting(err)
	}
	_, err = fmt.Fprintf(e.out, "added %s (%s), %s\n", site.ID, site.Name, strings.Join(site.Origins, ", "))
	return err
}

type siteListCmd struct{}

func (*siteListCmd) run(ctx context.Context, e *env, in *installation) error {
	sites, err := in.comments.Sites(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tNAME\tORIGINS\tPENDING\tAPPROVED\tALL")
	for _, s := range sites {
		head, err := in.store.Comments().Head(ctx, s.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\n", s.ID, s.Name, strings.Join(s.Origins, ","), head.Counts.Pending, head.Counts.Approved, head.Counts.Total())
	}
	return t.Flush()
}

type siteSetCmd struct {
	ID    string   `arg:"" help:"The site."`
	Pairs []string `arg:"" optional:"" name:"key=value" help:"Settings; without any, they are shown."`
}

// Help lists the settings with their defaults.
func (*siteSetCmd) Help() string {
	var b strings.Builder
	b.WriteString("Settings and their defaults:\n\n  name, origins (commas between)\n")
	defaults := comments.DefaultSettings()
	for _, key := range comments.SettingKeys() {
		fmt.Fprintf(&b, "  %s=%s\n", key, defaults.Get(key))
	}
	return b.String()
}

func (c *siteSetCmd) run(ctx context.Context, e *env, in *installation) error {
	if len(c.Pairs) == 0 {
		return c.show(ctx, e, in)
	}
	pairs := make([]comments.Pair, len(c.Pairs))
	for i, p := range c.Pairs {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return usagef("%q is not like KEY=VALUE; see 'duyet site set --help'", p)
		}
		pairs[i] = comments.Pair{Key: key, Value: value}
	}
	_, err := in.comments.SetSite(ctx, c.ID, pairs, comments.ActorOperator)
	return badSetting(knownSite(c.ID, err))
}

func (c *siteSetCmd) show(ctx context.Context, e *env, in *installation) error {
	site, err := in.comments.Site(ctx, c.ID)
	if err != nil {
		return knownSite(c.ID, err)
	}
	for _, key := range append([]string{"name", "origins"}, comments.SettingKeys()...) {
		if _, err := fmt.Fprintf(e.out, "%s=%s\n", key, site.Get(key)); err != nil {
			return err
		}
	}
	return nil
}

type siteRemoveCmd struct {
	ID    string `arg:"" help:"The site."`
	Force bool   `help:"Remove it with its comments." env:"-"`
}

func (c *siteRemoveCmd) run(ctx context.Context, e *env, in *installation) error {
	err := in.comments.RemoveSite(ctx, c.ID, c.Force, comments.ActorOperator)
	if errors.Is(err, comments.ErrConflict) && !c.Force {
		return fmt.Errorf("%s: make a backup, then add --force to remove them with it", explain(err))
	}
	if err != nil {
		return knownSite(c.ID, err)
	}
	_, err = fmt.Fprintf(e.out, "removed %s\n", c.ID)
	return err
}
