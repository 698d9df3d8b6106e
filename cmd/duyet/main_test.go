package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"duyet/cmd/internal/control"
	"duyet/comments/pgstore/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"duyet": main})
}

// The command line's behaviour stands in testdata as readable scripts. Each runs four
// times: on a data folder that nobody has open and beside a server ([server]), with a file
// and with a database of PostgreSQL ([postgres]).
func TestScripts(t *testing.T) {
	var cluster pgtest.Cluster
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, on := range []struct {
		name             string
		server, postgres bool
	}{
		{"alone", false, false},
		{"beside a server", true, false},
		{"alone on PostgreSQL", false, true},
		{"beside a server on PostgreSQL", true, true},
	} {
		t.Run(on.name, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: "testdata",
				Condition: func(cond string) (bool, error) {
					return cond == "server" && on.server || cond == "postgres" && on.postgres, nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"running": cmdRunning, "mode": cmdMode, "damage": cmdDamage},
				Setup: func(env *testscript.Env) error {
					env.Setenv("DUYET_DATA", env.WorkDir+"/data")
					// A program that is built with the race detector waits for a second at its end,
					// and the scripts call hundreds.
					env.Setenv("GORACE", "atexit_sleep_ms=10")
					if !on.postgres {
						return nil
					}
					dsn, err := cluster.New(t.Context())
					env.Setenv("DUYET_STORE", dsn)
					return err
				},
			})
		})
	}
}

// cmdRunning waits until a server answers on the data folder, or with "!" until none does.
func cmdRunning(ts *testscript.TestScript, neg bool, _ []string) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if control.Running(context.Background(), ts.Getenv("DUYET_DATA")) != neg {
			return
		}
	}
	ts.Fatalf("no change of the server in 20 s")
}

// cmdMode checks a file's permissions: mode 0600 FILE.
func cmdMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm().String(); got != map[string]string{"0600": "-rw-------", "0700": "-rwx------"}[args[0]] {
		ts.Fatalf("%s is %s", args[1], got)
	}
}

// cmdDamage spoils a file: damage flip|cut|empty|foreign FILE.
func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[1])
	data, err := os.ReadFile(path)
	ts.Check(err)
	switch args[0] {
	case "flip":
		for i := range data {
			if i%4096 > 64 {
				data[i] ^= 0x55
			}
		}
	case "cut":
		data = data[:len(data)/2]
	case "empty":
		data = nil
	case "foreign":
		data = []byte("-- a shopping list\n")
	}
	ts.Check(os.WriteFile(path, data, 0o600))
}
