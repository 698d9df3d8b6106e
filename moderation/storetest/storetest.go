// Package storetest is the contract of moderation.Store as a test: every store runs it,
// beside comments/storetest. Each promise in moderation/store.go is a subtest.
package storetest

import (
	"errors"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/storetest"
	"duyet/moderation"
)

// Run runs the suite. open makes an empty store of both wings, closed and checked by a
// cleanup.
func Run(t *testing.T, open func(t *testing.T) (comments.Store, moderation.Store)) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"Queue", queue},
		{"Addresses", addresses},
		{"QueueCursorGone", queueCursorGone},
		{"QueueSuspect", queueSuspect},
		{"Transition", transition},
		{"TransitionDetail", transitionDetail},
		{"TransitionResults", transitionResults},
		{"TransitionInOrder", transitionInOrder},
		{"TransitionThread", transitionThread},
		{"TransitionInPlace", transitionInPlace},
		{"TransitionRace", transitionRace},
		{"TransitionIsolation", transitionIsolation},
		{"TransitionObserved", transitionObserved},
		{"Context", contexts},
		{"People", people},
		{"PeopleVersions", peopleVersions},
		{"PeopleRemoval", peopleRemoval},
		{"Tokens", tokens},
		{"TokensListed", tokensListed},
		{"Links", links},
		{"LinkRace", linkRace},
		{"SignedIn", signedIn},
		{"Sessions", sessions},
		{"SweepSignIn", sweepSignIn},
		{"Leases", leases},
		{"Documents", documents},
		{"DocumentVersions", documentVersions},
		{"DocumentEvents", documentEvents},
		{"DocumentRace", documentRace},
		{"DocumentsGoWithTheSite", documentsGoWithTheSite},
		{"DocumentKeeper", documentKeeper},
		{"Model", model},
		{"ModelRacing", modelRacing},
	} {
		t.Run(c.name, func(t *testing.T) {
			readers, moderators := open(t)
			c.test(t, &bench{storetest.NewBench(t, readers), moderators})
		})
	}
}

type bench struct {
	*storetest.Bench
	desk moderation.Store
}

var start = time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)

// to is a change that asks nothing.
func to(id comments.ID, status comments.Status) moderation.Change {
	return moderation.Change{ID: id, Actor: "m-1", Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) {
		return &moderation.Step{To: status, Kind: comments.KindDecided}, nil
	}}
}

var errMoved = errors.New("moved")

// from is a compare-and-set on the version.
func from(id comments.ID, version uint64, status comments.Status, actor string) moderation.Change {
	return moderation.Change{ID: id, Actor: actor, Decide: func(c comments.Comment, last comments.Transition) (*moderation.Step, error) {
		if c.Version != version {
			return nil, errMoved
		}
		return &moderation.Step{To: status, Kind: comments.KindDecided}, nil
	}}
}

// move makes changes that must all succeed.
func (b *bench) move(changes ...moderation.Change) []comments.Comment {
	b.T.Helper()
	done, err := b.desk.Transition(b.Ctx, changes)
	b.Must(err)
	if len(done) != len(changes) {
		b.T.Fatalf("%d results of %d changes", len(done), len(changes))
	}
	var list []comments.Comment
	for _, d := range done {
		b.Must(d.Err)
		list = append(list, d.Comment)
	}
	return list
}

func (b *bench) queue(f moderation.QueueFilter) []comments.ID {
	b.T.Helper()
	list, err := b.desk.Queue(b.Ctx, f)
	b.Must(err)
	return storetest.IDs(list)
}

func (b *bench) queueCount(f moderation.QueueFilter) int64 {
	b.T.Helper()
	n, err := b.desk.QueueCount(b.Ctx, f)
	b.Must(err)
	return n
}

// suspected is a creation that a check suspects.
func (b *bench) suspected(site, page string, level comments.Level, status comments.Status) comments.Creation {
	c := b.Creation(site, page, status)
	c.Comment.Signals = []comments.Signal{{Check: "a", Level: comments.LevelInfo}, {Check: "b", Level: level, Code: "x"}}
	return c
}

// events are an installation's after a sequence number.
func (b *bench) events(after uint64) []comments.Transition {
	b.T.Helper()
	list, err := b.Store.Events(b.Ctx, comments.Installation, after, 1000)
	b.Must(err)
	return list
}

func (b *bench) lastEvent() comments.Transition {
	b.T.Helper()
	list := b.events(0)
	if len(list) == 0 {
		b.T.Fatal("no events")
	}
	return list[len(list)-1]
}
