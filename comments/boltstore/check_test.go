package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// tampered is a store of two comments, one approved and one suspect, in which something
// was then written that no operation would write.
func tampered(t *testing.T, tamper func(tx *Tx, number uint32)) *DB {
	t.Helper()
	db, err := Open(t.Context(), testOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	addSite(t, db, "news")
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	for i, status := range []comments.Status{comments.Approved, comments.Pending} {
		c := comments.Comment{ID: comments.MakeID("news", one(i)), Site: "news", Page: "p", Status: status, CreatedAt: at}
		if status == comments.Pending {
			c.Signals = []comments.Signal{{Check: "x", Level: comments.LevelHold}}
		}
		_, _, err := db.Create(t.Context(), comments.Creation{
			Comment: c, Actor: "reader", Ticket: comments.Spend{ID: comments.TicketID{byte(i + 1)}, Expires: at},
			Author: comments.Author{Addr: netip.MustParseAddr("192.0.2.1"), Expires: at},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.Do(t.Context(), func(tx *Tx) error {
		number, err := tx.number("news")
		if err == nil {
			tamper(tx, number)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// one is the i-th comment's uuid.
func one(i int) uuid.UUID { return uuid.UUID{1, byte(i)} }

func problems(t *testing.T, db *DB) (list []string) {
	t.Helper()
	var done, total int64
	progress := func(d, all int64) { done, total = d, all }
	if err := db.Check(t.Context(), progress, func(p Problem) { list = append(list, p.String()) }); err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	return list
}

// TestCheckFinds: whatever does not fit is told of, naming the record.
func TestCheckFinds(t *testing.T) {
	if list := problems(t, tampered(t, func(*Tx, uint32) {})); len(list) != 0 {
		t.Fatalf("a sound store: %q", list)
	}
	first, second := "comment "+string(comments.MakeID("news", one(0))), "comment "+string(comments.MakeID("news", one(1)))
	ghost := uuid.UUID{9}
	for name, c := range map[string]struct {
		tamper func(tx *Tx, n uint32)
		wants  []string
	}{
		"site count": {func(tx *Tx, n uint32) {
			h, _ := tx.head("news")
			h.Counts.Spam++
			h.Queues.Suspect++
			h.dirty = true
			tx.wrote()
		}, []string{"site news: its counts are 1 pending, 1 approved, 0 rejected, 1 spam", "it tallies {Suspect:2 Reported:0 Appeals:0 Edited:0}, counted were {Suspect:1"}},
		"page count": {func(tx *Tx, n uint32) {
			p, _ := tx.page(n, "news", "p")
			p.Counts.Approved = 7
			tx.changed(p)
		}, []string{"page p of site news: its counts are 1 pending, 7 approved"}},
		"queue lacks": {func(tx *Tx, n uint32) {
			tx.delete(bucketQueues, queueKey(n, statusQueue(comments.Approved), one(0)))
		}, []string{first + ": it is approved but not in that queue"}},
		"suspects lack": {func(tx *Tx, n uint32) {
			tx.delete(bucketQueues, queueKey(n, queueSuspect, one(1)))
		}, []string{second + ": it is not in the queue suspect"}},
		"queue has too much": {func(tx *Tx, n uint32) {
			tx.PutEntry(bucketQueues, queueKey(n, statusQueue(comments.Spam), one(0)))
			tx.PutEntry(bucketQueues, queueKey(n, queueSuspect, one(0)))
			tx.PutEntry(bucketQueues, queueKey(n, statusQueue(comments.Spam), ghost))
		}, []string{first + `: it is approved, but the queue '\x04' lists it`, first + `: it is approved, but the queue 's' lists it`, "it does not exist, but a queue lists it"}},
		"thread lacks": {func(tx *Tx, n uint32) {
			tx.delete(bucketThreads, threadKey(n, 1, one(0)))
		}, []string{first + ": readers see it, but it is not in its page's thread"}},
		"thread has too much": {func(tx *Tx, n uint32) {
			tx.PutEntry(bucketThreads, threadKey(n, 1, one(1)))
			tx.PutEntry(bucketThreads, threadKey(n, 2, one(0)))
			tx.PutEntry(bucketThreads, threadKey(n, 1, ghost))
		}, []string{second + ": it is pending, but a thread lists it", first + ": another page's thread lists it", "it does not exist, but a thread lists it"}},
		"tree's size": {func(tx *Tx, n uint32) {
			tx.PutRecord(bucketTrees, treeKey(n, 1, one(0)), formatTree, binary.BigEndian.AppendUint64(nil, 7))
		}, []string{"tree of " + first + ": its size is 0000000000000007, counted were 1"}},
		"tree lacks": {func(tx *Tx, n uint32) {
			tx.delete(bucketTrees, treeKey(n, 1, one(0)))
		}, []string{"tree of " + first + ": readers see some of it, but it is not listed", first + ": a list of the liked has it, where it does not belong"}},
		"trees too many": {func(tx *Tx, n uint32) {
			for _, id := range []uuid.UUID{one(1), ghost} {
				tx.PutRecord(bucketTrees, treeKey(n, 1, id), formatTree, binary.BigEndian.AppendUint64(nil, 1))
			}
			tx.PutRecord(bucketTrees, treeKey(n, 1, one(0)), formatTree, nil)
		}, []string{"tree of " + second + ": its size is", "it does not exist, but a tree has it at its top", "tree of " + first + ": its size is , counted were 1"}},
		"replies have too much": {func(tx *Tx, n uint32) {
			tx.PutEntry(bucketReplies, replyKey(n, one(0), one(1)))
			tx.PutEntry(bucketReplies, replyKey(n, one(0), ghost))
		}, []string{second + ": a tree lists it, where it does not belong", "it does not exist, but a tree lists it"}},
		"replies lack": {func(tx *Tx, n uint32) {
			s, _ := tx.stand(comments.MakeID("news", one(0)))
			s.stored.Root, s.stored.Parent = comments.MakeID("news", one(1)), comments.MakeID("news", one(1))
			key := commentKey(n, one(0))
			tx.put(bucketComments, key, s.stored.record(key))
		}, []string{first + ": readers see it, but it is not among the replies of its tree", "tree of " + second + ": readers see some of it, but it is not listed"}},
		"liked lack": {func(tx *Tx, n uint32) {
			tx.delete(bucketLiked, likedKey(n, 1, likedAll, 0, one(0)))
			tx.delete(bucketLiked, likedKey(n, 1, likedTops, 0, one(0)))
		}, []string{first + ": it is not in its place among the liked", "tree of " + first + ": it is not in its place among the liked"}},
		"liked have too much": {func(tx *Tx, n uint32) {
			tx.PutEntry(bucketLiked, likedKey(n, 1, likedAll, 3, one(0)))
			tx.PutEntry(bucketLiked, likedKey(n, 2, likedTops, 0, one(1)))
			tx.PutEntry(bucketLiked, likedKey(n, 1, likedAll, 0, ghost))
			tx.PutEntry(bucketLiked, likedKey(n, 1, 'x', 0, one(0)))
		}, []string{first + ": a list of the liked has it, where it does not belong", second + ": a list of the liked has it", "it does not exist, but a list of the liked has it"}},
		"likes": {func(tx *Tx, n uint32) {
			tx.PutEntry(bucketLikes, likeKey(n, one(0), comments.AuthorKey{1}))
			tx.PutEntry(bucketLikes, likeKey(n, ghost, comments.AuthorKey{1}))
		}, []string{first + ": it counts -1 more likes than there are", "it counts -1 more likes"}},
		"comment missing": {func(tx *Tx, n uint32) {
			tx.delete(bucketComments, commentKey(n, one(0)))
		}, []string{first + ": it does not exist, but a queue", first + ": it does not exist, but a thread", "event 2 of site news: its comment", "spent ticket 01", "address of " + first, "1 approved"}},
		"page missing": {func(tx *Tx, n uint32) {
			tx.delete(bucketPages, pageKey(n, "p"))
		}, []string{first + ": its page p does not exist"}},
		"event missing": {func(tx *Tx, n uint32) {
			tx.delete(bucketJournal, eventKey(n, 2))
		}, []string{first + ": event 2 of its history is missing", "journal of site news: site news, event 2: it is missing"}},
		"history lacks": {func(tx *Tx, n uint32) {
			s, _ := tx.stand(comments.MakeID("news", one(0)))
			s.stored.history = []uint64{3} // the other's
			key := commentKey(n, one(0))
			tx.put(bucketComments, key, s.stored.record(key))
		}, []string{first + ": event 3 of its history is not about it", "event 2 of site news: it is missing from the history"}},
		"status changed": {func(tx *Tx, n uint32) {
			s, _ := tx.stand(comments.MakeID("news", one(1)))
			s.stored.Status = comments.Approved
			key := commentKey(n, one(1))
			tx.put(bucketComments, key, s.stored.record(key))
		}, []string{second + `: it is approved, and by its history "pending"`}},
		"details of nothing": {func(tx *Tx, n uint32) {
			for _, seq := range []uint64{2, 99} {
				tx.PutRecord(bucketDetails, eventKey(n, seq), formatDetail, []byte{0, 0, 0})
			}
		}, []string{"event 2 of site news: what was typed with it is not its own", "event 99 of site news: it does not exist"}},
		"checksum": {func(tx *Tx, n uint32) {
			key := commentKey(n, one(0))
			record := bytes.Clone(tx.get(bucketComments, key))
			record[len(record)-1]++
			tx.put(bucketComments, key, record)
		}, []string{"its checksum does not fit"}},
		"orphans": {func(tx *Tx, n uint32) {
			for _, b := range []Bucket{bucketComments, bucketPages, bucketQueues, bucketThreads, bucketJournal, bucketDetails} {
				tx.PutEntry(b, siteKey(99))
			}
			tx.PutEntry(bucketAddresses, []byte("short"))
			tx.PutEntry(bucketSpent, []byte("short"))
		}, []string{"comments record 00000063", "pages record 00000063", "queues record 00000063", "threads record 00000063",
			"journal record 00000063", "details record 00000063", "address 73686f7274", "spent ticket 73686f7274"}},
		"site without a record": {func(tx *Tx, n uint32) {
			tx.delete(bucketSites, []byte("news"))
		}, []string{"site news: it has a journal but no record"}},
	} {
		t.Run(name, func(t *testing.T) {
			list := problems(t, tampered(t, c.tamper))
			for _, want := range c.wants {
				if all := strings.Join(list, "\n"); !strings.Contains(all, want) {
					t.Errorf("nothing says %q in:\n%s", want, all)
				}
			}
		})
	}
}

// TestVerifyChainFinds: an event that was changed, left out, moved or cut off is found and
// named, though its checksum was made to fit.
func TestVerifyChainFinds(t *testing.T) {
	change := func(tx *Tx, n uint32, seq uint64, f func(e *comments.Event)) {
		key := eventKey(n, seq)
		e, _ := decodeEvent("news", key, tx.get(bucketJournal, key))
		f(&e)
		tx.put(bucketJournal, key, eventRecord(key, e))
	}
	for name, c := range map[string]struct {
		tamper func(tx *Tx, n uint32)
		want   string
	}{
		"actor": {func(tx *Tx, n uint32) { change(tx, n, 2, func(e *comments.Event) { e.Actor = "x" }) }, "event 2"},
		"time":  {func(tx *Tx, n uint32) { change(tx, n, 3, func(e *comments.Event) { e.At = e.At.Add(time.Second) }) }, "event 3"},
		"to":    {func(tx *Tx, n uint32) { change(tx, n, 3, func(e *comments.Event) { e.To = comments.Spam }) }, "event 3"},
		"chain": {func(tx *Tx, n uint32) { change(tx, n, 1, func(e *comments.Event) { e.Chain[0]++ }) }, "event 1"},
		"gap":   {func(tx *Tx, n uint32) { tx.delete(bucketJournal, eventKey(n, 2)) }, "event 2"},
		"cut":   {func(tx *Tx, n uint32) { tx.delete(bucketJournal, eventKey(n, 3)) }, "event 3"},
		"cut with its head": {func(tx *Tx, n uint32) {
			tx.delete(bucketJournal, eventKey(n, 3))
			h, _ := tx.head("news")
			h.Seq, h.dirty = 2, true
		}, "event 2"},
		"reordered": {func(tx *Tx, n uint32) {
			var two comments.Event
			change(tx, n, 2, func(e *comments.Event) { two = *e })
			change(tx, n, 3, func(e *comments.Event) {
				was := *e
				*e = two
				change(tx, n, 2, func(e *comments.Event) { *e = was })
			})
		}, "event 2"},
		"after the head": {func(tx *Tx, n uint32) {
			h, _ := tx.head("news")
			e := comments.Event{Site: "news", Seq: 4, Kind: "x", At: time.UnixMilli(1)}
			e.Chain = e.Link(tx.mac, h.Chain)
			tx.put(bucketJournal, eventKey(n, 4), eventRecord(eventKey(n, 4), e))
		}, "event 4"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tampered(t, c.tamper).VerifyChain(t.Context(), "news")
			if !errors.Is(err, comments.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %s", err, c.want)
			}
		})
	}
}
