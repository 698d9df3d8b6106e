package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// List is the statement of a list, and the index that it is a range of.
type List struct {
	SQL   string
	Args  []any
	Index string
}

// Literals are the arguments as SQL.
func (l List) Literals() string {
	var list []string
	for _, a := range l.Args {
		if u, ok := a.(pgtype.UUID); ok {
			a = u.String()
		}
		list = append(list, fmt.Sprintf("'%v'", a))
	}
	return strings.Join(list, ", ")
}

// Conn is a connection with the settings that the store's have.
func Conn(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := ConnConfig(dsn)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config)
}

// Lists are the statements by which threads and queues are read, from the middle on.
func Lists(site, page string, limit int) map[string]List {
	lists := map[string]List{}
	for name, newest := range map[string]bool{"oldest": false, "newest": true} {
		middle := from(comments.ID(site+"~01900000-0000-7000-8000-000000002710"), newest)
		lists["thread, "+name] = List{threaded(newest), []any{site, limit, middle, pageUUID(site, page), from("", !newest)}, "comments_standing"}
		for _, s := range comments.Statuses {
			lists[string(s)+", "+name] = List{listed(`status = '`+string(s)+`'`, newest), []any{site, limit, middle}, "comments_" + string(s)}
		}
		for q, condition := range queued {
			lists[string(q)+", "+name] = List{listed(condition, newest), []any{site, limit, middle}, "comments_" + string(q)}
		}
	}
	middle := from(comments.ID(site+"~01900000-0000-7000-8000-000000002710"), true)
	lists["by author"] = List{byAuthor, []any{site, limit, middle, pgtype.UUID{Bytes: [16]byte{1}, Valid: true}}, "comments_author"}
	lists["by code"] = List{byCode, []any{site, 7}, "comments_code"}
	lists["by network"] = List{byNetwork, []any{site, limit, middle, "192.0.2.7"}, "addresses_net"}
	middle = from(comments.ID(site+"~01900000-0000-7000-8000-000000002710"), false)
	for name, newest := range map[string]bool{"oldest": false, "newest": true} {
		lists["trees, "+name] = List{listedTrees(newest, true), []any{site, limit, middle, pageUUID(site, page), from("", !newest)}, "comments_tops"}
	}
	where, order := likedList(tops, topLikes, false)
	lists["trees, liked"] = List{withTop(where, order), []any{site, limit, middle, pageUUID(site, page), from("", true), -3}, "comments_liked_tops"}
	where, order = likedList(standing, `(-likes)`, true)
	lists["liked"] = List{withPages(where, order), []any{site, limit, middle, pageUUID(site, page), from("", true), -3}, "comments_liked"}
	lists["by risk"] = List{byRisk, []any{site, limit, from(comments.ID(site+"~01900000-0000-7000-8000-000000002710"), false), -500}, "comments_risk"}
	return lists
}

// Grow puts n comments of every status on a page, past the store: for plans and benchmarks
// alone, since nothing is counted.
func Grow(ctx context.Context, conn *pgx.Conn, site, page string, n int) []error {
	_, err1 := conn.Exec(ctx, `INSERT INTO pages VALUES ($1, $2, $3, '', '', false, 0, 0, 0, 0, 0, now()) ON CONFLICT DO NOTHING`,
		site, pageUUID(site, page), page)
	_, err2 := conn.Exec(ctx, `INSERT INTO comments
		SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, $2, NULL, 'An', 'Title', repeat('Words. ', 40), 'vi',
			(ARRAY['pending', 'approved', 'rejected', 'spam', 'trashed'])[1 + i % 5], 1, 1, NULL, i % 3 = 0, $4, NULL,
			NULL, ('01' || lpad(to_hex(i % 500), 30, '0'))::uuid, i % 1000, 0, i % 3, i % 4, i % 4 >= 2, CASE i % 2 WHEN 1 THEN '{}'::jsonb END
		FROM generate_series(1, $3::int) AS i`, site, pageUUID(site, page), n, time.Now())
	_, err3 := conn.Exec(ctx, `ANALYZE comments`)
	return []error{err1, err2, err3}
}

// Remember notes how far a node has told of a site; what it returns puts it back there.
func Remember(db *DB, site string) (back func(meanwhile func())) {
	c := db.tell.cursor(site)
	return func(meanwhile func()) {
		db.tell.mu.Lock()
		defer db.tell.mu.Unlock()
		meanwhile()
		db.tell.cursors[site] = c
	}
}
