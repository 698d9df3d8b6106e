package moderation

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"duyet/comments"
)

// Vault seals secrets that the store holds (AES-256-GCM), each bound to a purpose: what was
// sealed for one can't be opened for another. It is safe for concurrent use.
type Vault struct{ aead cipher.AEAD }

// NewVault makes one under a key of at least 16 bytes, which must outlive every change of the
// installation's secret.
func NewVault(key []byte) (*Vault, error) {
	if len(key) < 16 {
		return nil, errors.New("moderation: a key of at least 16 bytes is needed")
	}
	key, err := hkdf.Key(sha256.New, key, nil, "duyet moderation seal", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Vault{aead}, err
}

// Seal encrypts a secret.
func (v *Vault) Seal(purpose string, plain []byte) []byte {
	nonce := make([]byte, v.aead.NonceSize())
	rand.Read(nonce)
	return v.aead.Seal(nonce, nonce, plain, []byte(purpose))
}

// Open decrypts what Seal made for the same purpose; else the error is comments.ErrDamaged.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	n := v.aead.NonceSize()
	if len(sealed) < n {
		return nil, comments.ErrDamaged
	}
	plain, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, comments.ErrDamaged
	}
	return plain, nil
}
