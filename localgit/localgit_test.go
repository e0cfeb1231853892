package localgit

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	here  = github.Repo{User: "me", Name: "here"}
	there = github.Repo{User: "me", Name: "there"}
)

// git runs a git command in dir and returns its output, trimmed.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t.Context(), dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// newRepo makes a repository with a work tree and a commit on master, which it
// returns.
func newRepo(t *testing.T) (dir, commit string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "init", "-q", "-b", "master")
	return dir, commitTo(t, dir)
}

func commitTo(t *testing.T, dir string) string {
	t.Helper()
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "a commit")
	return git(t, dir, "rev-parse", "HEAD")
}

func newDB(t *testing.T) *datakit.DB {
	t.Helper()
	db := memdb.New(nil)
	t.Cleanup(func() { db.Close() })
	return db
}

// refsOf returns the refs of a repository that the branch has, by name.
func refsOf(t *testing.T, db *datakit.DB, r github.Repo) map[string]string {
	t.Helper()
	refs, err := layout.Refs(t.Context(), tree(t, db), r)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, ref := range refs {
		got[string(ref.Name)] = ref.Commit.Hash
	}
	return got
}

func tree(t *testing.T, db *datakit.DB) *datakit.Tree {
	t.Helper()
	tree, err := db.Branch(layout.DefaultBranch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func head(t *testing.T, db *datakit.DB) datakit.Hash {
	t.Helper()
	h, err := db.Branch(layout.DefaultBranch).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func message(t *testing.T, db *datakit.DB) string {
	t.Helper()
	c, err := db.Commit(t.Context(), head(t, db))
	if err != nil {
		t.Fatal(err)
	}
	return c.Message
}

// once mirrors repositories and compares the refs of the first with want.
func once(t *testing.T, db *datakit.DB, want map[string]string, repos ...Repository) Report {
	t.Helper()
	return onceWith(t, Options{DB: db, Repositories: repos}, want)
}

func onceWith(t *testing.T, opts Options, want map[string]string) Report {
	t.Helper()
	r, err := Once(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if got := refsOf(t, opts.DB, opts.Repositories[0].Name); !maps.Equal(got, want) {
		t.Fatalf("refs %v, want %v", got, want)
	}
	return r
}

// write commits elements to the branch.
func write(t *testing.T, db *datakit.DB, es ...github.Element) {
	t.Helper()
	err := db.Branch(layout.DefaultBranch).Update(t.Context(), "by another", func(tx *datakit.Tx) error {
		_, err := layout.Apply(t.Context(), tx, github.NewDiff(es, nil))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// start runs the bridge until the test ends and returns its reports.
func start(t *testing.T, opts Options) <-chan Report {
	t.Helper()
	reports := make(chan Report, 1000)
	opts.Observe = func(r Report) { reports <- r }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, opts) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("Run does not end")
		}
	})
	return reports
}

func next(t *testing.T, reports <-chan Report) Report {
	t.Helper()
	select {
	case r := <-reports:
		return r
	case <-time.After(30 * time.Second):
		t.Fatal("no sync")
		return Report{}
	}
}

func TestGH206_GH210_GH214_GH274_BranchesOnly(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "branch", "feature/x#1")
	git(t, dir, "tag", "v1")
	db := newDB(t)
	foreign := github.Commit{Repo: here, Hash: "abc"}
	pr := github.PR{Head: foreign, Number: 1, Base: "master", Owner: "joe"}
	status := github.NewStatus(foreign, "ci", github.Success, "", "")
	other := github.Ref{Commit: github.Commit{Repo: there, Hash: "1"}, Name: "heads/x"}
	write(t, db, pr, status, other,
		github.Ref{Commit: foreign, Name: "tags/v1"}, github.Ref{Commit: foreign, Name: "heads/old"})
	once(t, db, map[string]string{"heads/master": c, "heads/feature/x#1": c}, Repository{here, dir})
	tree, err := db.Branch(layout.DefaultBranch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := layout.ReadPR(t.Context(), tree, pr.ID()); err != nil || !got.Equal(pr) {
		t.Errorf("the PR is %v, %v", got, err)
	}
	if got, err := layout.ReadStatus(t.Context(), tree, status.ID()); err != nil || !got.Equal(status) {
		t.Errorf("the status is %v, %v", got, err)
	}
	if got, err := layout.ReadRef(t.Context(), tree, other.ID()); err != nil || got != other {
		t.Errorf("the ref of another repository is %v, %v", got, err)
	}
	if monitored, err := layout.Monitored(t.Context(), tree, here); monitored || err != nil {
		t.Errorf("monitored %v, %v", monitored, err)
	}
}

func TestGH208_GH277_Arguments(t *testing.T) {
	t.Parallel()
	work, _ := newRepo(t)
	bare, linked := filepath.Join(t.TempDir(), "bare"), filepath.Join(t.TempDir(), "linked")
	git(t, work, "clone", "-q", "--bare", work, bare)
	git(t, work, "worktree", "add", "-q", "-b", "side", linked)
	if r, err := ParseRepository("me/here:C:/x"); err != nil || r != (Repository{here, "C:/x"}) {
		t.Errorf("parsed %v, %v", r, err)
	}
	for _, text := range []string{"", "me/here", "me/here:", "me:/src", "me/a/b:/src", "m e/here:/src"} {
		if _, err := ParseRepository(text); err == nil || !strings.Contains(err.Error(), "USER/NAME:PATH") {
			t.Errorf("ParseRepository(%q): %v", text, err)
		}
	}
	for _, dir := range []string{work, bare, linked} {
		if err := (Repository{here, dir}).Check(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	sub := filepath.Join(work, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{sub, t.TempDir(), filepath.Join(work, "missing")} {
		_, err := Once(t.Context(), Options{DB: newDB(t), Repositories: []Repository{{here, dir}}})
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("Once on %s: %v", dir, err)
		}
	}
	none := t.TempDir()
	_, err := Once(t.Context(), Options{DB: newDB(t), Repositories: []Repository{{here, sub}, {there, none}}})
	if err == nil || !strings.Contains(err.Error(), sub) || !strings.Contains(err.Error(), none) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Once on two that are none: %v, want one line", err)
	}
	if err := Run(t.Context(), Options{DB: newDB(t)}); err == nil {
		t.Error("no repositories, and no error")
	}
	if _, err := Once(t.Context(), Options{DB: newDB(t), Repositories: []Repository{{here, work}, {here, bare}}}); err == nil {
		t.Error("two repositories of one name, and no error")
	}
}

func TestGH208_KindsOfRepositories(t *testing.T) {
	t.Parallel()
	work, c := newRepo(t)
	bare, linked := filepath.Join(t.TempDir(), "bare"), filepath.Join(t.TempDir(), "linked")
	git(t, work, "worktree", "add", "-q", "-b", "side", linked)
	git(t, work, "clone", "-q", "--bare", work, bare)
	want := map[string]string{"heads/master": c, "heads/side": c}
	for _, dir := range []string{work, bare, linked} {
		once(t, newDB(t), want, Repository{here, dir})
	}
}

func TestGH211_GH212_GH213_GH215_Sync(t *testing.T) {
	t.Parallel()
	dir, c1 := newRepo(t)
	git(t, dir, "branch", "old")
	dir2, d := newRepo(t)
	db := newDB(t)
	repos := []Repository{{here, dir}, {there, dir2}}
	r := once(t, db, map[string]string{"heads/master": c1, "heads/old": c1}, repos...)
	want := "3 items updated\n\nTracking new branch {me/here heads/master[" + c1 + "]}\nTracking new branch {me/here heads/old[" + c1 +
		"]}\nTracking new branch {me/there heads/master[" + d + "]}\n"
	if got := message(t, db); got != want || r.Message != want {
		t.Errorf("message %q, want %q", got, want)
	}
	tree, err := db.Branch(layout.DefaultBranch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := tree.ReadDir(t.Context(), datakit.Root); err != nil || len(entries) != 1 {
		t.Errorf("the first commit has %v, %v", entries, err)
	}
	before := head(t, db)
	if r := once(t, db, map[string]string{"heads/master": c1, "heads/old": c1}, repos...); r.Message != "" || head(t, db) != before {
		t.Errorf("nothing to do, and yet a commit: %q", r.Message)
	}
	c2 := commitTo(t, dir)
	git(t, dir, "branch", "-D", "old")
	git(t, dir, "branch", "new")
	once(t, db, map[string]string{"heads/master": c2, "heads/new": c2}, repos...)
	want = "3 items modified\n\nUpdating existing branch to {me/here heads/master[" + c2 + "]}\nRemoving deleted branch {me/here heads/old[" + c1 +
		"]}\nTracking new branch {me/here heads/new[" + c2 + "]}\n"
	if got := message(t, db); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestGH217_Restart(t *testing.T) {
	t.Parallel()
	dir, c1 := newRepo(t)
	dir2, d := newRepo(t)
	git(t, dir, "branch", "gone")
	db := newDB(t)
	once(t, db, map[string]string{"heads/master": c1, "heads/gone": c1}, Repository{here, dir}, Repository{there, dir2})
	git(t, dir, "branch", "-D", "gone")
	c2 := commitTo(t, dir)
	git(t, dir2, "branch", "unseen")
	before := head(t, db)
	once(t, db, map[string]string{"heads/master": c2}, Repository{here, dir})
	if got := refsOf(t, db, there); !maps.Equal(got, map[string]string{"heads/master": d}) {
		t.Errorf("a repository that is not given has become %v", got)
	}
	c, err := db.Commit(t.Context(), head(t, db))
	if err != nil || !slices.Equal(c.Parents, []datakit.Hash{before}) {
		t.Errorf("not one commit: %v, %v", c, err)
	}
}

func TestGH218_NoCommits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "master")
	db := newDB(t)
	if r := once(t, db, nil, Repository{here, dir}); r.Message != "" || !head(t, db).IsZero() {
		t.Errorf("a commit: %q", r.Message)
	}
}

func TestGH22_GH220_Tags(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "tag", "light")
	git(t, dir, "tag", "-m", "annotated", "noted")
	git(t, dir, "tag", "-m", "a tag of a tag", "twice", "noted")
	git(t, dir, "tag", "tree", "HEAD^{tree}")
	last := "noted"
	for range 10 {
		git(t, dir, "tag", "-f", "-m", "deep", "deep", last)
		last = git(t, dir, "rev-parse", "deep")
	}
	want := map[string]string{"heads/master": c, "tags/light": c, "tags/noted": c, "tags/twice": c}
	for range 2 {
		onceWith(t, Options{DB: newDB(t), Tags: true, Repositories: []Repository{{here, dir}}}, want)
		git(t, dir, "tag", "-d", "deep") // packed-refs says where it leads, however deep
		git(t, dir, "pack-refs", "--all")
		git(t, dir, "tag", "deep")
		want["tags/deep"] = c
	}
}

// snapshotDir returns what a directory holds, to see that nobody writes to it.
func snapshotDir(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = "directory"
			return err
		}
		data, err := os.ReadFile(path)
		info, statErr := d.Info()
		if err == nil && statErr == nil {
			all[path] = string(data) + info.ModTime().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGH221_NothingIsWritten(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "tag", "-m", "annotated", "noted")
	before := snapshotDir(t, dir)
	db := newDB(t)
	opts := Options{DB: db, Tags: true, Repositories: []Repository{{here, dir}}}
	onceWith(t, opts, map[string]string{"heads/master": c, "tags/noted": c})
	next(t, start(t, opts))
	if after := snapshotDir(t, dir); !maps.Equal(before, after) {
		t.Errorf("the repository has changed from %v to %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
}
