package comments

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Challenge is a task that costs a machine time to solve and next to none to check, in
// the words of ALTCHA's proof of work, version 2: find the counter whose derived key
// begins with KeyPrefix. Field names are ALTCHA's.
type Challenge struct {
	Parameters ChallengeParameters `json:"parameters"`
	Signature  string              `json:"signature"`
}

// ChallengeParameters stand in the order of their names, which is how they are signed.
type ChallengeParameters struct {
	Algorithm string        `json:"algorithm"` // "PBKDF2/SHA-256"
	Cost      int           `json:"cost"`      // rounds
	Data      ChallengeData `json:"data"`
	ExpiresAt int64         `json:"expiresAt"` // Unix seconds
	KeyLength int           `json:"keyLength"` // bytes
	KeyPrefix string        `json:"keyPrefix"` // hexadecimal
	Nonce     string        `json:"nonce"`     // hexadecimal
	Salt      string        `json:"salt"`      // hexadecimal
}

// ChallengeData is what a challenge is good for.
type ChallengeData struct {
	Page string `json:"page"` // PageHash in hexadecimal; it covers the site
}

// Works sets challenges and judges what is sent for them; comments/work implements it.
type Works interface {
	// Challenge is a new one for a page. It writes nothing.
	Challenge(site, pageKey string, now time.Time) (Challenge, error)
	// Spend judges a proof and spends its challenge: nil lets one comment in. It looks at
	// the signature, the page and the expiry, then at whether the challenge is spent, and
	// only then does it derive one key. Every proof is looked at once. giveBack, never nil,
	// makes a good one good again when no comment was let in by it. Errors: ErrWork for a
	// proof that is no good, ErrUnavailable when it can't be told.
	Spend(ctx context.Context, proof, site, pageKey string, now time.Time) (giveBack func(), err error)
}

// ErrWork is a proof of work that is missing, wrong, expired or spent.
var ErrWork = errors.New("no proof of work")

// Challenge sets a task for a page, counted against the network of a reader like a ticket.
func (s *Service) Challenge(site Site, rawPage string, addr netip.Addr) (Challenge, error) {
	key, _, err := PageKey(site, rawPage)
	if err != nil {
		return Challenge{}, err
	}
	if err := s.Limit(site, PageHash(site.ID, key), MeterWork, addr); err != nil {
		return Challenge{}, err
	}
	return s.cfg.Works.Challenge(site.ID, key, s.cfg.Now())
}

// WantsWork reports whether a comment on a page should bring a proof of work: in attack
// mode, and where the site takes it instead of a code.
func (s *Service) WantsWork(site Site, rawPage string) bool {
	key, _, err := PageKey(site, rawPage)
	return err == nil && (site.Settings.Proof == ProofWork || s.cfg.Alarm.Raised(site, PageHash(site.ID, key)))
}

// WantsCode reports whether a comment on a page needs its code even with a proof of work.
func (s *Service) WantsCode(site Site, rawPage string) bool {
	key, _, err := PageKey(site, rawPage)
	return err != nil || site.Settings.Proof != ProofWork || s.cfg.Alarm.Raised(site, PageHash(site.ID, key))
}

// Values of the setting proof.
const (
	ProofCode = "code" // a code; work only in attack mode
	ProofWork = "work" // work, and the code where there is none; both in attack mode
)
