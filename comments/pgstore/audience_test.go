package pgstore_test

import (
	"testing"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/audience/audiencetest"
	"duyet/comments/pgstore"
)

func TestAudience(t *testing.T) {
	audiencetest.Run(t, func(t *testing.T) audiencetest.Store {
		dsn := cluster.Database(t)
		db := open(t, dsn, options())
		return audiencetest.Store{Store: db, Comments: db, Reopen: func(t *testing.T) (audience.Store, comments.Store) {
			again := open(t, dsn, options())
			return again, again
		}}
	})
}

// TestAudienceOfSeveralNodes: what each node counts adds up, and a visitor of both is one.
func TestAudienceOfSeveralNodes(t *testing.T) {
	dsn := cluster.Database(t)
	nodes := []*pgstore.DB{open(t, dsn, options()), open(t, dsn, options())}
	audiencetest.Nodes(t, nodes[0], nodes[0], nodes[1])
}
