// Package passkey makes and reads passkeys (WebAuthn level 3), over go-webauthn. It keeps
// nothing: what a person's passkeys are, and who may make one, stands in moderation.
package passkey

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"duyet/moderation"
)

// Ceremonies implements moderation.Passkeys. Devices must verify their user.
type Ceremonies struct{}

var _ moderation.Passkeys = Ceremonies{}

// relying is the party that passkeys are for: the desk at an origin.
func relying(origin *url.URL) (*webauthn.WebAuthn, error) {
	rp, err := webauthn.New(&webauthn.Config{
		RPID: origin.Hostname(), RPDisplayName: "Duyet", RPOrigins: []string{origin.Scheme + "://" + origin.Host},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys at %s: %w", origin, err)
	}
	return rp, nil
}

// holder is a person to the library.
type holder struct {
	moderation.Moderator
	credentials []webauthn.Credential
}

func newHolder(m moderation.Moderator, list []moderation.Passkey) (holder, error) {
	h := holder{Moderator: m}
	for _, p := range list {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return holder{}, fmt.Errorf("passkey %q of moderator %s: %w", p.Name, m.ID, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.ID) }
func (h holder) WebAuthnName() string                       { return h.Email }
func (h holder) WebAuthnDisplayName() string                { return h.Email }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// Register implements moderation.Passkeys.
func (Ceremonies) Register(origin *url.URL, m moderation.Moderator, have []moderation.Passkey) (options any, state []byte, err error) {
	rp, err := relying(origin)
	if err != nil {
		return nil, nil, err
	}
	h, err := newHolder(m, have)
	if err != nil {
		return nil, nil, err
	}
	made, data, err := rp.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	state, err = json.Marshal(data)
	return made.Response, state, err
}

// Registered implements moderation.Passkeys.
func (Ceremonies) Registered(origin *url.URL, m moderation.Moderator, have []moderation.Passkey, state, answer []byte) (moderation.Passkey, error) {
	rp, err := relying(origin)
	if err != nil {
		return moderation.Passkey{}, err
	}
	h, err := newHolder(m, have)
	if err != nil {
		return moderation.Passkey{}, err
	}
	var data webauthn.SessionData
	if err := json.Unmarshal(state, &data); err != nil {
		return moderation.Passkey{}, refused(err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return moderation.Passkey{}, refused(err)
	}
	c, err := rp.CreateCredential(h, data, parsed)
	if err != nil {
		return moderation.Passkey{}, refused(err)
	}
	return stored(c)
}

// Ask implements moderation.Passkeys.
func (Ceremonies) Ask(origin *url.URL) (options any, state []byte, err error) {
	rp, err := relying(origin)
	if err != nil {
		return nil, nil, err
	}
	asked, data, err := rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	state, err = json.Marshal(data)
	return asked.Response, state, err
}

// Asked implements moderation.Passkeys.
func (Ceremonies) Asked(origin *url.URL, state, answer []byte, find func(id string) (moderation.Moderator, []moderation.Passkey, error)) (moderation.Passkey, error) {
	rp, err := relying(origin)
	if err != nil {
		return moderation.Passkey{}, err
	}
	var data webauthn.SessionData
	if err := json.Unmarshal(state, &data); err != nil {
		return moderation.Passkey{}, refused(err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return moderation.Passkey{}, refused(err)
	}
	_, used, err := rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		m, list, err := find(string(handle))
		if err != nil {
			return nil, err
		}
		return newHolder(m, list)
	}, data, parsed)
	if err != nil {
		return moderation.Passkey{}, refused(err)
	}
	if used.Authenticator.CloneWarning {
		return moderation.Passkey{}, fmt.Errorf("%w: its counter went back, so somebody has a copy", moderation.ErrNoPasskey)
	}
	return stored(used)
}

func stored(c *webauthn.Credential) (moderation.Passkey, error) {
	text, err := json.Marshal(c)
	return moderation.Passkey{ID: c.ID, Credential: text}, err
}

func refused(err error) error { return fmt.Errorf("%w: %w", moderation.ErrNoPasskey, err) }
