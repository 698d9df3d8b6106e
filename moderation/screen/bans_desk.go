package screen

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// Bans keeps the bans of all sites: in the store, and ready in memory, anew when the
// journal tells of a change. It is safe for concurrent use.
type Bans struct {
	shelf shelf[Ban]
	kept  *moderation.Keeper[*banned]
}

// NewBans makes one. Let Observe hear of every commit.
func NewBans(d Desk) *Bans {
	b := &Bans{shelf: shelf[Ban]{
		desk: d, kind: KindBans, changed: KindBanMade, removed: KindBanLifted, most: BansMost,
		at: func(b *Ban) *card { return &b.card },
	}}
	b.kept = moderation.NewKeeper(d.Documents, KindBans, readBanned(b.shelf))
	return b
}

// Observe is a comments.Observer.
func (b *Bans) Observe(c comments.Commit) { b.kept.Observe(c) }

// All are a site's bans, the latest first. Errors: comments.ErrForbidden.
func (b *Bans) All(ctx context.Context, who moderation.Moderator, site string) ([]Ban, error) {
	list, err := b.shelf.all(ctx, who, site)
	slices.SortFunc(list, func(x, y Ban) int { return y.At.Compare(x.At) })
	return list, err
}

// Make bans; with an id it changes the ban that stands at that version. Everybody who may
// decide may ban, since both hold comments back and neither loses any. Errors:
// comments.ErrForbidden, an InvalidError, ErrVersion, ErrNotFound.
func (b *Bans) Make(ctx context.Context, who moderation.Moderator, ban Ban) (Ban, error) {
	if err := b.shelf.desk.Allowed(ctx, who, moderation.Decide, ban.Site); err != nil {
		return ban, err
	}
	ban, err := ban.canonical()
	if err != nil {
		return ban, err
	}
	return b.shelf.put(ctx, who, ban)
}

// Lift ends a ban at the version it was seen at. With bring, what it alone laid with the
// spam in the last thirty days, and nobody has looked at since, goes back to pending; it
// returns how many that were.
func (b *Bans) Lift(ctx context.Context, who moderation.Moderator, site, id string, version uint64, bring bool) (brought int, err error) {
	if err := b.shelf.desk.Allowed(ctx, who, moderation.Decide, site); err != nil {
		return 0, err
	}
	if err := b.shelf.remove(ctx, who, site, id, version); err != nil || !bring {
		return 0, err
	}
	var changes []moderation.Change
	back := func(c comments.Comment, _ comments.Transition) (*moderation.Step, error) {
		if c.Status != comments.Spam || c.Version != 1 {
			return nil, nil
		}
		return &moderation.Step{To: comments.Pending, Kind: moderation.KindRestored}, nil
	}
	since := b.shelf.desk.Now().Add(-LookBack)
	_, _, err = recentOf(ctx, b.shelf.desk.Queues, site, []comments.Status{comments.Spam}, since, lookBackMost, func(c comments.Comment) {
		if c.Version == 1 && byBanAlone(c, id) {
			changes = append(changes, moderation.Change{ID: c.ID, Actor: who.ID, Decide: back})
		}
	})
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(changes, moderation.DecisionsMost) {
		done, err := b.shelf.desk.Transitions.Transition(ctx, part)
		if err != nil {
			return brought, err
		}
		for _, d := range done {
			if d.Err == nil && d.Comment.Status == comments.Pending {
				brought++
			}
		}
	}
	return brought, nil
}

// byBanAlone reports whether one ban, and nothing else, laid a comment with the spam.
func byBanAlone(c comments.Comment, id string) bool {
	hit := false
	for _, s := range c.Signals {
		switch {
		case s.Level != comments.LevelSpam:
		case s.Check == comments.CheckBan && s.Args["ban"] == id:
			hit = true
		case s.Check == comments.CheckBan || s.Check == comments.CheckRule:
			return false
		}
	}
	return hit
}

// WouldHave tells what a ban would have hit in the last thirty days, and how that was
// decided. Of a network it knows only comments whose address is still kept.
func (b *Bans) WouldHave(ctx context.Context, who moderation.Moderator, ban Ban) (Past, error) {
	d := b.shelf.desk
	if err := d.Allowed(ctx, who, moderation.See, ban.Site); err != nil {
		return Past{}, err
	}
	ban, err := ban.canonical()
	if err != nil {
		return Past{}, err
	}
	ban.Expires = time.Time{}
	all := newBanned([]Ban{ban})
	var p Past
	hit := func(c comments.Comment, addr netip.Addr) {
		if len(all.find(c, addr, time.Time{})) > 0 {
			p.add(PastHit{Comment: c})
		}
	}
	var waiting []comments.Comment
	p.Looked, p.Cut, err = recent(ctx, d.Queues, ban.Site, d.Now().Add(-LookBack), lookBackMost, func(c comments.Comment) {
		if ban.Kind == BanNetwork {
			waiting = append(waiting, c)
		} else {
			hit(c, netip.Addr{})
		}
	})
	if err != nil {
		return p, err
	}
	for part := range slices.Chunk(waiting, 500) {
		ids := make([]comments.ID, len(part))
		for i, c := range part {
			ids[i] = c.ID
		}
		addrs, err := d.Addresses.Addresses(ctx, ids)
		if err != nil {
			return p, err
		}
		for _, c := range part {
			hit(c, addrs[c.ID])
		}
	}
	p.trim()
	return p, nil
}
