package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	core "duyet/comments"
	comments "duyet/comments/boltstore"
	"duyet/moderation"
)

// documentHead is what stands before a document's data: the length of this in JSON (a
// uvarint), this, the data as it is.
type documentHead struct {
	Version uint64    `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

// documentsPrefix begins the keys of a site's documents of a kind; "" = of all kinds. The
// site is what comments.DB.Own asks for at the beginning.
func documentsPrefix(site, kind string) []byte {
	b := append([]byte(site), 0)
	if kind != "" {
		b = append(append(b, kind...), 0)
	}
	return b
}

func documentKey(site, kind, id string) []byte {
	return append(documentsPrefix(site, kind), id...)
}

func encodeDocument(d moderation.Document) ([]byte, error) {
	head, err := encode(documentHead{Version: d.Version, At: d.At, By: d.By})
	if err != nil {
		return nil, err
	}
	b := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen32+len(head)+len(d.Data)), uint64(len(head)))
	return append(append(b, head...), d.Data...), nil
}

// document reads one, or is comments.ErrNotFound or ErrDamaged.
func document(tx *comments.Tx, key []byte) (d moderation.Document, err error) {
	f, payload, err := tx.Record(bucketDocuments, key)
	if err != nil {
		return d, fmt.Errorf("document %q: %w", key, err)
	}
	parts := bytes.SplitN(key, []byte{0}, 3)
	n, size := binary.Uvarint(payload)
	var head documentHead
	if f != format || len(parts) != 3 || size <= 0 || n > uint64(len(payload)-size) ||
		json.Unmarshal(payload[size:size+int(n)], &head) != nil {
		return d, fmt.Errorf("document %q: %w", key, core.ErrDamaged)
	}
	return moderation.Document{
		Site: string(parts[0]), Kind: string(parts[1]), ID: string(parts[2]),
		Version: head.Version, At: head.At, By: head.By, Data: payload[size+int(n):],
	}, nil
}

// Document implements moderation.DocumentStore.
func (s *Store) Document(ctx context.Context, site, kind, id string) (d moderation.Document, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) (err error) {
		d, err = document(tx, documentKey(site, kind, id))
		if errors.Is(err, core.ErrNotFound) {
			if unknown := tx.Ready(site); unknown != nil {
				return unknown
			}
		}
		return err
	})
	if err != nil {
		return moderation.Document{}, err
	}
	return d, nil
}

// Documents implements moderation.DocumentStore.
func (s *Store) Documents(ctx context.Context, site, kind string) (list []moderation.Document, err error) {
	err = s.db.View(ctx, func(tx *comments.Tx) error {
		list = nil
		for k := range tx.Keys(bucketDocuments, documentsPrefix(site, kind)) {
			d, err := document(tx, k)
			if err != nil {
				return err
			}
			list = append(list, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// standsAt is nil when a document is at a version, 0 being absence.
func standsAt(tx *comments.Tx, key []byte, version uint64) error {
	d, err := document(tx, key)
	switch {
	case errors.Is(err, core.ErrNotFound):
		if version == 0 {
			return nil
		}
		return err
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("document %s: %w", d.Subject(), core.ErrExists)
	case d.Version != version:
		return fmt.Errorf("document %s is at version %d: %w", d.Subject(), d.Version, core.ErrVersion)
	}
	return nil
}

// tell appends the event of a change of a document, if there is one.
func tell(tx *comments.Tx, d moderation.Document, kind core.Kind) error {
	if kind == "" {
		return nil
	}
	_, err := tx.Append(core.Event{Site: d.Site, Actor: d.By, Kind: kind, Subject: d.Subject()})
	return err
}

// PutDocument implements moderation.DocumentStore.
func (s *Store) PutDocument(ctx context.Context, d moderation.Document, kind core.Kind) (moderation.Document, error) {
	if err := moderation.CheckDocument(d); err != nil {
		return moderation.Document{}, err
	}
	key, stored := documentKey(d.Site, d.Kind, d.ID), d
	stored.Version++
	err := s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := tx.Ready(d.Site); err != nil {
			return err
		}
		if err := standsAt(tx, key, d.Version); err != nil {
			return err
		}
		stored.At = tx.Now()
		payload, err := encodeDocument(stored)
		if err != nil {
			return err
		}
		tx.PutRecord(bucketDocuments, key, format, payload)
		return tell(tx, d, kind)
	})
	if err != nil {
		return moderation.Document{}, err
	}
	stored.Data = bytes.Clone(d.Data)
	return stored, nil
}

// RemoveDocument implements moderation.DocumentStore.
func (s *Store) RemoveDocument(ctx context.Context, d moderation.Document, kind core.Kind) error {
	if err := moderation.CheckRemoval(d, kind); err != nil {
		return err
	}
	key := documentKey(d.Site, d.Kind, d.ID)
	return s.db.Do(ctx, func(tx *comments.Tx) error {
		if err := tx.Ready(d.Site); err != nil {
			return err
		}
		if err := standsAt(tx, key, d.Version); err != nil {
			return err
		}
		tx.Delete(bucketDocuments, key)
		return tell(tx, d, kind)
	})
}

// documents checks that each can be read and is of a site that stands.
func (c checker) documents() {
	for k := range c.tx.Keys(bucketDocuments, nil) {
		d, err := document(c.tx, k)
		if err == nil {
			err = c.tx.Ready(d.Site)
		}
		if err != nil {
			c.problem(fmt.Sprintf("document %q", k), "%v", err)
		}
	}
}
