package boltstore

import (
	"context"
	"net/netip"

	"duyet/comments"
)

// Addresses are where comments came from, of those whose address is still kept.
func (db *DB) Addresses(ctx context.Context, ids []comments.ID) (map[comments.ID]netip.Addr, error) {
	found := make(map[comments.ID]netip.Addr, len(ids))
	err := db.View(ctx, func(tx *Tx) error {
		for _, id := range ids {
			addr, err := tx.address(id)
			if err != nil {
				return err
			}
			if addr.IsValid() {
				found[id] = addr
			}
		}
		return nil
	})
	return found, err
}

// address is where a comment came from, or none.
func (tx *Tx) address(id comments.ID) (netip.Addr, error) {
	_, number, err := tx.site(id.Site())
	if err != nil {
		return netip.Addr{}, nil
	}
	key := commentKey(number, id.UUID())
	record := tx.get(bucketComments, key)
	if record == nil {
		return netip.Addr{}, nil
	}
	c, err := decodeComment(id.Site(), key, record, false)
	if err != nil || c.addrExpires.IsZero() {
		return netip.Addr{}, err
	}
	at := addressKey(c.addrExpires, number, id.UUID())
	record = tx.get(bucketAddresses, at)
	if record == nil {
		return netip.Addr{}, nil // swept
	}
	f, payload, err := open(bucketAddresses, at, record)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, ok := netip.AddrFromSlice(payload)
	if f != formatAddress || !ok {
		return netip.Addr{}, damaged(bucketAddresses, at, "it is no address")
	}
	return addr.Unmap(), nil
}
