package comments

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// Liked is the order of a thread by how many readers like a comment, the most first, and
// then by time of writing.
const Liked Sort = "liked"

// Point is where a list of a thread goes on. The zero Point is its start.
type Point struct {
	ID    ID    // after this comment, whether or not it still stands
	Likes int64 // by Liked: how many it had when the list came to it
	With  bool  // from this comment on, itself included
}

// Tree is a comment on an article with the replies below it, of which only the number is
// told. It stands as long as any of them does.
type Tree struct {
	Top     Comment // Shown, unless it is not standing itself
	Replies int64   // standing ones, however deep
}

// Branch asks for a part of the replies in a tree.
type Branch struct {
	Top   ID
	After ID   // "" = from the start
	With  bool // After itself included
	Limit int
}

// TreeReader reads threads as trees. The cost of each method depends on the limits asked
// for, not on the length of the thread or the size of a tree.
type TreeReader interface {
	// Trees is up to limit trees of a page in which a comment stands, in order of their top
	// comments, from a point on. By Liked one whose top comment does not stand counts as
	// liked by nobody. An unknown page has none; an alias is taken for its page, as by Thread.
	Trees(ctx context.Context, site, key string, sort Sort, from Point, limit int) ([]Tree, error)
	// Replies is, for each branch, up to its limit standing replies, as Shown, by time of
	// writing. A tree that does not exist has none.
	Replies(ctx context.Context, site string, branches []Branch) ([][]Comment, error)
	// MostLiked is up to limit standing comments of a page (or an alias of it), as Shown, by
	// Liked from a point on.
	MostLiked(ctx context.Context, site, key string, from Point, limit int) ([]Comment, error)
	// Gather reads comments of a site whatever their status, in the order asked, without
	// those that do not exist.
	Gather(ctx context.Context, site string, ids []ID) ([]Comment, error)
}

// PointCursor names the point after a comment in a list of a sort. It is opaque to clients.
func PointCursor(sort Sort, c Comment) string {
	if sort != Liked {
		return Cursor(c.ID)
	}
	likes := c.Likes
	if !c.Standing() {
		likes = 0
	}
	u := c.ID.UUID()
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(likes)), u[:]...))
}

// ParsePoint reads a cursor of PointCursor; "" is the start. Anything else that is no
// cursor of the sort is ErrMalformed.
func ParsePoint(site string, sort Sort, text string) (Point, error) {
	if sort != Liked || text == "" {
		id, err := ParseCursor(site, text)
		return Point{ID: id}, err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 8+len(uuid.UUID{}) || raw[0] > 0x7f {
		return Point{}, fmt.Errorf("cursor: %w", ErrMalformed)
	}
	return Point{ID: MakeID(site, uuid.UUID(raw[8:])), Likes: int64(binary.BigEndian.Uint64(raw))}, nil
}
