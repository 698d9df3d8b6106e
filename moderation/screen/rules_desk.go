package screen

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"duyet/comments"
	"duyet/moderation"
)

// Rules keeps the rules of all sites. It is safe for concurrent use.
type Rules struct {
	shelf   shelf[Rule]
	kept    *moderation.Keeper[*ruled]
	sites   SiteReader
	authors AuthorReader
}

// SiteReader finds a site quickly.
type SiteReader interface {
	Site(ctx context.Context, id string) (comments.Site, error)
}

// NewRules makes one. Let Observe hear of every commit.
func NewRules(d Desk, sites SiteReader, authors AuthorReader) *Rules {
	r := &Rules{sites: sites, authors: authors, shelf: shelf[Rule]{
		desk: d, kind: KindRules, changed: KindRuleChanged, removed: KindRuleRemoved, most: RulesMost,
		at: func(r *Rule) *card { return &r.card },
	}}
	r.kept = moderation.NewKeeper(d.Documents, KindRules, func(_ string, documents []moderation.Document) (*ruled, error) {
		list, err := r.shelf.readAll(documents)
		slices.SortFunc(list, inOrder)
		return &ruled{list, linkPattern()}, err
	})
	return r
}

// Observe is a comments.Observer.
func (r *Rules) Observe(c comments.Commit) { r.kept.Observe(c) }

// inOrder compares rules by their places, and by name where these are the same.
func inOrder(x, y Rule) int {
	return cmp.Or(cmp.Compare(x.Order, y.Order), strings.Compare(x.Name, y.Name))
}

// All are a site's rules in their order. Errors: comments.ErrForbidden.
func (r *Rules) All(ctx context.Context, who moderation.Moderator, site string) ([]Rule, error) {
	list, err := r.shelf.all(ctx, who, site)
	slices.SortFunc(list, inOrder)
	return list, err
}

// Rule is one rule of a site. Errors: comments.ErrForbidden, ErrNotFound.
func (r *Rules) Rule(ctx context.Context, who moderation.Moderator, site, id string) (Rule, error) {
	return r.shelf.one(ctx, who, site, id)
}

// Move moves a rule so many places on, or back. Errors are those of Put.
func (r *Rules) Move(ctx context.Context, who moderation.Moderator, site, id string, by int) error {
	if err := r.shelf.desk.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	list, err := r.All(ctx, who, site)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(x Rule) bool { return x.ID == id })
	if at < 0 {
		return comments.ErrNotFound
	}
	rule := list[at]
	list = slices.Delete(list, at, at+1)
	list = slices.Insert(list, min(max(at+by, 0), len(list)), rule)
	for i, x := range list {
		if x.Order == i+1 {
			continue
		}
		x.Order = i + 1
		if _, err := r.shelf.put(ctx, who, x); err != nil {
			return err
		}
	}
	return nil
}

// Put stores a rule if the one that stands is still at its version; without an id it is a
// new one. Errors: comments.ErrForbidden, an InvalidError, ErrVersion, ErrNotFound.
func (r *Rules) Put(ctx context.Context, who moderation.Moderator, rule Rule) (Rule, error) {
	if err := r.shelf.desk.Allowed(ctx, who, moderation.ManageSite, rule.Site); err != nil {
		return rule, err
	}
	rule, err := rule.canonical()
	if err != nil {
		return rule, err
	}
	if rule.ID == "" && rule.Order == 0 {
		list, err := r.All(ctx, who, rule.Site)
		if err != nil {
			return rule, err
		}
		if len(list) > 0 {
			rule.Order = list[len(list)-1].Order + 1
		}
	}
	return r.shelf.put(ctx, who, rule)
}

// Remove removes a rule at the version it was seen at.
func (r *Rules) Remove(ctx context.Context, who moderation.Moderator, site, id string, version uint64) error {
	if err := r.shelf.desk.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	return r.shelf.remove(ctx, who, site, id, version)
}

// Simulate tells what a rule would have done in the last thirty days, and how people
// decided on those comments.
func (r *Rules) Simulate(ctx context.Context, who moderation.Moderator, rule Rule) (Past, error) {
	d := r.shelf.desk
	if err := d.Allowed(ctx, who, moderation.See, rule.Site); err != nil {
		return Past{}, err
	}
	rule, err := rule.canonical()
	if err != nil {
		return Past{}, err
	}
	site, err := r.sites.Site(ctx, rule.Site)
	if err != nil {
		return Past{}, err
	}
	rule.Off = false
	one, zone := &ruled{[]Rule{rule}, linkPattern()}, site.Settings.Location()
	var p Past
	var failed error
	p.Looked, p.Cut, err = recent(ctx, d.Queues, rule.Site, d.Now().Add(-LookBack), lookBackMost, func(c comments.Comment) {
		if failed != nil {
			return
		}
		others := slices.DeleteFunc(slices.Clone(c.Signals), func(s comments.Signal) bool { return s.Check == comments.CheckRule })
		met, err := one.met(ctx, c, others, zone, r.authors)
		if failed = err; len(met) > 0 {
			p.add(PastHit{Comment: c})
		}
	})
	p.trim()
	if err == nil {
		err = failed
	}
	return p, err
}
