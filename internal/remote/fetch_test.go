package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// names returns what the tree of a commit lists.
func (l *localRepo) names(t *testing.T, commit datakit.Hash) (names []string) {
	t.Helper()
	c, err := readCommit(l.Objects, commit)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := readObject(l.Objects, c.Tree, object.TreeType)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := object.ParseTree(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tree.Len() {
		names = append(names, string(tree.Entry(i).Name))
	}
	return names
}

func TestFST29_FS207_Fetch(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			full, empty := newRemoteRepo(t)
			l := newLocal(t)
			address := tr.address(t, full)
			old := l.mustFetch(t, address, "old", git(t, full, "rev-parse", "old"))
			l.setBranch(t, "mine", old)
			head := l.mustFetch(t, address, "master", git(t, full, "rev-parse", "master"))
			if got := l.names(t, head); !slices.Equal(got, []string{"foo", "x"}) {
				t.Errorf("the tree has %v, want foo and x", got)
			}
			// A commit, a tree and a blob each time: what is here is not sent again.
			if !slices.Equal(l.packs, []int{3, 3}) {
				t.Errorf("packs of %v objects came, want 3 and 3", l.packs)
			}
			l.mustFetch(t, address, "master", head.String())
			if len(l.packs) != 2 {
				t.Errorf("what is here was fetched again: packs %v", l.packs)
			}
			names, err := l.Refs.Branches(t.Context())
			if err != nil || !slices.Equal(names, []string{"mine"}) {
				t.Errorf("branches are %v, %v: a fetch changes none", names, err)
			}
			for address, branch := range map[string]string{address: "none", tr.address(t, empty): "master"} {
				if _, err := l.Fetch(t.Context(), address, branch); !errors.Is(err, datakit.NotExist) {
					t.Errorf("Fetch(%s, %s) = %v, want NotExist", address, branch, err)
				}
			}
			missing := tr.address(t, full+"/missing")
			if _, err := l.Fetch(t.Context(), missing, "master"); err == nil || datakit.KindOf(err) != datakit.IO {
				t.Errorf("Fetch(%s) = %v, want an error of kind IO", missing, err)
			}
		})
	}
}

// TestFS207_Ahead fetches into a repository that is ahead of the remote on one
// branch and behind on another: what both have is far down.
func TestFS207_Ahead(t *testing.T) {
	full, _ := newRemoteRepo(t)
	l := newLocal(t)
	other := filepath.Join(t.TempDir(), "other")
	git(t, ".", "clone", "-q", full, other)
	for range 20 {
		commitFile(t, other, "mine", git(t, other, "rev-parse", "HEAD"))
	}
	l.setBranch(t, "mine", l.mustFetch(t, other, "master", git(t, other, "rev-parse", "HEAD")))
	git(t, full, "update-ref", "-d", "refs/heads/old")
	want := commitFile(t, full, "theirs", "theirs\n")
	l.packs = nil
	l.mustFetch(t, full, "master", want)
	if !slices.Equal(l.packs, []int{3}) {
		t.Errorf("packs of %v objects came, want 3", l.packs)
	}
}

// TestFS207_WithoutGit fetches and pushes where there is no git.
func TestFS207_WithoutGit(t *testing.T) {
	full, empty := newRemoteRepo(t)
	old, head := git(t, full, "rev-parse", "old"), git(t, full, "rev-parse", "master")
	l := newLocal(t)
	path := os.Getenv("PATH")
	t.Setenv("PATH", "")
	l.setBranch(t, "old", l.mustFetch(t, full, "old", old))
	l.setBranch(t, "master", l.mustFetch(t, "file://"+full, "master", head))
	if _, err := l.Fetch(t.Context(), full, "none"); !errors.Is(err, datakit.NotExist) {
		t.Errorf("Fetch of a branch that is not there = %v, want NotExist", err)
	}
	if _, err := l.Fetch(t.Context(), full+"/missing", "master"); err == nil || errors.Is(err, datakit.NotExist) {
		t.Errorf("Fetch from nowhere = %v", err)
	}
	l.mustPush(t, empty, "master")
	l.mustPush(t, empty, "old")
	t.Setenv("PATH", path)
	if got := git(t, empty, "rev-parse", "master", "old"); got != head+"\n"+old {
		t.Errorf("pushed %s, want %s and %s", got, head, old)
	}
	git(t, empty, "fsck", "--strict")
}

// silence returns the address of a server that accepts what connects to it, and
// says nothing; connected is closed when somebody has. It is there until the
// test ends.
func silence(t *testing.T) (addr string, connected <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		close(accepted)
		<-end
		c.Close()
	}()
	t.Cleanup(func() {
		close(end)
		l.Close()
		<-ended
	})
	return l.Addr().String(), accepted
}

// TestFS208_Cancel cancels fetches and pushes while the other end is silent.
func TestFS208_Cancel(t *testing.T) {
	needGit(t)
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH", ssh)
	for name, call := range map[string]func(context.Context, Repository, string) error{
		"fetch": func(ctx context.Context, r Repository, address string) error {
			_, err := r.Fetch(ctx, address, "master")
			return err
		},
		"push": func(ctx context.Context, r Repository, address string) error {
			_, err := r.Push(ctx, address, []string{"b"})
			return err
		},
	} {
		for _, scheme := range []string{"git", "http", "ssh"} {
			t.Run(name+"/"+scheme, func(t *testing.T) {
				// A server for each: clients of HTTP keep connections for later.
				addr, connected := silence(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result := make(chan error, 1)
				local := newLocal(t)
				go func() { result <- call(ctx, local.Repository, scheme+"://"+addr+"/x") }()
				if scheme != "ssh" { // which is cancelled at some moment of its start
					<-connected
				}
				cancel()
				if err := <-result; !errors.Is(err, context.Canceled) {
					t.Errorf("%s from %s = %v, want %v", name, scheme, err, context.Canceled)
				}
			})
		}
	}
}

func TestFS208_SeveralFetchesAtOnce(t *testing.T) {
	full, _ := newRemoteRepo(t)
	l := newLocal(t)
	head := git(t, full, "rev-parse", "master")
	results := make(chan error)
	for range 8 {
		go func() {
			h, err := l.Fetch(t.Context(), full, "master")
			if err == nil && h.String() != head {
				err = errors.New("fetched " + h.String())
			}
			results <- err
		}()
	}
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// TestFetchStopsWhenThePackIsRefused has the store fail in the middle.
func TestFetchStopsWhenThePackIsRefused(t *testing.T) {
	full, _ := newRemoteRepo(t)
	l := newLocal(t)
	errFull := errors.New("disk full")
	l.AddPack = func(context.Context, io.Reader) error { return errFull }
	if _, err := l.Fetch(t.Context(), full, "master"); !errors.Is(err, errFull) {
		t.Errorf("Fetch = %v, want %v", err, errFull)
	}
}
