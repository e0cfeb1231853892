package bridge

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/token"
)

// overHTTP has the engine use the client of GitHub's REST API.
func (e *env) overHTTP() {
	e.t.Helper()
	server := githubtest.NewServer(e.world)
	h := httptest.NewServer(server)
	c, err := api.New(api.Config{BaseURL: h.URL, Token: token.NewSecret("secret")})
	if err != nil {
		e.t.Fatal(err)
	}
	e.opts.API = c
	e.t.Cleanup(func() {
		c.Close()
		h.Close()
		server.Close()
	})
}

// TestGH76_OverHTTP runs the engine with the client of GitHub's REST API.
func TestGH76_OverHTTP(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.overHTTP()
	second := p4
	second.Comments = []github.Comment{{Author: p4.Owner, Body: "the body"}} // that of GitHub always has one
	e.fill(p1, second, r1, s1, s2, s3, s4)
	e.write("test/test/.monitor", "")
	e.source(testRepo)
	e.sync()
	e.wantInSync("imported", testRepo)
	e.changeAll()
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.world.AddComment(p1.ID(), "joe", "hello")
	e.sync()
	e.sync() // for the echo
	e.wantInSync("both sides have changed", testRepo)
	e.wantFiles("test/test/pr/1/title", "of GitHub\n", "test/test/pr/2/title", "mine\n", "test/test/pr/1/comments/2/body", "hello")
	e.wantRefs("heads/new=foo")
	head := e.head()
	e.resync()
	if e.head() != head {
		t.Errorf("a resync without changes made a commit: %q", e.message())
	}
}

func TestGH88_StepsInOrder(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.source()
	e.can("*:x")
	mine := p4
	mine.Title = "mine"
	e.put(mine, p1, r2, github.Ref{Commit: github.Commit{Repo: testRepo, Hash: "new"}, Name: "heads/new"},
		github.NewStatus(bar, "foo", github.Success, "", ""))
	e.sync()
	var order []string
	for _, c := range e.world.Log() {
		op := c.Op
		if op == github.OpListPRs || op == github.OpListRefs || op == github.OpReadStatuses {
			op = "import"
		}
		if len(order) == 0 || order[len(order)-1] != op {
			order = append(order, op)
		}
	}
	want := []string{github.OpCreateHook, "import", github.OpSetPR, github.OpSetRef, github.OpSetStatus}
	if !slices.Equal(order, want) {
		t.Errorf("order: %s, want %s", strings.Join(order, ", "), strings.Join(want, ", "))
	}
}

// TestGH90_OnlyWhatMayBeReadIsPruned has a closed pull request that may only be
// written, on a commit that nobody else needs.
func TestGH90_OnlyWhatMayBeReadIsPruned(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:rw,pr:w")
	e.fill(p2, r1, s3)
	e.put(p2, s3)
	e.sync()
	e.sync()
	e.wantCalls("list refs 1, read statuses 1")
	e.wantFiles("test/test/pr/1/state", "closed\n")
}

// TestGH136_NothingToWrite has a difference that writes nothing: a comment of
// which the branch cannot tell the author, so that it is not read back.
func TestGH136_NothingToWrite(t *testing.T) {
	t.Parallel()
	nobody := p1
	nobody.Comments = append(slices.Clone(comments), github.Comment{ID: 7, Body: "by nobody"})
	e := mirrored(t, nobody, r1)
	head := e.head()
	for range 3 {
		e.sync()
		e.resync()
	}
	if e.head() != head {
		t.Errorf("a commit was made: %q", e.message())
	}
}

func TestGH137_Messages(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, r1, s1)
	if want := "3 items updated\n\n{test/test heads/master[bar]}\n{test/test bar:foo/bar/baz[pending] descr=foo}\n" +
		"{test/test 1[foo] master sam open \"\"}"; e.message() != want {
		t.Errorf("the message is %q, want %q", e.message(), want)
	}
	e.source(testRepo)
	e.fill(r2)
	e.sync()
	if !strings.HasPrefix(e.message(), "2 items modified\n\nUpdated\n  {test/test heads/master[foo]}\n\nRemoved\n  {{test/test bar} foo/bar/baz}") {
		t.Errorf("the message is %q", e.message())
	}
}

// TestGH139_SentValuesCountAsAgreed has a commit fail after a status was sent,
// and GitHub change that status before the next one.
func TestGH139_SentValuesCountAsAgreed(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, p4, r1, s1)
	e.write("test/test/.monitor", "")
	e.sync()
	e.source(testRepo)
	e.write("test/test/commit/bar/status/foo/bar/baz/state", "success\n")
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	db.atCommit(func() error { return errors.New("the disk is full") })
	if err := Once(t.Context(), e.opts, e.state); err == nil {
		t.Fatal("the sync has not failed")
	}
	db.atCommit(nil)
	e.fill(github.NewStatus(bar, "foo/bar/baz", github.Failure, "", ""))
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/commit/bar/status/foo/bar/baz/state", "failure\n")
	e.wantInSync("GitHub has changed it last", testRepo)
}
