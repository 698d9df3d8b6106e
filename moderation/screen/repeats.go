package screen

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen/similar"
)

// What counts as recent, and as often.
const (
	repeatWindow  = 5000 // texts of a site
	repeatWithin  = 7 * 24 * time.Hour
	campaignLeast = 3  // texts alike, beside the one at hand, that are a campaign
	campaignText  = 60 // letters: shorter ones are said alike by chance
	burstLeast    = 30 // comments on one page within burstWithin
	burstWithin   = time.Minute
	sourceNames   = 3 // names under which one network has written within sourceWithin
	sourceWithin  = 10 * time.Minute
	sourcesMost   = 20_000 // networks remembered
)

// Repeats finds what was said before: it keeps a sketch of each recent comment of every site,
// whatever became of it, in memory, made anew at the start and kept up by the journal, other
// nodes' comments included. It is safe for concurrent use.
type Repeats struct {
	desk  Desk
	reads comments.CommentReader

	mu    sync.Mutex
	sites map[string]*recentTexts
}

// recentTexts is a site's window.
type recentTexts struct {
	index   *similar.Index
	of      map[comments.ID]comments.ID // a comment's campaign, named by its first
	pages   map[string][]time.Time
	sources map[netip.Prefix][]written
}

// written is that a network has sent something under a name.
type written struct {
	name string
	at   time.Time
}

// NewRepeats makes one. Let Observe hear of every commit, and call Warm once.
func NewRepeats(d Desk, reads comments.CommentReader) *Repeats {
	return &Repeats{desk: d, reads: reads, sites: map[string]*recentTexts{}}
}

func (r *Repeats) site(id string) *recentTexts {
	s := r.sites[id]
	if s == nil {
		s = &recentTexts{
			index: similar.New(repeatWindow, repeatWithin), of: map[comments.ID]comments.ID{},
			pages: map[string][]time.Time{}, sources: map[netip.Prefix][]written{},
		}
		r.sites[id] = s
	}
	return s
}

// Warm takes in the comments of the last days.
func (r *Repeats) Warm(ctx context.Context, site string) error {
	var list []comments.Comment
	_, _, err := recent(ctx, r.desk.Queues, site, r.desk.Now().Add(-repeatWithin), repeatWindow, func(c comments.Comment) {
		list = append(list, c)
	})
	slices.SortFunc(list, func(a, b comments.Comment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.site(site)
	for _, c := range list {
		if !s.index.Has(string(c.ID)) {
			s.add(c)
		}
	}
	return err
}

// Observe takes in what is posted or rewritten. It is a comments.Observer.
func (r *Repeats) Observe(c comments.Commit) {
	if c.Event.Kind == comments.KindSiteRemoved {
		r.mu.Lock()
		delete(r.sites, c.Event.Subject)
		r.mu.Unlock()
	}
	if c.Comment.ID == "" || c.Event.Kind != comments.KindSubmitted && c.Comment.EditedAt.IsZero() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.site(c.Event.Site)
	s.add(c.Comment)
	if c.Event.Kind == comments.KindSubmitted {
		s.pages[c.Page] = append(since(s.pages[c.Page], c.Event.At.Add(-burstWithin)), c.Event.At)
		if len(s.pages) > repeatWindow {
			clear(s.pages)
		}
	}
}

func since(times []time.Time, at time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
	return times[i:]
}

func (s *recentTexts) add(c comments.Comment) {
	s.index.Add(string(c.ID), learntText(c), c.CreatedAt)
	if campaign := campaignIn(c); campaign != "" {
		s.of[c.ID] = campaign
	}
	if len(s.of) > 2*repeatWindow {
		maps.DeleteFunc(s.of, func(id, _ comments.ID) bool { return !s.index.Has(string(id)) })
	}
}

// campaignIn is the campaign that a comment's own signals name.
func campaignIn(c comments.Comment) comments.ID {
	for _, g := range c.Signals {
		if g.Check == "repeats" && g.Args["campaign"] != "" {
			return comments.ID(g.Args["campaign"])
		}
	}
	return ""
}

// Check remarks on what was said before in nearly the same words ("near", with how many of the
// last week in Args "count"), holds what many have said ("campaign"), and remarks on one network
// that writes under several names ("names") and on a page that many write on at once ("burst").
// What is alike is one campaign, which Args "campaign" names by its first comment.
func (r *Repeats) Check() Check {
	return Check{
		Name:  "repeats",
		Codes: []string{"near", "campaign", "names", "burst"},
		Look: func(_ context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			r.mu.Lock()
			s := r.site(c.Site.ID)
			times := since(s.pages[c.Comment.Page], c.Now.Add(-burstWithin))
			names := s.names(c)
			r.mu.Unlock()
			text := learntText(c.Comment)
			var others []similar.Match
			for _, m := range s.index.Near(text) {
				if m.ID != string(c.Comment.ID) && c.Now.Sub(m.At) <= repeatWithin {
					others = append(others, m)
				}
			}
			if len(others) > 0 {
				r.mu.Lock()
				campaign := s.campaignOf(others)
				r.mu.Unlock()
				level, code := comments.LevelInfo, "near"
				if len(others) >= campaignLeast && letters(text) >= campaignText {
					level, code = comments.LevelHold, "campaign"
				}
				signals = append(signals, comments.Signal{Level: level, Code: code, Args: map[string]string{
					"count": strconv.Itoa(len(others)), "campaign": string(campaign),
				}})
			}
			if names >= sourceNames {
				signals = append(signals, comments.Signal{Level: comments.LevelInfo, Code: "names", Args: map[string]string{"count": strconv.Itoa(names)}})
			}
			if len(times) >= burstLeast {
				signals = append(signals, comments.Signal{Level: comments.LevelInfo, Code: "burst", Args: map[string]string{"count": strconv.Itoa(len(times))}})
			}
			return signals, nil
		},
	}
}

// campaignOf is the campaign of the texts alike: the one that most of them are of, else that of
// the oldest.
func (s *recentTexts) campaignOf(others []similar.Match) comments.ID {
	votes := map[comments.ID]int{}
	for _, m := range others {
		if c := s.of[comments.ID(m.ID)]; c != "" {
			votes[c]++
		}
	}
	best := comments.ID("")
	for _, c := range slices.Sorted(maps.Keys(votes)) {
		if best == "" || votes[c] > votes[best] {
			best = c
		}
	}
	if best != "" {
		return best
	}
	first := slices.MinFunc(others, func(a, b similar.Match) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return comments.ID(first.ID)
}

// names notes that a network writes, and is under how many names it has of late.
func (s *recentTexts) names(c comments.Candidate) int {
	if !c.Addr.IsValid() {
		return 0
	}
	bits := 32
	if c.Addr = c.Addr.Unmap(); c.Addr.Is6() {
		bits = 64
	}
	network, err := c.Addr.Prefix(bits)
	if err != nil {
		return 0
	}
	list := slices.DeleteFunc(s.sources[network], func(w written) bool { return c.Now.Sub(w.at) > sourceWithin })
	list = append(list, written{c.Comment.Name, c.Now})
	if len(s.sources) >= sourcesMost {
		clear(s.sources)
	}
	s.sources[network] = list[max(0, len(list)-burstLeast):]
	seen := map[string]bool{}
	for _, w := range list {
		seen[w.name] = true
	}
	return len(seen)
}

func letters(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// Campaign is the comments of the campaign that a comment is of, oldest first; none when it is
// of none. It reaches as far back as Repeats does.
func (r *Repeats) Campaign(ctx context.Context, who moderation.Moderator, id comments.ID) ([]comments.Comment, error) {
	if err := r.desk.Allowed(ctx, who, moderation.See, id.Site()); err != nil {
		return nil, err
	}
	r.mu.Lock()
	s := r.site(id.Site())
	campaign := cmp.Or(s.of[id], id)
	ids := []comments.ID{campaign}
	for member, of := range s.of {
		if of == campaign && member != campaign {
			ids = append(ids, member)
		}
	}
	r.mu.Unlock()
	if len(ids) == 1 {
		return nil, nil
	}
	slices.Sort(ids)
	var list []comments.Comment
	for _, id := range ids[max(0, len(ids)-moderation.DecisionsMost):] {
		c, err := r.reads.Comment(ctx, id)
		if err == nil {
			list = append(list, c)
		}
	}
	return list, nil
}
