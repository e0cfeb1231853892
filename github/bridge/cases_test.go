package bridge

import (
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// The data of section 9.1.
var (
	foo = github.Commit{Repo: testRepo, Hash: "foo"}
	bar = github.Commit{Repo: testRepo, Hash: "bar"}

	s1 = github.NewStatus(bar, "foo/bar/baz", github.Pending, "foo", "")
	s2 = github.NewStatus(bar, "foo/bar/toto", github.Failure, "", "toto")
	s3 = github.NewStatus(foo, "foo/bar/baz", github.Success, "foo", "titi")
	s4 = github.NewStatus(bar, "foo", github.Pending, "", "")

	comments = []github.Comment{
		{ID: 0, Author: "sam", Body: "This is a test comment. "},
		{ID: 1, Author: "ana", Body: "  This is a test reply   "},
	}
	p1 = github.PR{Head: foo, Number: 1, Base: "master", Owner: "sam", Comments: comments}
	p2 = github.PR{Head: foo, Number: 1, State: github.Closed, Title: "foo", Base: "master", Owner: "ana", Comments: comments}
	p3 = github.PR{Head: bar, Number: 2, Title: "bar", Base: "master", Owner: "aby"}
	p4 = github.PR{Head: bar, Number: 2, Title: "toto", Base: "master", Owner: "joe"}

	r1 = github.Ref{Commit: bar, Name: "heads/master"}
	r2 = github.Ref{Commit: foo, Name: "heads/master"}
)

// fill puts elements on GitHub.
func (e *env) fill(elements ...github.Element) {
	for _, x := range elements {
		switch x := x.(type) {
		case github.PR:
			e.world.PutPR(x)
		case github.Ref:
			e.world.PutRef(x)
		case github.Status:
			e.world.AddStatus(x)
		}
	}
	e.world.ResetCalls()
}

func preparedE(t testing.TB) *env {
	e := prepared(t, "*:rw")
	e.fill(s1, s2, s3, s4, r1, p2, p3)
	return e
}

func preparedU(t testing.TB) *env {
	e := prepared(t, "*:rw")
	e.fill(s1, s2, s3, s4, r1, p1, p4)
	return e
}

const firstCalls = "list PRs 1, list refs 1, read statuses "

func TestGHT14_ReadOnlyRef(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:r")
	heho := github.Ref{Commit: bar, Name: "heho"}
	e.fill(heho)
	e.sync()
	e.wantFiles("test/test/ref/heho/head", "bar\n")
	e.wantCalls(firstCalls + "1")
	if refs := e.world.Look(testRepo).Refs; len(refs) != 1 || refs[0] != heho {
		t.Errorf("GitHub has %v", refs)
	}
}

func TestGHT15_ReadOnlyEvent(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:r")
	e.fill(github.Ref{Commit: bar, Name: "heho"})
	e.sync()
	moved := github.Ref{Commit: foo, Name: "heho"}
	e.fill(moved)
	e.source(testRepo).Queue(github.RefEvent{Ref: moved})
	e.sync()
	e.wantFiles("test/test/ref/heho/head", "foo\n")
	if got := e.list("test/test/commit/foo"); got != "-" {
		t.Errorf("commit/foo has %s", got)
	}
	if refs := e.world.Look(testRepo).Refs; len(refs) != 1 || refs[0] != moved {
		t.Errorf("GitHub has %v", refs)
	}
}

func TestGHT16_SevenSyncs(t *testing.T) {
	t.Parallel()
	e := preparedE(t)
	for range 7 {
		e.sync()
	}
	e.wantCalls(firstCalls + "1")
}

func TestGHT17_GHT18_GHT19_ImportedTree(t *testing.T) {
	t.Parallel()
	e := preparedE(t)
	e.sync()
	for dir, want := range map[string]string{
		"test/test/commit":                         "bar",
		"test/test/commit/bar/status":              "foo",
		"test/test/commit/bar/status/foo":          "bar state",
		"test/test/commit/bar/status/foo/bar":      "baz toto",
		"test/test/commit/bar/status/foo/bar/toto": "state target_url",
		"test/test/pr":                             "2",
		"test/test/pr/2":                           "base head owner state title",
	} {
		if got := e.list(datakit.Path(dir)); got != want {
			t.Errorf("%s has %q, want %q", dir, got, want)
		}
	}
	e.wantFiles("test/test/pr/2/state", "open\n", "test/test/pr/2/head", "bar\n")
}

func TestGHT20_SecondSyncMakesNoCall(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.calls()
	e.sync()
	e.wantCalls("")
}

func TestGHT21_GH132_StatusIsSentOnce(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.sync()
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "pending\n")
	e.sync()
	e.wantCalls(firstCalls + "2, set status 1")
	e.sync()
	e.wantCalls("")
}

func TestGHT22_TitleIsSent(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.calls()
	if e.list("test/test/pr/2") == "-" {
		t.Fatal("there is no pr/2")
	}
	e.write("test/test/pr/2/title", "hahaha\n")
	e.sync()
	e.wantCalls("set PR 1")
	if pr := e.world.Look(testRepo).PRs[1]; pr.Title != "hahaha" || pr.Number != 2 {
		t.Errorf("GitHub has %v", pr)
	}
}

func TestGHT23_OneChangeFourSyncs(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.calls()
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "pending\n")
	for range 4 {
		e.sync()
	}
	e.wantCalls("set status 1")
}

func TestGHT24_RestartInAgreement(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.restart()
	e.sync()
	e.calls()
	e.sync()
	e.sync()
	e.wantCalls("")
}

func TestGHT25_ExclusiveAfterRestart(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.write("test/test/commit/foo/status/foo/bar/baz/state", "failure\n")
	e.restart()
	e.can("*:r,status[foo/bar/baz]:x")
	e.calls()
	e.sync()
	e.wantCalls(firstCalls + "2, set status 1")
	for _, st := range e.world.Look(testRepo).Statuses {
		if st.ID() == s3.ID() && st.State != github.Failure {
			t.Errorf("GitHub has %v", st)
		}
	}
	e.can("*:rw")
	e.sync()
	e.sync()
	e.wantCalls("")
}
