//go:build unix

package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// The test binary is also the child processes of its tests: what DUYET_TEST_CHILD says it
// is to do, on the database that DUYET_TEST_DB names.
func TestMain(m *testing.M) {
	switch os.Getenv("DUYET_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "write":
		childWrite()
	case "full":
		childFull()
	case "hold":
		childHold()
	}
}

func childOpen() *boltstore.DB {
	db, err := boltstore.Open(context.Background(), options(os.Getenv("DUYET_TEST_DB")))
	if err != nil {
		childFail(err)
	}
	return db
}

func childFail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func childCreation(n int64) comments.Creation {
	c := creation(nil, "news", n)
	c.Comment.Status = comments.Statuses[n%5]
	return c
}

// childWrite creates comments with 16 writers until it is killed, printing the id of each
// that was acknowledged.
func childWrite() {
	db := childOpen()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for writer := range int64(16) {
		wg.Go(func() {
			for n := writer; ; n += 16 {
				c, _, err := db.Create(context.Background(), childCreation(n))
				if err != nil {
					childFail(err)
				}
				mu.Lock()
				fmt.Println(c.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// childFull runs where files can't grow beyond a few hundred kilobytes: it writes until
// that is refused, and then says how reading and writing go on.
func childFull() {
	signal.Ignore(syscall.SIGXFSZ)
	db := childOpen()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		childFail(err)
	}
	small := limit
	small.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		childFail(err)
	}
	fillUp(db, func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit) })
}

// childHold holds a database until its input ends.
func childHold() {
	db := childOpen()
	defer db.Close()
	fmt.Println("held")
	_, _ = os.Stdin.Read(make([]byte, 1))
}
