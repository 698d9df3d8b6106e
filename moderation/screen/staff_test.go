package screen_test

import (
	"testing"

	"duyet/comments"
	"duyet/moderation/screen"
)

func TestStaffNamesAreKept(t *testing.T) {
	check := screen.StaffNames()
	site := comments.Site{ID: "bao", Name: "Báo", Version: 1, Settings: comments.Settings{Newsroom: "Tòa soạn", StaffNames: []string{"Ban biên tập", "…"}}}
	for name, held := range map[string]bool{
		"Tòa soạn": true, "Toà  Soạn": true, "Tòa s0ạn Báo": true, "Bаn biên tập": true, "Nguyễn Thị Hạnh": false, "Tóa Soan Minh": false,
	} {
		found, err := check.Look(t.Context(), comments.Candidate{Site: site, Comment: comments.Comment{Name: name}})
		if err != nil || (len(found) == 1) != held {
			t.Errorf("%q: %+v, %v", name, found, err)
		}
	}
	site.Version, site.Settings.StaffNames = 2, []string{"Nguyễn Thị Hạnh"}
	if found, _ := check.Look(t.Context(), comments.Candidate{Site: site, Comment: comments.Comment{Name: "Nguyễn Thị Hạnh"}}); len(found) != 1 || found[0].Level != comments.LevelHold {
		t.Errorf("a new name: %+v", found)
	}
}
