package main

import (
	"testing"
	"time"
)

// TestAttack: a flood is met, readers get through it, and it is over by itself. How fast
// is the benchmark's to say.
func TestAttack(t *testing.T) {
	a := attackCmd{Posts: 1500, Networks: 400, Rate: 500, Readers: 3}
	r, err := a.attack(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.lost != 0 || len(r.honest) != a.Readers || r.failed != 0 {
		t.Errorf("%d of %d readers are lost, %d faults", r.lost, a.Readers, r.failed)
	}
	if r.raisedAfter == 0 || r.loose > 150 {
		t.Errorf("attack mode was on after %d comments, and %d were held by nothing", r.raisedAfter, r.loose)
	}
	if r.heldReaders != 0 {
		t.Errorf("%d readers' comments are held", r.heldReaders)
	}
	if r.topReaders == 0 {
		t.Errorf("of %d comments on the first page that no check holds, none is a reader's", r.top)
	}
	if r.loweredAfter < 28*time.Minute || r.loweredAfter > 33*time.Minute {
		t.Errorf("attack mode was off after %s", r.loweredAfter)
	}
	if r.heap > 256<<20 {
		t.Errorf("%d bytes were in use", r.heap)
	}
}
