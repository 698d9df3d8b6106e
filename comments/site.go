package comments

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Site is a tenant: a newspaper or an office, the origins its articles are served from,
// and its settings.
type Site struct {
	ID        string
	Name      string
	Origins   []string // canonical: scheme, host in punycode, port when not the default
	Settings  Settings
	CreatedAt time.Time
	Version   uint64 // one more with every change

	// Aliases are former keys of pages that moved, with those that stand. Service.Site gives
	// them; stores keep them apart.
	Aliases map[string]string
}

// Allows reports whether origin (as a browser sends it) is one of the site's.
func (s Site) Allows(origin string) bool { return slices.Contains(s.Origins, origin) }

// ValidSiteID reports whether id is [a-z0-9-]{1,32}.
func ValidSiteID(id string) bool {
	if len(id) < 1 || len(id) > 32 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// CanonicalOrigin reads "https://Host:443/" as "https://host": lower case, punycode, no
// default port. Anything but an http or https origin is ErrBadSetting.
func CanonicalOrigin(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("origin %q is not like https://news.example: %w", raw, ErrBadSetting)
	}
	host := strings.ToLower(u.Hostname())
	if !strings.Contains(host, ":") {
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", fmt.Errorf("origin %q: %w", raw, ErrBadSetting)
		}
	} else {
		host = "[" + host + "]"
	}
	port := u.Port()
	if port != "" && !(u.Scheme == "http" && port == "80") && !(u.Scheme == "https" && port == "443") {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

// FieldRule says whether the form asks for a title.
type FieldRule string

// Rules for the title.
const (
	Required FieldRule = "required"
	Optional FieldRule = "optional"
	Off      FieldRule = "off"
)

// Mode says when a comment becomes public.
type Mode string

// Modes: after a moderator approved it, or at once unless a check holds it.
const (
	PreModerated  Mode = "pre"
	PostModerated Mode = "post"
)

// Settings are what a site decides for itself. The zero value is not usable; start from
// DefaultSettings.
type Settings struct {
	Lang         string // "vi", "en" or "auto" (from Accept-Language)
	Timezone     string // IANA name
	Title        FieldRule
	Mode         Mode
	NameMax      int           // user-perceived characters
	TitleMax     int           // likewise
	ContentMax   int           // likewise
	TicketTTL    time.Duration // how long a verification code is good for
	EditWindow   time.Duration // how long an author may edit or withdraw
	CloseAfter   time.Duration // age at which a page takes no more comments; 0 = never
	ReplyDepth   int           // levels of replies shown nested
	Likes        bool          // whether readers can like comments, and read the most liked first
	RulesURL     string        // "" = none
	PrivacyURL   string
	RateLimit    bool
	AttackMode   string   // AttackAuto, AttackOn or AttackOff
	Proof        string   // ProofCode or ProofWork
	OnSpam       string   // what becomes of a comment with a signal of level spam: OnSpamHold or OnSpamSpam
	DropParams   []string // query parameters dropped from page addresses beside the usual tracking ones
	Reasons      []string // codes a moderator may give
	AddressesFor time.Duration

	Newsroom   string        // the name that the newsroom answers under; "" = the site's
	StaffNames []string      // names that no reader may use, lookalikes included
	TrustAfter int           // approvals in a row after which an author's comments are published at once; 0 = never
	WarnAfter  time.Duration // how long a comment may wait before the desk warns; 0 = never warns
}

// What becomes of a comment that a check takes for spam: it waits among the suspects, or it
// goes to spam at once, where a moderator can still find it and bring it back.
const (
	OnSpamHold = "hold"
	OnSpamSpam = "spam"
)

// DefaultSettings are a new site's.
func DefaultSettings() Settings {
	return Settings{
		Lang: "vi", Timezone: "Asia/Ho_Chi_Minh", Title: Required, Mode: PreModerated,
		NameMax: 80, TitleMax: 200, ContentMax: 5000,
		TicketTTL: 30 * time.Minute, EditWindow: 15 * time.Minute, ReplyDepth: 3,
		Likes: true, RateLimit: true, AttackMode: AttackAuto, Proof: ProofCode, OnSpam: OnSpamHold,
		Reasons:      []string{"off-topic", "insult", "personal-data", "advertising", "unreadable", "other"},
		AddressesFor: 90 * 24 * time.Hour,
		WarnAfter:    30 * time.Minute,
	}
}

// Voice is the name that the newsroom answers under.
func (s Site) Voice() string {
	if s.Settings.Newsroom != "" {
		return s.Settings.Newsroom
	}
	return s.Name
}

// Location is the site's time zone; UTC when the machine does not know it.
func (s Settings) Location() *time.Location {
	if loc, err := time.LoadLocation(s.Timezone); err == nil {
		return loc
	}
	return time.UTC
}

// settingKey reads and writes one setting as text.
type settingKey struct {
	name string
	get  func(*Settings) string
	set  func(*Settings, string) error
}

var settingKeys = []settingKey{
	oneOf("lang", func(s *Settings) *string { return &s.Lang }, "vi", "en", "auto"),
	{"timezone", func(s *Settings) string { return s.Timezone }, func(s *Settings, v string) error {
		if _, err := time.LoadLocation(v); err != nil || v == "" || v == "Local" {
			return fmt.Errorf("%q is no time zone like Asia/Ho_Chi_Minh", v)
		}
		s.Timezone = v
		return nil
	}},
	oneOf("title", func(s *Settings) *FieldRule { return &s.Title }, Required, Optional, Off),
	oneOf("mode", func(s *Settings) *Mode { return &s.Mode }, PreModerated, PostModerated),
	number("name_max", func(s *Settings) *int { return &s.NameMax }, 1, 500),
	number("title_max", func(s *Settings) *int { return &s.TitleMax }, 1, 1000),
	number("content_max", func(s *Settings) *int { return &s.ContentMax }, 1, 20000),
	duration("ticket_ttl", func(s *Settings) *time.Duration { return &s.TicketTTL }, time.Second, 24*time.Hour),
	duration("edit_window", func(s *Settings) *time.Duration { return &s.EditWindow }, 0, 365*24*time.Hour),
	duration("close_after", func(s *Settings) *time.Duration { return &s.CloseAfter }, 0, 100*365*24*time.Hour),
	number("reply_depth", func(s *Settings) *int { return &s.ReplyDepth }, 0, 10),
	onOff("likes", func(s *Settings) *bool { return &s.Likes }),
	webAddress("rules_url", func(s *Settings) *string { return &s.RulesURL }),
	webAddress("privacy_url", func(s *Settings) *string { return &s.PrivacyURL }),
	onOff("rate_limit", func(s *Settings) *bool { return &s.RateLimit }),
	oneOf("attack_mode", func(s *Settings) *string { return &s.AttackMode }, AttackAuto, AttackOn, AttackOff),
	oneOf("on_spam", func(s *Settings) *string { return &s.OnSpam }, OnSpamHold, OnSpamSpam),
	oneOf("proof", func(s *Settings) *string { return &s.Proof }, ProofCode, ProofWork),
	list("drop_params", func(s *Settings) *[]string { return &s.DropParams }),
	list("reasons", func(s *Settings) *[]string { return &s.Reasons }),
	duration("addresses_for", func(s *Settings) *time.Duration { return &s.AddressesFor }, 0, 10*365*24*time.Hour),
	{"newsroom", func(s *Settings) string { return s.Newsroom }, func(s *Settings, v string) error {
		name, bad := textRule{"newsroom", false, true, 80, NameBytes}.check(v)
		if bad != nil {
			return fmt.Errorf("one line of at most 80 characters")
		}
		s.Newsroom = name
		return nil
	}},
	list("staff_names", func(s *Settings) *[]string { return &s.StaffNames }),
	number("trust_after", func(s *Settings) *int { return &s.TrustAfter }, 0, TrustMost),
	duration("warn_after", func(s *Settings) *time.Duration { return &s.WarnAfter }, 0, 30*24*time.Hour),
}

// SettingKeys lists the keys that Set and Get know, in the order in which they are shown.
func SettingKeys() []string {
	keys := make([]string, len(settingKeys))
	for i, k := range settingKeys {
		keys[i] = k.name
	}
	return keys
}

// Set changes one setting from its text. The error wraps ErrUnknownSetting or
// ErrBadSetting and says what would be right; s is unchanged then.
func (s *Settings) Set(key, value string) error {
	for _, k := range settingKeys {
		if k.name == key {
			if err := k.set(s, value); err != nil {
				return fmt.Errorf("%s: %w: %w", key, err, ErrBadSetting)
			}
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s: %w", key, strings.Join(SettingKeys(), ", "), ErrUnknownSetting)
}

// Get is a setting's text, as Set reads it; "" for an unknown key.
func (s Settings) Get(key string) string {
	for _, k := range settingKeys {
		if k.name == key {
			return k.get(&s)
		}
	}
	return ""
}

func oneOf[T ~string](name string, field func(*Settings) *T, values ...T) settingKey {
	return settingKey{name, func(s *Settings) string { return string(*field(s)) }, func(s *Settings, v string) error {
		if !slices.Contains(values, T(v)) {
			return fmt.Errorf("%q is not one of %v", v, values)
		}
		*field(s) = T(v)
		return nil
	}}
}

func onOff(name string, field func(*Settings) *bool) settingKey {
	return settingKey{name, func(s *Settings) string {
		if *field(s) {
			return "on"
		}
		return "off"
	}, func(s *Settings, v string) error {
		if v != "on" && v != "off" {
			return fmt.Errorf("%q is neither on nor off", v)
		}
		*field(s) = v == "on"
		return nil
	}}
}

func number(name string, field func(*Settings) *int, least, most int) settingKey {
	return settingKey{name, func(s *Settings) string { return strconv.Itoa(*field(s)) }, func(s *Settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number from %d to %d", v, least, most)
		}
		*field(s) = n
		return nil
	}}
}

func duration(name string, field func(*Settings) *time.Duration, least, most time.Duration) settingKey {
	return settingKey{name, func(s *Settings) string { return field(s).String() }, func(s *Settings, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < least || d > most {
			return fmt.Errorf("%q is not a duration from %s to %s, like 30m", v, least, most)
		}
		*field(s) = d
		return nil
	}}
}

func webAddress(name string, field func(*Settings) *string) settingKey {
	return settingKey{name, func(s *Settings) string { return *field(s) }, func(s *Settings, v string) error {
		if v != "" {
			u, err := url.Parse(v)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || len(v) > 2000 {
				return fmt.Errorf("%q is not an http or https address", v)
			}
		}
		*field(s) = v
		return nil
	}}
}

func list(name string, field func(*Settings) *[]string) settingKey {
	return settingKey{name, func(s *Settings) string { return strings.Join(*field(s), ",") }, func(s *Settings, v string) error {
		var items []string
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				if len(item) > 64 || len(items) == 100 {
					return fmt.Errorf("at most 100 items of at most 64 bytes")
				}
				items = append(items, item)
			}
		}
		*field(s) = items
		return nil
	}}
}
