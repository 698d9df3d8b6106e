package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// sample is one record of each noun, as a store writes them: bucket, key, record.
type sampled struct {
	bucket      Bucket
	key, record []byte
}

func samples(t testing.TB) (list []sampled) {
	t.Helper()
	o := testOptions(t)
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	addSite(t, db, "news")
	id := comments.MakeID("news", uuid.UUID{1, 2, 3})
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	_, _, err = db.Create(t.Context(), comments.Creation{
		Comment: comments.Comment{
			ID: id, Site: "news", Page: "https://news.example/1", Status: comments.Pending, Lang: "vi",
			Author: comments.AuthorKey{7}, Name: "Ánh", Title: "Góp ý", Content: "Rất hay!", CreatedAt: at, EditedAt: at,
			Signals: []comments.Signal{{Check: "x", Level: comments.LevelHold, Code: "c", Args: map[string]string{"a": "b"},
				Places: []comments.Place{{Field: "name", Start: 1, End: 2}}}},
		},
		Page:   comments.Page{URL: "https://news.example/1?a", Title: "Bài", CreatedAt: at},
		Ticket: comments.Spend{ID: comments.TicketID{1}, Expires: at},
		Author: comments.Author{Addr: netip.MustParseAddr("2001:db8::1"), Expires: at},
		Actor:  "reader",
	})
	if err != nil {
		t.Fatal(err)
	}
	done, err := db.Amend(t.Context(), []comments.Amendment{{ID: id, Actor: "m-1", Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		w := c.Words()
		c.Public, c.Content, c.EditedAt = &w, "Rất rất hay!", at
		c.Risk, c.Likes, c.Marks = 120, 2, comments.Appealed
		return &comments.Step{Comment: c, Kind: comments.KindDecided, Reason: "r",
			Detail: &comments.Detail{Salt: []byte("salt"), Reason: "x", Note: "y"}}, nil
	}}})
	if err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
	if _, err := db.Report(t.Context(), comments.Report{Comment: id, Reader: [16]byte{5}, Reason: "spam", Text: "Quảng cáo", At: at}); err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *Tx) error {
		for _, b := range decoded {
			c := tx.bucket(b).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				list = append(list, sampled{b, bytes.Clone(k), bytes.Clone(v)})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// decoded are the buckets whose records have a decoder.
var decoded = []Bucket{
	bucketHeads, bucketSites, bucketComments, bucketRevisions, bucketReports, bucketPages, bucketJournal, bucketDetails, bucketSpent, bucketAbout, bucketAddresses,
}

// decode reads a record of a bucket as the store does, and encodes it again where the
// encoding has one spelling.
func decode(b Bucket, key, record []byte) (again []byte, err error) {
	switch b {
	case bucketHeads:
		h, err := decodeHead(key, record)
		return h.record(string(key)), err
	case bucketSites:
		_, _, err = decodeSite(key, record)
	case bucketComments:
		c, err := decodeComment("news", key, record, true)
		if err != nil {
			return nil, err
		}
		return c.record(key), nil
	case bucketRevisions:
		r, err := decodeRevision(key, record)
		return revisionRecord(key, r), err
	case bucketReports:
		r, err := decodeReport("news", key, record)
		return reportRecord(key, r), err
	case bucketPages:
		p, err := decodePage("news", key, record)
		if err != nil {
			return nil, err
		}
		return p.record(key), nil
	case bucketJournal:
		e, err := decodeEvent("news", key, record)
		return eventRecord(key, e), err
	case bucketDetails:
		_, err = decodeDetail(key, record)
	default:
		_, _, err = open(b, key, record)
	}
	return nil, err
}

func TestRecordsAreStable(t *testing.T) {
	seen := map[Bucket]bool{}
	for _, s := range samples(t) {
		seen[s.bucket] = true
		again, err := decode(s.bucket, s.key, s.record)
		if err != nil || again != nil && !bytes.Equal(again, s.record) {
			t.Errorf("%s %x: read and written again it is %x, %v; was %x", s.bucket, s.key, again, err, s.record)
		}
		// No bit of a record or its key can change unnoticed.
		for i := range (len(s.key) + len(s.record)) * 8 {
			key, record := bytes.Clone(s.key), bytes.Clone(s.record)
			if i < len(key)*8 {
				key[i/8] ^= 1 << (i % 8)
			} else {
				j := i - len(key)*8
				record[j/8] ^= 1 << (j % 8)
			}
			if _, err := decode(s.bucket, key, record); !errors.Is(err, comments.ErrDamaged) {
				t.Fatalf("%s %x: with bit %d flipped: %v", s.bucket, s.key, i, err)
			}
		}
	}
	for _, b := range decoded {
		if !seen[b] {
			t.Errorf("no sample of %s", b)
		}
	}
}

// FuzzRecord reads arbitrary payloads under checksums that fit: what is no record is
// ErrDamaged, and what is one reads the same once written again.
func FuzzRecord(f *testing.F) {
	for _, s := range samples(f) {
		for i, b := range decoded {
			if b == s.bucket {
				f.Add(uint8(i), s.key, s.record[headerSize:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, key, payload []byte) {
		b := decoded[int(which)%len(decoded)]
		record := seal(1, key, append(newRecord(len(payload)), payload...))
		again, err := decode(b, key, record)
		if err != nil {
			if !errors.Is(err, comments.ErrDamaged) {
				t.Fatalf("%s: %v", b, err)
			}
			return
		}
		if again == nil {
			return
		}
		third, err := decode(b, key, again)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%s: written again it reads as %x, %v", b, third, err)
		}
		if b == bucketComments {
			one, _ := decodeComment("news", key, record, false)
			two, err := decodeComment("news", key, again, false)
			if err != nil || !reflect.DeepEqual(one, two) {
				t.Fatalf("comment %+v became %+v, %v", one, two, err)
			}
		}
	})
}

// FuzzExamine looks at arbitrary files: it never panics, and says what it takes for sound
// only of files that bbolt can open.
func FuzzExamine(f *testing.F) {
	o := testOptions(f)
	db, err := Open(f.Context(), o)
	if err != nil {
		f.Fatal(err)
	}
	addSite(f, db, "news")
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(o.Path)
	if err != nil {
		f.Fatal(err)
	}
	file = file[:min(len(file), 16*4096)]
	f.Add(file, uint32(0), uint64(0))
	f.Add([]byte{}, uint32(0), uint64(0))
	f.Add(file, uint32(4096*3+8), uint64(0xffff))
	f.Add(file[:5000], uint32(1), uint64(1))
	f.Fuzz(func(t *testing.T, file []byte, at uint32, mask uint64) {
		file = bytes.Clone(file)
		if int64(at)+8 <= int64(len(file)) {
			native.PutUint64(file[at:], native.Uint64(file[at:])^mask)
		}
		s, err := Examine(bytes.NewReader(file), int64(len(file)), o.Key)
		if err != nil {
			if !errors.Is(err, comments.ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		if s.Installation == "" || fmt.Sprint(s.Heads) == "map[]" {
			t.Fatalf("sound, but %+v", s)
		}
	})
}
