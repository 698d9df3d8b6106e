package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"duyet/comments"
)

// Errors of moving. Each is told in one line that says what to do.
var (
	ErrTargetNotEmpty = errors.New("is not empty; move into an empty folder or database")
	ErrTargetOther    = errors.New("holds an unfinished move of another installation; empty it first")
	ErrMovedDiffers   = errors.New("what came over is not what is there: the source has changed meanwhile, or a disk is failing; see that nothing writes to the source and run the same 'duyet move' again, which begins anew")
)

// MoveOptions say what to move where. Each end is a data folder, or the address of a
// PostgreSQL database.
type MoveOptions struct {
	From, To string
	Dir      string // data folder whose secret.key opens a database that is the source
	Secret   string // DUYET_SECRET's text; "" = a secret.key
	Command  string
	Step     func(step string, done, total int64) // told how far it has come; nil = nobody
}

// Moved is what came over of one noun.
type Moved struct {
	Noun  string
	Count int64
	Hash  string
}

// MoveReport is how a move ended.
type MoveReport struct {
	Nouns   []Moved
	Resumed bool // went on where one that was interrupted had come
	Anew    bool // began again, since the source had changed after one that was interrupted
}

// note is how far a move has come, as the target keeps it.
type note struct {
	Installation string            `json:"installation"`
	Heads        map[string]string `json:"heads"` // of the source, by site
	Noun         string            `json:"noun"`
	After        []byte            `json:"after"`
	Done         int64             `json:"done"`
	Spoilt       bool              `json:"spoilt,omitempty"` // to be begun anew
}

// crateMost is how many records go in one transaction.
const crateMost = 1000

func most(n comments.Noun) int {
	if n.Most > 0 {
		return n.Most
	}
	return crateMost
}

// Move copies everything from one store into another that is empty, and reads both to the
// end to see that they hold the same. It refuses beside whoever else has either open, and
// goes on where it was interrupted. The source stays as it is.
func Move(ctx context.Context, o MoveOptions) (report MoveReport, err error) {
	from, err := openSource(ctx, o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	to, err := openTarget(ctx, o, from)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	m := &mover{from: from, to: to, step: o.Step}
	if m.step == nil {
		m.step = func(string, int64, int64) {}
	}
	if err := m.begin(ctx, &report); err != nil {
		return report, err
	}
	if err := m.copy(ctx); err != nil {
		return report, err
	}
	if report.Nouns, err = m.verify(ctx); err != nil {
		if errors.Is(err, ErrMovedDiffers) {
			m.note.Spoilt = true
			err = errors.Join(err, m.keep(ctx))
		}
		return report, err
	}
	return report, to.finish(ctx)
}

// mover is a move under way.
type mover struct {
	from, to *end
	note     note
	total    int64
	step     func(step string, done, total int64)
}

// begin finds where to go on, or prepares an empty target.
func (m *mover) begin(ctx context.Context, report *MoveReport) error {
	installation, err := m.from.installation(ctx)
	if err != nil {
		return err
	}
	heads, err := m.from.heads(ctx)
	if err != nil {
		return err
	}
	ends := map[string]string{}
	for site, h := range heads {
		ends[site] = fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Chain))
		m.total += int64(h.Seq) + h.Counts.Total()
	}
	kept, err := m.to.Note(ctx)
	if err != nil {
		return err
	}
	if kept != nil {
		if err := json.Unmarshal(kept, &m.note); err != nil || m.note.Installation != installation {
			return fmt.Errorf("%s %w", m.to.name, ErrTargetOther)
		}
		same := len(ends) == len(m.note.Heads)
		for site, end := range ends {
			same = same && m.note.Heads[site] == end
		}
		if same && !m.note.Spoilt {
			report.Resumed = true
			return nil
		}
		report.Anew = true
	} else if err := m.empty(ctx); err != nil {
		return err
	}
	m.note = note{Installation: installation, Heads: ends, Noun: m.from.Nouns()[0].Name}
	text, err := json.Marshal(m.note)
	if err != nil {
		return err
	}
	return m.to.begin(ctx, installation, text)
}

// empty is nil when the target holds nothing.
func (m *mover) empty(ctx context.Context) error {
	for _, n := range m.to.Nouns() {
		crates, err := n.Read(ctx, nil, 2)
		if err != nil {
			return err
		}
		// A new store has the installation's head, at nothing.
		if len(crates) == 0 || n.Name == "heads" && len(crates) == 1 && strings.Contains(string(crates[0].Data), `"Seq":0,`) {
			continue
		}
		return fmt.Errorf("%s %w", m.to.name, ErrTargetNotEmpty)
	}
	return nil
}

func (m *mover) keep(ctx context.Context) error {
	text, err := json.Marshal(m.note)
	if err != nil {
		return err
	}
	return m.to.PutNote(ctx, text)
}

// copy writes noun after noun, from where the note says.
func (m *mover) copy(ctx context.Context) error {
	nouns := m.from.Nouns()
	at := slices.IndexFunc(nouns, func(n comments.Noun) bool { return n.Name == m.note.Noun })
	if at < 0 {
		return fmt.Errorf("%s %w", m.to.name, ErrTargetOther)
	}
	for i, from := range nouns[at:] {
		if i > 0 {
			m.note.Noun, m.note.After = from.Name, nil
		}
		to, err := m.counterpart(from.Name)
		if err != nil {
			return err
		}
		if err := m.copyNoun(ctx, from, to); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) copyNoun(ctx context.Context, from, to comments.Noun) error {
	for {
		crates, err := from.Read(ctx, m.note.After, most(from))
		if err != nil {
			return fmt.Errorf("read %s: %w", from.Name, err)
		}
		if len(crates) == 0 {
			return nil
		}
		m.note.After, m.note.Done = crates[len(crates)-1].Place, m.note.Done+int64(len(crates))
		text, err := json.Marshal(m.note)
		if err != nil {
			return err
		}
		if err := to.Write(ctx, crates, text); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		m.step("moving "+from.Name, m.note.Done, max(m.total, m.note.Done))
	}
}

func (m *mover) counterpart(name string) (comments.Noun, error) {
	for _, n := range m.to.Nouns() {
		if n.Name == name {
			return n, nil
		}
	}
	return comments.Noun{}, fmt.Errorf("%s has no %s", m.to.name, name)
}

// verify reads both stores to the end, and has the target recount what it counts.
func (m *mover) verify(ctx context.Context) (all []Moved, err error) {
	var done int64
	for _, from := range m.from.Nouns() {
		to, err := m.counterpart(from.Name)
		if err != nil {
			return nil, err
		}
		var tallies [2]comments.Tally
		for i, n := range []comments.Noun{from, to} {
			for after := []byte(nil); ; {
				crates, err := n.Read(ctx, after, most(n))
				if err != nil {
					return nil, fmt.Errorf("read %s: %w", n.Name, err)
				}
				if len(crates) == 0 {
					break
				}
				for _, c := range crates {
					tallies[i].Add(c)
				}
				after = crates[len(crates)-1].Place
				done += int64(len(crates))
				m.step("verifying "+n.Name, done, max(2*m.note.Done, done))
			}
		}
		if tallies[0] != tallies[1] {
			return nil, fmt.Errorf("%s (%d, %d there): %w", from.Name, tallies[0].Count, tallies[1].Count, ErrMovedDiffers)
		}
		all = append(all, Moved{Noun: from.Name, Count: tallies[1].Count, Hash: tallies[1].Hash()})
	}
	problems, err := m.to.check(ctx, func(done, total int64) { m.step("checking", done, total) })
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("%s: %w", problems[0], ErrMovedDiffers)
	}
	return all, err
}
