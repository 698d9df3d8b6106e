package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// settingsRecord names the settings for the database, so that a field renamed in the core
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

const siteColumns = `id, name, origins, settings, created_at, version`

func scanSite(row pgx.Row) (s comments.Site, err error) {
	var settings []byte
	var created pgtype.Timestamptz
	if err := row.Scan(&s.ID, &s.Name, &s.Origins, &settings, &created, &s.Version); err != nil {
		return s, err
	}
	// A setting that a later release has added, and this one writes back, starts anew.
	r := newSettingsRecord(comments.DefaultSettings())
	if err := json.Unmarshal(settings, &r); err != nil {
		return s, fmt.Errorf("settings of site %s: %w", s.ID, comments.ErrDamaged)
	}
	s.Settings, s.CreatedAt = r.settings(), TimeOf(created)
	return s, nil
}

// Sites implements comments.SiteStore.
func (db *DB) Sites(ctx context.Context) (list []comments.Site, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		list = nil
		rows, err := q.Query(ctx, `SELECT `+siteColumns+` FROM sites ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			s, err := scanSite(rows)
			if err != nil {
				return err
			}
			list = append(list, s)
		}
		return rows.Err()
	})
	return list, err
}

func readSite(ctx context.Context, q Queryer, id string) (comments.Site, error) {
	s, err := scanSite(q.QueryRow(ctx, `SELECT `+siteColumns+` FROM sites WHERE id = $1`, id))
	if errors.Is(err, pgx.ErrNoRows) {
		err = unknown(id)
	}
	return s, err
}

// Site implements comments.SiteStore.
func (db *DB) Site(ctx context.Context, id string) (s comments.Site, err error) {
	if CheckText(id) != nil {
		return s, unknown("")
	}
	err = db.Read(ctx, func(q Queryer) (err error) {
		s, err = readSite(ctx, q, id)
		return err
	})
	if err != nil {
		return comments.Site{}, err
	}
	return s, nil
}

const insertSite = `INSERT INTO sites (` + siteColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`

// siteValues are a site's columns.
func siteValues(s comments.Site) ([]any, error) {
	settings, err := json.Marshal(newSettingsRecord(s.Settings))
	return []any{s.ID, s.Name, s.Origins, string(settings), Stamp(s.CreatedAt), s.Version}, err
}

// writeSite inserts a site, or changes it.
func writeSite(ctx context.Context, tx *Tx, sql string, s comments.Site) error {
	values, err := siteValues(s)
	if err == nil {
		_, err = tx.Exec(ctx, sql, values...)
	}
	if err != nil {
		return fmt.Errorf("site %s: %w", s.ID, err)
	}
	return nil
}

func checkSite(s comments.Site, actor, subject string) error {
	set := s.Settings
	texts := []string{
		s.Name, actor, subject, set.Lang, set.Timezone, string(set.Title), string(set.Mode),
		set.RulesURL, set.PrivacyURL, set.AttackMode, set.Proof, set.OnSpam,
	}
	for _, list := range [][]string{s.Origins, set.DropParams, set.Reasons} {
		texts = append(texts, list...)
	}
	return CheckText(texts...)
}

// AddSite implements comments.SiteStore. The installation's head is locked too: the
// site's own does not exist yet.
func (db *DB) AddSite(ctx context.Context, s comments.Site, actor string) (comments.Site, error) {
	if !comments.ValidSiteID(s.ID) {
		return comments.Site{}, fmt.Errorf("site id %q: %w", s.ID, comments.ErrInvalid)
	}
	if err := checkSite(s, actor, ""); err != nil {
		return comments.Site{}, err
	}
	s.Version = 1
	s.CreatedAt = milli(s.CreatedAt)
	err := db.Do(ctx, []string{comments.Installation, s.ID}, func(ctx context.Context, tx *Tx) error {
		if tx.heads[s.ID] != nil {
			return fmt.Errorf("site %s: %w", s.ID, comments.ErrExists)
		}
		if err := writeSite(ctx, tx, insertSite, s); err != nil {
			return err
		}
		tx.heads[s.ID] = &head{epoch: newEpoch(), fresh: true}
		_, err := tx.Append(comments.Event{Site: s.ID, Actor: actor, Kind: comments.KindSiteAdded, Subject: s.ID})
		return err
	})
	if err != nil {
		return comments.Site{}, err
	}
	return s, nil
}

// ChangeSite implements comments.SiteStore.
func (db *DB) ChangeSite(ctx context.Context, s comments.Site, actor, subject string) (changed comments.Site, err error) {
	if err := checkSite(s, actor, subject); err != nil {
		return comments.Site{}, err
	}
	err = db.Do(ctx, []string{s.ID}, func(ctx context.Context, tx *Tx) error {
		stands, err := readSite(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		if stands.Version != s.Version {
			return fmt.Errorf("site %s is at version %d: %w", s.ID, stands.Version, comments.ErrVersion)
		}
		changed = s
		changed.Version++
		changed.CreatedAt = stands.CreatedAt
		if err := writeSite(ctx, tx, `UPDATE sites SET name = $2, origins = $3, settings = $4, created_at = $5, version = $6 WHERE id = $1`, changed); err != nil {
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

// owned are the tables of what is a site's own, those that refer to others first.
var owned = [...]string{"addresses", "likes", "revisions", "reports", "details", "spent", "comments", "pages", "events", "limits", "views", "page_days", "aliases", "audience_days", "audience", "terms", "indexes", "heads"}

// removeMost bounds the removal of a site.
const removeMost = 6 * time.Hour

// RemoveSite implements comments.SiteStore. It holds the site and the installation for as
// long as it takes to delete all that is the site's.
func (db *DB) RemoveSite(ctx context.Context, id, actor string) error {
	if err := CheckText(actor); err != nil {
		return err
	}
	if !comments.ValidSiteID(id) {
		return unknown(id)
	}
	return db.do(ctx, removeMost, []string{comments.Installation, id}, func(ctx context.Context, tx *Tx) error {
		if tx.heads[id] == nil {
			return unknown(id)
		}
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		for _, table := range owned {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE site = $1`, id); err != nil {
				return fmt.Errorf("remove site %s: %w", id, err)
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM sites WHERE id = $1`, id); err != nil {
			return err
		}
		delete(tx.heads, id)
		_, err := tx.Append(comments.Event{Site: comments.Installation, Actor: actor, Kind: comments.KindSiteRemoved, Subject: id})
		return err
	})
}
