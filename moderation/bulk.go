package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
	"duyet/comments/search"
)

// Kinds of events about bulk decisions, whose Subject is "bulk/ID"; the decisions stand in
// the journal one by one beside them.
const (
	KindBulkStarted   comments.Kind = "bulk.started"
	KindBulkEnded     comments.Kind = "bulk.ended"
	KindBulkCancelled comments.Kind = "bulk.cancelled"
	KindBulkUndoing   comments.Kind = "bulk.undoing"
	KindBulkUndone    comments.Kind = "bulk.undone"
)

// Documents in which bulk decisions are kept: the job, and what it decided, chunk by chunk.
const (
	kindBulk      = "bulk"
	kindBulkChunk = "bulk_chunk" // id of the job, ".", number of the chunk
)

// Limits of bulk decisions.
const (
	BulkAtOnce = 5   // under way on one site
	BulkListed = 50  // jobs that are listed
	BulkLeft   = 100 // comments named that an undo has left alone
	bulkChunk  = 100 // comments decided in one transaction
)

// BulkState is how far a bulk decision has come.
type BulkState string

// States of a bulk decision.
const (
	BulkRunning   BulkState = "running"
	BulkDone      BulkState = "done"
	BulkCancelled BulkState = "cancelled" // by somebody
	BulkStopped   BulkState = "stopped"   // who asked for it may no longer decide on the site
	BulkUndoing   BulkState = "undoing"
	BulkUndone    BulkState = "undone"
)

// Bulk is one decision on all comments of a site that fit a filter. It is frozen: it is about
// what stood at Frozen in the site's journal, and passes over whatever has come or changed
// since. It works in chunks beside everything else and can be cancelled and undone.
type Bulk struct {
	ID      string    `json:"id"`
	Site    string    `json:"site"`
	By      string    `json:"by"` // a moderator's id
	At      time.Time `json:"at"`
	Queue   string    `json:"queue"` // a status, a QueueName, or "all"
	Filter  Narrowing `json:"filter"`
	Action  Action    `json:"action"`
	Reason  string    `json:"reason,omitempty"`
	Note    string    `json:"note,omitempty"`
	Frozen  uint64    `json:"frozen"`
	Found   int64     `json:"found"` // how many fitted when it began
	AtLeast bool      `json:"at_least,omitempty"`

	State   BulkState `json:"state"`
	Decided int64     `json:"decided"`
	Passed  int64     `json:"passed"` // changed since Frozen, or decided by others
	EndedAt time.Time `json:"ended_at,omitzero"`

	UndoneBy string        `json:"undone_by,omitempty"`
	Restored int64         `json:"restored,omitempty"`
	Kept     int64         `json:"kept,omitempty"` // changed since it was decided, so left as it is
	Left     []comments.ID `json:"left,omitempty"` // the first BulkLeft of those
	After    string        `json:"after,omitempty"`
	Chunks   int           `json:"chunks"`  // begun
	Settled  int           `json:"settled"` // known how they ended; Chunks or one less
	Undid    int           `json:"undid,omitempty"`
	Version  uint64        `json:"-"` // of the document
}

// Open reports whether the job is under way.
func (b Bulk) Open() bool { return b.State == BulkRunning || b.State == BulkUndoing }

// MayUndo reports whether there is something to take back.
func (b Bulk) MayUndo() bool {
	return b.Chunks > 0 && (b.State == BulkDone || b.State == BulkCancelled || b.State == BulkStopped)
}

// BulkAsk asks for a bulk decision.
type BulkAsk struct {
	// ID, of letters and digits, makes asking twice start one job; "" = one of ours.
	ID     string
	Site   string
	Queue  string // a status, a QueueName, or "all"
	Filter Narrowing
	Action Action
	Reason string
	Note   string
}

// bulkPick is a comment of a chunk at the version at which it is, or was, decided on.
type bulkPick struct {
	ID      comments.ID `json:"id"`
	Version uint64      `json:"version"`
}

// query is the list that a job goes through, without its site.
func bulkQuery(queue string, n Narrowing, place *time.Location) (QueueQuery, error) {
	asked, err := n.Query(place)
	if err != nil {
		return QueueQuery{}, err
	}
	q := QueueQuery{Asked: asked, Status: comments.Status(queue), Limit: bulkChunk}
	if queue == "all" {
		q.Status, q.All = "", true
	}
	if name := QueueName(queue); name.Valid() {
		q.Status, q.Queue = comments.Pending, name
	}
	return q, nil
}

// ErrBulkSites is a bulk decision whose words name another site than its own.
var ErrBulkSites = comments.Invalid("site", comments.CodeWrongType)

// StartBulk begins a bulk decision; RunBulk carries it out. Errors: comments.ErrForbidden, an
// InvalidError (an unknown action, undo among them; too much text), comments.ErrMalformed,
// a *search.UnreadError, comments.ErrConflict when as many as may be are under way.
func (s *Service) StartBulk(ctx context.Context, who Moderator, ask BulkAsk) (Bulk, error) {
	if err := s.allowed(ctx, who, Decide, ask.Site); err != nil {
		return Bulk{}, err
	}
	if ask.Site == comments.Installation {
		return Bulk{}, ErrBulkSites
	}
	d := Decision{Action: ask.Action, Reason: comments.Clean(ask.Reason), Note: comments.Clean(ask.Note)}
	if d.Action == Undo {
		d.Action = ""
	}
	if err := checkDecisions([]Decision{d}); err != nil {
		if invalid := (*comments.InvalidError)(nil); errors.As(err, &invalid) {
			for i, f := range invalid.Fields {
				invalid.Fields[i].Field = strings.TrimPrefix(f.Field, "decisions[0].")
			}
		}
		return Bulk{}, err
	}
	site, err := s.cfg.Comments.Site(ctx, ask.Site)
	if err != nil {
		return Bulk{}, err
	}
	q, err := bulkQuery(ask.Queue, ask.Filter, site.Settings.Location())
	if err != nil {
		return Bulk{}, err
	}
	if q.Asked.Site != "" && q.Asked.Site != ask.Site {
		return Bulk{}, ErrBulkSites
	}
	if ask.ID != "" {
		if b, err := s.bulk(ctx, ask.Site, ask.ID); err == nil && b.By == who.ID {
			return b, nil
		}
	} else {
		ask.ID = strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
	}
	open, err := s.openBulks(ctx, ask.Site)
	if err != nil {
		return Bulk{}, err
	}
	if len(open) >= BulkAtOnce {
		return Bulk{}, fmt.Errorf("%d bulk decisions are under way: %w", len(open), comments.ErrConflict)
	}
	// The head first: what comes between it and the count is passed over.
	head, err := s.cfg.Journal.Head(ctx, ask.Site)
	if err != nil {
		return Bulk{}, err
	}
	q.Site, q.Limit = ask.Site, 1
	page, err := s.Queue(ctx, who, q)
	if err != nil {
		return Bulk{}, err
	}
	b := Bulk{
		ID: ask.ID, Site: ask.Site, By: who.ID, At: s.cfg.Now().UTC(), Queue: ask.Queue, Filter: ask.Filter, Action: ask.Action,
		Reason: d.Reason, Note: d.Note, Frozen: head.Seq, Found: page.Total, AtLeast: page.AtLeast, State: BulkRunning,
	}
	err = s.putBulk(ctx, &b, who.ID, KindBulkStarted)
	return b, err
}

// Bulks are a site's latest bulk decisions, the newest first.
func (s *Service) Bulks(ctx context.Context, who Moderator, site string) ([]Bulk, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return nil, err
	}
	all, err := s.bulks(ctx, site)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Bulk) int { return b.At.Compare(a.At) })
	return all[:min(len(all), BulkListed)], nil
}

// Bulk is one bulk decision.
func (s *Service) Bulk(ctx context.Context, who Moderator, site, id string) (Bulk, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return Bulk{}, err
	}
	return s.bulk(ctx, site, id)
}

// CancelBulk keeps a bulk decision from going on: what it has decided stays decided. It is
// comments.ErrConflict for one that is not running. What is being decided at this moment may
// still be.
func (s *Service) CancelBulk(ctx context.Context, who Moderator, site, id string) (Bulk, error) {
	return s.turnBulk(ctx, who, site, id, KindBulkCancelled, func(b *Bulk) bool {
		if b.State != BulkRunning {
			return false
		}
		b.State, b.EndedAt = BulkCancelled, s.cfg.Now().UTC()
		b.Filter.Words = withoutNetworks(b.Filter.Words)
		return true
	})
}

// UndoBulk takes back all that a bulk decision has decided and nobody has changed since; the
// rest it names. It is comments.ErrConflict for one that is under way or has been undone.
func (s *Service) UndoBulk(ctx context.Context, who Moderator, site, id string) (Bulk, error) {
	return s.turnBulk(ctx, who, site, id, KindBulkUndoing, func(b *Bulk) bool {
		if !b.MayUndo() {
			return false
		}
		b.State, b.UndoneBy, b.EndedAt = BulkUndoing, who.ID, time.Time{} // one that was stopped goes on where it was
		return true
	})
}

// turnBulk changes a job that the runner may be changing as well.
func (s *Service) turnBulk(ctx context.Context, who Moderator, site, id string, kind comments.Kind, turn func(*Bulk) bool) (Bulk, error) {
	if err := s.allowed(ctx, who, Decide, site); err != nil {
		return Bulk{}, err
	}
	for {
		b, err := s.bulk(ctx, site, id)
		if err != nil {
			return Bulk{}, err
		}
		if !turn(&b) {
			return b, fmt.Errorf("bulk decision %s is %s: %w", id, b.State, comments.ErrConflict)
		}
		if err = s.putBulk(ctx, &b, who.ID, kind); !errors.Is(err, comments.ErrVersion) {
			return b, err
		}
		if ctx.Err() != nil {
			return Bulk{}, ctx.Err()
		}
	}
}

// withoutNetworks is what was searched for, without addresses: those are forgotten in time,
// and a job is not.
func withoutNetworks(words string) string {
	var kept []string
	for _, p := range search.Parts(words) {
		if p.Operator != "ip" {
			kept = append(kept, p.Text)
		}
	}
	return strings.Join(kept, " ")
}

func (s *Service) bulks(ctx context.Context, site string) ([]Bulk, error) {
	docs, err := s.cfg.Store.Documents(ctx, site, kindBulk)
	if err != nil {
		return nil, err
	}
	list := make([]Bulk, len(docs))
	for i, d := range docs {
		if list[i], err = readBulk(d); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) openBulks(ctx context.Context, site string) ([]Bulk, error) {
	all, err := s.bulks(ctx, site)
	return slices.DeleteFunc(all, func(b Bulk) bool { return !b.Open() }), err
}

func (s *Service) bulk(ctx context.Context, site, id string) (Bulk, error) {
	if !documentName(id, 40, false) {
		return Bulk{}, fmt.Errorf("bulk decision: %w", comments.ErrNotFound)
	}
	d, err := s.cfg.Store.Document(ctx, site, kindBulk, id)
	if err != nil {
		return Bulk{}, err
	}
	return readBulk(d)
}

func readBulk(d Document) (b Bulk, err error) {
	if err = json.Unmarshal(d.Data, &b); err != nil {
		return b, fmt.Errorf("%s: %w: %w", d.Subject(), comments.ErrDamaged, err)
	}
	b.Version = d.Version
	return b, nil
}

func (s *Service) putBulk(ctx context.Context, b *Bulk, actor string, kind comments.Kind) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	d, err := s.cfg.Store.PutDocument(ctx, Document{Site: b.Site, Kind: kindBulk, ID: b.ID, Version: b.Version, Data: data, By: actor}, kind)
	b.Version = d.Version
	return err
}
