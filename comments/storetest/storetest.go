// Package storetest is the contract of comments.Store as a test: every store runs it.
// Each promise in comments/store.go is a subtest of that name. What a restart or a crash
// does to a store is each store's own to test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
)

// Run runs the suite. open makes an empty store, closed and checked by a cleanup.
func Run(t *testing.T, open func(t *testing.T) comments.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *Bench)
	}{
		{"Sites", sites},
		{"SiteVersions", siteVersions},
		{"SiteRemoval", siteRemoval},
		{"SitesApart", sitesApart},
		{"Create", create},
		{"CreateKeepsPage", createKeepsPage},
		{"CreateParent", createParent},
		{"CreateRefused", createRefused},
		{"CreateRoot", createRoot},
		{"TicketSpent", ticketSpent},
		{"TicketRace", ticketRace},
		{"Isolation", isolation},
		{"Thread", thread},
		{"ThreadCursorGone", threadCursorGone},
		{"ThreadPagesApart", threadPagesApart},
		{"Latest", latest},
		{"Discussed", discussed},
		{"PageMerge", pageMerge},
		{"PageRename", pageRename},
		{"PageMoveRefused", pageMoveRefused},
		{"Trees", trees},
		{"TreesOutlive", treesOutlive},
		{"TreesMove", treesMove},
		{"Likes", likes},
		{"MostLiked", mostLiked},
		{"LikesRacing", likesRacing},
		{"Amend", amend},
		{"AmendAside", amendAside},
		{"AmendRefused", amendRefused},
		{"AmendRevisions", amendRevisions},
		{"Edited", edited},
		{"Queues", queues},
		{"ByRisk", byRisk},
		{"QueueOfAll", queueOfAll},
		{"WrittenAt", writtenAt},
		{"FromNetwork", fromNetwork},
		{"Index", index},
		{"Written", written},
		{"Reports", reports},
		{"ReportsRacing", reportsRacing},
		{"ReportsPaid", reportsPaid},
		{"Codes", codes},
		{"CodesFilled", codesFilled},
		{"Absence", absence},
		{"Journal", journal},
		{"History", history},
		{"Chain", chain},
		{"Sweep", sweep},
		{"Observers", observers},
		{"ObserversRacing", observersRacing},
		{"Context", contexts},
		{"Times", times},
		{"SlicesAreTheCallers", slicesOwned},
		{"Model", model},
		{"ModelRacing", modelRacing},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, NewBench(t, open(t))) })
	}
}

// Bench is a store under test with what tests keep needing. moderation/storetest uses it
// too.
type Bench struct {
	T     testing.TB
	Store comments.Store
	Ctx   context.Context
	count atomic.Int64
}

// NewBench puts a store on the bench.
func NewBench(t testing.TB, s comments.Store) *Bench {
	return &Bench{T: t, Store: s, Ctx: t.Context()}
}

// Start is when things begin to happen in tests.
var start = time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)

// Next is a number never given before and the moment that goes with it.
func (b *Bench) Next() (int64, time.Time) {
	n := b.count.Add(1)
	return n, start.Add(time.Duration(n) * time.Second)
}

// AddSite adds a site with default settings.
func (b *Bench) AddSite(id string) comments.Site {
	b.T.Helper()
	s, err := b.Store.AddSite(b.Ctx, comments.Site{
		ID: id, Name: "Báo " + id, Origins: []string{"https://" + id + ".example"},
		Settings: comments.DefaultSettings(), CreatedAt: start,
	}, comments.ActorOperator)
	b.Must(err)
	return s
}

// Creation is a comment ready to be created, with a ticket of its own.
func (b *Bench) Creation(site, page string, status comments.Status) comments.Creation {
	n, at := b.Next()
	id, err := comments.NewID(site)
	b.Must(err)
	return comments.Creation{
		Comment: comments.Comment{
			ID: id, Site: site, Page: page, Status: status, CreatedAt: at, Lang: "vi",
			Name: fmt.Sprintf("Bạn đọc %d", n), Title: "Góp ý", Content: fmt.Sprintf("Ý kiến thứ %d.\n\nRất hay!", n),
		},
		Page:   comments.Page{Site: site, Key: page, URL: page, Title: "Bài viết", CreatedAt: at},
		Ticket: comments.Spend{ID: ticketID(n), Expires: at.Add(time.Hour), Words: [32]byte{byte(n), byte(n >> 8), 1}},
		Author: comments.Author{Addr: netip.MustParseAddr("192.0.2.7"), Expires: at.Add(90 * 24 * time.Hour)},
		Actor:  comments.ActorReader,
	}
}

func ticketID(n int64) (id comments.TicketID) {
	for i := range 8 {
		id[i] = byte(n >> (8 * i))
	}
	id[15] = 1
	return id
}

// Create creates a comment that must be let in.
func (b *Bench) Create(c comments.Creation) comments.Comment {
	b.T.Helper()
	created, repeated, err := b.Store.Create(b.Ctx, c)
	b.Must(err)
	if repeated {
		b.T.Fatalf("create of %s: repeated", c.Comment.ID)
	}
	return created
}

// Post creates a plain comment.
func (b *Bench) Post(site, page string, status comments.Status) comments.Comment {
	b.T.Helper()
	return b.Create(b.Creation(site, page, status))
}

// Must ends the test on an error.
func (b *Bench) Must(err error) {
	b.T.Helper()
	if err != nil {
		b.T.Fatal(err)
	}
}

// Is ends the test unless an error is the one wanted.
func (b *Bench) Is(err, want error) {
	b.T.Helper()
	if !errors.Is(err, want) {
		b.T.Fatalf("error %v, want %v", err, want)
	}
}

// Equal ends the test unless two values are deeply equal.
func (b *Bench) Equal(what string, got, want any) {
	b.T.Helper()
	if !reflect.DeepEqual(got, want) {
		b.T.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// Head is a site's head.
func (b *Bench) Head(site string) comments.Head {
	b.T.Helper()
	h, err := b.Store.Head(b.Ctx, site)
	b.Must(err)
	return h
}

// Change amends a comment by what change does to it, with an event KindDecided of m-1.
func (b *Bench) Change(id comments.ID, change func(*comments.Comment)) comments.Comment {
	b.T.Helper()
	done, err := b.Store.Amend(b.Ctx, []comments.Amendment{Changing(id, "m-1", change)})
	b.Must(err)
	b.Must(done[0].Err)
	return done[0].Comment
}

// Changing is the amendment that Change makes.
func Changing(id comments.ID, actor string, change func(*comments.Comment)) comments.Amendment {
	return comments.Amendment{ID: id, Actor: actor, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		change(&c)
		return &comments.Step{Comment: c, Kind: comments.KindDecided}, nil
	}}
}

// Page is a page that must exist.
func (b *Bench) Page(site, key string) comments.Page {
	b.T.Helper()
	p, err := b.Store.Page(b.Ctx, site, key)
	b.Must(err)
	return p
}

// Unchanged ends the test unless a site's head is what it was: every change moves it.
func (b *Bench) Unchanged(site string, before comments.Head) {
	b.T.Helper()
	b.Equal("head of "+site+" after nothing happened", b.Head(site), before)
}

// Verify ends the test unless every given site's chain holds.
func (b *Bench) Verify(sites ...string) {
	b.T.Helper()
	for _, site := range append(sites, comments.Installation) {
		h, err := b.Store.VerifyChain(b.Ctx, site)
		b.Must(err)
		b.Equal("verified head of "+site, h, b.Head(site))
	}
}

// IDs are the ids of a list.
func IDs(list []comments.Comment) []comments.ID {
	ids := []comments.ID{}
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// ThreadIDs are the ids of a page's thread.
func (b *Bench) ThreadIDs(site, page string, sort comments.Sort, after comments.ID, limit int) []comments.ID {
	b.T.Helper()
	list, err := b.Store.Thread(b.Ctx, site, page, sort, after, limit)
	b.Must(err)
	return IDs(list)
}
