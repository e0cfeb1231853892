package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// A txClient commits over 9P as a script would: with one request after the
// other, each answered before the next is sent.
type txClient struct {
	c      *wire.Conn
	branch string
	id     int       // no two clients write the same files
	n      int       // transactions so far
	acked  time.Time // when the last write of put was answered
}

// The fids of a transaction.
const (
	txsFid = 10 + iota
	msgFid
	rwFid
	dirFid
	fileFid
	ctlFid
)

// newTxClient begins a session of its own and makes its branch known there.
func newTxClient(c *wire.Conn, branch string, id int) (*txClient, error) {
	if err := c.Walk(0, txsFid, "branch"); err != nil {
		return nil, err
	}
	if err := c.Mkdir(txsFid, branch); err != nil && !errors.Is(err, wire.Exist) {
		return nil, err
	}
	return &txClient{c: c, branch: branch, id: id}, c.Clunk(txsFid)
}

// commit makes a transaction with a message, two directories and a file, and
// commits it: 21 round trips. After a failure the session goes on.
func (t *txClient) commit() error {
	tx := fmt.Sprintf("t%d", t.n)
	dir, sub := t.place()
	t.n++
	err := firstError(
		func() error { return t.c.Walk(0, txsFid, "branch", t.branch, "transactions") },
		func() error { return t.c.Mkdir(txsFid, tx) },
		func() error { return t.put(msgFid, "a message", tx, "msg") },
		func() error { return t.c.Walk(txsFid, rwFid, tx, "rw") },
		func() error { return t.mkdir(rwFid, dir, dirFid) },
		func() error { return t.mkdir(dirFid, sub, fileFid) },
		func() error { return t.c.Create(fileFid, "file") },
		func() error { return t.c.Write(fileFid, 0, unique()) },
		func() error { return t.c.Clunk(fileFid) },
		func() error { return t.c.Clunk(dirFid) },
		func() error { return t.c.Clunk(rwFid) },
		func() error { return t.put(ctlFid, "commit", tx, "ctl") },
		func() error { return t.c.Clunk(txsFid) },
	)
	if err != nil {
		t.forget()
	}
	return err
}

// place returns the directories of the next file: 64 by 64 different ones, one
// after the other, so that the tree does not grow with the number of commits.
func (t *txClient) place() (dir, sub string) {
	return fmt.Sprintf("c%02d-%02d", t.id, t.n/64%64), fmt.Sprintf("s%02d", t.n%64)
}

// unique returns 20 bytes that no file had before.
func unique() []byte { return fmt.Appendf(nil, "%020d", time.Now().UnixNano()) }

// put writes text to an existing file below the directory of transactions.
func (t *txClient) put(fid uint32, text string, names ...string) error {
	return firstError(
		func() error { return t.c.Walk(txsFid, fid, names...) },
		func() error { return t.c.Open(fid, 2) }, // O_RDWR
		func() error { return t.c.Write(fid, 0, []byte(text)) },
		func() error { t.acked = time.Now(); return t.c.Clunk(fid) },
	)
}

// mkdir makes a directory, which may be there, and walks to it.
func (t *txClient) mkdir(dir uint32, name string, fid uint32) error {
	if err := t.c.Mkdir(dir, name); err != nil && !errors.Is(err, wire.Exist) {
		return err
	}
	return t.c.Walk(dir, fid, name)
}

// forget releases what a failed transaction may have left.
func (t *txClient) forget() {
	for fid := uint32(txsFid); fid <= ctlFid; fid++ {
		t.c.Clunk(fid) // unbound ones are an error, which says nothing
	}
}

// firstError calls the steps in order until one fails.
func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
