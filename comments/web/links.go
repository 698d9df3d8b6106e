package web

import (
	"net/url"

	"duyet/comments"
)

// Anchors of a thread's page.
const (
	threadAnchor = "binh-luan"
	formAnchor   = "viet"
	noticeAnchor = "thong-bao"
)

// anchor is the id of a comment's element.
func anchor(id comments.ID) string { return "bl-" + id.UUID().String() }

// links makes addresses of one page's thread.
type links struct{ prefix, page, lang string }

// thread is the address of the thread; more is further parameters, each after an "&".
func (l links) thread(more, anchor string) string {
	return l.whole() + more + "#" + anchor
}

// whole is the address of the page of the thread.
func (l links) whole() string { return l.prefix + "/thread" + l.about() }

// feed is the address of one of the thread's feeds.
func (l links) feed(name string) string { return l.prefix + "/" + name + l.about() }

func (l links) about() string { return "?page=" + url.QueryEscape(l.page) + "&lang=" + l.lang }

// sorted is the address of the thread in an order.
func (l links) sorted(s comments.Sort) string { return l.thread(order(s), threadAnchor) }

// comment is a comment's permalink: the part of the thread that holds it, wherever that
// comes to be, with the comment marked. It is the one address of a comment, in the thread,
// in feeds and in lists.
func (l links) comment(id comments.ID) string {
	return l.thread("&comment="+url.QueryEscape(string(id)), anchor(id))
}

// order is the parameter of an order, nothing for the usual one.
func order(s comments.Sort) string {
	if s == comments.Oldest || s == "" {
		return ""
	}
	return "&sort=" + url.QueryEscape(string(s))
}
