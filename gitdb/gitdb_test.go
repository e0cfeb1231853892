package gitdb_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// git runs git in dir and returns what it prints, without the last line end.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir(), "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org",
		"GIT_COMMITTER_NAME=c", "GIT_COMMITTER_EMAIL=c@example.org")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// open opens the repository at path until the test ends, and then has git
// check it.
func open(t testing.TB, path string, opts *gitdb.Options) *datakit.DB {
	t.Helper()
	db, err := gitdb.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if out := git(t, path, "fsck", "--strict", "--no-dangling"); out != "" {
			t.Errorf("git fsck: %s", out)
		}
	})
	return db
}

// write commits files to a branch.
func write(t testing.TB, db *datakit.DB, branch string, files map[datakit.Path]string) datakit.Hash {
	t.Helper()
	err := db.Branch(branch).Update(t.Context(), "write", func(tx *datakit.Tx) error {
		for path, content := range files {
			if err := tx.MkdirAll(t.Context(), path.Dir()); err != nil {
				return err
			}
			if err := tx.WriteFile(t.Context(), path, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return head(t, db, branch)
}

func head(t testing.TB, db *datakit.DB, branch string) datakit.Hash {
	t.Helper()
	h, err := db.Branch(branch).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func read(t testing.TB, db *datakit.DB, branch string, path datakit.Path) string {
	t.Helper()
	tree, err := db.Branch(branch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := tree.ReadFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// gitRepo makes a repository with git that has one commit on master.
func gitRepo(t testing.TB, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, append([]string{"init", "-q", "-b", "master"}, args...)...)
	return dir
}

func commitFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", name)
	git(t, dir, "commit", "-q", "-m", "add "+name)
	return git(t, dir, "rev-parse", "HEAD")
}

// TestFS1_OrdinaryRepository has git read what was committed.
func TestFS1_OrdinaryRepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, nil)
	write(t, db, "master", map[datakit.Path]string{"a/b/c": "content", "d": "d"})
	if got := git(t, dir, "show", "master:a/b/c"); got != "content" {
		t.Errorf("git show: %q", got)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, t.TempDir(), "clone", "-q", dir, clone)
	if data, err := os.ReadFile(filepath.Join(clone, "d")); string(data) != "d" || err != nil {
		t.Errorf("a clone has %q, %v", data, err)
	}
}

// TestFS24_Vector makes the commit of the specification's test vector.
func TestFS24_Vector(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, &gitdb.Options{Now: func() time.Time { return time.Unix(1500000000, 0) }})
	err := db.Branch("master").Update(t.Context(), "My commit", func(tx *datakit.Tx) error {
		return errors.Join(tx.Mkdir(t.Context(), "src"), tx.WriteFile(t.Context(), "src/Makefile", []byte("all: build test")))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := git(t, dir, "rev-parse", "master"); got != "3949d3927d46db289735fecdc1e6ce8aad7ced88" {
		t.Errorf("master is %s", got)
	}
	if got := git(t, dir, "log", "-1", "--format=%an|%ae|%cn|%ce|%at|%ad", "--date=raw", "master"); got !=
		"datakit|datakit@mobyproject.org|datakit|datakit@mobyproject.org|1500000000|1500000000 +0000" {
		t.Errorf("git log: %s", got) // FS-21
	}
}

// TestFS2_WhatGitWrites reads loose objects, packs with deltas, alternates,
// and packed and symbolic references.
func TestFS2_WhatGitWrites(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	long := strings.Repeat("a line that is the same in all versions\n", 200)
	for i := range 5 {
		commitFile(t, dir, "file", long+strings.Repeat("x", i))
	}
	git(t, dir, "branch", "nested/packed")
	git(t, dir, "gc", "-q", "--aggressive")
	loose := commitFile(t, dir, "loose", "loose")
	git(t, dir, "symbolic-ref", "refs/heads/link", "refs/heads/master")
	borrower := t.TempDir()
	git(t, borrower, "clone", "-q", "--bare", "--shared", dir, ".")

	for _, path := range []string{dir, borrower} {
		db := open(t, path, nil)
		if got := head(t, db, "master").String(); got != loose {
			t.Errorf("%s: master is %s, want %s", path, got, loose)
		}
		if got := read(t, db, "nested/packed", "file"); got != long+"xxxx" {
			t.Errorf("%s: file is %d bytes", path, len(got))
		}
	}
	db := open(t, dir, nil)
	if got := head(t, db, "link").String(); got != loose {
		t.Errorf("link is %s, want %s", got, loose)
	}
	git(t, dir, "gc", "-q")
	git(t, dir, "repack", "-adq")
	git(t, dir, "pack-refs", "--all")
	if got := read(t, db, "master", "loose"); got != "loose" {
		t.Errorf("after git gc: %q", got)
	}
	write(t, db, "nested/packed", map[datakit.Path]string{"new": "new"})
	if got := git(t, dir, "show", "nested/packed:new"); got != "new" {
		t.Errorf("git show: %q", got)
	}
	if err := db.Branch("nested/packed").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := git(t, dir, "branch", "--list", "nested/packed"); got != "" {
		t.Errorf("a packed branch is still there: %s", got)
	}
}

// TestFS3_WhichDirectory opens repositories of all forms.
func TestFS3_WhichDirectory(t *testing.T) {
	t.Parallel()
	work := gitRepo(t)
	commitFile(t, work, "f", "f")
	bare := gitRepo(t, "--bare")
	linked := filepath.Join(t.TempDir(), "linked")
	git(t, work, "worktree", "add", "-q", linked)
	fresh := filepath.Join(t.TempDir(), "not", "there")
	for _, tt := range []struct{ name, path, want string }{
		{"with a work tree", work, filepath.Join(work, ".git")},
		{"bare", bare, bare},
		{"linked work tree", linked, filepath.Join(work, ".git")},
		{"new", fresh, filepath.Join(fresh, ".git")},
	} {
		got, err := gitdb.Locate(tt.path)
		if err != nil || got != tt.want {
			t.Errorf("%s: Locate(%s) = %s, %v, want %s", tt.name, tt.path, got, err, tt.want)
		}
	}
	if got := git(t, fresh, "config", "core.bare"); got != "true" {
		t.Errorf("core.bare of a new repository is %s", got)
	}
	db := open(t, work, nil)
	write(t, db, "master", map[datakit.Path]string{"g": "g"})
	if _, err := os.Stat(filepath.Join(work, "g")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the work tree was touched: %v", err)
	}
}

// TestFS5_Head keeps a HEAD and makes a missing one.
func TestFS5_Head(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, nil)
	if got := git(t, dir, "symbolic-ref", "HEAD"); got != "refs/heads/master" {
		t.Errorf("HEAD of a new repository is %s", got)
	}
	other := gitRepo(t)
	git(t, other, "symbolic-ref", "HEAD", "refs/heads/other")
	open(t, other, nil)
	if got := git(t, other, "symbolic-ref", "HEAD"); got != "refs/heads/other" {
		t.Errorf("HEAD was changed to %s", got)
	}
}

// TestFS6_OtherReferences neither shows nor changes references that are no
// branches.
func TestFS6_OtherReferences(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	h := commitFile(t, dir, "f", "f")
	git(t, dir, "tag", "v1")
	git(t, dir, "update-ref", "refs/remotes/origin/x", h)
	git(t, dir, "pack-refs", "--all")
	db := open(t, dir, nil)
	if err := db.Branch("master").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, err := db.Branches(t.Context()); len(names) != 0 || err != nil {
		t.Errorf("branches: %v, %v", names, err)
	}
	if got := git(t, dir, "for-each-ref", "--format=%(refname)"); got != "refs/remotes/origin/x\nrefs/tags/v1" {
		t.Errorf("references: %s", got)
	}
}

// TestFS7_StaleLock has another program hold a reference for ever.
func TestFS7_StaleLock(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for 10 seconds")
	}
	dir := t.TempDir()
	db := open(t, dir, nil)
	write(t, db, "master", map[datakit.Path]string{"a": "1"})
	lock := filepath.Join(dir, ".git", "refs", "heads", "master.lock")
	if err := os.WriteFile(lock, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	err := db.Branch("master").Update(t.Context(), "m", func(tx *datakit.Tx) error {
		return tx.WriteFile(t.Context(), "a", []byte("2"))
	})
	var locked *datakit.LockedError
	if !errors.As(err, &locked) || locked.File != "refs/heads/master.lock" || !errors.Is(err, datakit.Locked) {
		t.Errorf("commit under a stale lock: %v", err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Errorf("the lock of another program is gone: %v", err)
	}
	os.Remove(lock)
	write(t, db, "master", map[datakit.Path]string{"a": "3"})
}

// TestFS9_PrunedObjects prunes what an open transaction builds on.
func TestFS9_PrunedObjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, nil)
	write(t, db, "gone", map[datakit.Path]string{"a": "only there", "b": "b"})
	tx, err := db.Branch("gone").Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Abort()
	if err := tx.WriteFile(t.Context(), "b", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := db.Branch("gone").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "gc", "-q", "--prune=now")
	git(t, dir, "repack", "-adq")
	git(t, dir, "prune", "--expire=now")
	if err := tx.Commit(t.Context(), "m"); err == nil {
		t.Error("a commit with missing objects was made")
	}
	if h := head(t, db, "gone"); !h.IsZero() {
		t.Errorf("the branch has head %v", h)
	}
}

// TestFS10_ChangesByGit watches a branch that git changes.
func TestFS10_CL57_ChangesByGit(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	commitFile(t, dir, "f", "1")
	db := open(t, dir, nil)
	w, err := db.Branch("master").Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := commitFile(t, dir, "f", "2")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got, err := w.Next(ctx); got.String() != want || err != nil {
		t.Errorf("Next = %v, %v, want %s", got, err, want)
	}
}

// TestFS13_Submodules keeps a submodule in a directory that is rewritten.
func TestFS13_Submodules(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	h := commitFile(t, dir, "f", "f")
	git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+h+",sub/module")
	git(t, dir, "commit", "-q", "-m", "submodule")
	db := open(t, dir, nil)
	tree, err := db.Branch("master").Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if es, err := tree.ReadDir(t.Context(), "sub"); len(es) != 0 || err != nil {
		t.Errorf("sub lists %v, %v", es, err)
	}
	if _, err := tree.Lookup(t.Context(), "sub/module"); !errors.Is(err, datakit.NotExist) {
		t.Errorf("looking up a submodule: %v", err)
	}
	write(t, db, "master", map[datakit.Path]string{"sub/new": "new"})
	if got := git(t, dir, "ls-tree", "master", "sub/"); !strings.Contains(got, "160000 commit "+h+"\tsub/module") || !strings.Contains(got, "sub/new") {
		t.Errorf("sub has\n%s", got)
	}
}

// TestFS20_NamesOfOthers keeps entries that cannot be shown.
func TestFS20_NamesOfOthers(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t, "--bare")
	blob := gitInput(t, dir, "x", "hash-object", "-w", "--stdin")
	tree := gitInput(t, dir, "100644 blob "+blob+"\t.GIT\n100664 blob "+blob+"\tb\n", "mktree", "--missing")
	root := gitInput(t, dir, "040000 tree "+tree+"\td\n", "mktree")
	git(t, dir, "update-ref", "refs/heads/master", git(t, dir, "commit-tree", "-m", "m", root))
	db, err := gitdb.Open(dir, nil) // fsck complains of .GIT, as it should
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tr, err := db.Branch("master").Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if es, err := tr.ReadDir(t.Context(), "d"); len(es) != 1 || err != nil || es[0].Name != "b" || es[0].Mode != datakit.Normal {
		t.Errorf("d lists %v, %v", es, err)
	}
	write(t, db, "master", map[datakit.Path]string{"d/c": "c"})
	if got := git(t, dir, "ls-tree", "--name-only", "master", "d/"); got != "d/.GIT\nd/b\nd/c" {
		t.Errorf("d has %q", got)
	}
}

func gitInput(t testing.TB, dir, input string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// TestFS225_Shallow opens a shallow clone.
func TestFS225_Shallow(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	for _, content := range []string{"1", "2", "3"} {
		commitFile(t, dir, "f", content)
	}
	shallow := t.TempDir()
	git(t, shallow, "clone", "-q", "--bare", "--depth", "1", "file://"+dir, ".")
	db := open(t, shallow, nil)
	h := write(t, db, "master", map[datakit.Path]string{"g": "g"})
	c, err := db.Commit(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Commit(t.Context(), c.Parents[0]); err != nil {
		t.Errorf("the commit the history ends with: %v", err)
	}
	parent, _ := db.Commit(t.Context(), c.Parents[0])
	if _, err := db.Commit(t.Context(), parent.Parents[0]); !errors.Is(err, datakit.NotExist) {
		t.Errorf("a commit beyond the end: %v", err)
	}
}

// TestFS226_RepositoryOfTheOriginal reads and rewrites what the original
// server wrote: entries that name the empty tree, escaped names, parents in
// the order of their names.
func TestFS226_RepositoryOfTheOriginal(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t, "--bare")
	blob := gitInput(t, dir, "x", "hash-object", "-w", "--stdin")
	empty := gitInput(t, dir, "", "mktree")
	root := gitInput(t, dir, "100644 blob "+blob+"\ta*+b\n040000 tree "+empty+"\tgone\n", "mktree")
	commit := git(t, dir, "commit-tree", "-m", "m", root)
	git(t, dir, "update-ref", "refs/heads/master", commit)
	db := open(t, dir, nil)
	if got := head(t, db, "master").String(); got != commit {
		t.Errorf("head is %s, want %s", got, commit)
	}
	if got := read(t, db, "master", "a*+b"); got != "x" {
		t.Errorf("a*+b is %q", got)
	}
	write(t, db, "master", map[datakit.Path]string{"new": "new"})
	if got := git(t, dir, "ls-tree", "--name-only", "master"); got != "a*+b\nnew" {
		t.Errorf("master has %q", got) // FS-15: the empty directory is left out
	}
}

// TestFS15_EmptyRoot removes all there is; git checks the result when the test
// ends.
func TestFS15_EmptyRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, nil)
	write(t, db, "master", map[datakit.Path]string{"a/b": "b"})
	err := db.Branch("master").Update(t.Context(), "m", func(tx *datakit.Tx) error { return tx.Remove(t.Context(), "a/b") })
	if err != nil {
		t.Fatal(err)
	}
	if got := git(t, dir, "rev-parse", "master^{tree}"); got != datakit.EmptyTree.String() {
		t.Errorf("the tree is %s", got)
	}
}

// TestUnknownFormatIsRefused opens repositories that must not be written to.
func TestUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t, "--object-format=sha256")
	if db, err := gitdb.Open(dir, nil); err == nil {
		db.Close()
		t.Error("a repository with SHA-256 names was opened")
	}
	newer := gitRepo(t)
	git(t, newer, "config", "core.repositoryformatversion", "2")
	if db, err := gitdb.Open(newer, nil); err == nil {
		db.Close()
		t.Error("a repository of format version 2 was opened")
	}
}

// TestFS205_FetchIntoRepository fetches from another repository, twice.
func TestFS205_FetchIntoRepository(t *testing.T) {
	t.Parallel()
	there := gitRepo(t)
	commitFile(t, there, "foo", "foo")
	second := commitFile(t, there, "x", "x")
	db := open(t, t.TempDir(), nil)
	for range 2 {
		got, err := db.Fetch(t.Context(), there, "master")
		if err != nil || got.String() != second {
			t.Fatalf("fetch = %v, %v, want %s", got, err, second)
		}
	}
	if err := db.Branch("got").FastForward(t.Context(), mustHash(t, second)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, db, "got", "x"); got != "x" {
		t.Errorf("x is %q", got)
	}
	if names, err := db.Branches(t.Context()); len(names) != 1 || err != nil {
		t.Errorf("branches: %v, %v", names, err)
	}
}

// TestFS209_FetchedObjectsSurviveGC has git clean up between a fetch and the use
// of what came.
func TestFS209_FetchedObjectsSurviveGC(t *testing.T) {
	t.Parallel()
	there := gitRepo(t)
	want := commitFile(t, there, "foo", "foo")
	dir := t.TempDir()
	db := open(t, dir, nil)
	write(t, db, "master", map[datakit.Path]string{"a": "a"})
	got, err := db.Fetch(t.Context(), there, "master")
	if err != nil || got.String() != want {
		t.Fatalf("fetch = %v, %v, want %s", got, err, want)
	}
	git(t, dir, "gc", "-q")
	if err := db.Branch("got").FastForward(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if got := read(t, db, "got", "foo"); got != "foo" {
		t.Errorf("foo is %q", got)
	}
}

func mustHash(t testing.TB, s string) datakit.Hash {
	t.Helper()
	h, err := datakit.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
