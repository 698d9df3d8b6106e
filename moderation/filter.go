package moderation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"duyet/comments"
)

// SavedFilter is a list that somebody comes back to: a queue and what narrows it, as the
// desk writes it in an address.
type SavedFilter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Query string `json:"query"`
}

// Limits of saved filters.
const (
	FiltersMost     = 20 // of one person
	filterNameMost  = 60 // characters
	filterQueryMost = 8 << 10
)

// kindFilters is the document that holds a person's filters, under the person's id. Nothing
// is told of it: it concerns nobody else.
const kindFilters = "filters"

// Filters are the person's own, in the order of saving.
func (s *Service) Filters(ctx context.Context, who Moderator) ([]SavedFilter, error) {
	list, _, err := s.filters(ctx, who)
	return list, err
}

func (s *Service) filters(ctx context.Context, who Moderator) (list []SavedFilter, d Document, err error) {
	d, err = s.cfg.Store.Document(ctx, comments.Installation, kindFilters, who.ID)
	if errors.Is(err, comments.ErrNotFound) {
		return nil, Document{Site: comments.Installation, Kind: kindFilters, ID: who.ID}, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Data, &list)
	}
	return list, d, err
}

// SaveFilter keeps a filter under a name, over one of the same name. An InvalidError on
// "name" is of one that is empty, too long, or one too many.
func (s *Service) SaveFilter(ctx context.Context, who Moderator, name, query string) error {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > filterNameMost || !utf8.ValidString(name) || strings.ContainsRune(name, 0) || len(query) > filterQueryMost {
		return invalidName(comments.CodeRequired)
	}
	return s.changeFilters(ctx, who, func(list []SavedFilter) ([]SavedFilter, error) {
		for i := range list {
			if list[i].Name == name {
				list[i].Query = query
				return list, nil
			}
		}
		if len(list) >= FiltersMost {
			return nil, invalidName(comments.CodeTooLong)
		}
		return append(list, SavedFilter{ID: rand.Text()[:10], Name: name, Query: query}), nil
	})
}

// RemoveFilter forgets one; one that isn't there is forgotten already.
func (s *Service) RemoveFilter(ctx context.Context, who Moderator, id string) error {
	return s.changeFilters(ctx, who, func(list []SavedFilter) ([]SavedFilter, error) {
		return slices.DeleteFunc(list, func(f SavedFilter) bool { return f.ID == id }), nil
	})
}

// changeFilters does it again when the same person changes them elsewhere meanwhile.
func (s *Service) changeFilters(ctx context.Context, who Moderator, change func([]SavedFilter) ([]SavedFilter, error)) error {
	for {
		list, d, err := s.filters(ctx, who)
		if err != nil {
			return err
		}
		if list, err = change(list); err != nil {
			return err
		}
		if d.Data, err = json.Marshal(list); err != nil {
			return err
		}
		d.By = who.ID
		_, err = s.cfg.Store.PutDocument(ctx, d, "")
		if err == nil || !errors.Is(err, comments.ErrVersion) && !errors.Is(err, comments.ErrExists) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func invalidName(code string) error {
	return &comments.InvalidError{Fields: []comments.FieldError{{Field: "name", Code: code}}}
}

// QueuesOn are the queues of one page: what is counted with the page, and the queues to work
// on counted one by one, with at most search.CountMost of each.
func (s *Service) QueuesOn(ctx context.Context, who Moderator, site, key string) (comments.Counts, comments.QueueCounts, error) {
	var queues comments.QueueCounts
	if err := s.allowed(ctx, who, See, site); err != nil {
		return comments.Counts{}, queues, err
	}
	p, err := s.cfg.Pages.Page(ctx, site, key)
	if errors.Is(err, comments.ErrNotFound) {
		return comments.Counts{}, queues, nil
	}
	if err != nil {
		return comments.Counts{}, queues, fmt.Errorf("page: %w", err)
	}
	for q, n := range map[QueueName]*int64{Suspect: &queues.Suspect, Reported: &queues.Reported, Appeals: &queues.Appeals} {
		query := QueueQuery{Site: site, Queue: q, Limit: 1}
		query.Asked.PageKey = p.Key
		page, err := s.Queue(ctx, who, query)
		if err != nil {
			return comments.Counts{}, queues, err
		}
		*n = page.Total
	}
	return p.Counts, queues, nil
}
