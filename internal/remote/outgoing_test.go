package remote

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// randomHistory makes a repository of n commits with merges, and returns them.
func randomHistory(t *testing.T, rnd *rand.Rand, n int) (repo string, commits []string) {
	t.Helper()
	needGit(t)
	repo = filepath.Join(t.TempDir(), "repo")
	git(t, ".", "init", "-q", "--bare", repo)
	var in bytes.Buffer
	for i := range n {
		fmt.Fprintf(&in, "commit refs/heads/b%d\nmark :%d\n", i, i+1)
		// Now and then a clock is wrong.
		fmt.Fprintf(&in, "committer c <c@c> %d +0000\ndata 0\n", 1e9+i*10-rnd.IntN(30))
		if i > 0 {
			first := rnd.IntN(min(i, 5))
			fmt.Fprintf(&in, "from :%d\n", i-first)
			if second := rnd.IntN(i) + 1; rnd.IntN(3) == 0 && second != i-first {
				fmt.Fprintf(&in, "merge :%d\n", second)
			}
		}
		for range 1 + rnd.IntN(3) {
			path := fmt.Sprintf("d%d/e%d/f%d", rnd.IntN(3), rnd.IntN(3), rnd.IntN(4))
			content := fmt.Sprint(rnd.IntN(40))
			if rnd.IntN(5) == 0 {
				fmt.Fprintf(&in, "M 160000 %040d d0/sub\n", rnd.IntN(9)+1)
			}
			fmt.Fprintf(&in, "M 644 inline %s\ndata %d\n%s\n", path, len(content), content)
		}
	}
	cmd := exec.Command("git", "fast-import", "--quiet", "--force")
	cmd.Dir, cmd.Stdin = repo, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	for i := range n {
		commits = append(commits, git(t, repo, "rev-parse", fmt.Sprintf("b%d", i)))
	}
	return repo, commits
}

// revList returns the objects that git says lead from commits, and not from
// those with "^" before them.
func revList(t *testing.T, repo string, commits ...string) map[string]bool {
	t.Helper()
	objs := make(map[string]bool)
	for line := range strings.Lines(git(t, repo, append([]string{"rev-list", "--objects"}, commits...)...)) {
		objs[strings.Fields(line)[0]] = true
	}
	return objs
}

// TestOutgoing compares with what git finds.
func TestOutgoing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	repo, commits := randomHistory(t, rnd, 40)
	l := newLocal(t)
	for i, c := range commits {
		l.mustFetch(t, repo, fmt.Sprintf("b%d", i), c)
	}
	for range 60 {
		want, known := commits[rnd.IntN(len(commits))], commits[rnd.IntN(len(commits))]
		found, err := outgoing(t.Context(), l.Objects, []datakit.Hash{mustHash(t, want)},
			[]datakit.Hash{mustHash(t, known), {1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]bool)
		for _, h := range found {
			if got[h.String()] {
				t.Errorf("%s is found twice", h)
			}
			got[h.String()] = true
		}
		all, there := revList(t, repo, want), revList(t, repo, known)
		for h := range all {
			if !there[h] && !got[h] {
				t.Errorf("%s ^%s: %s is missing", want, known, h)
			}
		}
		for h := range got {
			if !all[h] {
				t.Errorf("%s ^%s: %s does not belong there", want, known, h)
			}
		}
	}
}

// A countingStore counts the objects that are read.
type countingStore struct {
	store.Objects
	reads int
}

func (c *countingStore) Read(h datakit.Hash) (object.Type, []byte, error) {
	c.reads++
	return c.Objects.Read(h)
}

// TestOutgoingCostFollowsTheChange pushes one commit on a history of many.
func TestOutgoingCostFollowsTheChange(t *testing.T) {
	t.Parallel()
	full, _ := newRemoteRepo(t)
	for i := range 30 {
		commitFile(t, full, fmt.Sprintf("d/f%d", i), "x")
	}
	l := newLocal(t)
	before := l.mustFetch(t, full, "master", git(t, full, "rev-parse", "HEAD"))
	after := l.mustFetch(t, full, "master", commitFile(t, full, "d/g", "new"))
	c := &countingStore{Objects: l.Objects}
	found, err := outgoing(t.Context(), c, []datakit.Hash{after}, []datakit.Hash{before})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 || !slices.Contains(found, after) {
		t.Errorf("found %v, want a commit, two trees and a blob", found)
	}
	if c.reads > 8 { // two commits and four trees, and for equal times more commits
		t.Errorf("%d objects were read for a change of four", c.reads)
	}
}

// TestPackIsAcceptedByGit pushes blobs of sizes around those where the header
// of a pack's entry grows, and a large one.
func TestPackIsAcceptedByGit(t *testing.T) {
	t.Parallel()
	full, empty := newRemoteRepo(t)
	for _, size := range []int{0, 1, 15, 16, 2047, 2048, 1<<18 - 1, 1 << 18, 5 << 20} {
		commitFile(t, full, fmt.Sprint("f", size), strings.Repeat("0123456789abcdef", size/16+1)[:size])
	}
	l := newLocal(t)
	l.setBranch(t, "b", l.mustFetch(t, full, "master", git(t, full, "rev-parse", "HEAD")))
	l.mustPush(t, empty, "b")
	if got, want := git(t, empty, "ls-tree", "-r", "-l", "b"), git(t, full, "ls-tree", "-r", "-l", "HEAD"); got != want {
		t.Errorf("the remote has\n%s\nwant\n%s", got, want)
	}
	git(t, empty, "fsck", "--strict")
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/a:b/c":              "file /a:b/c",
		"/a b":                "file /a b",
		"file:///a%20b":       "file /a b",
		"git://h:9/x":         "git h 9 /x",
		"git://[::1]/x":       "git [::1] /x",
		"ssh://u@h:22/~x/y":   "ssh u@h 22 /~x/y",
		"u@h:x/y":             "ssh u@h x/y",
		"u@h:22:x":            "ssh u@h 22:x",
		"h:x]:y":              "ssh h x]:y",
		"[::1]:x":             "ssh [::1] x",
		"https://u:p@h/x":     "https u@h /x",
		"--upload-pack=touch": "file */--upload-pack=touch",
		"./a:b":               "file */a:b",
		"../x":                "file *x",
		"ext::sh -c touch% x": "ssh ext :sh -c touch% x",
	} {
		ep, err := parse(address)
		if err != nil {
			t.Errorf("parse(%q): %v", address, err)
			continue
		}
		var words []string
		words = append(words, ep.Protocol)
		if ep.Host != "" {
			host := ep.Host
			if ep.User != "" {
				host = ep.User + "@" + host
			}
			words = append(words, host)
		}
		if ep.Port != 0 {
			words = append(words, fmt.Sprint(ep.Port))
		}
		got := strings.Join(append(words, ep.Path), " ")
		head, tail, pattern := strings.Cut(want, "*")
		if got != want && !(pattern && strings.HasPrefix(got, head) && strings.HasSuffix(got, tail)) {
			t.Errorf("parse(%q) = %s, want %s", address, got, want)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var tl tail
	fmt.Fprint(&tl, strings.Repeat("x", 2*maxTail))
	fmt.Fprint(&tl, "\nfatal:  no\xff\n")
	if got := tl.String(); len(got) > maxTail || !strings.HasSuffix(got, "x fatal: no") {
		t.Errorf("kept %q", got)
	}
}
