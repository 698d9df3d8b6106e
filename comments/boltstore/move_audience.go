package boltstore

import (
	"encoding/binary"
	"fmt"

	"duyet/comments"
	"duyet/comments/audience"
)

var partNames = map[byte]string{partSummary: "summary", partSlots: "slots", partSketch: "sketch"}

func readMovedPart(tx *Tx, k, _ []byte) (m audience.MovedPart, err error) {
	if len(k) != 9 || partNames[k[4]] == "" {
		return m, damaged(bucketAudience, k, "it is no part of a site's visitors")
	}
	m.Part, m.Day = partNames[k[4]], audience.Day(binary.BigEndian.Uint32(k[5:]))
	if m.Site, err = tx.siteOf(bucketAudience, k); err == nil {
		m.Data, err = tx.part(k)
	}
	return m, err
}

func putMovedPart(tx *Tx, m audience.MovedPart) error {
	number, err := tx.siteNumber(m.Site)
	if err != nil {
		return err
	}
	for part, name := range partNames {
		if name == m.Part {
			key := binary.BigEndian.AppendUint32(append(siteKey(number), part), uint32(m.Day))
			tx.PutRecord(bucketAudience, key, formatAudience, m.Data)
			return nil
		}
	}
	return fmt.Errorf("part %q of a site's visitors: %w", m.Part, comments.ErrDamaged)
}

func readMovedViews(tx *Tx, k, v []byte) (m audience.MovedViews, err error) {
	if m.Site, err = tx.siteOf(bucketViews, k); err == nil {
		m.Page = string(k[4:])
		m.Views, err = decodeViews(k, v)
	}
	return m, err
}

func putMovedViews(tx *Tx, m audience.MovedViews) error {
	number, err := tx.siteNumber(m.Site)
	if err != nil {
		return err
	}
	tx.PutRecord(bucketViews, pageKey(number, m.Page), formatViews, binary.AppendUvarint(nil, uint64(m.Views)))
	return nil
}
