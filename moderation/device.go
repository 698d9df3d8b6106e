package moderation

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// A browser in which somebody has signed in before counts its own failures, so that a
// stranger who fails again and again locks nobody out of their own browser ("device
// cookies", as OWASP describes them under slowing down online guessing).

const deviceNonce = 16

// KnownDevice is a text for the browser in which the person has just signed in.
func (s *Service) KnownDevice(email string) string {
	var nonce [deviceNonce]byte
	rand.Read(nonce[:])
	mac := s.deviceMAC(email, nonce[:])
	if mac == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(nonce[:], mac...))
}

// counted is under which name failures of an account are counted: the account's, or that of
// the account in a browser it knows.
func (s *Service) counted(email string, from From) string {
	raw, err := base64.RawURLEncoding.DecodeString(from.Device)
	if err != nil || email == "" || len(raw) != deviceNonce+sha256.Size {
		return email
	}
	mac := s.deviceMAC(email, raw[:deviceNonce])
	if mac == nil || !hmac.Equal(mac, raw[deviceNonce:]) {
		return email
	}
	return email + "\x00" + string(raw[:deviceNonce])
}

func (s *Service) deviceMAC(email string, nonce []byte) []byte {
	key, err := hkdf.Key(sha256.New, s.cfg.Key, nil, "duyet moderation device", sha256.Size)
	if err != nil || len(s.cfg.Key) == 0 {
		return nil
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strings.ToLower(email)))
	h.Write([]byte{0})
	h.Write(nonce)
	return h.Sum(nil)
}

func (s *Service) allow(email string, from From) error {
	return s.cfg.Throttle.Allow(s.counted(email, from), from.Addr)
}

func (s *Service) failed(email string, from From) {
	s.cfg.Throttle.Failed(s.counted(email, from), from.Addr)
}
