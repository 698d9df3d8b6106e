package screen

import (
	"context"
	"sync"

	"duyet/comments"
	"duyet/moderation/screen/words"
)

// StaffNames holds a comment whose name holds one that the site keeps for its staff, or its
// own, however it is dressed up: "reserved". The newsroom's answers don't come this way.
func StaffNames() Check {
	var ready sync.Map // site id → staffNames
	return Check{
		Name:  "staff",
		Codes: []string{"reserved"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			names, _ := ready.Load(c.Site.ID)
			staff, ok := names.(staffNames)
			if !ok || staff.version != c.Site.Version {
				staff = newStaffNames(c.Site)
				ready.Store(c.Site.ID, staff)
			}
			var places []comments.Place
			for _, m := range staff.list.Find(c.Comment.Name) {
				places = append(places, comments.Place{Field: "name", Start: m.Start, End: m.End})
			}
			if places == nil {
				return nil, nil
			}
			return []comments.Signal{{Level: comments.LevelHold, Code: "reserved", Places: places[:min(len(places), placesMost)]}}, nil
		},
	}
}

// staffNames are a site's, ready to be looked for.
type staffNames struct {
	version uint64
	list    *words.List
}

// newStaffNames passes over what is no name, such as signs alone.
func newStaffNames(site comments.Site) staffNames {
	var entries []words.Entry
	names := append([]string{site.Settings.Newsroom}, site.Settings.StaffNames...)
	for _, name := range names {
		for _, loose := range []bool{false, true} {
			e := words.Entry{Text: name, Loose: loose}
			if _, err := words.Compile([]words.Entry{e}); err == nil {
				entries = append(entries, e)
				break
			}
		}
	}
	list, err := words.Compile(entries)
	if err != nil { // each has compiled alone
		list, _ = words.Compile(nil)
	}
	return staffNames{site.Version, list}
}
