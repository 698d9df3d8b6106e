package moderation_test

import (
	"errors"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

func TestWhoManagesWhom(t *testing.T) {
	h := newHouse(t)
	people := map[string]moderation.Moderator{
		"owner":       h.person("owner@bao.example", moderation.Owner),
		"site owner":  h.person("owner2@bao.example", moderation.Owner, "bao"),
		"admin":       h.person("admin@bao.example", moderation.Admin),
		"site admin":  h.person("admin2@bao.example", moderation.Admin, "bao"),
		"editor":      h.person("editor@bao.example", moderation.Editor),
		"site editor": h.person("editor2@bao.example", moderation.Editor, "bao"),
		"elsewhere":   h.person("editor3@bao.example", moderation.Editor, "khac"),
		"both":        h.person("viewer@bao.example", moderation.Viewer, "bao", "khac"),
	}
	manages := map[string][]string{
		"owner":      {"site owner", "admin", "site admin", "editor", "site editor", "elsewhere", "both"},
		"site owner": {"site admin", "site editor"},
		"admin":      {"editor", "site editor", "elsewhere", "both"},
		"site admin": {"site editor"},
	}
	for by, who := range people {
		may := map[string]bool{}
		for _, name := range manages[by] {
			may[name] = true
		}
		for name, m := range people {
			if got := who.Manages(m); got != may[name] {
				t.Errorf("%s manages %s: %t", by, name, got)
			}
			if may[name] {
				continue
			}
			before, err := h.Managed(t.Context(), people["owner"], m.ID)
			h.must(err)
			for what, try := range map[string]error{
				"reappoint": h.Reappoint(t.Context(), who, m.ID, m.Version, moderation.Viewer, m.Sites),
				"disable":   h.SetDisabled(t.Context(), who, m.ID, true),
				"sign out":  h.EndSessions(t.Context(), who, m.ID),
				"keys":      h.ResetKeys(t.Context(), who, m.ID),
				"remove":    h.Remove(t.Context(), who, m.ID),
			} {
				if !errors.Is(try, comments.ErrForbidden) && !errors.Is(try, comments.ErrNotFound) {
					t.Errorf("%s: %s %s: %v", by, what, name, try)
				}
			}
			if after, err := h.Managed(t.Context(), people["owner"], m.ID); err != nil || after.Version != before.Version {
				t.Errorf("%s changed %s: %v", by, name, err)
			}
		}
	}
}

func TestInviting(t *testing.T) {
	h := newHouse(t)
	owner, admin := h.person("owner@bao.example", moderation.Owner), h.person("admin@bao.example", moderation.Admin, "bao")
	editor := h.person("editor@bao.example", moderation.Editor)
	for name, try := range map[string]struct {
		by    moderation.Moderator
		email string
		role  moderation.Role
		sites []string
		want  error
	}{
		"by an editor":            {editor, "x@bao.example", moderation.Viewer, nil, comments.ErrForbidden},
		"an admin by an admin":    {admin, "x@bao.example", moderation.Admin, []string{"bao"}, comments.ErrForbidden},
		"beyond the own sites":    {admin, "x@bao.example", moderation.Editor, []string{"bao", "khac"}, comments.ErrForbidden},
		"for all sites":           {admin, "x@bao.example", moderation.Editor, nil, comments.ErrForbidden},
		"no address":              {owner, "x", moderation.Editor, nil, comments.ErrInvalid},
		"no role":                 {owner, "x@bao.example", "king", nil, comments.ErrInvalid},
		"no such site":            {owner, "x@bao.example", moderation.Editor, []string{"nope"}, comments.ErrInvalid},
		"somebody who is already": {owner, "editor@bao.example", moderation.Editor, nil, comments.ErrExists},
	} {
		if _, _, err := h.Invite(t.Context(), try.by, try.email, try.role, try.sites); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, not %v", name, err, try.want)
		}
	}
	m, link, err := h.Invite(t.Context(), admin, "New@bao.example", moderation.Editor, []string{"bao"})
	h.must(err)
	entry, err := h.UseLink(t.Context(), link)
	h.must(err)
	if entry.ID != m.ID || entry.Second || entry.Email != "new@bao.example" {
		t.Errorf("signed in: %+v", entry)
	}
	h.must(h.Reappoint(t.Context(), admin, m.ID, m.Version, moderation.Viewer, []string{"bao"}))
	if err := h.Reappoint(t.Context(), admin, m.ID, m.Version, moderation.Editor, []string{"bao"}); !errors.Is(err, comments.ErrVersion) {
		t.Errorf("over another's change: %v", err)
	}
	h.must(h.Remove(t.Context(), owner, m.ID))
	if _, err := h.Managed(t.Context(), owner, m.ID); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}
