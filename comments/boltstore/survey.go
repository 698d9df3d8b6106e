package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"duyet/comments"
)

// Survey is what a look at every page and record of a file has found, without opening it
// as a database.
type Survey struct {
	Bytes        int64  // length of the file
	Records      int64  // that were held against their checksums
	Installation string // id that the file was made with
	Fingerprint  string // of the secret it was made with
	Heads        map[string]comments.Head
	// Damaged names records whose checksum does not fit, which are comments.ErrDamaged to
	// whoever reads them, and indexes with entries too few or too many; at most damagedMost.
	// Nothing else is affected.
	Damaged []error

	about   map[string]string
	numbers map[uint32]string
	heads   map[string]head
	counted map[group]int64
	group   group // that is being counted, with its count so far
	run     int64
}

const damagedMost = 100

// surveyed can be told of every record, in order of buckets and keys.
type surveyed func(bucket Bucket, key, record []byte) error

// Examine surveys a database that stands in r, size bytes long. An error is ErrDamaged,
// ErrForeign or ErrNewer. With a key it also recomputes the chain of every journal.
func Examine(r io.ReaderAt, size int64, key []byte) (*Survey, error) {
	if key == nil {
		return examine(r, size, nil)
	}
	chains := map[string]*chainVerifier{}
	s, err := examine(r, size, func(s *Survey) surveyed {
		return func(b Bucket, k, record []byte) error {
			if b != bucketJournal || len(k) != 12 {
				return nil
			}
			site := s.numbers[binary.BigEndian.Uint32(k)]
			v := chains[site]
			if v == nil {
				v = &chainVerifier{site: site, mac: newMAC(key)}
				chains[site] = v
			}
			_, err := v.next(k, record)
			return err
		}
	})
	if err != nil {
		return s, err
	}
	for site, h := range s.Heads {
		v := chains[site]
		if v == nil {
			v = &chainVerifier{site: site}
		}
		if err := v.end(h); err != nil {
			return s, err
		}
	}
	return s, nil
}

func examine(r io.ReaderAt, size int64, more func(*Survey) surveyed) (*Survey, error) {
	s := &Survey{
		Bytes: size, Heads: map[string]comments.Head{},
		about: map[string]string{}, numbers: map[uint32]string{}, heads: map[string]head{}, counted: map[group]int64{},
	}
	var also surveyed
	if more != nil {
		also = more(s)
	}
	_, err := walk(r, size, func(bucket string, key, value []byte) error {
		if err := s.record(Bucket(bucket), key, value); err != nil {
			return err
		}
		if also != nil {
			return also(Bucket(bucket), key, value)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	if err := s.judge(); err != nil {
		return s, err
	}
	s.compare()
	return s, nil
}

// record looks at one value. Damage to what everything else rests on is an error; to
// other records it is noted.
func (s *Survey) record(b Bucket, key, value []byte) error {
	s.count(b, key)
	if len(value) == 0 && b != bucketAbout && b != bucketHeads { // an index entry
		return nil
	}
	s.Records++
	_, payload, err := open(b, key, value)
	switch b {
	case bucketAbout:
		if err == nil {
			s.about[string(key)] = string(payload)
		}
	case bucketHeads:
		var h head
		if err == nil {
			h, err = decodeHead(key, value)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", strip(err), ErrDamaged)
		}
		s.Heads[string(key)], s.heads[string(key)] = h.Head, h
		s.numbers[h.number] = string(key)
	default:
		if err != nil {
			s.note(err)
		}
	}
	return nil
}

func (s *Survey) note(err error) {
	if len(s.Damaged) < damagedMost {
		s.Damaged = append(s.Damaged, err)
	}
}

// group is a bucket and the part of its keys by which it can be counted against the heads.
// An entry whose key was changed would be missed by nobody else.
type group struct {
	bucket Bucket
	prefix [5]byte
}

func groupOf(b Bucket, key []byte) (g group) {
	n := 0
	switch b {
	case bucketComments, bucketThreads, bucketJournal:
		n = 4
	case bucketQueues:
		n = 5
	default:
		return group{}
	}
	g.bucket = b
	copy(g.prefix[:n], key)
	return g
}

// count counts a key. Those of a group stand together.
func (s *Survey) count(b Bucket, key []byte) {
	if g := groupOf(b, key); g != s.group {
		s.counted[s.group] += s.run
		s.group, s.run = g, 0
	}
	s.run++
}

// compare holds what was counted against the heads.
func (s *Survey) compare() {
	s.counted[s.group] += s.run
	for site, h := range s.heads {
		number := siteKey(h.number)
		s.expect(site, bucketComments, number, h.Counts.Total())
		s.expect(site, bucketThreads, number, h.Counts.Approved+h.Queues.Edited)
		s.expect(site, bucketJournal, number, int64(h.Seq))
		for _, q := range comments.Queues {
			s.expect(site, bucketQueues, queuePrefix(h.number, queueOf(q)), h.Queues.Of(q))
		}
		if !h.plain {
			s.expect(site, bucketQueues, queuePrefix(h.number, queueRisk), h.Counts.Pending)
		}
		for _, status := range comments.Statuses {
			s.expect(site, bucketQueues, queuePrefix(h.number, statusQueue(status)), h.Counts.Of(status))
		}
	}
}

func (s *Survey) expect(site string, b Bucket, prefix []byte, n int64) {
	if counted := s.counted[groupOf(b, prefix)]; counted != n {
		s.note(fmt.Errorf("site %s: %s %x has %d entries, by its head %d: %w", site, b, prefix, counted, n, comments.ErrDamaged))
	}
}

// judge tells ours from others' and this release's from a later one's.
func (s *Survey) judge() error {
	if s.about[aboutFormat] != sentinel {
		if len(s.Heads) > 0 {
			return fmt.Errorf("its first record is damaged: %w", ErrDamaged)
		}
		return ErrForeign
	}
	s.Installation, s.Fingerprint = s.about[aboutInstallation], s.about[aboutFingerprint]
	version, err := strconv.Atoi(s.about[aboutVersion+wing])
	if err != nil || s.Installation == "" || s.Fingerprint == "" {
		return fmt.Errorf("what it says of itself is damaged: %w", ErrDamaged)
	}
	if known := len(migrations()); version > known {
		return fmt.Errorf("version %d, this program knows %d: %w", version, known, ErrNewer)
	}
	if _, ok := s.Heads[comments.Installation]; !ok {
		return fmt.Errorf("the installation's journal has no head: %w", ErrDamaged)
	}
	return nil
}

// ExamineFile is Examine of a file. A file that is not there is ErrMissing, one that can't
// be read comments.ErrUnavailable.
func ExamineFile(path string, key []byte) (*Survey, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrMissing)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unavailable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file: %w", path, ErrForeign)
	}
	s, err := Examine(f, info.Size(), key)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return s, err
}
