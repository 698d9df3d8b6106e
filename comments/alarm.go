package comments

// Alarm knows which sites and pages are under attack, from what arrives and from what
// people say; moderation/alarm implements it. All methods are quick and touch no disk.
type Alarm interface {
	// Raised reports whether attack mode is on for the site, or for the page of that
	// PageHash alone. It adds a proof of work and halves the limits.
	Raised(site Site, page [16]byte) bool
	// Arrived tells of a comment sent, whatever becomes of it.
	Arrived(site Site, page Page)
	// Wrong tells of a wrong code.
	Wrong(site Site, page Page)
}

// Arrival is what came to a page in a minute, or to a site as a whole.
type Arrival struct {
	Site   string
	Page   [16]byte // PageHash, or nought for the whole site
	Minute int64    // since 1970
	Came   int64    // comments sent, whatever became of them
	Wrong  int64    // wrong codes
}

// Calm is an Alarm that the setting attack_mode=on alone raises.
type Calm struct{}

// Raised reports whether the site's setting says on.
func (Calm) Raised(site Site, _ [16]byte) bool { return site.Settings.AttackMode == AttackOn }

// Arrived does nothing.
func (Calm) Arrived(Site, Page) {}

// Wrong does nothing.
func (Calm) Wrong(Site, Page) {}

// Values of the setting attack_mode.
const (
	AttackAuto = "auto"
	AttackOn   = "on"
	AttackOff  = "off"
)
