package comments

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sites lists every site by id.
func (s *Service) Sites(ctx context.Context) ([]Site, error) { return s.cfg.Store.Sites(ctx) }

// AddSite adds a site with DefaultSettings. Errors: ErrBadSetting for an id, name or
// origin that doesn't do, ErrExists for an id that is taken.
func (s *Service) AddSite(ctx context.Context, id, name string, origins []string, actor string) (Site, error) {
	if !ValidSiteID(id) {
		return Site{}, fmt.Errorf("site id %q is not 1 to 32 of a-z, 0-9 and -: %w", id, ErrBadSetting)
	}
	site := Site{ID: id, Settings: DefaultSettings(), CreatedAt: s.cfg.Now().UTC()}
	if err := site.set("name", name); err != nil {
		return Site{}, err
	}
	if err := site.set("origins", strings.Join(origins, ",")); err != nil {
		return Site{}, err
	}
	return s.cfg.Store.AddSite(ctx, site, actor)
}

// Pair is a setting's key and its value as text.
type Pair struct{ Key, Value string }

// SetSite changes settings (SettingKeys, or "name" and "origins") in one step: all or none.
// Errors: ErrUnknownSite, ErrUnknownSetting, ErrBadSetting, ErrVersion when somebody else
// changed the site meanwhile.
func (s *Service) SetSite(ctx context.Context, id string, pairs []Pair, actor string) (Site, error) {
	site, err := s.cfg.Store.Site(ctx, id)
	if err != nil {
		return Site{}, err
	}
	return s.setSite(ctx, site, pairs, actor)
}

// SetSiteAt is SetSite if the site is still at a version, else ErrVersion.
func (s *Service) SetSiteAt(ctx context.Context, id string, version uint64, pairs []Pair, actor string) (Site, error) {
	site, err := s.cfg.Store.Site(ctx, id)
	if err == nil && site.Version != version {
		err = fmt.Errorf("site %s: %w", id, ErrVersion)
	}
	if err != nil {
		return Site{}, err
	}
	return s.setSite(ctx, site, pairs, actor)
}

// CheckSetting is nil for a value that a setting (or "name", "origins") can have.
func CheckSetting(key, value string) error {
	site := Site{Settings: DefaultSettings()}
	return site.set(key, value)
}

func (s *Service) setSite(ctx context.Context, site Site, pairs []Pair, actor string) (Site, error) {
	keys := make([]string, len(pairs))
	for i, p := range pairs {
		if err := site.set(p.Key, p.Value); err != nil {
			return Site{}, err
		}
		keys[i] = p.Key
	}
	return s.cfg.Store.ChangeSite(ctx, site, actor, strings.Join(keys, ","))
}

// Get is what set reads: a setting's text, or the name, or the origins with commas.
func (s Site) Get(key string) string {
	switch key {
	case "name":
		return s.Name
	case "origins":
		return strings.Join(s.Origins, ",")
	}
	return s.Settings.Get(key)
}

func (s *Site) set(key, value string) error {
	switch key {
	case "name":
		name, bad := textRule{"name", true, true, 200, TitleBytes}.check(value)
		if bad != nil || !utf8.ValidString(value) {
			return fmt.Errorf("name: one line of 1 to 200 characters: %w", ErrBadSetting)
		}
		s.Name = name
		return nil
	case "origins":
		var origins []string
		for raw := range strings.SplitSeq(value, ",") {
			origin, err := CanonicalOrigin(strings.TrimSpace(raw))
			if err != nil {
				return err
			}
			origins = append(origins, origin)
		}
		if len(origins) > 100 {
			return fmt.Errorf("at most 100 origins: %w", ErrBadSetting)
		}
		s.Origins = origins
		return nil
	}
	return s.Settings.Set(key, value)
}

// RemoveSite removes a site with everything that is its own. Unless force is set, a site
// that has comments is refused with ErrConflict.
func (s *Service) RemoveSite(ctx context.Context, id string, force bool, actor string) error {
	head, err := s.cfg.Store.Head(ctx, id)
	if err != nil {
		return err
	}
	if n := head.Counts.Total(); n > 0 && !force {
		return fmt.Errorf("site %s has %d comments: %w", id, n, ErrConflict)
	}
	return s.cfg.Store.RemoveSite(ctx, id, actor)
}
