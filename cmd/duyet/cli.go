package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"duyet/cmd/internal/config"
	"duyet/cmd/internal/control"
	"duyet/cmd/internal/storage"
)

// cli is the command line.
type cli struct {
	Store config.Store `embed:""`

	Serve serveCmd `cmd:"" help:"Run the service."`
	Demo  demoCmd  `cmd:"" help:"Show the service with a small news site of its own; nothing to set up."`

	Site struct {
		Add    siteAddCmd    `cmd:"" help:"Add a site."`
		List   siteListCmd   `cmd:"" help:"List the sites."`
		Set    siteSetCmd    `cmd:"" help:"Change settings of a site, or show them."`
		Remove siteRemoveCmd `cmd:"" help:"Remove a site with everything that is its own."`
	} `cmd:"" help:"Sites: newspapers and offices whose articles carry comments."`
	Page struct {
		Merge  pageMergeCmd  `cmd:"" help:"Make one page of two; old links go on leading there."`
		Rename pageRenameCmd `cmd:"" help:"Give a page another address; old links go on leading there."`
	} `cmd:"" help:"Pages: articles with a thread."`
	Moderator struct {
		Add     moderatorAddCmd     `cmd:"" help:"Add a moderator."`
		List    moderatorListCmd    `cmd:"" help:"List the moderators."`
		Set     moderatorSetCmd     `cmd:"" help:"Change a moderator's role, sites or password."`
		Disable moderatorDisableCmd `cmd:"" help:"Sign a moderator out and keep them out."`
		Remove  moderatorRemoveCmd  `cmd:"" help:"Remove a moderator; the journal keeps what they did."`
		Link    moderatorLinkCmd    `cmd:"" help:"Print a one-time sign-in link."`
	} `cmd:"" help:"People who decide on comments."`
	Token struct {
		Add tokenAddCmd `cmd:"" help:"Print a new API token; it is shown this once."`
	} `cmd:"" help:"Keys to the moderation API."`
	Captcha struct {
		Solve captchaSolveCmd `cmd:"" help:"Print the digits of tickets sealed with this installation's secret."`
	} `cmd:"" help:"Verification codes."`
	Words struct {
		List   wordsListCmd   `cmd:"" help:"List the word lists of a site."`
		Show   wordsShowCmd   `cmd:"" help:"Print the entries of a list."`
		Put    wordsPutCmd    `cmd:"" help:"Make a list of the entries on standard input, or replace one."`
		Remove wordsRemoveCmd `cmd:"" help:"Remove a list."`
		Test   wordsTestCmd   `cmd:"" help:"Look a sentence through for a site's words."`
	} `cmd:"" help:"Word lists that comments are looked through for."`
	Screen struct {
		Train    screenTrainCmd    `cmd:"" help:"Give a site's classifier a start from labelled comments."`
		Evaluate screenEvaluateCmd `cmd:"" help:"Measure how the classifier learns from labelled comments."`
	} `cmd:"" help:"The checks that look at comments before a moderator does."`

	Backup  backupCmd  `cmd:"" help:"Write a backup of database and secret while everything goes on."`
	Restore restoreCmd `cmd:"" help:"Put a backup in the place of the database and the secret."`
	Check   checkCmd   `cmd:"" help:"Look at every record and recount everything that is counted."`
	Compact compactCmd `cmd:"" help:"Give back the room that removed data left behind."`
	Secret  struct {
		Rotate secretRotateCmd `cmd:"" help:"Make a new secret; what the old one sealed stays good for a while."`
	} `cmd:"" help:"The installation's secret."`
	Audit struct {
		Verify auditVerifyCmd `cmd:"" help:"Prove that the journals are whole."`
	} `cmd:"" help:"The journal of every event."`
	Move    moveCmd    `cmd:"" help:"Move everything from a data folder into PostgreSQL, or back."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// env is what a command works with.
type env struct {
	store    config.Store
	in       io.Reader
	out      io.Writer
	errs     io.Writer
	terminal bool   // whether errs is a terminal
	secret   string // DUYET_SECRET, "" when it is not set
}

// A command is one of these three.
type (
	// alone needs no installation, or opens it in a way of its own.
	alone interface {
		run(ctx context.Context, e *env) error
	}
	// onInstallation works on an open installation: in this process, or in the server
	// that has it open.
	onInstallation interface {
		run(ctx context.Context, e *env, in *installation) error
	}
	// onFiles works on the files of an installation that nobody has open.
	onFiles interface {
		runOnFiles(ctx context.Context, e *env) error
	}
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c cli
	leaf, err := parse(&c, args, stdout, stderr)
	if err != nil || leaf == nil {
		return err
	}
	if err := c.Store.Validate(); err != nil {
		return usageError{err}
	}
	e := &env{store: c.Store, in: stdin, out: stdout, errs: stderr, terminal: isTerminal(stderr), secret: os.Getenv("DUYET_SECRET")}
	switch cmd := leaf.Target.Addr().Interface().(type) {
	case alone:
		return cmd.run(ctx, e)
	case onInstallation:
		return dispatch(ctx, e, commandName(leaf), cmd)
	case onFiles:
		if e.store.DSN != "" {
			return storage.ErrPgDump
		}
		if control.Running(ctx, e.data()) {
			return fmt.Errorf("a server is running on %s: stop it first", e.data())
		}
		return cmd.runOnFiles(ctx, e)
	default:
		return fmt.Errorf("%s does nothing", commandName(leaf))
	}
}

// data is the data folder, absolute.
func (e *env) data() string {
	dir := e.store.Data
	if dir == "" {
		dir = config.DefaultData
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// helped is thrown when help has been shown.
type helped struct{}

// parse reads the arguments. It returns nil and no error when it has shown help.
func parse(c *cli, args []string, stdout, stderr io.Writer) (leaf *kong.Node, err error) {
	parser, err := newParser(c, stdout, stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helped); !ok {
				panic(r)
			}
			leaf, err = nil, nil
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		hint := "duyet"
		var parseErr *kong.ParseError
		if errors.As(err, &parseErr) && parseErr.Context.Selected() != nil {
			hint += " " + commandName(parseErr.Context.Selected())
		}
		return nil, usagef("%w; see '%s --help'", err, hint)
	}
	return parsed.Selected(), nil
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("duyet"),
		kong.Description("Moderated reader comments. Every flag but --force has a twin in the environment: DUYET_ and its name in capitals, with _ for -."),
		kong.Writers(stdout, stderr),
		kong.DefaultEnvars("DUYET"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) { panic(helped{}) }),
	)
}

// commandName is a command as it is typed: "site add".
func commandName(n *kong.Node) string {
	var words []string
	for ; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		words = append([]string{n.Name}, words...)
	}
	return strings.Join(words, " ")
}

// waitForLock is how long a command waits for another that has the installation open.
const waitForLock = 5 * time.Second

// dispatch runs a command in the server that has the installation open, or opens it. Of
// two that start together, one waits for the other.
func dispatch(ctx context.Context, e *env, name string, cmd onInstallation) error {
	if p, ok := cmd.(interface{ prepare(e *env) error }); ok {
		if err := p.prepare(e); err != nil {
			return err
		}
	}
	params, err := json.Marshal(cmd)
	if err != nil {
		return err
	}
	req := control.Request{Version: version(), Command: name, Params: params, Terminal: e.terminal}
	deadline := time.Now().Add(waitForLock)
	for {
		code, err := control.Call(ctx, e.data(), req, e.in, e.out, e.errs)
		if err == nil && code != exitOK {
			return reported(code)
		}
		if !errors.Is(err, control.ErrNoServer) {
			return err
		}
		if local, ok := cmd.(interface {
			runOnSecret(ctx context.Context, e *env) error
		}); ok {
			return local.runOnSecret(ctx, e)
		}
		in, err := openInstallation(ctx, options{data: e.data(), dsn: e.store.DSN, secret: e.secret, holder: "duyet " + name, wait: lockStep})
		if storage.IsLocked(err) && time.Now().Before(deadline) {
			continue // by a server that is about to answer, or by a command that will end
		}
		if err != nil {
			return err
		}
		return errors.Join(cmd.run(ctx, e, in), in.close())
	}
}

// lockStep is how long one try to open waits.
const lockStep = 200 * time.Millisecond

// answerControl runs a command that came through the control socket.
func answerControl(ctx context.Context, in *installation, req control.Request, stdin io.Reader, stdout, stderr io.Writer) int {
	err := func() error {
		if req.Version != version() {
			return fmt.Errorf("the server is version %s and this is %s: use the program that the server was started with", version(), req.Version)
		}
		cmd, err := commandByName(req.Command)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(req.Params, cmd); err != nil {
			return err
		}
		return cmd.run(ctx, &env{in: stdin, out: stdout, errs: stderr, terminal: req.Terminal}, in)
	}()
	return report(stderr, err)
}

// commandByName is an empty command by the name it is typed by.
func commandByName(name string) (onInstallation, error) {
	parser, err := newParser(new(cli), io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	for _, leaf := range parser.Model.Leaves(false) {
		if commandName(leaf) == name {
			if cmd, ok := reflect.New(leaf.Target.Type()).Interface().(onInstallation); ok {
				return cmd, nil
			}
		}
	}
	return nil, fmt.Errorf("the server has no command %q", name)
}
