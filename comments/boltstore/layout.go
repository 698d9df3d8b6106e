// Package boltstore keeps both wings' records in one bbolt file: it implements
// comments.Store, and exports what moderation/boltstore needs to write in the same file,
// journal and group commit (DB.Do, DB.View, Tx). It decides nothing but atomicity: what a
// comment may say and who may decide stands in the services.
//
// # Layout
//
// Every bucket is at the top level. Integers in keys are big-endian, times are Unix
// milliseconds. site is the 4-byte number a site got when it was added (0 is the
// installation); numbers are never used again, so what a removed site left behind could
// not reach a later site of the same name.
//
//	bucket     key                                 value
//	about      name                                text: sentinel, version of each wing,
//	                                               installation id, fingerprint, last number
//	sites      site id                             JSON: number, name, origins, settings …
//	heads      site id ("*" = installation)        number, seq, chain, counts, tally, last page
//	comments   site, uuid                          version, status, seqs of its events; words
//	revisions  site, uuid, version (8)             words that stood before; erasable
//	authors    site, 'k' or 'n', author's key or    empty; who wrote a comment, and from which
//	           network (16), uuid                  network as long as its address is kept
//	codes      site, week (2), code's key (4),     empty; comments by receipt code, see codes.go
//	           uuid
//	reports    site, uuid, reader (16)             reason, sentence, time, whether closed
//	pages      site, canonical key                 number, counts, title …
//	queues     site, queue (1 byte), uuid          empty; one entry for the status, and one
//	                                               more in each queue it stands in
//	           site, 'k', risk inverted (2), uuid     empty; what is pending, by risk
//	threads    site, page number (4), uuid         empty; standing comments alone
//	trees      site, page number (4), uuid of top  number of standing comments in the tree
//	replies    site, uuid of top, uuid             empty; standing replies, however deep
//	liked      site, page number (4), list (1),    empty; standing comments by likes, and the
//	           likes inverted (8), uuid            tops of trees by theirs
//	likes      site, uuid, author (16)             empty; who likes what
//	journal    site, seq (8)                       chain and event
//	details    site, seq (8)                       salt, reason, note; erasable
//	spent      forget at (8), ticket id (16)       site id, uuid, hash of the words
//	addresses  expires (8), site, uuid             network address
//	audience   site, part (1), day (4)             visitors, see audience.go
//	views      site, canonical key                 views of a page
//	aliases    site, former key                    key of the page now, see pages.go
//	indexes    site                                state of the index for searching, see index.go
//	terms      site, part (8), term (8)            where words are found
//	days       site, day (4), canonical key        standing comments of a day, see days.go
//
// A value is a record: one byte of format, CRC-32C over format, key and payload, payload
// (see record.go). Keys of comments, journal and the indexes ascend, so pages are filled
// to nine tenths when they split; spent tickets and addresses are kept by expiry, so that
// forgetting is a range delete and needs no second index (a comment's record says when its
// address expires, which is how one finds the other).
//
// A comment's history is the list of seqs in its record. The head of a site is written
// once a commit, last.
package boltstore

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// Bucket names a bucket at the top level of the file.
type Bucket string

// Buckets of the readers' wing. Names of the moderators' wing stand in its own store.
const (
	bucketAbout     Bucket = "about"
	bucketSites     Bucket = "sites"
	bucketHeads     Bucket = "heads"
	bucketComments  Bucket = "comments"
	bucketRevisions Bucket = "revisions"
	bucketAuthors   Bucket = "authors"
	bucketReports   Bucket = "reports"
	bucketPages     Bucket = "pages"
	bucketQueues    Bucket = "queues"
	bucketThreads   Bucket = "threads"
	bucketJournal   Bucket = "journal"
	bucketDetails   Bucket = "details"
	bucketSpent     Bucket = "spent"
	bucketAddresses Bucket = "addresses"
)

// fill is how full a page is left when it splits. Where keys ascend, half-full pages
// would waste half the file; a tenth is left since a decision makes a comment's record a
// few bytes longer.
func (b Bucket) fill() float64 {
	switch b {
	case bucketComments, bucketQueues, bucketThreads, bucketTrees, bucketReplies, bucketSpent, bucketAddresses:
		return 0.9
	case bucketJournal, bucketDetails, bucketRevisions, bucketTerms: // never written twice
		return 0.98
	}
	return 0.5
}

// Names of the plain values in bucketAbout.
const (
	aboutFormat       = "format"
	aboutInstallation = "installation"
	aboutFingerprint  = "fingerprint"
	aboutLastSite     = "last site"
	aboutVersion      = "version of " // and the wing
)

// sentinel tells our file from another program's bbolt file.
const sentinel = "duyet comments store"

// installationNumber is the site number of comments.Installation.
const installationNumber = 0

// queue is the byte that names a queue within a site.
type queue byte

// The queue of a status is its code; see statusCode.
const (
	queueSuspect  queue = 's'
	queueReported queue = 'r'
	queueAppeals  queue = 'a'
	queueEdited   queue = 'e'
	queueRisk     queue = 'k'
)

// queueOf is the byte of a queue that is no status, 0 for none.
func queueOf(q comments.Queue) queue {
	switch q {
	case comments.Suspect:
		return queueSuspect
	case comments.Reported:
		return queueReported
	case comments.Appeals:
		return queueAppeals
	case comments.Edited:
		return queueEdited
	}
	return 0
}

const (
	uuidSize    = 16
	commentSize = 4 + uuidSize
)

func siteKey(site uint32) []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 0, 4), site)
}

func commentKey(site uint32, id uuid.UUID) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, commentSize), site)
	return append(b, id[:]...)
}

func pageKey(site uint32, key string) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), site)
	return append(b, key...)
}

func queuePrefix(site uint32, q queue) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 5+uuidSize), site)
	return append(b, byte(q))
}

func queueKey(site uint32, q queue, id uuid.UUID) []byte {
	return append(queuePrefix(site, q), id[:]...)
}

// riskSize is what stands before the uuid in the queue by risk.
const riskSize = 2

// riskPlace sorts the highest risk first.
func riskPlace(risk uint16) []byte {
	return binary.BigEndian.AppendUint16(make([]byte, 0, riskSize), ^risk)
}

func riskKey(site uint32, risk uint16, id uuid.UUID) []byte {
	return append(append(queuePrefix(site, queueRisk), riskPlace(risk)...), id[:]...)
}

func revisionKey(site uint32, id uuid.UUID, version uint64) []byte {
	return binary.BigEndian.AppendUint64(commentKey(site, id), version)
}

// What stands in bucketAuthors before the key or network.
const (
	byKey     = 'k'
	byNetwork = 'n'
)

const authorPrefixSize = 4 + 1 + 16

func authorPrefix(site uint32, by byte, who [16]byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, authorPrefixSize+uuidSize), site)
	return append(append(b, by), who[:]...)
}

func authorEntry(site uint32, by byte, who [16]byte, id uuid.UUID) []byte {
	return append(authorPrefix(site, by, who), id[:]...)
}

func reportKey(site uint32, id uuid.UUID, reader [16]byte) []byte {
	return append(commentKey(site, id), reader[:]...)
}

func threadPrefix(site, page uint32) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 8+uuidSize), site)
	return binary.BigEndian.AppendUint32(b, page)
}

func threadKey(site, page uint32, id uuid.UUID) []byte {
	return append(threadPrefix(site, page), id[:]...)
}

func eventKey(site uint32, seq uint64) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 12), site)
	return binary.BigEndian.AppendUint64(b, seq)
}

// spentKey is ordered by the moment the record may be forgotten.
func spentKey(id comments.TicketID, expires time.Time) []byte {
	b := TimeKey(expires.Add(comments.SpentFor))
	return append(b, id[:]...)
}

func addressKey(expires time.Time, site uint32, id uuid.UUID) []byte {
	b := binary.BigEndian.AppendUint32(TimeKey(expires), site)
	return append(b, id[:]...)
}

// TimeKey is the beginning of a key that sorts by time: 8 bytes. Times before 1970 sort
// as 1970.
func TimeKey(t time.Time) []byte {
	ms := max(t.UnixMilli(), 0)
	return binary.BigEndian.AppendUint64(make([]byte, 0, 8+commentSize), uint64(ms))
}
