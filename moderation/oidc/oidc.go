// Package oidc asks an identity provider who somebody is (OpenID Connect, authorization code
// with PKCE), over go-oidc. It keeps nothing and lets nobody in: whose address it is, and
// what they may do, stands in moderation.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"duyet/moderation"
)

// Config is what a provider has given an installation.
type Config struct {
	Issuer       string // an https address, or http on this machine
	ClientID     string
	ClientSecret string
	Callback     *url.URL // of the desk, where the provider sends people back to
	// Client is by what the provider is reached; nil = one with a time limit.
	Client *http.Client
}

// timeout bounds each request to the provider.
const timeout = 10 * time.Second

// Provider implements moderation.IdentityProvider. Its configuration is fetched when somebody
// first asks, so that a provider that is away keeps no service from starting.
type Provider struct {
	cfg  Config
	mu   sync.Mutex
	done *discovered
}

type discovered struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

var _ moderation.IdentityProvider = (*Provider)(nil)

// New makes a Provider. The error names what can't work.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && local(u.Hostname())) {
		return nil, fmt.Errorf("the issuer %q is no https address", cfg.Issuer)
	}
	if cfg.ClientID == "" || cfg.Callback == nil {
		return nil, errors.New("a client id, and the address of the desk, are needed")
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: timeout}
	}
	return &Provider{cfg: cfg}, nil
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// discover fetches the provider's configuration once.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != nil {
		return p.done, nil
	}
	// The keys are fetched again later, under no request's context.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.cfg.Client), p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	p.done = &discovered{
		oauth: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, RedirectURL: p.cfg.Callback.String(),
			Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: p.cfg.ClientID}),
	}
	return p.done, nil
}

// Begin implements moderation.IdentityProvider.
func (p *Provider) Begin(ctx context.Context) (string, moderation.Asking, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", moderation.Asking{}, err
	}
	a := moderation.Asking{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	return d.oauth.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), a, nil
}

// Finish implements moderation.IdentityProvider.
func (p *Provider) Finish(ctx context.Context, a moderation.Asking, code string) (email string, err error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, p.cfg.Client)
	token, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", fmt.Errorf("%w: an answer without an id token", moderation.ErrProvider)
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	if id.Nonce != a.Nonce {
		return "", fmt.Errorf("%w: an answer to another question", moderation.ErrProvider)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	if claims.Email == "" {
		// Some providers tell the address at their userinfo endpoint alone.
		if claims.Email, claims.Verified, err = p.userInfo(ctx, token); err != nil {
			return "", err
		}
	}
	if claims.Email == "" || !claims.Verified {
		return "", fmt.Errorf("%w: no verified e-mail address", moderation.ErrBadSignIn)
	}
	return claims.Email, nil
}

func (p *Provider) userInfo(ctx context.Context, token *oauth2.Token) (string, bool, error) {
	provider, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return "", false, fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return "", false, fmt.Errorf("%w: %w", moderation.ErrProvider, err)
	}
	return info.Email, info.EmailVerified, nil
}
