package gitdb_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

// files returns the content of the files in a directory, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// commitAt opens a repository with a work tree, commits, and closes it, after
// which the work tree has followed. It returns what was logged.
func commitAt(t *testing.T, dir, branch string, content map[datakit.Path]string) string {
	t.Helper()
	var log bytes.Buffer
	db, err := gitdb.Open(dir, &gitdb.Options{WorkTree: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	write(t, db, branch, content)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

func TestCL56_WorkTreeFollows(t *testing.T) {
	t.Parallel()
	dir := gitRepo(t)
	commitFile(t, dir, "old", "old")
	log := commitAt(t, dir, "master", map[datakit.Path]string{"new": "new", "old": "changed", "d/e": "deep"})
	if log != "" {
		t.Errorf("log: %s", log)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git status: %s", out)
	}
	if got := files(t, dir); got["new"] != "new" || got["old"] != "changed" {
		t.Errorf("the work tree has %v", got)
	}
	commitAt(t, dir, "other", map[datakit.Path]string{"elsewhere": "x"})
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("after a commit on another branch: %v", got)
	}
}

func TestCL56_NewRepositoryWithAWorkTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commitAt(t, dir, "master", map[datakit.Path]string{"a": "1"})
	if got := files(t, dir); got["a"] != "1" {
		t.Errorf("the work tree has %v", got)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("git status: %s", out)
	}
}

// TestCL56_OwnChanges leaves alone what has changes of its own, of any kind.
func TestCL56_OwnChanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, dir string){
		"edited": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "old"), []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
		"staged": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "staged"), []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
			git(t, dir, "add", "staged")
		},
		"removed": func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "old")); err != nil {
				t.Fatal(err)
			}
		},
		"in the way": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "new"), []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := gitRepo(t)
			commitFile(t, dir, "old", "old")
			change(t, dir)
			want := files(t, dir)
			log := commitAt(t, dir, "master", map[datakit.Path]string{"new": "new"})
			if !strings.Contains(log, "left as it is") {
				t.Errorf("log: %q", log)
			}
			got := files(t, dir)
			if len(got) != len(want) || got["old"] != want["old"] || got["new"] != want["new"] {
				t.Errorf("the work tree has %v, want %v", got, want)
			}
		})
	}
}

// TestCL54_GitDirAndHead makes a repository whose Git directory is elsewhere
// and whose HEAD is not master.
func TestCL54_GitDirAndHead(t *testing.T) {
	t.Parallel()
	work, dir := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	db, err := gitdb.Open(work, &gitdb.Options{GitDir: dir, Head: "main", WorkTree: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, db, "main", map[datakit.Path]string{"a": "1"})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := git(t, dir, "--git-dir=.", "symbolic-ref", "HEAD"); got != "refs/heads/main" {
		t.Errorf("HEAD is %s", got)
	}
	if got := git(t, dir, "--git-dir=.", "--work-tree="+work, "status", "--porcelain"); got != "" {
		t.Errorf("git status: %s", got)
	}
	if _, err := os.Stat(filepath.Join(work, ".git")); err == nil {
		t.Error("a Git directory was made at the path, too")
	}
	if _, err := gitdb.Open(t.TempDir(), &gitdb.Options{Head: "a..b"}); datakit.KindOf(err) != datakit.Invalid {
		t.Errorf("a malformed branch for HEAD: %v", err)
	}
}

func TestCL55_Author(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]*gitdb.Options{
		"datakit <datakit@mobyproject.org>": nil,
		"Eva <datakit@mobyproject.org>":     {AuthorName: "Eva"},
		"Eva <eva@example.org>":             {AuthorName: "Eva", AuthorAddress: "eva@example.org"},
	} {
		dir := t.TempDir()
		write(t, open(t, dir, opts), "master", map[datakit.Path]string{"a": "1"})
		if got := git(t, dir, "log", "-1", "--format=%an <%ae>", "master"); got != want {
			t.Errorf("the author is %s, want %s", got, want)
		}
	}
}
