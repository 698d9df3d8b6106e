package comments

import (
	"context"
	"fmt"
	"net/netip"
)

// LikesMost is how many comments one may ask about at once.
const LikesMost = FragmentMost + ThreadMost

// Liking is one author's mind about one comment.
type Liking struct {
	Comment ID
	By      AuthorKey
	On      bool
}

// Liker keeps which authors like which comments. Likes are too many for the journal; each
// is durable and counted exactly all the same.
type Liker interface {
	// Like makes an author like a standing comment, or no longer, together with the
	// comment's count of likes, and returns the comment as it then stands, as Shown. An
	// author likes a comment once however often they say so: changed is false when nothing
	// was to be done. The comment's version and its site's journal don't change. One that
	// does not stand is ErrNotFound, except to take a like back.
	Like(ctx context.Context, l Liking) (c Comment, changed bool, err error)
	// Liked is which of some comments of a site an author likes, in the order asked.
	Liked(ctx context.Context, site string, by AuthorKey, ids []ID) ([]ID, error)
	// ObserveLikes adds an observer that is told of each page on which likes have changed,
	// here or on another node, soon after; page "" means that any page may have changed. It
	// must be quick. Call before serving.
	ObserveLikes(func(site, page string))
}

// Like takes a reader's word that they like a comment, or no longer do, and returns how
// many do. Errors: ErrNotFound for a comment that readers do not see or a site that counts
// no likes; InvalidError on "author" without one; *LimitedError.
func (s *Service) Like(ctx context.Context, site Site, raw string, by AuthorKey, on bool, addr netip.Addr) (Comment, error) {
	if !site.Settings.Likes {
		return Comment{}, fmt.Errorf("likes of site %s: %w", site.ID, ErrNotFound)
	}
	if by.IsZero() {
		return Comment{}, Invalid("author", CodeRequired)
	}
	id, err := ParseID(raw)
	if err == nil && id.Site() != site.ID {
		err = ErrNotFound
	}
	if err != nil {
		return Comment{}, err
	}
	if err := s.Limit(site, [16]byte{}, MeterLike, addr); err != nil {
		return Comment{}, err
	}
	c, _, err := s.cfg.Store.Like(ctx, Liking{Comment: id, By: by, On: on})
	return c, err
}

// Liked is which of some comments of a site an author likes.
func (s *Service) Liked(ctx context.Context, site Site, by AuthorKey, ids []ID) (map[ID]bool, error) {
	if by.IsZero() || !site.Settings.Likes || len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > LikesMost {
		return nil, fmt.Errorf("more than %d comments: %w", LikesMost, ErrMalformed)
	}
	list, err := s.cfg.Store.Liked(ctx, site.ID, by, ids)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	liked := make(map[ID]bool, len(list))
	for _, id := range list {
		liked[id] = true
	}
	return liked, nil
}
