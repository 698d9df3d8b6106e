package audience

import (
	"context"
	"sync"
)

// Memory is a Store that keeps nothing on a disk: for tests, and for whoever wants counts
// that start anew with the program. Its zero value is ready.
type Memory struct {
	mu    sync.Mutex
	sites map[string]*memorySite
}

type memorySite struct {
	kept     Kept // without the sketch
	sketches map[Day][]byte
	pages    map[string]int64
}

func (m *Memory) site(id string) *memorySite {
	s, ok := m.sites[id]
	if !ok {
		if m.sites == nil {
			m.sites = map[string]*memorySite{}
		}
		s = &memorySite{sketches: map[Day][]byte{}, pages: map[string]int64{}}
		m.sites[id] = s
	}
	return s
}

// LoadAudience implements Store.
func (m *Memory) LoadAudience(_ context.Context, site string, day Day, proposed Salts) (State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.site(site)
	k := s.kept
	k.Sketch = s.sketches[day]
	salts, _, err := k.Open(day, proposed)
	if err != nil {
		return State{}, err
	}
	s.kept.Summary = k.Summary
	return State{salts, k}, nil
}

// FlushAudience implements Store.
func (m *Memory) FlushAudience(_ context.Context, deltas []Delta) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range deltas { // all of it or nothing: a delta that doesn't fit is found first
		if d.Sketch != nil || d.Slots != nil {
			if err := new(Kept).Merge(d); err != nil {
				return err
			}
		}
	}
	for _, d := range deltas {
		if err := m.site(d.Site).add(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *memorySite) add(d Delta) error {
	k := s.kept
	k.Sketch = s.sketches[d.Day]
	if err := k.Merge(d); err != nil {
		return err
	}
	if s.kept.Summary, s.kept.Slots = k.Summary, k.Slots; k.Sketch != nil {
		s.sketches[d.Day] = k.Sketch
	}
	for day := range s.sketches {
		if day < d.Day-1 {
			delete(s.sketches, day)
		}
	}
	for page, n := range d.Pages {
		s.pages[page] += n
	}
	return nil
}

// PageViews implements Store.
func (m *Memory) PageViews(_ context.Context, site string, pages []string) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	views := make([]int64, len(pages))
	for i, p := range pages {
		if s, ok := m.sites[site]; ok {
			views[i] = s.pages[p]
		}
	}
	return views, nil
}
