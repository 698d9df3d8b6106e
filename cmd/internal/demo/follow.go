package demo

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// authorOf is the key that a sample's author would keep in the browser: one a network.
func (s *Site) authorOf(one sample) string {
	if s.authors[one.addr] == "" {
		if s.authors == nil {
			s.authors = map[string]string{}
		}
		s.authors[one.addr] = rand.Text()
	}
	return s.authors[one.addr]
}

// follow is what readers and the author did about a sample after the desk had decided.
func (s *Site) follow(ctx context.Context, n Newsroom, site comments.Site, one sample, sent comments.Submitted) error {
	n.SetNow(s.began.Add(-one.ago + 12*time.Minute)) // within the time for edits
	id := string(sent.Comment.ID)
	by := comments.Proof{Receipts: []string{sent.Receipt}}
	for i := range one.likes {
		key, err := comments.AuthorKeyOf(site.ID, rand.Text())
		if err != nil {
			return err
		}
		if _, err := n.Comments.Like(ctx, site, id, key, true, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})); err != nil {
			return err
		}
	}
	if err := s.judge(ctx, n, one, sent.Comment.ID); err != nil {
		return err
	}
	if one.edit != "" {
		if _, err := n.Comments.Edit(ctx, site, id, by, comments.Words{Name: one.name, Title: one.title, Content: one.edit}); err != nil {
			return err
		}
	}
	if one.appeal != "" {
		if _, err := n.Comments.Appeal(ctx, site, id, by, one.appeal); err != nil {
			return err
		}
	}
	if one.report == "" {
		return nil
	}
	_, err := n.Comments.Flag(ctx, site, comments.Flag{
		Comment: id, Reason: "false", Text: one.report, Author: rand.Text(), Addr: netip.AddrFrom4([4]byte{198, 51, 100, 40}),
	})
	return err
}

// judge is what the newsroom did with a sample beside publishing it.
func (s *Site) judge(ctx context.Context, n Newsroom, one sample, id comments.ID) error {
	const version = 2 // as the decision left it
	if one.pick {
		if _, err := n.Moderation.PickOut(ctx, n.Moderator, string(id), version, true); err != nil {
			return err
		}
	}
	if one.answer == "" {
		return nil
	}
	r := moderation.Reply{ID: string(id), Version: version, Content: one.answer, Until: s.began.Add(-one.ago + time.Hour)}
	if _, err := rand.Read(r.Once[:]); err != nil {
		return err
	}
	_, err := n.Moderation.Answer(ctx, n.Moderator, r)
	return err
}
