package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"duyet/comments"
)

// standingTree notes a comment that readers see, and looks for its place in trees and
// among the liked.
func (c *checker) standingTree(s *siteCheck, page uint32, comment *comments.Comment, id uuid.UUID) {
	name, top := s.comment(id), topOf(comment, id)
	s.trees[string(treeKey(s.head.number, page, top))]++
	if comment.Root != "" && !c.tx.Has(bucketReplies, replyKey(s.head.number, top, id)) {
		c.problem(name, "readers see it, but it is not among the replies of its tree")
	}
	if !c.tx.Has(bucketLiked, likedKey(s.head.number, page, likedAll, comment.Likes, id)) {
		c.problem(name, "it is not in its place among the liked")
	}
}

// checkTrees holds the sizes of trees against what stands in them, and their places among
// the liked.
func (c *checker) checkTrees() error {
	err := c.each(bucketTrees, func(k, v []byte) {
		s := c.site(bucketTrees, k, 8+uuidSize)
		if s == nil {
			return
		}
		f, payload, err := open(bucketTrees, k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		id := uuid.UUID(k[8:])
		if f != formatTree || len(payload) != 8 || int64(binary.BigEndian.Uint64(payload)) != s.trees[string(k)] {
			c.problem("tree of "+s.comment(id), "its size is %x, counted were %d", payload, s.trees[string(k)])
		}
		delete(s.trees, string(k))
		page := binary.BigEndian.Uint32(k[4:])
		top, err := c.tx.comment(s.head.number, s.id, id, false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(s.comment(id), "it does not exist, but a tree has it at its top")
		case err != nil: // reported with the comments
		case !c.tx.Has(bucketLiked, likedKey(s.head.number, page, likedTops, topLikes(&top.Comment), id)):
			c.problem("tree of "+s.comment(id), "it is not in its place among the liked")
		}
	})
	for _, s := range c.inOrder() {
		for k := range s.trees {
			c.problem("tree of "+s.comment(uuid.UUID([]byte(k[8:]))), "readers see some of it, but it is not listed")
		}
	}
	return err
}

// topLikes is what the top of a tree is listed with.
func topLikes(c *comments.Comment) int64 {
	if c.Standing() {
		return c.Likes
	}
	return 0
}

func (c *checker) checkReplies() error {
	return c.each(bucketReplies, func(k, _ []byte) {
		s := c.site(bucketReplies, k, 4+2*uuidSize)
		if s == nil {
			return
		}
		id := uuid.UUID(k[4+uuidSize:])
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(s.comment(id), "it does not exist, but a tree lists it")
		case err == nil && (!comment.Standing() || comment.Root == "" || comment.Root.UUID() != uuid.UUID(k[4:4+uuidSize])):
			c.problem(s.comment(id), "a tree lists it, where it does not belong")
		}
	})
}

func (c *checker) checkLiked() error {
	return c.each(bucketLiked, func(k, _ []byte) {
		s := c.site(bucketLiked, k, likedSize)
		if s == nil {
			return
		}
		page, list, id := binary.BigEndian.Uint32(k[4:]), k[8], uuid.UUID(k[likedSize-uuidSize:])
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		if errors.Is(err, comments.ErrNotFound) {
			c.problem(s.comment(id), "it does not exist, but a list of the liked has it")
		}
		if err != nil {
			return
		}
		belongs := s.numbers[page] == comment.Page
		switch list {
		case likedAll:
			belongs = belongs && comment.Standing() && bytes.Equal(k, likedKey(s.head.number, page, list, comment.Likes, id))
		case likedTops:
			belongs = belongs && c.tx.Has(bucketTrees, treeKey(s.head.number, page, id)) &&
				bytes.Equal(k, likedKey(s.head.number, page, list, topLikes(&comment.Comment), id))
		default:
			belongs = false
		}
		if !belongs {
			c.problem(s.comment(id), "a list of the liked has it, where it does not belong")
		}
	})
}

func (c *checker) checkLikes() error {
	err := c.each(bucketLikes, func(k, _ []byte) {
		if s := c.site(bucketLikes, k, commentSize+len(comments.AuthorKey{})); s != nil {
			s.likes[uuid.UUID(k[4:commentSize])]--
		}
	})
	for _, s := range c.inOrder() {
		for id, n := range s.likes {
			if n != 0 {
				c.problem(s.comment(id), "it counts %d more likes than there are", n)
			}
		}
	}
	return err
}
