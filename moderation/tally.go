package moderation

import (
	"context"

	"duyet/comments"
)

// Tally is how many comments of a site stand in each queue, as of one sequence number of
// its journal.
type Tally struct {
	Seq    uint64
	Counts map[string]int64 // by status, and by QueueName
}

// Tally counts a site's queues, all at one moment. Errors are those of Queue.
func (s *Service) Tally(ctx context.Context, who Moderator, site string) (Tally, error) {
	sites, err := s.scope(ctx, who, &QueueQuery{Site: site})
	if err != nil {
		return Tally{}, err
	}
	var head comments.Head
	for _, one := range sites {
		h, err := s.cfg.Journal.Head(ctx, one)
		if err != nil {
			return Tally{}, err
		}
		head.Seq += h.Seq
		head.Counts.Add(h.Counts)
		head.Queues.Add(h.Queues)
	}
	t := Tally{Seq: head.Seq, Counts: map[string]int64{}}
	for _, status := range comments.Statuses {
		t.Counts[string(status)] = head.Counts.Of(status)
	}
	for _, q := range comments.Queues {
		t.Counts[string(q)] = head.Queues.Of(q)
	}
	return t, nil
}
