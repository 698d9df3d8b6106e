package screen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen/words"
)

// Lists keeps the word lists of all sites: in the store, and compiled in memory, anew when the
// journal tells of a change. It is safe for concurrent use.
type Lists struct {
	desk Desk
	kept *moderation.Keeper[*compiled]
}

// Desk is what the parts of screening that people work with have in common.
type Desk struct {
	Documents moderation.DocumentStore
	Queues    moderation.QueueReader
	// Addresses and Transitions are for bans.
	Addresses   moderation.AddressReader
	Transitions moderation.Transitioner
	// Allowed is comments.ErrForbidden for who may not do that on a site; see
	// moderation.Service.Allowed.
	Allowed func(ctx context.Context, who moderation.Moderator, p moderation.Permission, site string) error
	Now     func() time.Time
}

// NewLists makes one. Let Observe hear of every commit.
func NewLists(d Desk) *Lists {
	return &Lists{desk: d, kept: moderation.NewKeeper(d.Documents, KindWords, compile)}
}

// Observe is a comments.Observer.
func (l *Lists) Observe(c comments.Commit) { l.kept.Observe(c) }

// All are the lists that a site's comments are looked through for: everybody's and its own.
func (l *Lists) All(ctx context.Context, who moderation.Moderator, site string) ([]WordList, error) {
	if err := l.desk.Allowed(ctx, who, moderation.See, site); err != nil {
		return nil, err
	}
	all, err := l.kept.Of(ctx, site)
	if err != nil {
		return nil, err
	}
	return slices.Clone(all.lists), nil
}

// List is one list of a site.
func (l *Lists) List(ctx context.Context, who moderation.Moderator, site, id string) (WordList, error) {
	if err := l.desk.Allowed(ctx, who, moderation.See, site); err != nil {
		return WordList{}, err
	}
	d, err := l.desk.Documents.Document(ctx, site, KindWords, id)
	if err != nil {
		return WordList{}, err
	}
	return readList(d)
}

// Put stores a list if the one that stands is still at its version; without an ID it is a new
// one. What is twice in it stands once. Errors: comments.ErrForbidden, an InvalidError,
// ErrVersion, ErrNotFound.
func (l *Lists) Put(ctx context.Context, who moderation.Moderator, list WordList) (WordList, error) {
	if err := l.desk.Allowed(ctx, who, moderation.ManageSite, list.Site); err != nil {
		return WordList{}, err
	}
	if list.ID == "" {
		list.ID, list.Version = strings.ToLower(rand.Text()[:10]), 0
	}
	list.Name, list.Hint = comments.Clean(list.Name), comments.Clean(list.Hint)
	list.Entries = tidy(list.Entries)
	if err := list.check(); err != nil {
		return WordList{}, err
	}
	data, err := json.Marshal(list)
	if err != nil {
		return WordList{}, err
	}
	stored, err := l.desk.Documents.PutDocument(ctx, moderation.Document{
		Site: list.Site, Kind: KindWords, ID: list.ID, Version: list.Version, Data: data, By: who.ID,
	}, KindWordsChanged)
	list.Version = stored.Version
	return list, err
}

// Remove removes a list of a site, at the version it was seen at.
func (l *Lists) Remove(ctx context.Context, who moderation.Moderator, site, id string, version uint64) error {
	if err := l.desk.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	return l.desk.Documents.RemoveDocument(ctx, moderation.Document{
		Site: site, Kind: KindWords, ID: id, Version: version, By: who.ID,
	}, KindWordsRemoved)
}

// tidy cleans the texts of entries; empty ones and those that stand already are left out.
func tidy(entries []Entry) []Entry {
	seen := map[Entry]bool{}
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		e.Text = strings.Join(strings.Fields(comments.Clean(e.Text)), " ")
		if e.Text != "" && !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}

// ParseEntries reads entries as people type or paste them, one a line: the word or phrase, with
// "~" before it to ignore diacritics, "*" before and after it to match inside words, "!" before
// it for an exception. Lines that begin with "#" are remarks. See FormatEntry.
func ParseEntries(text string) (entries []Entry) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var e Entry
		line, e.Allow = strings.CutPrefix(line, "!")
		line, e.Loose = strings.CutPrefix(line, "~")
		if rest, ok := strings.CutPrefix(line, "*"); ok && strings.HasSuffix(rest, "*") && len(rest) > 1 {
			line, e.Inside = strings.TrimSuffix(rest, "*"), true
		}
		e.Text = line
		entries = append(entries, e)
	}
	return tidy(entries)
}

// FormatEntry is an entry as ParseEntries reads it.
func FormatEntry(e Entry) string {
	s := e.Text
	if e.Inside {
		s = "*" + s + "*"
	}
	if e.Loose {
		s = "~" + s
	}
	if e.Allow {
		s = "!" + s
	}
	return s
}

// Try looks a text through for the words of a site's lists, and of one more that is not stored
// yet, if there is one.
func (l *Lists) Try(ctx context.Context, who moderation.Moderator, site, text string, more *WordList) ([]Hit, error) {
	if err := l.desk.Allowed(ctx, who, moderation.See, site); err != nil {
		return nil, err
	}
	if len(text) > comments.ContentBytes {
		return nil, comments.Invalid("text", comments.CodeTooLong)
	}
	all, err := l.kept.Of(ctx, site)
	if err != nil {
		return nil, err
	}
	if more != nil {
		if err := more.check(); err != nil {
			return nil, err
		}
		lists := slices.DeleteFunc(slices.Clone(all.lists), func(w WordList) bool { return w.ID == more.ID && w.Site == more.Site })
		if all, err = compileLists(append(lists, *more)); err != nil {
			return nil, err
		}
	}
	return all.find(comments.Comment{Content: text}), nil
}

// LookBack is how far back what a list would have hit is told, and lookBackMost at how many
// comments that ends.
const (
	LookBack     = 30 * 24 * time.Hour
	lookBackMost = 20_000
	lookBackShow = 10
)

// Past is what a list would have hit.
type Past struct {
	Looked   int  // comments looked through
	Cut      bool // there were more
	Hits     int  // comments hit
	ByStatus comments.Counts
	Examples []PastHit // the newest hit
}

// PastHit is a comment that a list hit, and its words.
type PastHit struct {
	Comment comments.Comment
	Words   []string
	Places  []comments.Place
}

// WouldHave tells what a list would have hit in the last thirty days, and how that was decided.
func (l *Lists) WouldHave(ctx context.Context, who moderation.Moderator, list WordList) (Past, error) {
	if err := l.desk.Allowed(ctx, who, moderation.See, list.Site); err != nil {
		return Past{}, err
	}
	if err := list.check(); err != nil {
		return Past{}, err
	}
	list.Off = false
	c, err := compileLists([]WordList{list})
	if errors.Is(err, words.ErrEntry) {
		return Past{}, comments.Invalid("entries", CodeBadEntry)
	}
	if err != nil {
		return Past{}, err
	}
	var p Past
	p.Looked, p.Cut, err = recent(ctx, l.desk.Queues, list.Site, l.desk.Now().Add(-LookBack), lookBackMost, func(comment comments.Comment) {
		hits := c.find(comment)
		if len(hits) == 0 {
			return
		}
		h := PastHit{Comment: comment}
		for _, hit := range hits {
			if !slices.Contains(h.Words, hit.Entry.Text) {
				h.Words = append(h.Words, hit.Entry.Text)
			}
			h.Places = append(h.Places, hit.Place)
		}
		p.add(h)
	})
	p.trim()
	return p, err
}

// add counts a comment that was hit.
func (p *Past) add(h PastHit) {
	p.Hits++
	p.ByStatus.Move("", h.Comment.Status)
	p.Examples = append(p.Examples, h)
	if len(p.Examples) > 100*lookBackShow {
		p.trim()
	}
}

// trim leaves the newest examples.
func (p *Past) trim() {
	slices.SortFunc(p.Examples, func(a, b PastHit) int { return b.Comment.CreatedAt.Compare(a.Comment.CreatedAt) })
	p.Examples = p.Examples[:min(len(p.Examples), lookBackShow)]
}

// recent visits a site's comments written since a time, whatever became of them, those of each
// status newest first, at most so many.
func recent(ctx context.Context, queues moderation.QueueReader, site string, since time.Time, most int, visit func(comments.Comment)) (seen int, cut bool, err error) {
	return recentOf(ctx, queues, site, comments.Statuses[:], since, most, visit)
}

// recentOf is recent for some statuses.
func recentOf(ctx context.Context, queues moderation.QueueReader, site string, statuses []comments.Status, since time.Time, most int, visit func(comments.Comment)) (seen int, cut bool, err error) {
	const page = 500
	for _, status := range statuses {
		after := comments.ID("")
		for done := false; !done; {
			list, err := queues.Queue(ctx, moderation.QueueFilter{Site: site, Status: status, Order: comments.Newest, After: after, Limit: page})
			if err != nil {
				return seen, cut, fmt.Errorf("recent comments: %w", err)
			}
			done = len(list) < page
			for _, c := range list {
				if c.CreatedAt.Before(since) {
					done = true
					break
				}
				if seen == most {
					return seen, true, nil
				}
				seen++
				visit(c)
			}
			if !done {
				after = list[len(list)-1].ID
			}
		}
	}
	return seen, cut, nil
}
