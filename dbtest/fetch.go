package dbtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/datakit/datakit"
)

var fetchChecks = []check{
	{"CLT19_Fetch", fetch},
	{"CL52_FragmentNamesBranch", fragmentNamesBranch},
	{"FS205_FetchAgain", fetchAgain},
	{"FS206_NoSuchBranch", fetchNoSuchBranch},
	{"FS206_NoSuchRepository", fetchNoSuchRepository},
	{"FS208_FetchesAtOnce", fetchesAtOnce},
}

// A remote is a repository that git made.
type remote struct {
	e   *env
	dir string
}

// newRemote makes a repository whose master holds foo, x and d/exe.
func newRemote(e *env) *remote {
	if _, err := exec.LookPath("git"); err != nil {
		e.Skip("git is not installed")
	}
	r := &remote{e, filepath.Join(e.t.TempDir(), "remote")}
	r.git("init", "-q", "-b", "master", r.dir)
	r.write("foo", "foo content", 0o644)
	r.write("d/exe", "#!", 0o755)
	r.commit("first")
	r.write("x", "x content", 0o644)
	r.commit("second")
	return r
}

func (r *remote) git(args ...string) string {
	r.e.Helper()
	cmd := exec.CommandContext(r.e.ctx, "git", args...)
	if _, err := os.Stat(r.dir); err == nil {
		cmd.Dir = r.dir
	}
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@d")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.e.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *remote) write(name, content string, mode os.FileMode) {
	r.e.Helper()
	path := filepath.Join(r.dir, name)
	r.e.ok(os.MkdirAll(filepath.Dir(path), 0o755))
	r.e.ok(os.WriteFile(path, []byte(content), mode))
}

// commit commits everything and returns the commit.
func (r *remote) commit(msg string) datakit.Hash {
	r.e.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", msg)
	return r.head("HEAD")
}

func (r *remote) head(ref string) datakit.Hash {
	r.e.Helper()
	h, err := datakit.ParseHash(r.git("rev-parse", ref))
	r.e.ok(err)
	return h
}

// remoteFiles is what newRemote puts on master.
var remoteFiles = files{"foo": normal("foo content"), "x": normal("x content"), "d/exe": executable("#!")}

func fetch(e *env) {
	r := newRemote(e)
	h, err := e.db.Fetch(e.ctx, r.dir+"#master", "origin")
	e.ok(err)
	if want := r.head("master"); h != want {
		e.Errorf("Fetch returns %v, want %v", h, want)
	}
	e.wantFiles("the fetched commit", e.treeOf(h), remoteFiles)
	e.wantBranches()
	parent := e.parents(h)[0]
	if got := e.commitOf(parent).Message; got != "first\n" {
		e.Errorf("the parent has the message %q, want %q", got, "first\n")
	}
	e.fork("master", h)
	e.put("master", files{"x": absent})
	e.wantFile(e.tree("master"), "foo", normal("foo content"))
}

func fragmentNamesBranch(e *env) {
	r := newRemote(e)
	r.git("checkout", "-q", "-b", "feature/y")
	r.write("y", "y", 0o644)
	feature := r.commit("on a branch")
	for _, tt := range []struct {
		url, branch string
		want        datakit.Hash
	}{
		{r.dir, "master", r.head("master")},
		{r.dir, "feature/y", feature},
		{r.dir + "#feature/y", "master", feature},
		{"file://" + r.dir, "feature/y", feature},
	} {
		got, err := e.db.Fetch(e.ctx, tt.url, tt.branch)
		e.ok(err)
		if got != tt.want {
			e.Errorf("Fetch of %s from %s returns %v, want %v", tt.branch, tt.url, got, tt.want)
		}
	}
	e.wantBranches()
}

func fetchAgain(e *env) {
	r := newRemote(e)
	first, err := e.db.Fetch(e.ctx, r.dir, "master")
	e.ok(err)
	same, err := e.db.Fetch(e.ctx, r.dir, "master")
	e.ok(err)
	if same != first {
		e.Errorf("a second Fetch returns %v, want %v", same, first)
	}
	r.write("foo", "changed", 0o644)
	r.git("rm", "-q", "x")
	want := r.commit("third")
	next, err := e.db.Fetch(e.ctx, r.dir, "master")
	e.ok(err)
	if next != want {
		e.Errorf("Fetch after a change returns %v, want %v", next, want)
	}
	e.wantFiles("the fetched commit", e.treeOf(next), files{"foo": normal("changed"), "d/exe": executable("#!")})
}

func fetchNoSuchBranch(e *env) {
	r := newRemote(e)
	_, err := e.db.Fetch(e.ctx, r.dir, "absent")
	e.fails("Fetch of a branch that is not there", err, datakit.NotExist)
	_, err = e.db.Fetch(e.ctx, r.dir+"#absent", "master")
	e.fails("Fetch of a fragment that is not there", err, datakit.NotExist)
}

func fetchNoSuchRepository(e *env) {
	_, err := e.db.Fetch(e.ctx, filepath.Join(e.t.TempDir(), "nothing"), "master")
	e.fails("Fetch from a directory that is not there", err, datakit.IO)
	_, err = e.db.Fetch(e.ctx, "http://user:secret@127.0.0.1:1/x.git", "master")
	e.fails("Fetch from a port that nobody listens on", err, datakit.IO)
	if err != nil && strings.Contains(err.Error(), "secret") {
		e.Errorf("the error tells the password: %v", err)
	}
	e.fails("Fetch from nowhere", second(e.db.Fetch(e.ctx, "", "master")), datakit.Invalid)
	e.wantBranches()
}

func fetchesAtOnce(e *env) {
	r := newRemote(e)
	want := r.head("master")
	atOnce(4, func(int) {
		if h, err := e.db.Fetch(e.ctx, r.dir, "master"); h != want || err != nil {
			e.Errorf("Fetch returns %v, %v, want %v", h, err, want)
		}
	})
	e.wantFiles("the fetched commit", e.treeOf(want), remoteFiles)
}
