package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"

	"duyet/comments"
	"duyet/moderation"
)

// knownPerson makes an unknown moderator's error say what to do.
func knownPerson(email string, err error) error {
	if errors.Is(err, comments.ErrNotFound) {
		return fmt.Errorf("there is no moderator %s: 'duyet moderator list' shows those there are", email)
	}
	return err
}

// readPassword reads one line.
func readPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, moderation.PasswordMost+3)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("no password came on standard input")
	}
	return line, nil
}

type moderatorAddCmd struct {
	Email         string   `arg:"" help:"The person's address; they sign in by it."`
	Role          string   `required:"" enum:"owner,admin,moderator,viewer" help:"One of ${enum}." placeholder:"ROLE"`
	Site          []string `help:"A site that is theirs; repeat for more. Without any, all sites are." placeholder:"ID" sep:","`
	PasswordStdin bool     `help:"Read a password from standard input. Without one, they sign in by link."`
}

func (c *moderatorAddCmd) run(ctx context.Context, e *env, in *installation) error {
	password := ""
	if c.PasswordStdin {
		var err error
		if password, err = readPassword(e.in); err != nil {
			return err
		}
	}
	m, err := in.moderation.AddPerson(ctx, c.Email, moderation.Role(c.Role), c.Site, password)
	if errors.Is(err, comments.ErrExists) {
		return fmt.Errorf("there is a moderator %s already: 'duyet moderator set' changes them", c.Email)
	}
	if err != nil {
		return err
	}
	hint := ""
	if password == "" {
		hint = fmt.Sprintf("; 'duyet moderator link %s' signs them in", m.Email)
	}
	_, err = fmt.Fprintf(e.out, "added %s (%s)%s\n", m.Email, m.Role, hint)
	return err
}

type moderatorListCmd struct{}

func (*moderatorListCmd) run(ctx context.Context, e *env, in *installation) error {
	people, err := in.moderation.Everybody(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tROLE\tSITES\tSIGN-IN\tSINCE")
	for _, m := range people {
		sites, signIn := "all", "password"
		if len(m.Sites) > 0 {
			sites = strings.Join(m.Sites, ",")
		}
		switch {
		case m.Disabled:
			signIn = "disabled"
		case m.PasswordHash == "":
			signIn = "link"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", m.Email, m.Role, sites, signIn, m.CreatedAt.Format("2006-01-02"))
	}
	return t.Flush()
}

type moderatorSetCmd struct {
	Email         string   `arg:"" help:"The moderator."`
	Role          *string  `help:"The new role: owner, admin, moderator or viewer." placeholder:"ROLE"`
	Site          []string `help:"The sites that are theirs from now on; repeat for more." placeholder:"ID" sep:"," xor:"sites"`
	AllSites      bool     `help:"All sites are theirs from now on." xor:"sites"`
	PasswordStdin bool     `help:"Read a new password from standard input; it ends their sessions and tokens."`
	Enable        bool     `help:"Let a disabled moderator sign in again."`
	ResetKeys     bool     `help:"Take their second step and passkeys off, for who has lost the phone."`
}

func (c *moderatorSetCmd) run(ctx context.Context, e *env, in *installation) error {
	change := moderation.PersonChange{ResetKeys: c.ResetKeys}
	if c.Role != nil {
		role := moderation.Role(*c.Role)
		change.Role = &role
	}
	if len(c.Site) > 0 || c.AllSites {
		change.Sites = &c.Site
	}
	if c.PasswordStdin {
		password, err := readPassword(e.in)
		if err != nil {
			return err
		}
		change.Password = &password
	}
	if c.Enable {
		disabled := false
		change.Disabled = &disabled
	}
	if change == (moderation.PersonChange{}) {
		return usagef("nothing to change: give --role, --site, --all-sites, --password-stdin, --enable or --reset-keys")
	}
	_, err := in.moderation.ChangePerson(ctx, c.Email, change)
	return knownPerson(c.Email, err)
}

type moderatorDisableCmd struct {
	Email string `arg:"" help:"The moderator."`
}

func (c *moderatorDisableCmd) run(ctx context.Context, _ *env, in *installation) error {
	disabled := true
	_, err := in.moderation.ChangePerson(ctx, c.Email, moderation.PersonChange{Disabled: &disabled})
	return knownPerson(c.Email, err)
}

type moderatorRemoveCmd struct {
	Email string `arg:"" help:"The moderator."`
}

func (c *moderatorRemoveCmd) run(ctx context.Context, _ *env, in *installation) error {
	return knownPerson(c.Email, in.moderation.RemovePerson(ctx, c.Email))
}

type moderatorLinkCmd struct {
	Email   string   `arg:"" help:"The moderator."`
	BaseURL *url.URL `name:"base-url" help:"Address under which the service is reached. Default: the running server's." placeholder:"URL"`
}

func (c *moderatorLinkCmd) run(ctx context.Context, e *env, in *installation) error {
	secret, err := in.moderation.NewLink(ctx, c.Email)
	if errors.Is(err, comments.ErrForbidden) {
		return fmt.Errorf("%s is disabled: 'duyet moderator set %s --enable' lets them in again", c.Email, c.Email)
	}
	if err != nil {
		return knownPerson(c.Email, err)
	}
	base := in.address
	if c.BaseURL != nil {
		base = strings.TrimRight(c.BaseURL.String(), "/")
	}
	_, err = fmt.Fprintln(e.out, signInLink(base, secret))
	return err
}

type tokenAddCmd struct {
	Moderator string `required:"" help:"Whose token it is." placeholder:"EMAIL"`
}

func (c *tokenAddCmd) run(ctx context.Context, e *env, in *installation) error {
	token, err := in.moderation.NewToken(ctx, c.Moderator, comments.ActorOperator)
	if err != nil {
		return knownPerson(c.Moderator, err)
	}
	_, err = fmt.Fprintln(e.out, token)
	return err
}
