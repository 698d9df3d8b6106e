package moderation

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"duyet/comments"
)

// Attack is a site, or one page of it, in attack mode. It stands in a document, so that
// all nodes know of it, and begins and ends with an event of the journal.
type Attack struct {
	Site string
	Page string    // canonical key, "" for the whole site
	By   string    // a moderator, or comments.ActorSystem
	Why  AttackWhy // why it began
	At   time.Time // when
	// Loud is when there was last as much as made it begin. One that began by itself ends
	// QuietFor after; one that somebody began by hand ends by hand.
	Loud time.Time
	// Most is how many comments a minute are loud.
	Most int64

	version uint64
}

// AttackWhy is why attack mode began.
type AttackWhy string

// Why attack mode begins.
const (
	AttackByHand   AttackWhy = "hand"
	AttackArrivals AttackWhy = "arrivals" // many comments a minute
	AttackWrong    AttackWhy = "wrong"    // many wrong codes a minute
	// AttackBySetting is why of what the site's own setting keeps up; it stands in no document.
	AttackBySetting AttackWhy = "setting"
)

// QuietFor is how long it has to be quiet until attack mode ends by itself.
const QuietFor = 30 * time.Minute

// DocAttack is the kind of document that attacks stand in.
const DocAttack = "attack"

// Kinds of events about attacks; their subject is the document's.
const (
	KindAttackBegan comments.Kind = "attack.began"
	KindAttackEnded comments.Kind = "attack.ended"
)

// attackRecord is how an attack stands in its document. Times are Unix milliseconds.
type attackRecord struct {
	Page string    `json:"page,omitempty"`
	By   string    `json:"by"`
	Why  AttackWhy `json:"why"`
	At   int64     `json:"at"`
	Loud int64     `json:"loud"`
	Most int64     `json:"most"`
}

// attackID names the document of a site's attack, or a page's.
func attackID(site, page string) string {
	if page == "" {
		return "site"
	}
	hash := comments.PageHash(site, page)
	return "page-" + hex.EncodeToString(hash[:])
}

// Document is the attack as it is stored.
func (a Attack) Document(by string) (Document, error) {
	data, err := json.Marshal(attackRecord{a.Page, a.By, a.Why, a.At.UnixMilli(), a.Loud.UnixMilli(), a.Most})
	return Document{Site: a.Site, Kind: DocAttack, ID: attackID(a.Site, a.Page), Version: a.version, Data: data, By: by}, err
}

// ReadAttack is what a document holds; comments.ErrDamaged when that is no attack.
func ReadAttack(d Document) (Attack, error) {
	var r attackRecord
	if err := json.Unmarshal(d.Data, &r); err != nil {
		return Attack{}, fmt.Errorf("document %s of %s: %w", d.Subject(), d.Site, comments.ErrDamaged)
	}
	return Attack{
		Site: d.Site, Page: r.Page, By: r.By, Why: r.Why, At: time.UnixMilli(r.At).UTC(), Loud: time.UnixMilli(r.Loud).UTC(),
		Most: r.Most, version: d.Version,
	}, nil
}

// Attacks are those of a site that go on, the whole site's first, then the latest first.
// Errors: comments.ErrForbidden.
func (s *Service) Attacks(ctx context.Context, who Moderator, site string) ([]Attack, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return nil, err
	}
	documents, err := s.cfg.Store.Documents(ctx, site, DocAttack)
	if err != nil {
		return nil, err
	}
	list := make([]Attack, len(documents))
	for i, d := range documents {
		if list[i], err = ReadAttack(d); err != nil {
			return nil, err
		}
	}
	SortAttacks(list)
	return list, nil
}

// SortAttacks puts the whole site's first, then the latest first.
func SortAttacks(list []Attack) {
	slices.SortFunc(list, func(a, b Attack) int {
		if (a.Page == "") != (b.Page == "") {
			return cmp.Compare(len(a.Page), len(b.Page))
		}
		return b.At.Compare(a.At)
	})
}

// BeginAttack puts a page, or with "" the whole site, into attack mode until EndAttack.
// One that goes on by itself goes on by hand from then on. Errors: comments.ErrForbidden,
// an InvalidError on "page".
func (s *Service) BeginAttack(ctx context.Context, who Moderator, site, rawPage string) (Attack, error) {
	page, err := s.attackPage(ctx, who, site, rawPage)
	if err != nil {
		return Attack{}, err
	}
	now := s.cfg.Now().UTC()
	a := Attack{Site: site, Page: page, By: who.ID, Why: AttackByHand, At: now, Loud: now}
	stands, err := s.cfg.Store.Document(ctx, site, DocAttack, attackID(site, page))
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return Attack{}, err
	}
	if err == nil {
		a.version = stands.Version
	}
	d, err := a.Document(who.ID)
	if err != nil {
		return Attack{}, err
	}
	_, err = s.cfg.Store.PutDocument(ctx, d, KindAttackBegan)
	return a, err
}

// EndAttack ends attack mode of a page, or of the whole site, however it began; where there
// is none, nothing changes. Errors are those of BeginAttack.
func (s *Service) EndAttack(ctx context.Context, who Moderator, site, rawPage string) error {
	page, err := s.attackPage(ctx, who, site, rawPage)
	if err != nil {
		return err
	}
	d, err := s.cfg.Store.Document(ctx, site, DocAttack, attackID(site, page))
	if errors.Is(err, comments.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d.By, d.Data = who.ID, nil
	return s.cfg.Store.RemoveDocument(ctx, d, KindAttackEnded)
}

func (s *Service) attackPage(ctx context.Context, who Moderator, site, raw string) (string, error) {
	if err := s.allowed(ctx, who, Decide, site); err != nil || raw == "" {
		return "", err
	}
	one, err := s.cfg.Comments.Site(ctx, site)
	if err != nil {
		return "", err
	}
	key, _, err := comments.PageKey(one, raw)
	return key, err
}
