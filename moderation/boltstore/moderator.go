package boltstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

// moderatorRecord names a moderator's fields for the file.
type moderatorRecord struct {
	Email        string    `json:"email"`
	Role         string    `json:"role"`
	Sites        []string  `json:"sites,omitempty"`
	PasswordHash string    `json:"password_hash,omitempty"`
	Disabled     bool      `json:"disabled,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
	Version      uint64    `json:"version"`
	SignedOutAt  time.Time `json:"signed_out_at,omitzero"`
}

func newModeratorRecord(m moderation.Moderator) moderatorRecord {
	return moderatorRecord{
		Email: m.Email, Role: string(m.Role), Sites: m.Sites, PasswordHash: m.PasswordHash, Disabled: m.Disabled,
		CreatedAt: milli(m.CreatedAt), Version: m.Version, SignedOutAt: milli(m.SignedOutAt),
	}
}

func (r moderatorRecord) moderator(id string) moderation.Moderator {
	return moderation.Moderator{
		ID: id, Email: r.Email, Role: moderation.Role(r.Role), Sites: r.Sites, PasswordHash: r.PasswordHash,
		Disabled: r.Disabled, CreatedAt: r.CreatedAt, Version: r.Version, SignedOutAt: r.SignedOutAt,
	}
}

func moderator(tx *comments.Tx, id string) (moderation.Moderator, error) {
	var r moderatorRecord
	if err := read(tx, bucketModerators, []byte(id), &r); err != nil {
		return moderation.Moderator{}, err
	}
	return r.moderator(id), nil
}

// idOf is the id that stands under an e-mail, or ErrNotFound.
func idOf(tx *comments.Tx, email string) (string, error) {
	var id string
	if err := read(tx, bucketEmails, []byte(email), &id); err != nil {
		return "", err
	}
	return id, nil
}

// Moderators implements moderation.PeopleStore.
func (s *Store) Moderators(ctx context.Context) (list []moderation.Moderator, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) error {
		list = nil
		for email := range tx.Keys(bucketEmails, nil) {
			id, err := idOf(tx, string(email))
			if err != nil {
				return err
			}
			m, err := moderator(tx, id)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	return list, err
}

// Moderator implements moderation.PeopleStore.
func (s *Store) Moderator(ctx context.Context, id string) (m moderation.Moderator, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) (err error) {
		m, err = moderator(tx, id)
		return err
	})
	return m, err
}

// ModeratorByEmail implements moderation.PeopleStore.
func (s *Store) ModeratorByEmail(ctx context.Context, email string) (m moderation.Moderator, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) error {
		id, err := idOf(tx, email)
		if err == nil {
			m, err = moderator(tx, id)
		}
		return err
	})
	return m, err
}

// person is a moderator ready to be written.
type person struct {
	moderation.Moderator
	record, id []byte
}

func newPerson(m moderation.Moderator) (p person, err error) {
	p.Moderator = newModeratorRecord(m).moderator(m.ID)
	if p.record, err = encode(newModeratorRecord(m)); err == nil {
		p.id, err = encode(m.ID)
	}
	return p, err
}

func (p person) put(tx *comments.Tx) {
	tx.PutRecord(bucketModerators, []byte(p.ID), format, p.record)
	tx.PutRecord(bucketEmails, []byte(p.Email), format, p.id)
}

// event is one about a moderator, under the installation.
func event(tx *comments.Tx, actor string, kind core.Kind, id string) error {
	_, err := tx.Append(core.Event{Site: core.Installation, Actor: actor, Kind: kind, Subject: id})
	return err
}

// free is nil when an e-mail is nobody's but this id's.
func free(tx *comments.Tx, email, id string) error {
	owner, err := idOf(tx, email)
	switch {
	case errors.Is(err, core.ErrNotFound), err == nil && owner == id:
		return nil
	case err == nil:
		return fmt.Errorf("moderator %s: %w", email, core.ErrExists)
	}
	return err
}

// AddModerator implements moderation.PeopleStore.
func (s *Store) AddModerator(ctx context.Context, m moderation.Moderator, actor string) (moderation.Moderator, error) {
	if m.ID == "" || m.Email == "" {
		return moderation.Moderator{}, fmt.Errorf("moderator without id or e-mail: %w", core.ErrInvalid)
	}
	m.Version = 1
	p, err := newPerson(m)
	if err != nil {
		return moderation.Moderator{}, err
	}
	err = s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := free(tx, m.Email, ""); err != nil {
			return err
		}
		if tx.Has(bucketModerators, []byte(m.ID)) {
			return fmt.Errorf("moderator %s: %w", m.ID, core.ErrExists)
		}
		if err := tx.Ready(core.Installation); err != nil {
			return err
		}
		p.put(tx)
		return event(tx, actor, moderation.KindModeratorAdded, m.ID)
	})
	if err != nil {
		return moderation.Moderator{}, err
	}
	return p.Moderator, nil
}

// ChangeModerator implements moderation.PeopleStore.
func (s *Store) ChangeModerator(ctx context.Context, m moderation.Moderator, actor string, kind core.Kind) (moderation.Moderator, error) {
	if m.Email == "" {
		return moderation.Moderator{}, fmt.Errorf("moderator without e-mail: %w", core.ErrInvalid)
	}
	stored := m.Version
	m.Version++
	p, err := newPerson(m)
	if err != nil {
		return moderation.Moderator{}, err
	}
	err = s.db.Do(ctx, func(tx *comments.Tx) error {
		stands, err := moderator(tx, m.ID)
		if err != nil {
			return err
		}
		if stands.Version != stored {
			return fmt.Errorf("moderator %s is at version %d: %w", m.ID, stands.Version, core.ErrVersion)
		}
		if err := free(tx, m.Email, m.ID); err != nil {
			return err
		}
		if err := tx.Ready(core.Installation); err != nil {
			return err
		}
		if stands.Email != m.Email {
			tx.Delete(bucketEmails, []byte(stands.Email))
		}
		p.put(tx)
		return event(tx, actor, kind, m.ID)
	})
	if err != nil {
		return moderation.Moderator{}, err
	}
	return p.Moderator, nil
}

// RemoveModerator implements moderation.PeopleStore.
func (s *Store) RemoveModerator(ctx context.Context, id, actor string) error {
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		m, err := moderator(tx, id)
		if err != nil {
			return err
		}
		tokens, err := tokensOf(tx, id)
		if err != nil {
			return err
		}
		links, err := linksOf(tx, id)
		if err != nil {
			return err
		}
		if err := tx.Ready(core.Installation); err != nil {
			return err
		}
		tx.Delete(bucketModerators, []byte(id))
		tx.Delete(bucketEmails, []byte(m.Email))
		for _, t := range tokens {
			tx.Delete(bucketTokens, t.Hash[:])
		}
		for _, l := range links {
			removeLink(tx, l)
		}
		return event(tx, actor, moderation.KindModeratorRemoved, id)
	})
}
