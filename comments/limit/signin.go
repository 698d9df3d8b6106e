package limit

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"duyet/comments"
)

// Rules for signing in: failures of one account, and from one network.
const (
	AccountFailures = 10
	NetworkFailures = 30
	FailuresPer     = 15 * time.Minute
)

// SignIn slows sign-in down after failures. It counts for addresses that are no account
// just as for accounts, so that its answer does not tell which is which. It is safe for
// concurrent use and bounded like Limiter.
type SignIn struct {
	accounts *table[[sha256.Size]byte]
	networks *table[netip.Prefix]
}

// NewSignIn makes a SignIn that remembers at most most accounts and as many networks.
func NewSignIn(most int, now func() time.Time) (*SignIn, error) {
	accounts, err := newTable[[sha256.Size]byte]([]Rule{{Most: AccountFailures, Per: FailuresPer}}, most, now)
	if err != nil {
		return nil, err
	}
	networks, err := newTable[netip.Prefix]([]Rule{{Most: NetworkFailures, Per: FailuresPer}}, most, now)
	if err != nil {
		return nil, err
	}
	return &SignIn{accounts: accounts, networks: networks}, nil
}

// Allow is a *comments.LimitedError while the account or the network has failed too often,
// and counts nothing. email is canonical; "" is no account and is limited by network alone.
func (s *SignIn) Allow(email string, addr netip.Addr) error {
	wait := s.networks.peek(whole(Network(addr)))
	if email != "" {
		wait = max(wait, s.accounts.peek(whole(account(email))))
	}
	if wait > 0 {
		return &comments.LimitedError{RetryAfter: wait}
	}
	return nil
}

// Failed counts a failure of the account and from the network.
func (s *SignIn) Failed(email string, addr netip.Addr) {
	s.networks.add(whole(Network(addr)))
	if email != "" {
		s.accounts.add(whole(account(email)))
	}
}

// account has a fixed size however long the address is.
func account(email string) [sha256.Size]byte { return sha256.Sum256([]byte(email)) }
