package bridge

import (
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

func TestGH119_ReadOnlyUndoesChanges(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.can("*:r")
	e.sync()
	e.calls()
	before := e.content().Snapshot
	e.write("test/test/pr/2/title", "mine\n", "test/test/pr/1", "-", "test/test/ref/heads/master", "-",
		"test/test/ref/heads/mine/head", "foo\n", "test/test/commit/foo/status/foo/bar/baz/state", "error\n",
		"test/test/commit/bar/status/mine/state", "success\n")
	e.sync()
	e.wantCalls("")
	if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
		t.Errorf("not undone: %s", diff.Message())
	}
}

func TestGH120_GH239_EachSideReachesTheOther(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1, s3)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.fill(github.Ref{Commit: foo, Name: "heads/github"}, github.NewStatus(foo, "github", github.Success, "", ""))
	e.write("test/test/pr/2/title", "of the branch\n", "test/test/ref/heads/branch/head", "foo\n",
		"test/test/commit/foo/status/branch/state", "success\n", "test/test/ref/heads/master", "-")
	e.sync()
	e.wantCalls("remove ref 1, set PR 1, set ref 1, set status 1")
	e.wantInSync("both changed", testRepo)
	e.wantRefs("heads/branch=foo", "heads/github=foo")
	e.wantFiles("test/test/pr/1/title", "of GitHub\n", "test/test/pr/2/title", "of the branch\n",
		"test/test/commit/foo/status/branch/state", "success\n")
	e.sync()
	e.calls()
	e.sync()
	e.wantCalls("")
}

func TestGH120_BranchWinsExceptAtAFirstImport(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1, s1)
	change := func() {
		e.write("test/test/pr/2/title", "of the branch\n", "test/test/ref/heads/master/head", "foo\n",
			"test/test/commit/bar/status/foo/bar/baz/state", "success\n")
		e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
		e.fill(github.Ref{Commit: github.Commit{Repo: testRepo, Hash: "other"}, Name: "heads/master"},
			github.NewStatus(bar, "foo/bar/baz", github.Failure, "", ""))
	}
	change()
	e.sync()
	e.wantFiles("test/test/pr/2/title", "of the branch\n", "test/test/ref/heads/master/head", "foo\n",
		"test/test/commit/bar/status/foo/bar/baz/state", "success\n")
	e.wantInSync("the branch has won", testRepo)
	change()
	e.restart()
	e.sync()
	e.wantFiles("test/test/pr/2/title", "of GitHub\n", "test/test/ref/heads/master/head", "other\n",
		"test/test/commit/bar/status/foo/bar/baz/state", "failure\n")
	e.wantInSync("GitHub has won", testRepo)
}

func TestGH118_WriteOnly(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:w")
	e.fill(p1, p4, r1, s1)
	mine := github.PR{Head: bar, Number: 2, Title: "mine", Base: "test", Owner: "me"}
	old := github.Ref{Commit: bar, Name: "heads/old"}
	e.put(mine, old, s3)
	e.sync()
	e.wantCalls("") // what is there counts as agreed
	e.write("test/test/pr/2/base", "other\n", "test/test/ref/heads/new/head", "foo\n", "test/test/ref/heads/old", "-",
		"test/test/commit/foo/status/foo/bar/baz/state", "failure\n")
	before := e.content().Snapshot
	e.sync()
	e.wantCalls("remove ref 1, set PR 1, set ref 1, set status 1")
	if pr := e.world.Look(testRepo).PRs[1]; pr.Base != "other" || pr.Title != "toto" {
		t.Errorf("GitHub has %v, want the new base and the old title (GH-125)", pr)
	}
	if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
		t.Errorf("the branch was changed: %s", diff.Message())
	}
	e.sync()
	e.wantCalls("")
}

func TestGH121_ExclusiveSetsBack(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.can("*:x")
	e.source(testRepo)
	before := e.content().Snapshot
	spoil := func() {
		e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
		e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.State = github.Closed })
		e.fill(r2, github.Ref{Commit: foo, Name: "heads/github"}, github.NewStatus(bar, "foo", github.Failure, "", ""),
			github.NewStatus(foo, "github", github.Failure, "", ""))
	}
	check := func(when string) {
		t.Helper()
		if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
			t.Errorf("%s: the branch was changed: %s", when, diff.Message())
		}
		e.wantRefs("heads/master=bar")
		prs := e.world.Look(testRepo).PRs
		if prs[0].State != github.Open || prs[1].Title != "toto" || e.githubStatus(s4.ID()) != "pending" {
			t.Errorf("%s: GitHub has %v", when, prs)
		}
	}
	spoil()
	e.sync()
	check("by events")
	spoil()
	e.restart()
	e.sync()
	check("after a restart")
	e.sync()
	e.calls()
	e.sync()
	e.wantCalls("")
}

func TestGH123_GH242_UnreadableKindsStay(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.put(p1, p4, r1, s1, s3)
	for _, caps := range []string{"*:r,pr:", "*:r,ref:", "*:r,status:", "*:r,commit:", "*:r,status[foo/bar]:"} {
		before := e.content().Snapshot
		e.can(caps)
		e.restart()
		e.sync()
		e.resync()
		kept := e.content().Snapshot
		diff := github.Compute(kept, before).Filter(func(id github.ID) bool {
			switch id := id.(type) {
			case github.PRID:
				return caps == "*:r,pr:"
			case github.RefID:
				return caps == "*:r,ref:"
			case github.StatusID:
				return caps == "*:r,status:" || caps == "*:r,commit:" || strings.HasPrefix(string(id.Context), "foo/bar") && caps == "*:r,status[foo/bar]:"
			}
			return false
		})
		if !diff.IsEmpty() {
			t.Errorf("%s: %s", caps, diff.Message())
		}
	}
}

func TestGH124_GH243_TheRestIsGitHubs(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1)
	e.write("test/test/pr/1/owner", "me\n", "test/test/pr/1/comments/0/body", "mine", "test/test/pr/1/comments/5/id", "5\n",
		"test/test/pr/1/comments/5/user", "me\n", "test/test/pr/1/head", "bar\n", "test/test/pr/1/title", "mine\n")
	e.sync()
	e.wantCalls("set PR 1")
	e.wantInSync("restored", testRepo)
	e.wantFiles("test/test/pr/1/title", "mine\n", "test/test/pr/1/owner", "sam\n", "test/test/pr/1/head", "foo\n",
		"test/test/pr/1/comments/5/id", "-")
}

func TestGH124_UnknownPRIsReadFirst(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	closed := p4
	closed.State = github.Closed
	e.fill(closed)
	reopened := p4
	reopened.Title = "again"
	missing := p4
	missing.Number = 9
	e.put(reopened, missing)
	e.sync()
	e.wantCalls("look for repository 1, read PR 2, set PR 1")
	if pr := e.world.Look(testRepo).PRs[0]; pr.State != github.Open || pr.Title != "again" {
		t.Errorf("GitHub has %v", pr)
	}
	e.wantFiles("test/test/pr/2/title", "again\n", "test/test/pr/9/title", "toto\n",
		"test/test/pr/9/.error", "read PR: 404 there is no such pull request\n")
	e.sync()
	e.wantCalls("")
	e.write("test/test/pr/9", "-")
	e.sync()
	e.wantCalls("")
	e.wantInSync("the missing one was removed", testRepo)
}

func TestGH124_UnknownPRThatCannotBeReadAtFirst(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	missing := p4
	missing.Number = 9
	e.put(missing)
	remove := e.fault(github.OpReadPR, 500)
	e.sync()
	e.wantFiles("test/test/pr/9/title", "toto\n", "test/test/pr/9/.error", "-")
	remove()
	e.sync()
	e.wantFiles("test/test/pr/9/title", "toto\n", "test/test/pr/9/.error", "read PR: 404 there is no such pull request\n")
	e.fill(missing)
	e.resync()
	e.wantInSync("GitHub has it now", testRepo)
}

func TestGH125_GH244_OnlyWhatDiffersIsSent(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p4, r1)
	e.write("test/test/pr/2/title", "new\n", "test/test/pr/2/state", "closed\n")
	e.sync()
	e.wantCalls("set PR 1")
	pr := e.world.Look(testRepo).PRs[0]
	if pr.Title != "new" || pr.State != github.Closed || pr.Base != "master" {
		t.Errorf("GitHub has %v", pr)
	}
	e.wantFiles("test/test/pr/2/title", "-") // GH-89
}

func TestGH126_RemovalsThatGitHubCannotDo(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1, s4)
	e.remove(p1.ID(), s4.ID())
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/1/title", "-", "test/test/commit/bar/status/foo/state", "-")
	e.sync()
	e.wantFiles("test/test/pr/1/title", "-", "test/test/commit/bar/status/foo/state", "-")
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "reported again" })
	e.sync()
	e.wantFiles("test/test/pr/1/title", "reported again\n", "test/test/commit/bar/status/foo/state", "-")
	e.resync()
	e.wantInSync("imported again", testRepo)

	e.can("*:x")
	e.remove(p1.ID(), s4.ID())
	e.sync()
	e.resync()
	e.wantFiles("test/test/pr/1/title", "-", "test/test/commit/bar/status/foo/state", "-")
}

func TestGH127_GH89_CommitsFollow(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1, s3)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.State = github.Closed })
	e.sync()
	if got := e.list("test/test/commit") + " " + e.list("test/test/pr"); got != "bar 2" {
		t.Errorf("commit and pr have %q", got)
	}
	e.world.ResetCalls()
	e.write("test/test/pr/2/state", "closed\n", "test/test/ref/heads/master", "-")
	e.sync()
	e.wantCalls("remove ref 1, set PR 1")
	if got := e.list("test/test"); got != ".monitor" {
		t.Errorf("test/test has %q", got)
	}
}

func TestGH128_MonitorStaysRemoved(t *testing.T) {
	t.Parallel()
	for _, caps := range []string{"*:r", "*:rw", "*:x"} {
		e := preparedU(t)
		e.can(caps)
		e.sync()
		e.write("test/test/.monitor", "-")
		for range 3 {
			e.sync()
		}
		e.wantFiles("test/test/.monitor", "-")
	}
}

func TestGH129_GH254_GH255_Malformed(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1, s3)
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "sucess\n", "test/test/pr/2/state", "merged\n",
		"test/test/ref/heads/master/head", "\n", "test/test/pr/foo/title", "x", "test/test/commit/bar/status/new/state", "green\n",
		"we ird/x/y", "z")
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/commit/foo/status/foo/bar/baz/state", "sucess\n", "test/test/pr/2/state", "merged\n",
		"test/test/ref/heads/master/head", "\n", "test/test/pr/foo/title", "x", "test/test/commit/bar/status/new/state", "green\n")
	for _, dir := range []string{"commit/foo/status/foo/bar/baz", "pr/2", "ref/heads/master", "commit/bar/status/new"} {
		if got := e.read(datakit.Path("test/test/" + dir + "/.error")); got == "-" {
			t.Errorf("%s has no .error", dir)
		}
	}
	e.sync()
	e.wantCalls("")
	// Some are corrected, one changes on GitHub.
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "failure\n", "test/test/pr/2/state", "closed\n")
	e.fill(r2)
	e.sync()
	e.wantCalls("set PR 1, set status 1")
	e.wantFiles("test/test/ref/heads/master/head", "foo\n", "test/test/ref/heads/master/.error", "-",
		"test/test/commit/foo/status/foo/bar/baz/.error", "-", "test/test/commit/bar/status/new/state", "green\n")
}

func TestGH129_ReadOnlyReplacesMalformed(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.can("*:r")
	e.sync()
	before := e.content().Snapshot
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "sucess\n", "test/test/pr/2/head", "-",
		"test/test/commit/bar/status/new/state", "green\n", "test/test/pr/x/y", "z")
	e.sync()
	if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
		t.Errorf("not restored: %s", diff.Message())
	}
	e.wantFiles("test/test/commit/bar/status/new/state", "-", "test/test/pr/x/y", "z")
}

func TestGH130_StatusOfACommitThatNobodyNeeds(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	st := github.NewStatus(foo, "ci", github.Success, "", "")
	e.put(st)
	e.sync()
	e.wantCalls("set status 1")
	if got := e.githubStatus(st.ID()) + " " + e.list("test/test/commit"); got != "success -" {
		t.Errorf("GitHub and the branch have %q", got)
	}
	e.sync()
	e.wantCalls("")
}

func TestGH131_KindByKind(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1)
	e.put(github.Ref{Commit: foo, Name: "heads/a"}, github.Ref{Commit: foo, Name: "heads/b"},
		github.NewStatus(foo, "x", github.Success, "", ""), github.NewStatus(bar, "x", github.Success, "", ""))
	e.write("test/test/pr/1/title", "a\n", "test/test/pr/2/title", "b\n", "test/test/ref/heads/master", "-")
	e.world.SetLatency(constantly)
	e.sync()
	var order []string
	for _, c := range e.world.Log() {
		if len(order) == 0 || order[len(order)-1] != c.Op {
			order = append(order, c.Op)
		}
	}
	if got := strings.Join(order, ", "); got != "set PR, remove ref, set ref, set status" {
		t.Errorf("order: %s", got)
	}
	if o := e.world.Overlaps(); len(o) > 0 {
		t.Errorf("calls overlapped: %v", o)
	}
}

func TestGH163_ForceOnlyIfExclusive(t *testing.T) {
	t.Parallel()
	e := mirrored(t)
	for _, c := range []string{"root", "left", "right"} {
		e.world.AddCommit(testRepo, c)
	}
	left := github.Ref{Commit: github.Commit{Repo: testRepo, Hash: "left"}, Name: "heads/x"}
	right := github.Ref{Commit: github.Commit{Repo: testRepo, Hash: "right"}, Name: "heads/x"}
	e.put(left)
	e.sync()
	e.put(right)
	e.sync()
	e.wantRefs("heads/x=left")
	e.wantFiles("test/test/ref/heads/x/.error", "set ref: 422 Update is not a fast forward\n", "test/test/ref/heads/x/head", "right\n")
	e.can("*:rw,ref:x")
	e.stain(right.ID())
	e.sync()
	e.wantRefs("heads/x=right")
	e.wantFiles("test/test/ref/heads/x/.error", "-")
}
