package moderation

import "time"

// MovedSession is a session on its way from one store to another; see comments.Movable.
// The wing's other records are moved as they are.
type MovedSession struct {
	Hash    Hash
	Data    []byte
	Expires time.Time
}
