package web

import (
	"context"
	"html/template"
	"net/url"

	"duyet/comments"
	"duyet/templates"
)

// listing is what a rendering of a thread is for.
type listing struct {
	origin string               // before the addresses in it, "" on our own page
	own    bool                 // our own page, where likes are buttons
	mine   map[comments.ID]bool // what its reader likes; nil for what many are given alike
}

// listData is what the templates of a thread see.
type listData struct {
	Page     comments.Page
	Count    int64
	Shown    int
	Open     bool
	Sort     comments.Sort
	Comments []*commentData
	Oldest   string // address of the thread, oldest first
	Newest   string
	Liked    string // "" where the site counts no likes
	Write    string // address of the form
	More     string // address of what follows, "" at the end
	Start    string // address of the beginning, "" when this is it

	// Of the fragment alone.
	Live string    // address of its stream, "" for none
	Form *formData // without a ticket, for a script to bring to life; nil on a closed page
	Only bool      // false: the form knows that it does not stand alone
}

// listWords are what is said at every comment.
type listWords struct {
	L                                                    *templates.Locale
	Reply, Replies, Says, Share, Permalink, To, ToGone   string
	Removed, Picked, Desk, EditedHere, EditedThere, Like string
	Flag                                                 string
}

// commentData is a comment in its tree.
type commentData struct {
	*listWords
	ID       comments.ID
	Anchor   string
	Gone     bool
	Again    bool
	Name     string
	Title    string
	HTML     template.HTML
	ISO      string
	Time     string
	Link     string // its permalink
	Here     string // the same where the article shows the thread: the element finds the place
	Report   string // address of the form that reports it
	Answer   string // address of the form that answers it, "" on a closed page
	IsReply  bool
	Answers  *answersData // whom it answers, where its place does not show that
	Marks    comments.Marks
	Edited   bool
	EditISO  string
	EditTime string

	Likes    int64
	CanLike  bool
	LikeHere bool // with a button; otherwise where the permalink leads
	Liked    bool // by whom this is for

	Below   []*commentData
	Earlier string // address of the replies before those shown, "" without
	More    string // address of those after
	Left    int64  // how many those are, 0 when that is not known
}

type answersData struct {
	Name string // "" for one that is no longer public
	Link string
}

// EditedByDesk reports whether the newsroom changed its words.
func (c *commentData) EditedByDesk() bool { return c.Marks.Has(comments.EditedByDesk) }

// Pick reports whether the newsroom chose it.
func (c *commentData) Pick() bool { return c.Marks.Has(comments.Pick) }

// Newsroom reports whether the newsroom wrote it.
func (c *commentData) Newsroom() bool { return c.Marks.Has(comments.Newsroom) }

func newListWords(l *templates.Locale) *listWords {
	return &listWords{
		L: l, Reply: l.Say("thread.reply"), Replies: l.Say("thread.replies"), Says: l.Say("thread.says"),
		Share: l.Say("thread.link"), Permalink: l.Say("thread.permalink"), To: l.Say("thread.reply_to"), ToGone: l.Say("thread.reply_to_gone"),
		Removed: l.Say("tree.gone"), Picked: l.Say("tree.pick"), Desk: l.Say("tree.newsroom"),
		EditedHere: l.Say("tree.edited"), EditedThere: l.Say("tree.edited_by_desk"), Like: l.Say("tree.like"), Flag: l.Say("mine.report"),
	}
}

// renderList renders a thread for our own page.
func (d *Door) renderList(ctx context.Context, site comments.Site, q treeQuery, lang string, mine map[comments.ID]bool) (rendering, error) {
	v, made, err := d.listView(ctx, site, q.TreeQuery, lang, listing{own: true, mine: mine})
	if err != nil {
		return made, err
	}
	made.query = q
	made.list, err = d.tpl.Fragment("reader/fragment", "list", v)
	return made, err
}

// listView gathers a part of a thread for its templates.
func (d *Door) listView(ctx context.Context, site comments.Site, q comments.TreeQuery, lang string, is listing) (templates.View, rendering, error) {
	b, err := d.svc.Branches(ctx, site, q, comments.FragmentMost)
	if err != nil {
		return templates.View{}, rendering{}, err
	}
	made := d.lasting(site, comments.Thread{Page: b.Page, Open: b.Open})
	made.sort = b.Sort
	l := d.locale(lang, site)
	to := links{prefix: is.origin + d.tpl.URL(pagesPrefix+site.ID), page: b.Page.Key, lang: lang}
	data := &listData{
		Page: b.Page, Count: b.Page.Standing, Shown: b.Shown, Open: b.Open, Sort: b.Sort,
		Oldest: to.sorted(comments.Oldest), Newest: to.sorted(comments.Newest), Write: to.thread("", formAnchor),
	}
	if site.Settings.Likes {
		data.Liked = to.sorted(comments.Liked)
	}
	if b.Next != "" {
		data.More = to.thread(order(b.Sort)+"&after="+url.QueryEscape(b.Next), threadAnchor)
	}
	if q.After != "" || q.Top != "" || q.At != "" {
		data.Start = to.thread(order(b.Sort), threadAnchor)
	}
	g := gatherer{listWords: newListWords(l), to: to, open: b.Open, likes: site.Settings.Likes, listing: is, here: map[comments.ID]bool{}}
	g.note(b.Nodes)
	data.Comments = g.all(b.Nodes)
	for id := range g.here {
		made.shown = append(made.shown, id)
	}
	return templates.View{L: l, D: data}, made, nil
}

// gatherer makes the templates' comments of a part's.
type gatherer struct {
	*listWords
	listing
	to    links
	open  bool
	likes bool
	here  map[comments.ID]bool // whose elements are in the part
}

func (g *gatherer) note(nodes []*comments.Node) {
	for _, n := range nodes {
		g.here[n.Comment.ID] = true
		g.note(n.Replies)
	}
}

func (g *gatherer) all(nodes []*comments.Node) []*commentData {
	list := make([]*commentData, len(nodes))
	for i, n := range nodes {
		list[i] = g.one(n)
	}
	return list
}

func (g *gatherer) one(n *comments.Node) *commentData {
	c, id := n.Comment, url.QueryEscape(string(n.Comment.ID))
	d := &commentData{listWords: g.listWords, ID: c.ID, Anchor: anchor(c.ID), Gone: n.Gone, Again: n.Again, Below: g.all(n.Replies)}
	if n.Next != "" {
		d.More, d.Left = g.to.thread("&root="+id+"&after="+url.QueryEscape(n.Next), threadAnchor), n.Left
	}
	if n.Earlier {
		d.Earlier = g.to.thread("&root="+id, threadAnchor)
	}
	if n.Gone {
		return d
	}
	d.Name, d.Title, d.HTML = c.Name, c.Title, templates.Text(c.Content)
	d.ISO, d.Time, d.Link = g.L.ISO(c.CreatedAt), g.L.Time(c.CreatedAt), g.to.comment(c.ID)
	if d.Here = d.Link; !g.own {
		d.Here = "#" + d.Anchor
	}
	d.IsReply, d.Marks = c.Parent != "", c.Marks
	if d.Edited = !c.EditedAt.IsZero(); d.Edited {
		d.EditISO, d.EditTime = g.L.ISO(c.EditedAt), g.L.Time(c.EditedAt)
	}
	d.Report = g.to.prefix + "/comments/" + url.PathEscape(string(c.ID)) + "/report?lang=" + g.L.Lang
	if g.open {
		d.Answer = g.to.thread("&parent="+id, formAnchor)
	}
	if g.likes {
		d.CanLike, d.LikeHere, d.Likes, d.Liked = true, g.own, c.Likes, g.mine[c.ID]
	}
	if a := n.To; a != nil {
		d.Answers = &answersData{Name: a.Name}
		switch {
		case a.Gone:
			d.Answers.Name = ""
		case g.here[a.ID]:
			d.Answers.Link = "#" + anchor(a.ID)
		default:
			d.Answers.Link = g.to.comment(a.ID)
		}
	}
	return d
}
