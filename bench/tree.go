package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9db"
)

// wholeTree measures how fast a program reads a tree of small files through
// package p9db, one after the other, beside a plain 9P client that does the
// same at the same server, and what it asks the server when it does so again.
func wholeTree(e *env) ([]row, error) {
	s, err := newReadSet(e, e.smallContents(""))
	if err != nil {
		return nil, err
	}
	defer s.stop()
	ours := s.servers[0]
	var asked int64
	m, err := interleave(e,
		func() (float64, error) { return e.treeRate(ours, &asked) },
		func() (float64, error) { return e.fileRate(ours, 1) })
	if err != nil {
		return nil, err
	}
	return []row{
		{name: fmt.Sprintf("a tree of %d files, through p9db", e.size.files), unit: "1/s", ours: m[0], alt: m[1], altName: "plain client", goal: times(2)},
		{name: "the same again, writes to the connection", unit: "writes", ours: float64(asked), goal: atMost(0)},
	}, nil
}

// treeRate returns how many files a second are read over connections that know
// nothing yet, and counts what is asked when each reads once more.
func (e *env) treeRate(srv *server, asked *int64) (float64, error) {
	var took time.Duration
	read := 0
	for took < e.size.turn {
		d, again, err := e.readTwice(srv)
		if err != nil {
			return 0, err
		}
		took += d
		read += e.size.files
		*asked += again
	}
	return float64(read) / took.Seconds(), nil
}

func (e *env) readTwice(srv *server) (first time.Duration, again int64, err error) {
	c, err := net.Dial("unix", srv.socket)
	if err != nil {
		return 0, 0, err
	}
	conn := &countedConn{Conn: c}
	db, err := p9db.New(e.ctx, conn, nil)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	start := time.Now()
	if err := e.readTree(db, srv.prefix[1]); err != nil {
		return 0, 0, err
	}
	first = time.Since(start)
	time.Sleep(10 * time.Millisecond) // what is released in the background is no question
	before := conn.writes.Load()
	err = e.readTree(db, srv.prefix[1])
	return first, conn.writes.Load() - before, err
}

// A countedConn counts what is written to it.
type countedConn struct {
	net.Conn
	writes atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// readTree reads all files of a commit, one after the other.
func (e *env) readTree(db *datakit.DB, commit string) error {
	h, err := datakit.ParseHash(commit)
	if err != nil {
		return err
	}
	c, err := db.Commit(e.ctx, h)
	if err != nil {
		return err
	}
	tree, err := c.Tree(e.ctx)
	if err != nil {
		return err
	}
	n, err := readDir(e.ctx, tree, datakit.Root)
	if err == nil && n != e.size.files {
		err = fmt.Errorf("read %d files of %d", n, e.size.files)
	}
	return err
}

// readDir reads all files below a directory and returns how many there are.
func readDir(ctx context.Context, tree *datakit.Tree, dir datakit.Path) (files int, err error) {
	entries, err := tree.ReadDir(ctx, dir)
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		path, n := dir.Join(datakit.Path(entry.Name)), 1
		if entry.Mode == datakit.Dir {
			n, err = readDir(ctx, tree, path)
		} else {
			_, err = tree.ReadFile(ctx, path)
		}
		if err != nil {
			return 0, err
		}
		files += n
	}
	return files, nil
}
