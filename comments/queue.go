package comments

import "slices"

// Queue names a queue that is no status: a predicate over what the store knows of a
// comment. Stores keep each indexed and counted.
type Queue string

// Queues beside the five statuses.
const (
	Suspect  Queue = "suspect"  // pending, with a signal of level hold or above
	Reported Queue = "reported" // readers' reports of it are open
	Appeals  Queue = "appeals"  // its author's appeal is open
	Edited   Queue = "edited"   // pending, while its earlier words stand in public
)

// Queues lists them.
var Queues = [...]Queue{Suspect, Reported, Appeals, Edited}

// Valid reports whether q is one of Queues.
func (q Queue) Valid() bool { return slices.Contains(Queues[:], q) }

// In reports whether a comment stands in a queue.
func (c *Comment) In(q Queue) bool {
	switch q {
	case Suspect:
		return c.Status == Pending && c.Held()
	case Reported:
		return c.Reports > 0
	case Appeals:
		return c.Marks.Has(Appealed)
	case Edited:
		return c.Status == Pending && c.Public != nil
	}
	return false
}

// Held reports whether a check holds the comment or takes it for spam.
func (c *Comment) Held() bool {
	return slices.ContainsFunc(c.Signals, func(s Signal) bool { return s.Level == LevelHold || s.Level == LevelSpam })
}

// QueueCounts is how many comments stand in each of Queues. Stores keep it exact in the
// transaction that changes a comment.
type QueueCounts struct {
	Suspect, Reported, Appeals, Edited int64
}

// Of is the count of one queue.
func (t QueueCounts) Of(q Queue) int64 {
	if p := t.at(q); p != nil {
		return *p
	}
	return 0
}

// Move takes a comment from what it was to what it is; nil stands for outside.
func (t *QueueCounts) Move(from, to *Comment) {
	for _, q := range Queues {
		if from != nil && from.In(q) {
			*t.at(q)--
		}
		if to != nil && to.In(q) {
			*t.at(q)++
		}
	}
}

// Add adds another site's.
func (t *QueueCounts) Add(more QueueCounts) {
	for _, q := range Queues {
		*t.at(q) += more.Of(q)
	}
}

func (t *QueueCounts) at(q Queue) *int64 {
	switch q {
	case Suspect:
		return &t.Suspect
	case Reported:
		return &t.Reported
	case Appeals:
		return &t.Appeals
	case Edited:
		return &t.Edited
	}
	return nil
}

// QueueFilter is what a page of a queue is cut from.
type QueueFilter struct {
	Site   string
	Status Status // "" only with Queue or All: whatever the status
	All    bool   // everything, by time of writing; without Status and Queue
	Queue  Queue  // "" = everything of the status
	Order  Sort   // "" = Oldest; Newest, by time of writing; ByRisk for all that is pending
	After  ID     // "" = from the start

	// AfterRisk is the risk that After had when it was listed: with ByRisk it is part of
	// the place.
	AfterRisk uint16
	Limit     int
}

// Fits reports whether a comment belongs in the queue that f is cut from.
func (f QueueFilter) Fits(c *Comment) bool {
	return (f.Status == "" || c.Status == f.Status) && (f.Queue == "" || c.In(f.Queue))
}

// Listed reports whether f asks for a queue that is kept: of a status, of Queues (of any
// status, or of the one that all of that queue have), of what is pending by risk, or of all
// that there is.
// Others are empty.
func (f QueueFilter) Listed() bool {
	switch {
	case f.All:
		return f.Queue == "" && f.Status == "" && f.Order != ByRisk
	case f.Order == ByRisk:
		return f.Queue == "" && f.Status == Pending
	case f.Queue == "":
		return f.Status.Valid()
	case f.Queue == Suspect, f.Queue == Edited:
		return f.Status == Pending || f.Status == ""
	}
	return f.Queue.Valid() && f.Status == ""
}
