package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRecipes holds the files in deploy to the program: flags and variables are real, the
// balancers ask what nodes answer, and more often than a node that ends waits for.
func TestRecipes(t *testing.T) {
	file := func(name string) string {
		t.Helper()
		b, err := os.ReadFile("deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := func(pattern, text string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("nothing fits %s", pattern)
		}
		return m[1]
	}
	unit := file("duyet.service")
	for _, m := range regexp.MustCompile(`(?m)^#\s+(DUYET_\w+)=(\S+)`).FindAllStringSubmatch(unit, -1) {
		t.Setenv(m[1], m[2])
	}
	var c cli
	args := strings.Fields(first(`(?m)^ExecStart=/usr/local/bin/duyet (.*)$`, unit))
	leaf, err := parse(&c, args, io.Discard, io.Discard)
	if err != nil || leaf == nil || leaf.Name != "serve" {
		t.Fatalf("duyet %s: %v", strings.Join(args, " "), err)
	}
	if err := c.Store.Validate(); err != nil || c.Store.DSN == "" || c.Serve.ReadStore == "" {
		t.Errorf("the stores of the unit: %q, %q, %v", c.Store.DSN, c.Serve.ReadStore, err)
	}
	for name, interval := range map[string]string{
		"haproxy.cfg": `check inter (\w+)`, "Caddyfile": `health_interval (\w+)`,
	} {
		text := file(name)
		every, err := time.ParseDuration(first(interval, text))
		if err != nil || 2*every > c.Serve.DrainDelay {
			t.Errorf("%s asks every %s, %v; a node that ends waits %s", name, every, err, c.Serve.DrainDelay)
		}
		if !strings.Contains(text, "/readyz") {
			t.Errorf("%s does not ask /readyz", name)
		}
		for _, address := range []string{"10.0.0.11:8080", "10.0.0.12:8080"} {
			if strings.Count(text, address) != 2 {
				t.Errorf("%s: %s is not in both groups", name, address)
			}
		}
	}
	// And what the text tells to type.
	for _, m := range regexp.MustCompile("`duyet (move [^`]+|audit verify)`").FindAllStringSubmatch(file("README.md"), -1) {
		if _, err := parse(new(cli), strings.Fields(m[1]), io.Discard, io.Discard); err != nil {
			t.Errorf("duyet %s: %v", m[1], err)
		}
	}
}
