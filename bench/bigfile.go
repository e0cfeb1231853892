package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// bigFile measures the memory and the time that a large file takes that is
// written into a transaction, committed and read back.
func bigFile(e *env) ([]row, error) {
	srv, err := e.serveNew("bigfile")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	watch := watchMemory(e.ctx, srv.cmd.Process.Pid, "RssAnon")
	wrote, read, err := e.bigFileTimes(srv)
	anon := watch()
	if err != nil {
		return nil, err
	}
	peak, err := memory(srv.cmd.Process.Pid, "VmHWM")
	if err != nil {
		return nil, err
	}
	gitTime, gitPeak, err := e.gitBigFile()
	if err != nil {
		return nil, err
	}
	mib := float64(e.size.bigFile) / (1 << 20)
	what := fmt.Sprintf("a file of %s MiB", number(mib))
	return []row{
		{name: what + ", peak memory of its own", unit: "MiB", ours: anon, alt: gitPeak,
			altName: "git hash-object", goal: below(128)},
		{name: what + ", peak memory with mapped files", unit: "MiB", ours: peak, alt: gitPeak,
			altName: "git hash-object", goal: below(128)},
		{name: what + ", written and committed", unit: "MiB/s", ours: mib / wrote.Seconds(), alt: mib / gitTime.Seconds(),
			altName: "git hash-object"},
		{name: what + ", read back", unit: "MiB/s", ours: mib / read.Seconds()},
	}, nil
}

// bigFileTimes writes, commits, reads and compares the file.
func (e *env) bigFileTimes(srv *server) (wrote, read time.Duration, err error) {
	c, err := srv.dial(1 << 20)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	t, err := newTxClient(c, "master", 0)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	err = firstError(
		func() error { return c.Walk(0, txsFid, "branch", "master", "transactions") },
		func() error { return c.Mkdir(txsFid, "t") },
		func() error { return c.Walk(txsFid, fileFid, "t", "rw") },
		func() error { return c.Create(fileFid, "big") },
		func() error { return e.writeStream(c, fileFid) },
		func() error { return c.Clunk(fileFid) },
		func() error { return t.put(ctlFid, "commit", "t", "ctl") },
	)
	if err != nil {
		return 0, 0, err
	}
	wrote = time.Since(begin)
	begin = time.Now()
	err = firstError(
		func() error { return c.Walk(0, freeFid, "branch", "master", "ro", "big") },
		func() error { return c.Open(freeFid, 0) },
		func() error { return e.compareStream(c, freeFid) },
	)
	return wrote, time.Since(begin), err
}

// bigData returns the content of the file, which does not compress.
func (e *env) bigData() io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{42}), e.size.bigFile)
}

// writeStream writes the content to an open file, four messages at a time.
func (e *env) writeStream(c *wire.Conn, fid uint32) error {
	data, piece := e.bigData(), make([]byte, c.Msize()-24)
	free := []uint16{0, 1, 2, 3} // the tags that are not in use
	answer := func() error {
		tag, _, err := c.Next()
		free = append(free, tag)
		return err
	}
	for off := uint64(0); off < uint64(e.size.bigFile); {
		n, _ := io.ReadFull(data, piece) // less at the end
		tag := free[len(free)-1]
		free = free[:len(free)-1]
		c.QueueWrite(tag, fid, off, piece[:n])
		off += uint64(n)
		if err := c.Flush(); err != nil {
			return err
		}
		if len(free) == 0 {
			if err := answer(); err != nil {
				return err
			}
		}
	}
	for len(free) < 4 {
		if err := answer(); err != nil {
			return err
		}
	}
	return nil
}

// compareStream reads an open file to its end and compares it with the
// content.
func (e *env) compareStream(c *wire.Conn, fid uint32) error {
	data, want := e.bigData(), make([]byte, c.Msize())
	for off := uint64(0); ; {
		p, err := c.Read(fid, off, c.Msize()-24)
		if err != nil {
			return err
		}
		if len(p) == 0 {
			if off != uint64(e.size.bigFile) {
				return fmt.Errorf("read %d bytes of %d", off, e.size.bigFile)
			}
			return nil
		}
		if _, err := io.ReadFull(data, want[:len(p)]); err != nil || !bytes.Equal(p, want[:len(p)]) {
			return fmt.Errorf("other content than was written, from %d on", off)
		}
		off += uint64(len(p))
	}
}

// gitBigFile returns time and peak memory of git when it stores the file.
func (e *env) gitBigFile() (time.Duration, float64, error) {
	dir, err := e.temp("gitbig")
	if err != nil {
		return 0, 0, err
	}
	if _, err := e.git(dir, "init", "-q", "--bare", "."); err != nil {
		return 0, 0, err
	}
	f, err := os.Create(filepath.Join(dir, "data"))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if _, err := io.Copy(f, e.bigData()); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	cmd := exec.CommandContext(e.ctx, "git", "hash-object", "-w", "data")
	cmd.Dir = dir
	peak, err := runPeak(e.ctx, cmd)
	return time.Since(begin), peak, err
}
