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
	if err := s.allowed(ctx, who, See, site); err != nil {
		return Tally{}, err
	}
	head, err := s.cfg.Journal.Head(ctx, site)
	if err != nil {
		return Tally{}, err
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
