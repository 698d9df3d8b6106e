// Package work sets tasks that cost a machine time to solve and next to none to check, and
// judges what is sent for them: ALTCHA's proof of work, version 2
// (https://altcha.org/docs/v2/proof-of-work-captcha), with PBKDF2/SHA-256.
//
// A browser's own PBKDF2 is as fast as a native one, where its plain SHA-256, called as
// often, is some hundred times slower: so a bot gains nothing by not being a browser.
// Setting a task writes nothing, and any node with the secret judges it.
package work

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"duyet/comments"
)

// What a task is. KeyPrefix of one byte takes 256 derivations on average, which is a
// fraction of a second of one core of a new machine and a few seconds of an old telephone.
const (
	Algorithm = "PBKDF2/SHA-256"
	Rounds    = 5000
	KeyLength = 32 // bytes
	KeyPrefix = "00"
	GoodFor   = 30 * time.Minute

	nonceSize = 16 // bytes; the nonce names the challenge
	proofMost = 4 << 10
)

// Standing is what a ledger knows of a challenge.
type Standing int

// Standings.
const (
	Fresh  Standing = iota // nobody has brought it yet
	Solved                 // its solution was found good, and given back
	Spent
)

// Ledger remembers which challenges were brought.
type Ledger interface {
	// Take says how a challenge stands and leaves it Spent, in one step: of any number of
	// racing calls one finds it otherwise.
	Take(ctx context.Context, id [nonceSize]byte, expires time.Time) (Standing, error)
	// Return makes a spent challenge Solved.
	Return(ctx context.Context, id [nonceSize]byte) error
}

// Desk sets and judges tasks. It is safe for concurrent use and implements comments.Works.
type Desk struct {
	keys   func() [][]byte
	ledger Ledger
}

// New makes a Desk. keys are the secret's, the current one first; they are asked for each
// time, since a rotation changes them. What is used of them is derived.
func New(keys func() [][]byte, ledger Ledger) *Desk { return &Desk{keys, ledger} }

// Challenge is a new task for a page.
func (d *Desk) Challenge(site, pageKey string, now time.Time) (comments.Challenge, error) {
	keys := d.keys()
	if len(keys) == 0 {
		return comments.Challenge{}, errors.New("proof of work needs a key")
	}
	var random [2 * nonceSize]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	hash := comments.PageHash(site, pageKey)
	p := comments.ChallengeParameters{
		Algorithm: Algorithm, Cost: Rounds, Data: comments.ChallengeData{Page: hex.EncodeToString(hash[:])},
		ExpiresAt: now.Add(GoodFor).Unix(), KeyLength: KeyLength, KeyPrefix: KeyPrefix,
		Nonce: hex.EncodeToString(random[:nonceSize]), Salt: hex.EncodeToString(random[nonceSize:]),
	}
	signature, err := sign(keys[0], p)
	return comments.Challenge{Parameters: p, Signature: hex.EncodeToString(signature)}, err
}

// sign is HMAC-SHA256 over the parameters as JSON whose names are in order.
func sign(master []byte, p comments.ChallengeParameters) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, master, nil, "duyet work v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("key of the proof of work: %w", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil), nil
}

// payload is a proof: base64 of its JSON is what is sent.
type payload struct {
	Challenge comments.Challenge `json:"challenge"`
	Solution  solution           `json:"solution"`
}

type solution struct {
	Counter    uint32  `json:"counter"`
	DerivedKey string  `json:"derivedKey"`
	Time       float64 `json:"time,omitempty"` // milliseconds it took, as its sender says
}

// Spend implements comments.Works.
func (d *Desk) Spend(ctx context.Context, proof, site, pageKey string, now time.Time) (giveBack func(), err error) {
	nothing := func() {}
	p, id, err := d.read(proof)
	if err != nil {
		return nothing, err
	}
	hash := comments.PageHash(site, pageKey)
	expires := time.Unix(p.Challenge.Parameters.ExpiresAt, 0)
	if p.Challenge.Parameters.Data.Page != hex.EncodeToString(hash[:]) || !now.Before(expires) {
		return nothing, comments.ErrWork
	}
	standing, err := d.ledger.Take(ctx, id, expires)
	if err != nil {
		return nothing, err
	}
	if standing == Spent || standing == Fresh && !p.solved() {
		return nothing, comments.ErrWork
	}
	return func() {
		// Should this fail, the proof is lost and its reader solves another.
		_ = d.ledger.Return(context.WithoutCancel(ctx), id)
	}, nil
}

// read opens a proof whose challenge is one of ours, unchanged.
func (d *Desk) read(proof string) (p payload, id [nonceSize]byte, err error) {
	if len(proof) > proofMost {
		return p, id, comments.ErrWork
	}
	text, err := base64.StdEncoding.DecodeString(proof)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return p, id, comments.ErrWork
	}
	signature, err := hex.DecodeString(p.Challenge.Signature)
	if err != nil {
		return p, id, comments.ErrWork
	}
	for _, key := range d.keys() {
		ours, err := sign(key, p.Challenge.Parameters)
		if err != nil {
			return p, id, err
		}
		if hmac.Equal(ours, signature) {
			// Only what Challenge made bears our signature, so the nonce is one.
			n, err := hex.Decode(id[:], []byte(p.Challenge.Parameters.Nonce))
			if err != nil || n != nonceSize {
				return p, id, comments.ErrWork
			}
			return p, id, nil
		}
	}
	return p, id, comments.ErrWork
}

// solved derives the key that the solution names: the one thing here that costs.
func (p payload) solved() bool {
	key, ok := derive(p.Challenge.Parameters, p.Solution.Counter)
	return ok && subtle.ConstantTimeCompare([]byte(hex.EncodeToString(key)), []byte(p.Solution.DerivedKey)) == 1 && begins(key, p.Challenge.Parameters.KeyPrefix)
}

// derive is the key of a counter, whose password is the nonce and the counter in 32 bits,
// big endian.
func derive(p comments.ChallengeParameters, counter uint32) ([]byte, bool) {
	nonce, err := hex.DecodeString(p.Nonce)
	salt, bad := hex.DecodeString(p.Salt)
	if err != nil || bad != nil {
		return nil, false
	}
	password := binary.BigEndian.AppendUint32(nonce, counter)
	key, err := pbkdf2.Key(sha256.New, string(password), salt, p.Cost, p.KeyLength)
	return key, err == nil
}

func begins(key []byte, prefix string) bool {
	want, err := hex.DecodeString(prefix)
	return err == nil && bytes.HasPrefix(key, want)
}

// Solve finds the solution of a challenge, as a browser does: for tests and load runs. It
// ends with the context's error when ctx is done.
func Solve(ctx context.Context, c comments.Challenge) (proof string, err error) {
	for counter := uint32(0); ; counter++ {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		key, ok := derive(c.Parameters, counter)
		if !ok {
			return "", errors.New("the challenge is none of ours")
		}
		if !begins(key, c.Parameters.KeyPrefix) {
			continue
		}
		text, err := json.Marshal(payload{c, solution{Counter: counter, DerivedKey: hex.EncodeToString(key)}})
		return base64.StdEncoding.EncodeToString(text), err
	}
}
