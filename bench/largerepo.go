package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// largeRepository measures how soon a server over a large repository answers,
// and its memory after its branches were listed and some files read.
func largeRepository(e *env) ([]row, error) {
	repo, err := e.largeRepo(e.size.dirs, e.size.perDir, e.size.branches)
	if err != nil {
		return nil, err
	}
	var rss, peak, anon []float64
	ours := func() (float64, error) {
		took, use, err := e.useLarge(repo)
		rss, peak, anon = append(rss, use[0]), append(peak, use[1]), append(anon, use[2])
		return took, err
	}
	m, err := interleave(e, ours, func() (float64, error) { return e.gitBranches(repo) })
	if err != nil {
		return nil, err
	}
	gitPeak, err := e.gitCat(repo)
	if err != nil {
		return nil, err
	}
	files, branches := e.size.dirs*e.size.perDir, e.size.branches
	what := fmt.Sprintf("%d objects, %d branches: ", files, branches)
	return []row{
		{name: what + "start to first answer", unit: "s", ours: m[0], alt: m[1],
			altName: "git for-each-ref", goal: below(1)},
		{name: what + "memory after use", unit: "MiB", ours: median(rss), alt: gitPeak,
			altName: "git cat-file", goal: below(200),
			note: fmt.Sprintf("peak %s, of its own %s", number(median(peak)), number(median(anon)))},
	}, nil
}

// useLarge starts a server, and returns the seconds until it has told the head
// of master. Then it lists the branches, reads some files, and returns VmRSS,
// VmHWM and RssAnon of the server in MiB.
func (e *env) useLarge(repo string) (seconds float64, use [3]float64, err error) {
	dir, err := e.linked(repo)
	if err != nil {
		return 0, use, err
	}
	begin := time.Now()
	srv, err := e.serveDatakit(dir)
	if err != nil {
		return 0, use, err
	}
	defer srv.stop()
	c, err := srv.dial(64 << 10)
	if err != nil {
		return 0, use, err
	}
	defer c.Close()
	if err := readSmall(c, "branch", "master", "head"); err != nil {
		return 0, use, err
	}
	seconds = time.Since(begin).Seconds()
	if err := e.roam(c); err != nil {
		return 0, use, err
	}
	for i, field := range []string{"VmRSS", "VmHWM", "RssAnon"} {
		if use[i], err = memory(srv.cmd.Process.Pid, field); err != nil {
			return 0, use, err
		}
	}
	return seconds, use, nil
}

// readSmall reads a file with one message.
func readSmall(c *wire.Conn, names ...string) error {
	return firstError(
		func() error { return c.Walk(0, freeFid, names...) },
		func() error { return c.Open(freeFid, 0) },
		func() error { _, err := c.Read(freeFid, 0, 8192); return err },
		func() error { return c.Clunk(freeFid) },
	)
}

// roam lists the branches and reads files here and there.
func (e *env) roam(c *wire.Conn) error {
	if err := c.Walk(0, filesFid); err != nil {
		return err
	}
	n, err := listOnce(c, "branch")
	if err != nil {
		return err
	}
	if n < e.size.branches {
		return fmt.Errorf("%d branches listed of %d", n, e.size.branches)
	}
	for _, path := range e.randomPaths() {
		names := append([]string{"branch", "master", "ro"}, strings.Split(path, "/")...)
		if err := readSmall(c, names...); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	return nil
}

// randomPaths returns the same places each time.
func (e *env) randomPaths() (paths []string) {
	r := rand.New(rand.NewPCG(1, 2))
	for range e.size.reads {
		paths = append(paths, treePath(r.IntN(e.size.dirs), r.IntN(e.size.perDir)))
	}
	return paths
}

// gitBranches returns the seconds that git takes to list the branches.
func (e *env) gitBranches(repo string) (float64, error) {
	begin := time.Now()
	_, err := e.git(repo, "for-each-ref", "refs/heads")
	return time.Since(begin).Seconds(), err
}

// gitCat returns the peak memory of git when it reads the files, in MiB.
func (e *env) gitCat(repo string) (float64, error) {
	var in bytes.Buffer
	for _, path := range e.randomPaths() {
		fmt.Fprintf(&in, "master:%s\n", path)
	}
	cmd := exec.CommandContext(e.ctx, "git", "cat-file", "--batch")
	cmd.Dir = repo
	cmd.Stdin = &in
	return runPeak(e.ctx, cmd)
}
