package screen

import (
	"context"
	"encoding/hex"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"duyet/comments"
	"duyet/moderation"
)

// offersMost bounds the domains that a comment's words offer.
const offersMost = 5

// Offers are the bans that would have held a comment back, the narrower before the wider:
// its network, as long as its address is kept, its author, its name, the domains in its
// words, and the words themselves. What they do and how long is left open. Errors:
// comments.ErrForbidden.
func (b *Bans) Offers(ctx context.Context, who moderation.Moderator, c comments.Comment) ([]Ban, error) {
	d := b.shelf.desk
	if err := d.Allowed(ctx, who, moderation.Decide, c.Site); err != nil {
		return nil, err
	}
	addrs, err := d.Addresses.Addresses(ctx, []comments.ID{c.ID})
	if err != nil {
		return nil, err
	}
	var offers []Ban
	offer := func(kind BanKind, value string) {
		if ban, err := (Ban{Kind: kind, Value: value, Effect: EffectHold}).canonical(); err == nil {
			ban.Site = c.Site
			offers = append(offers, ban)
		}
	}
	if addr := addrs[c.ID].Unmap(); addr.IsValid() {
		widths := []int{32, 24}
		if addr.Is6() {
			widths = []int{64, 48} // one address of IPv6 is nobody's for long
		}
		for _, bits := range widths {
			if p, err := addr.WithZone("").Prefix(bits); err == nil {
				offer(BanNetwork, p.String())
			}
		}
	}
	if !c.Author.IsZero() {
		offer(BanAuthor, hex.EncodeToString(c.Author[:]))
	}
	if !strings.Contains(c.Name, "*") {
		offer(BanName, c.Name)
	}
	for _, kind := range []BanKind{BanLink, BanEmail} {
		for _, domain := range domainsOf(kind, c) {
			offer(kind, domain)
		}
	}
	offer(BanText, c.Content)
	return offers, nil
}

// domainsOf is the domains, as they are registered, of links or addresses in a comment's
// words, each once.
func domainsOf(kind BanKind, c comments.Comment) (domains []string) {
	seen, all := map[string]bool{}, newBanned(nil)
	add := func(host string) {
		host, ok := canonicalDomain(host)
		if !ok {
			return
		}
		if one, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = one
		}
		if !seen[host] && len(domains) < offersMost {
			seen[host] = true
			domains = append(domains, host)
		}
	}
	for _, text := range []string{c.Name, c.Title, c.Content} {
		if kind == BanEmail {
			for _, found := range all.emails.FindAllStringSubmatch(text, offersMost) {
				add(found[1])
			}
			continue
		}
		for _, p := range findLinks(all.links, "", text) {
			raw := text[p.Start:p.End]
			if !strings.Contains(raw, "://") {
				raw = "http://" + raw
			}
			if u, err := url.Parse(raw); err == nil {
				add(u.Hostname())
			}
		}
	}
	return domains
}

// cut is the beginning of a text, at most so many characters of it.
func cut(text string, most int) string {
	for i := range text {
		if most == 0 {
			return strings.TrimSpace(text[:i]) + "…"
		}
		most--
	}
	return text
}

// Ban is one ban of a site. Errors: comments.ErrForbidden, ErrNotFound.
func (b *Bans) Ban(ctx context.Context, who moderation.Moderator, site, id string) (Ban, error) {
	return b.shelf.one(ctx, who, site, id)
}
