package bridge

import (
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

func TestGH91_GH95_GH138_GH253_DirtyPR(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "not asked for" })
	e.fill(github.NewStatus(bar, "new", github.Success, "", ""))
	e.stain(p4.ID())
	before := e.head()
	e.sync()
	e.wantCalls("read PR 1, read statuses 1")
	e.wantFiles("test/test/pr/2/title", "new\n", "test/test/pr/2/.dirty", "-", "test/test/pr/1/title", "\n",
		"test/test/commit/bar/status/new/state", "success\n")
	c, err := e.opts.DB.Commit(t.Context(), e.head())
	if err != nil || len(c.Parents) != 1 || c.Parents[0] != before {
		t.Errorf("cleaning and data are not one commit: %v, %v", c, err)
	}
	e.sync()
	e.wantCalls("")
}

func TestGH95_GH223_DirtyPRThatIsClosedOrMissing(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s3)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.State = github.Closed })
	missing := github.PRID{Repo: testRepo, Number: 9}
	e.stain(p1.ID(), missing)
	e.sync()
	if got := e.list("test/test/pr"); got != "2" {
		t.Errorf("pr has %q", got)
	}
	if got := e.list("test/test/commit"); got != "-" {
		t.Errorf("commit has %q", got)
	}
	e.wantInSync("the closed one is gone", testRepo)
}

func TestGH95_GH257_DirtyRef(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:,ref:r,commit:r,status:r")
	gone := github.Ref{Commit: bar, Name: "tags/gone"}
	e.fill(r1, gone, s1, s3)
	e.sync()
	e.fill(r2)
	e.world.DropRef(testRepo, "tags/gone")
	e.calls()
	e.stain(r1.ID(), gone.ID())
	e.sync()
	e.wantCalls("look for repository 1, read ref 2, read statuses 1")
	e.wantFiles("test/test/ref/heads/master/head", "foo\n", "test/test/ref/heads/master/.dirty", "-",
		"test/test/ref/tags/gone/head", "-", "test/test/commit/foo/status/foo/bar/baz/state", "success\n")
	head := e.head()
	e.sync() // GH-238: the removal of a .dirty file is nothing
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("another commit: %q", e.message())
	}
}

func TestGH238_RemovedDirtyFileIsNoReason(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	e.stain(r1.ID())
	e.sync()
	head := e.head()
	e.calls()
	e.sync()
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("another commit: %q", e.message())
	}
}

// TestGH96_GH222_GH224_EachDirtyElementByItself stains pull requests of which
// one has changed, one is closed, one is missing and one cannot be read.
func TestGH96_GH222_GH224_EachDirtyElementByItself(t *testing.T) {
	t.Parallel()
	numbered := func(n int) github.PR {
		pr := p4
		pr.Number, pr.Title = n, "old"
		return pr
	}
	var ids []github.ID
	e := newEnv(t, testRepo)
	for n := 1; n <= 5; n++ {
		e.fill(numbered(n))
		ids = append(ids, numbered(n).ID())
	}
	e.write("test/test/.monitor", "")
	e.sync()
	for n := 1; n <= 5; n++ {
		e.world.EditPR(numbered(n).ID(), func(pr *github.PR) { pr.Title = "new" })
	}
	e.world.EditPR(numbered(3).ID(), func(pr *github.PR) { pr.State = github.Closed })
	remove := e.world.Inject(githubtest.Fault{Op: github.OpReadPR, Subject: "{test/test 4}", Status: 503})
	e.stain(ids...)
	e.sync()
	if got := e.list("test/test/pr"); got != "1 2 4 5" {
		t.Errorf("pr has %q", got)
	}
	for _, n := range []string{"1", "2", "5"} {
		e.wantFiles("test/test/pr/"+n+"/title", "new\n", "test/test/pr/"+n+"/.dirty", "-")
	}
	e.wantFiles("test/test/pr/4/title", "old\n", "test/test/pr/4/.dirty", "") // GH-110
	e.calls()
	remove()
	e.sync()
	e.wantCalls("read PR 1, read statuses 1")
	e.wantFiles("test/test/pr/4/title", "new\n", "test/test/pr/4/.dirty", "-")
	head := e.head()
	e.sync()
	if e.head() != head {
		t.Errorf("the versions take turns: %q", e.message())
	}
}

func TestGH97_DirtyRepositories(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, r1, s3)
	e.fill(r2, p4)
	e.stain(testRepo, otherRepo, github.PRID{Repo: otherRepo, Number: 1}, github.RefID{Repo: otherRepo, Name: "heads/x"})
	e.sync()
	e.wantCalls(firstCalls + "2")
	e.wantFiles("test/test/.dirty", "-", "test/other/.dirty", "-", "test/other/.monitor", "-",
		"test/other/pr/1/.dirty", "-", "test/other/ref/heads/x/.dirty", "-")
	e.wantInSync("read again", testRepo)
	e.sync()
	e.wantCalls("")
}

func TestGH98_GH137_DirtyKindsThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:,ref:r")
	e.fill(p1, r1, s1)
	e.sync()
	e.wantCalls("list refs 1")
	e.stain(p1.ID())
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/1/.dirty", "-")
	if e.message() != "Cleaning up .dirty files" {
		t.Errorf("the message is %q (GH-137)", e.message())
	}
}

func TestGH110_GH237_FailedDirtyRepositoryStays(t *testing.T) {
	t.Parallel()
	for _, op := range []string{github.OpListPRs, github.OpListRefs, github.OpReadStatuses} {
		e := mirrored(t, p1, r1, s3)
		e.fill(r2)
		remove := e.fault(op, 500)
		e.stain(testRepo)
		e.sync()
		e.wantFiles("test/test/.dirty", "")
		remove()
		e.sync()
		e.wantFiles("test/test/.dirty", "-")
		e.wantInSync(op+" succeeds", testRepo)
		e.calls()
		e.sync()
		e.wantCalls("")
	}
}

func TestGH126_DirtyBringsARemovedPRBack(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1)
	e.remove(p4.ID())
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/title", "-")
	e.sync()
	e.wantFiles("test/test/pr/2/title", "-")
	e.stain(p4.ID())
	e.sync()
	e.wantFiles("test/test/pr/2/title", "toto\n")
}
