package moderation

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"duyet/comments"
)

// Codes of what can be wrong with a code of the second step, and with an offer.
const (
	CodeWrongCode    = "wrong_code"
	CodeOfferExpired = "offer_expired"
)

const (
	totpStep   = 30 * time.Second
	totpSkew   = 1 // steps to either side, for clocks that differ
	totpIssuer = "Duyet"
	offerFor   = 15 * time.Minute

	recoveryCodes = 10
	recoveryBytes = 7 // 56 bits, against which guessing is throttled
)

// Offer is a secret for an authenticator app that is not in force yet: it stands in a form,
// sealed, until a first code proves that the app has it.
type Offer struct {
	Text   string // sealed, for the form
	Secret string // to type by hand: base32
	URL    string // otpauth://
}

type offer struct {
	Moderator string    `json:"m"`
	URL       string    `json:"u"`
	Until     time.Time `json:"t"`
}

// OfferTOTP makes a new secret for the person.
func (s *Service) OfferTOTP(who Moderator) (Offer, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: who.Email, Rand: rand.Reader})
	if err != nil {
		return Offer{}, fmt.Errorf("totp secret: %w", err)
	}
	plain, err := json.Marshal(offer{who.ID, key.URL(), s.cfg.Now().Add(offerFor)})
	if err != nil {
		return Offer{}, err
	}
	sealed, err := s.seal("offer", plain)
	return Offer{Text: base64.RawURLEncoding.EncodeToString(sealed), Secret: key.Secret(), URL: key.URL()}, err
}

// openOffer reads an offer that was made for the person.
func (s *Service) openOffer(who Moderator, text string) (*otp.Key, error) {
	expired := comments.Invalid("code", CodeOfferExpired)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 4<<10 {
		return nil, expired
	}
	plain, err := s.unseal("offer", raw)
	if err != nil {
		return nil, expired
	}
	var o offer
	if json.Unmarshal(plain, &o) != nil || o.Moderator != who.ID || !s.cfg.Now().Before(o.Until) {
		return nil, expired
	}
	return otp.NewKeyFromURL(o.URL)
}

// OfferAgain reads an offer as it came back from a form, to show it once more.
func (s *Service) OfferAgain(who Moderator, text string) (Offer, error) {
	key, err := s.openOffer(who, text)
	if err != nil {
		return Offer{}, err
	}
	return Offer{Text: text, Secret: key.Secret(), URL: key.URL()}, nil
}

// OfferImage is an offer as a QR code in PNG, of so many pixels a side.
func (s *Service) OfferImage(who Moderator, text string, side int) ([]byte, error) {
	key, err := s.openOffer(who, text)
	if err != nil {
		return nil, err
	}
	img, err := key.Image(side, side)
	if err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

// TakeTOTP puts an offer into force, if the code shows that the app has it, and returns the
// recovery codes, which are shown this once. Errors: InvalidError on "code" or "password".
func (s *Service) TakeTOTP(ctx context.Context, who Moderator, text, code, password string, from From) (recovery []string, err error) {
	key, err := s.openOffer(who, text)
	if err != nil {
		return nil, err
	}
	step := matchTOTP(key.Secret(), code, s.cfg.Now(), 0)
	if step == 0 {
		return nil, comments.Invalid("code", CodeWrongCode)
	}
	if err := s.confirm(ctx, who, password, from); err != nil {
		return nil, err
	}
	sealed, err := s.seal("totp "+who.ID, []byte(key.Secret()))
	if err != nil {
		return nil, err
	}
	recovery, hashes := newRecovery(who.ID)
	err = amendDocument(ctx, s, keysKind, who.ID, who.ID, KindTOTPAdded, func(k *Keys, _ *comments.Kind) error {
		k.TOTP = &TOTP{Sealed: sealed, AddedAt: s.cfg.Now().UTC(), LastStep: step}
		k.Recovery = hashes
		return nil
	})
	return recovery, err
}

// RenewRecovery makes new recovery codes in the place of the old ones.
func (s *Service) RenewRecovery(ctx context.Context, who Moderator, password string, from From) (recovery []string, err error) {
	if err := s.confirm(ctx, who, password, from); err != nil {
		return nil, err
	}
	recovery, hashes := newRecovery(who.ID)
	err = amendDocument(ctx, s, keysKind, who.ID, who.ID, KindRecoveryRenewed, func(k *Keys, _ *comments.Kind) error {
		if k.TOTP == nil {
			return comments.ErrNotFound
		}
		k.Recovery = hashes
		return nil
	})
	return recovery, err
}

func newRecovery(id string) (codes []string, hashes []Hash) {
	for range recoveryCodes {
		var b [recoveryBytes]byte
		rand.Read(b[:])
		text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:])
		hashes = append(hashes, recoveryHash(id, text))
	}
	return codes, hashes
}

func recoveryHash(id, code string) Hash {
	code = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '2' && r <= '7' {
			return r
		}
		return -1
	}, strings.ToLower(code))
	return HashOf("recovery\x00" + id + "\x00" + code)
}

// matchTOTP is the step whose code was typed, later than last, or 0.
func matchTOTP(secret, code string, now time.Time, last int64) int64 {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	at := now.Unix() / int64(totpStep/time.Second)
	for step := at - totpSkew; step <= at+totpSkew; step++ {
		if step <= last {
			continue
		}
		// ValidateCustom compares in constant time.
		ok, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok {
			return step
		}
	}
	return 0
}

// Second takes the second step of signing in: a code of the app, or a recovery code, which
// is used up. Errors: ErrBadSignIn, *comments.LimitedError after too many failures.
func (s *Service) Second(ctx context.Context, id, code string, from From) (Moderator, error) {
	m, err := s.Resume(ctx, id, s.cfg.Now())
	if err != nil {
		return Moderator{}, err
	}
	if err := s.allow(m.Email, from); err != nil {
		return Moderator{}, err
	}
	err = amendDocument(ctx, s, keysKind, m.ID, m.ID, "", func(k *Keys, event *comments.Kind) error {
		return s.useCode(m.ID, k, code, event)
	})
	if errors.Is(err, ErrBadSignIn) {
		s.failed(m.Email, from)
		return Moderator{}, errors.Join(err, s.cfg.Store.SignedIn(ctx, m.ID, KindSignInFailed))
	}
	if err != nil {
		return Moderator{}, err
	}
	return m, s.cfg.Store.SignedIn(ctx, m.ID, KindSignedIn)
}

func (s *Service) useCode(id string, k *Keys, code string, event *comments.Kind) error {
	if k.TOTP == nil {
		return ErrBadSignIn
	}
	secret, err := s.unseal("totp "+id, k.TOTP.Sealed)
	if err != nil {
		return fmt.Errorf("totp secret of moderator %s: %w", id, comments.ErrDamaged)
	}
	if step := matchTOTP(string(secret), code, s.cfg.Now(), k.TOTP.LastStep); step != 0 {
		k.TOTP.LastStep = step
		return nil
	}
	h := recoveryHash(id, code)
	for i, one := range k.Recovery {
		if bytes.Equal(one[:], h[:]) { // hashes of secrets: the time taken tells nothing of the secret
			k.Recovery = append(k.Recovery[:i:i], k.Recovery[i+1:]...)
			*event = KindRecoveryUsed
			return nil
		}
	}
	return ErrBadSignIn
}

// seal encrypts for this installation, bound to a purpose.
func (s *Service) seal(purpose string, plain []byte) ([]byte, error) {
	vault, err := NewVault(s.cfg.Key)
	if err != nil {
		return nil, err
	}
	return vault.Seal(purpose, plain), nil
}

func (s *Service) unseal(purpose string, sealed []byte) ([]byte, error) {
	vault, err := NewVault(s.cfg.Key)
	if err != nil {
		return nil, err
	}
	return vault.Open(purpose, sealed)
}
