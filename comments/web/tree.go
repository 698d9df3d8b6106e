package web

import (
	"bytes"
	"errors"

	"duyet/comments"
)

// treeQuery is a question for a part of a thread as trees. Its key is canonical, so that
// all spellings of one question share an entry.
type treeQuery struct{ comments.TreeQuery }

// treeQuery reads what is asked of a thread's page or fragment.
func (a asked) treeQuery(most int) (q treeQuery, err error) {
	flat, err := a.threadQuery(most)
	q.Page, q.Sort, q.After, q.Limit = flat.Page, flat.Sort, flat.After, flat.Limit
	q.At = a.query.Get("comment")
	switch {
	case q.At != "":
		q.After = ""
	case a.query.Has("root"):
		q.Top, q.Sort = a.query.Get("root"), comments.Oldest
	}
	return q, err
}

func (q treeQuery) key(k kind, site, lang string) key {
	return key{
		kind: k, site: site, page: q.Page, lang: lang,
		after: q.After, sort: q.Sort, limit: q.Limit, top: q.Top, at: q.At,
	}
}

// holding shows the part of a thread that a comment stands in, when one is asked for: the
// first part if that holds it, and otherwise one that begins with its tree. For a comment
// that readers do not see, or no longer, it is the first part.
func (d *Door) holding(q treeQuery, show func(treeQuery) (*entry, error)) (*entry, error) {
	if q.At == "" {
		return show(q)
	}
	first := q
	first.At = ""
	e, err := show(first)
	id, idErr := comments.ParseID(q.At)
	if err != nil || idErr != nil || e.holds(id) {
		return e, err
	}
	there, err := show(q)
	if errors.Is(err, comments.ErrNotFound) {
		return e, nil
	}
	return there, err
}

// holds reports whether a comment, or its place, is in a rendered thread.
func (e *entry) holds(id comments.ID) bool {
	mark := []byte(`id="` + anchor(id) + `"`)
	return bytes.Contains(e.body, mark) || bytes.Contains([]byte(e.list.HTML()), mark)
}
