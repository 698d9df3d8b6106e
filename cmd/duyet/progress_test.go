package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgressIsForTerminals(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var errs bytes.Buffer
		e := &env{errs: &errs, terminal: terminal}
		progress, done := e.counting("checking")
		progress(1, 2)
		done()
		e.working("restoring")()
		if shown := strings.Contains(errs.String(), "checking"); shown != terminal {
			t.Errorf("terminal %v: %q", terminal, errs.String())
		}
	}
}
