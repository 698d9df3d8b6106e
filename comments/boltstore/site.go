package boltstore

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"duyet/comments"
)

const formatSite Format = 1

// siteRecord is a site as JSON: it is read rarely, and settings come and go.
type siteRecord struct {
	Number    uint32         `json:"number"`
	Name      string         `json:"name"`
	Origins   []string       `json:"origins"`
	CreatedAt int64          `json:"created_at"` // Unix milliseconds
	Version   uint64         `json:"version"`
	Settings  settingsRecord `json:"settings"`
}

// settingsRecord names the settings for the file, so that a field renamed in the core
// does not lose what was stored. Durations are in milliseconds.
type settingsRecord struct {
	Lang         string   `json:"lang"`
	Timezone     string   `json:"timezone"`
	Title        string   `json:"title"`
	Mode         string   `json:"mode"`
	NameMax      int      `json:"name_max"`
	TitleMax     int      `json:"title_max"`
	ContentMax   int      `json:"content_max"`
	TicketTTL    int64    `json:"ticket_ttl"`
	EditWindow   int64    `json:"edit_window"`
	CloseAfter   int64    `json:"close_after"`
	ReplyDepth   int      `json:"reply_depth"`
	Likes        bool     `json:"likes"`
	RulesURL     string   `json:"rules_url"`
	PrivacyURL   string   `json:"privacy_url"`
	RateLimit    bool     `json:"rate_limit"`
	AttackMode   string   `json:"attack_mode"`
	Proof        string   `json:"proof"`
	OnSpam       string   `json:"on_spam"`
	DropParams   []string `json:"drop_params"`
	Reasons      []string `json:"reasons"`
	AddressesFor int64    `json:"addresses_for"`
	Newsroom     string   `json:"newsroom"`
	StaffNames   []string `json:"staff_names"`
	TrustAfter   int      `json:"trust_after"`
	WarnAfter    int64    `json:"warn_after"`
}

func newSettingsRecord(s comments.Settings) settingsRecord {
	return settingsRecord{
		Lang: s.Lang, Timezone: s.Timezone, Title: string(s.Title), Mode: string(s.Mode),
		NameMax: s.NameMax, TitleMax: s.TitleMax, ContentMax: s.ContentMax,
		TicketTTL: s.TicketTTL.Milliseconds(), EditWindow: s.EditWindow.Milliseconds(),
		CloseAfter: s.CloseAfter.Milliseconds(), ReplyDepth: s.ReplyDepth, Likes: s.Likes,
		RulesURL: s.RulesURL, PrivacyURL: s.PrivacyURL, RateLimit: s.RateLimit,
		AttackMode: s.AttackMode, Proof: s.Proof, OnSpam: s.OnSpam, DropParams: s.DropParams, Reasons: s.Reasons,
		AddressesFor: s.AddressesFor.Milliseconds(),
		Newsroom:     s.Newsroom, StaffNames: s.StaffNames, TrustAfter: s.TrustAfter, WarnAfter: s.WarnAfter.Milliseconds(),
	}
}

func (r settingsRecord) settings() comments.Settings {
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	return comments.Settings{
		Lang: r.Lang, Timezone: r.Timezone, Title: comments.FieldRule(r.Title), Mode: comments.Mode(r.Mode),
		NameMax: r.NameMax, TitleMax: r.TitleMax, ContentMax: r.ContentMax,
		TicketTTL: ms(r.TicketTTL), EditWindow: ms(r.EditWindow),
		CloseAfter: ms(r.CloseAfter), ReplyDepth: r.ReplyDepth, Likes: r.Likes,
		RulesURL: r.RulesURL, PrivacyURL: r.PrivacyURL, RateLimit: r.RateLimit,
		AttackMode: r.AttackMode, Proof: r.Proof, OnSpam: r.OnSpam, DropParams: r.DropParams, Reasons: r.Reasons,
		AddressesFor: ms(r.AddressesFor),
		Newsroom:     r.Newsroom, StaffNames: r.StaffNames, TrustAfter: r.TrustAfter, WarnAfter: ms(r.WarnAfter),
	}
}

func (tx *Tx) putSite(number uint32, s comments.Site) error {
	r := siteRecord{
		Number: number, Name: s.Name, Origins: s.Origins, Version: s.Version,
		CreatedAt: s.CreatedAt.UnixMilli(), Settings: newSettingsRecord(s.Settings),
	}
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("site %s: %w", s.ID, err)
	}
	tx.PutRecord(bucketSites, []byte(s.ID), formatSite, payload)
	return nil
}

func decodeSite(key, record []byte) (comments.Site, uint32, error) {
	f, payload, err := open(bucketSites, key, record)
	if err != nil {
		return comments.Site{}, 0, err
	}
	// A setting that a later release has added starts anew.
	r := siteRecord{Settings: newSettingsRecord(comments.DefaultSettings())}
	if f != formatSite || json.Unmarshal(payload, &r) != nil {
		return comments.Site{}, 0, damaged(bucketSites, key, "it is no site")
	}
	return comments.Site{
		ID: string(key), Name: r.Name, Origins: r.Origins, Version: r.Version,
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), Settings: r.Settings.settings(),
	}, r.Number, nil
}

func (tx *Tx) site(id string) (comments.Site, uint32, error) {
	key := []byte(id)
	if len(key) == 0 {
		return comments.Site{}, 0, comments.ErrUnknownSite
	}
	record := tx.get(bucketSites, key)
	if record == nil {
		return comments.Site{}, 0, fmt.Errorf("%q: %w", id, comments.ErrUnknownSite)
	}
	return decodeSite(key, record)
}

// Sites implements comments.SiteStore.
func (db *DB) Sites(ctx context.Context) (list []comments.Site, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		c := tx.bucket(bucketSites).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			s, _, err := decodeSite(k, v)
			if err != nil {
				return err
			}
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// Site implements comments.SiteStore.
func (db *DB) Site(ctx context.Context, id string) (s comments.Site, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		s, _, err = tx.site(id)
		return err
	})
	return s, err
}

// AddSite implements comments.SiteStore.
func (db *DB) AddSite(ctx context.Context, s comments.Site, actor string) (comments.Site, error) {
	if !comments.ValidSiteID(s.ID) {
		return comments.Site{}, fmt.Errorf("site id %q: %w", s.ID, comments.ErrInvalid)
	}
	s.Version = 1
	s.CreatedAt = s.CreatedAt.UTC().Truncate(time.Millisecond)
	err := db.Do(ctx, func(tx *Tx) error {
		if tx.Has(bucketSites, []byte(s.ID)) || tx.heads[s.ID] != nil {
			return fmt.Errorf("site %s: %w", s.ID, comments.ErrExists)
		}
		number, err := tx.nextSite()
		if err != nil {
			return err
		}
		if err := tx.putSite(number, s); err != nil {
			return err
		}
		tx.putAbout(aboutLastSite, strconv.FormatUint(uint64(number), 10))
		tx.heads[s.ID] = &head{number: number}
		_, err = tx.Append(comments.Event{Site: s.ID, Actor: actor, Kind: comments.KindSiteAdded, Subject: s.ID})
		return err
	})
	if err != nil {
		return comments.Site{}, err
	}
	return s, nil
}

// nextSite is the number that a new site gets.
func (tx *Tx) nextSite() (uint32, error) {
	last, err := tx.about(aboutLastSite)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(last, 10, 32)
	if err != nil {
		return 0, damaged(bucketAbout, []byte(aboutLastSite), "it is no number")
	}
	return uint32(n) + 1, nil
}

// ChangeSite implements comments.SiteStore.
func (db *DB) ChangeSite(ctx context.Context, s comments.Site, actor, subject string) (changed comments.Site, err error) {
	err = db.Do(ctx, func(tx *Tx) error {
		stands, number, err := tx.site(s.ID)
		if err != nil {
			return err
		}
		if stands.Version != s.Version {
			return fmt.Errorf("site %s is at version %d: %w", s.ID, stands.Version, comments.ErrVersion)
		}
		if _, err := tx.head(s.ID); err != nil {
			return err
		}
		changed = s
		changed.Version++
		changed.CreatedAt = stands.CreatedAt
		if err := tx.putSite(number, changed); err != nil {
			return err
		}
		_, err = tx.Append(comments.Event{Site: s.ID, Actor: actor, Kind: comments.KindSiteChanged, Subject: subject})
		return err
	})
	if err != nil {
		return comments.Site{}, err
	}
	return changed, nil
}

// RemoveSite implements comments.SiteStore. It takes the writer for as long as it takes
// to delete all that is the site's.
func (db *DB) RemoveSite(ctx context.Context, id, actor string) error {
	return db.Do(ctx, func(tx *Tx) error {
		_, number, err := tx.site(id)
		if err != nil {
			return err
		}
		if _, err := tx.head(comments.Installation); err != nil {
			return err
		}
		prefix := siteKey(number)
		for _, b := range []Bucket{bucketComments, bucketRevisions, bucketAuthors, bucketCodes, bucketReports, bucketPages, bucketQueues, bucketThreads, bucketTrees, bucketReplies, bucketLiked, bucketLikes, bucketJournal, bucketDetails, bucketAudience, bucketViews, bucketDays, bucketAliases, bucketIndexes, bucketTerms} {
			tx.removePrefix(b, prefix)
		}
		for key := range tx.pages {
			if binary.BigEndian.Uint32([]byte(key)) == number {
				delete(tx.pages, key)
			}
		}
		tx.removeDispersed(number, id)
		for _, b := range db.ownedBuckets() {
			tx.removePrefix(b, append([]byte(id), 0))
		}
		tx.delete(bucketSites, []byte(id))
		tx.delete(bucketHeads, []byte(id))
		delete(tx.heads, id)
		_, err = tx.Append(comments.Event{Site: comments.Installation, Actor: actor, Kind: comments.KindSiteRemoved, Subject: id})
		return err
	})
}

// Own has what the other wing keeps of a site go with it: everything in the bucket whose
// key begins with the site's id and NUL. Call before serving.
func (db *DB) Own(b Bucket) {
	db.watch.Lock()
	defer db.watch.Unlock()
	db.owned = append(slices.Clip(db.owned), b)
}

func (db *DB) ownedBuckets() []Bucket {
	db.watch.Lock()
	defer db.watch.Unlock()
	return db.owned
}

// removeDispersed deletes what is kept by expiry and not by site: addresses and spent
// tickets, of which there are as many as one expiry lets stand.
func (tx *Tx) removeDispersed(number uint32, id string) {
	var keys [][]byte
	for k := range tx.Keys(bucketAddresses, nil) {
		if len(k) == 8+commentSize && binary.BigEndian.Uint32(k[8:]) == number {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		tx.delete(bucketAddresses, k)
	}
	keys = nil
	for k := range tx.Keys(bucketSpent, nil) {
		if s, err := tx.spent(k); err != nil || s.Comment.Site() == id {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		tx.delete(bucketSpent, k)
	}
}
