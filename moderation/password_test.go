package moderation

import (
	"testing"

	"github.com/alexedwards/argon2id"
)

// The hash of nobody must take as long as anybody's: it reads, at the same cost.
func TestNobodysHashCostsTheSame(t *testing.T) {
	params, salt, key, err := argon2id.DecodeHash(nobodysHash)
	if err != nil {
		t.Fatal(err)
	}
	if *params != *passwordParams() || len(salt) != 16 || len(key) != 32 {
		t.Errorf("nobody's hash costs %+v, a password's %+v", *params, *passwordParams())
	}
	if match, err := argon2id.ComparePasswordAndHash("", nobodysHash); match || err != nil {
		t.Errorf("comparing: %t, %v", match, err)
	}
	s := NewService(Config{})
	made, err := s.HashPassword("mười ký tự")
	if err != nil {
		t.Fatal(err)
	}
	if of, _, _, err := argon2id.DecodeHash(made); err != nil || *of != *params {
		t.Errorf("a new hash costs %+v, %v", of, err)
	}
	if match, err := argon2id.ComparePasswordAndHash("mười ký tự", made); !match || err != nil {
		t.Errorf("a password's own hash: %t, %v", match, err)
	}
}
