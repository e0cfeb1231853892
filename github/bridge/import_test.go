package bridge

import (
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

var otherRepo = github.Repo{User: "test", Name: "other"}

// mirrored returns a GitHub with the elements in R, and a branch that mirrors
// it after a first sync.
func mirrored(t testing.TB, elements ...github.Element) *env {
	e := newEnv(t, testRepo)
	e.fill(elements...)
	e.write("test/test/.monitor", "")
	e.sync()
	e.calls()
	return e
}

// wantGitHub checks the refs of R on GitHub, as in "heads/master=foo".
func (e *env) wantRefs(want ...string) {
	e.t.Helper()
	var got []string
	for _, r := range e.world.Look(testRepo).Refs {
		got = append(got, string(r.Name)+"="+r.Commit.Hash)
	}
	if !slices.Equal(got, want) {
		e.t.Errorf("GitHub has the refs %q, want %q", got, want)
	}
}

// githubStatus returns the state of a status on GitHub, "" for none.
func (e *env) githubStatus(id github.StatusID) string {
	for _, st := range e.world.Look(id.Commit.Repo).Statuses {
		if st.ID() == id {
			return st.State.String()
		}
	}
	return ""
}

// fault makes calls fail until the function that it returns is called.
func (e *env) fault(op string, status int) (remove func()) {
	return e.world.Inject(githubtest.Fault{Op: op, Status: status})
}

func TestGH82_GH133_GH240_MonitoredWhileRunning(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, r1)
	e.world.PutRepo(otherRepo)
	there := github.Ref{Commit: github.Commit{Repo: otherRepo, Hash: "abc"}, Name: "heads/master"}
	e.fill(there)
	stale := github.Ref{Commit: github.Commit{Repo: otherRepo, Hash: "old"}, Name: "heads/old"}
	e.put(stale)
	e.sync()
	e.wantCalls("")
	e.write("test/other/.monitor", "")
	e.sync()
	e.wantCalls(firstCalls + "1")
	e.wantInSync("imported", testRepo, otherRepo)
	e.sync()
	e.wantCalls("")
	if refs := e.world.Look(otherRepo).Refs; len(refs) != 1 || refs[0] != there {
		t.Errorf("GitHub has %v", refs)
	}
}

func TestGH134_GH135_NoLongerMonitored(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	src := e.source(testRepo)
	e.opts.Source = src
	e.write("test/test/.monitor", "-")
	e.sync()
	e.wantCalls(github.OpDeleteHook + " 1")
	if len(src.Watched()) != 0 {
		t.Errorf("webhooks are left: %v", src.Watched())
	}
	if got := e.list("test/test"); got != "commit pr ref" {
		t.Errorf("test/test has %q", got)
	}
	e.write("test/test/pr/2/title", "written while nobody looked\n")
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.State = github.Closed })
	e.world.ResetCalls()
	e.sync()
	e.resync()
	e.wantCalls("")
	e.write("test/test/.monitor", "")
	e.sync()
	e.wantCalls("create hook 1, " + firstCalls + "1")
	e.wantInSync("monitored again", testRepo)
}

func TestGH87_GH93_GH94_Resync(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	e.fill(r2, github.Ref{Commit: bar, Name: "tags/v1"}, s2)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.State = github.Closed })
	e.resync()
	e.wantCalls(firstCalls + "2")
	e.wantInSync("after the resync", testRepo)
	head := e.head()
	e.resync()
	e.wantCalls(firstCalls + "2")
	if e.head() != head {
		t.Errorf("a resync without changes made a commit: %q", e.message())
	}
}

// TestGH99_GH225_FailedReadsSayNothing fails each kind of read at a resync, and
// then at a first import.
func TestGH99_GH225_FailedReadsSayNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []string{github.OpListPRs, github.OpListRefs, github.OpReadStatuses} {
		e := mirrored(t, p1, p4, r1, s1, s3)
		before := e.content().Snapshot
		head := e.head()
		remove := e.fault(op, 502)
		e.resync()
		if e.head() != head {
			t.Errorf("%s failed at a resync: %q", op, e.message())
		}
		e.restart()
		e.sync()
		if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
			t.Errorf("%s failed at a first import: %s", op, diff.Message())
		}
		e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
		e.fill(github.NewStatus(foo, "new", github.Success, "", ""), r2)
		remove()
		e.resync()
		e.wantInSync(op+" succeeds", testRepo)
	}
}

// TestGH99_FirstImportIsMadeUpFor has a first import fail in part, while the
// branch differs from GitHub: it stays and nothing is sent, and when the read
// succeeds GitHub wins, as it does at a first import.
func TestGH99_FirstImportIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for _, op := range []string{github.OpListPRs, github.OpListRefs, github.OpReadStatuses} {
		e := mirrored(t, p1, p4, r1, s1, s3)
		e.write("test/test/pr/2/title", "of the branch\n", "test/test/ref/heads/master/head", "foo\n",
			"test/test/commit/foo/status/foo/bar/baz/state", "error\n", "test/test/ref/heads/mine/head", "bar\n")
		e.restart()
		remove := e.fault(op, 500)
		e.calls()
		e.sync()
		if calls := e.calls(); strings.Contains(calls, "set") || strings.Contains(calls, "remove") {
			t.Errorf("%s failed: %s", op, calls)
		}
		kept := map[string]string{
			github.OpListPRs:      "test/test/pr/2/title: of the branch",
			github.OpListRefs:     "test/test/ref/heads/mine/head: bar",
			github.OpReadStatuses: "test/test/commit/foo/status/foo/bar/baz/state: error",
		}[op]
		file, content, _ := strings.Cut(kept, ": ")
		e.wantFiles(file, content+"\n")
		if e.last.Pending[PendingRead] == 0 {
			t.Errorf("%s failed: nothing is pending", op)
		}
		remove()
		e.sync()
		if calls := e.calls(); strings.Contains(calls, "set") || strings.Contains(calls, "remove") {
			t.Errorf("%s succeeds: %s", op, calls)
		}
		e.wantInSync(op+" succeeds", testRepo)
	}
}

func TestGH228_CommentsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.fill(p1, p4, r1)
	e.write("test/test/.monitor", "")
	remove := e.fault(github.OpReadComments, 500)
	e.sync()
	if got := e.list("test/test/pr/1/comments"); got != "0" {
		t.Errorf("comments has %q, want the body alone", got)
	}
	if got := e.list("test/test/pr/2"); got == "-" {
		t.Error("the other pull request is missing")
	}
	remove()
	e.sync()
	e.wantInSync("the comments were read", testRepo)
	e.fault(github.OpReadComments, 500)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.resync()
	e.wantFiles("test/test/pr/1/title", "new\n", "test/test/pr/1/comments/1/body", comments[1].Body)
}

func TestGH161_TagThatCannotBeResolved(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.world.AddTag(testRepo, "t", "commit", "foo")
	e.world.PutObject(testRepo, "tags/v1", "tag", "t")
	e.fill(r1)
	e.put(github.Ref{Commit: bar, Name: "tags/v1"}, testRepo)
	remove := e.world.Inject(githubtest.Fault{Op: github.OpResolveTag, Status: 500, Subject: "{test/test tags/v1}"})
	e.sync()
	e.wantFiles("test/test/ref/heads/master/head", "bar\n", "test/test/ref/tags/v1/head", "bar\n")
	e.wantCalls(firstCalls + "1")
	remove()
	e.sync()
	e.wantFiles("test/test/ref/tags/v1/head", "foo\n")
	e.wantInSync("the tag was resolved", testRepo)
}

func TestGH116_RepositoryThatGitHubRefuses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 451} {
		e := mirrored(t, p1, r1, s3)
		before := e.content().Snapshot
		e.restart()
		remove := e.world.Inject(githubtest.Fault{Repo: testRepo, Status: status, Message: "no such\nthing"})
		e.sync()
		if got := e.read("test/test/.error"); !strings.HasSuffix(got, "no such thing\n") || strings.Count(got, "\n") != 1 {
			t.Errorf("%d: .error holds %q", status, got)
		}
		if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
			t.Errorf("%d: %s", status, diff.Message())
		}
		if e.message() != "1 item refused by GitHub" {
			t.Errorf("%d: the message is %q", status, e.message())
		}
		e.calls()
		e.sync()
		e.wantCalls("") // it is no matter of time
		remove()
		if status == 404 {
			e.stain(testRepo)
			e.sync()
		} else {
			e.resync()
		}
		e.wantFiles("test/test/.error", "-", "test/test/.dirty", "-")
		e.wantInSync("GitHub has it again", testRepo)
	}
}

func TestGH117_OthersProceed(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	there := github.Ref{Commit: github.Commit{Repo: otherRepo, Hash: "abc"}, Name: "heads/master"}
	e.fill(p1, r1, s3, there)
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	e.world.Inject(githubtest.Fault{Repo: testRepo, Status: 500})
	e.sync()
	diff := github.Compute(e.onGitHub(otherRepo), e.content().Snapshot.Only(otherRepo))
	if !diff.IsEmpty() {
		t.Errorf("the other repository: %s", diff.Message())
	}
}

// TestGH122_EmptyBranchIsNoOrderToDelete has an exclusive bridge start with a
// repository of which the branch has nothing.
func TestGH122_EmptyBranchIsNoOrderToDelete(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:x")
	e.fill(r1, p1)
	e.sync()
	e.wantCalls(firstCalls + "2")
	e.wantRefs("heads/master=bar")
	e.wantFiles("test/test/ref/heads/master/head", "bar\n", "test/test/pr/1/head", "-")
	e.remove(r1.ID())
	e.sync()
	e.wantRefs()
}

func TestGH79_CallsAtOnce(t *testing.T) {
	t.Parallel()
	for _, jobs := range []int{0, 3} {
		e := newEnv(t, testRepo)
		for i := range 60 {
			e.fill(github.Ref{Commit: github.Commit{Repo: testRepo, Hash: strings.Repeat("x", i+1)}, Name: github.RefName("heads/" + strings.Repeat("y", i+1))})
		}
		e.opts.Jobs = jobs
		e.world.SetLatency(constantly)
		e.write("test/test/.monitor", "")
		e.sync()
		want := 16
		if jobs > 0 {
			want = jobs
		}
		if got := e.world.MaxInFlight(); got > want || got < want/2 {
			t.Errorf("%d calls at once, want %d", got, want)
		}
		e.wantInSync("imported", testRepo)
	}
}
