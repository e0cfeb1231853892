// Package clients serves a repository with history to 9P clients that are not
// the project's own.
package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// A history is a repository of some thousand commits, such as years of work
// leave: most of it in one pack with deltas, some in a second pack, the newest
// loose, with merges, tags and a packed branch.
type history string

// git runs a git command and returns what it printed.
func (h history) git(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(h.feed(t, "", args...))
}

// feed runs a git command with an input.
func (h history) feed(t *testing.T, input string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = string(h)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	return out.String()
}

// newHistory makes one.
func newHistory(t *testing.T) history {
	t.Helper()
	h := history(t.TempDir())
	h.git(t, "init", "-q", "--bare")
	h.git(t, "symbolic-ref", "HEAD", "refs/heads/main")
	h.feed(t, imports(0, 2000), "fast-import", "--quiet")
	h.git(t, "branch", "release/1.0", "main")
	h.git(t, "tag", "v1.0", "main")
	h.git(t, "gc", "-q")
	h.feed(t, imports(2000, 500), "fast-import", "--quiet")
	h.feed(t, imports(2500, 10), "fast-import", "--quiet")
	if loose := h.git(t, "count-objects"); strings.HasPrefix(loose, "0 ") {
		t.Fatalf("no loose objects: %s", loose)
	}
	return h
}

// imports returns the stream for git fast-import of n further commits on main.
// Every hundredth is a merge.
func imports(from, n int) string {
	var b strings.Builder
	parent := ""
	if from > 0 {
		parent = "refs/heads/main^0"
	}
	for i := from; i < from+n; i++ {
		text := strings.Repeat(fmt.Sprintf("line of revision %d\n", i-i%7), 20) + fmt.Sprintln(i)
		msg := fmt.Sprintf("Revision %d\n", i)
		fmt.Fprintf(&b, "commit refs/heads/main\nmark :%d\ncommitter Ann <ann@example.org> %d +0200\ndata %d\n%s", i+1, 1_000_000_000+i*3600, len(msg), msg)
		if parent != "" {
			fmt.Fprintf(&b, "from %s\n", parent)
		}
		if i%100 == 99 && i-50 > from {
			fmt.Fprintf(&b, "merge :%d\n", i-50)
		}
		parent = fmt.Sprintf(":%d", i+1)
		if i == 0 {
			fmt.Fprint(&b, "M 120000 inline link\ndata 6\ndir0/0\nM 755 inline run\ndata 10\n#!/bin/sh\n\n")
		}
		fmt.Fprintf(&b, "M 644 inline dir%d/%d\ndata %d\n%s\n", i%20, i%300, len(text), text)
	}
	return b.String()
}

// check compares what a client read with what git says.
func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %.200q, git says %.200q", what, got, want)
	}
}
