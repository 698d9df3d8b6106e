package console

// keyGroup is a part of the table of keys.
type keyGroup struct {
	Words string
	Keys  []keyRow
}

// keyRow is a command with its keys: Fixed ones, and one of the person's choice if Map.
// Which keys those are the script knows, which alone listens to them.
type keyRow struct {
	Name, Words string
	Fixed       []string
	Map         bool
}

func (v *visit) keys() []keyGroup {
	own := func(name string, also ...string) keyRow {
		return keyRow{Name: name, Words: v.l.Say("keys." + name), Fixed: also, Map: true}
	}
	fixed := func(name string, keys ...string) keyRow {
		return keyRow{Name: name, Words: v.l.Say("keys." + name), Fixed: keys}
	}
	return []keyGroup{
		{v.l.Say("keys.deciding"), []keyRow{own("approve"), own("reject"), own("spam"), own("trash"), own("undo"), fixed("reason", "1", "…", "9")}},
		{v.l.Say("keys.moving"), []keyRow{own("next", "↓"), own("prev", "↑"), fixed("pick", "Space"), fixed("range", "Shift", "Space"), own("view"), own("search")}},
		{v.l.Say("keys.comment"), []keyRow{own("edit"), own("note"), own("ban")}},
		{v.l.Say("keys.general"), []keyRow{own("help"), fixed("close", "Esc")}},
	}
}
