package bridge

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

var seed = flag.Uint64("seed", 1, "of the random states")

// newRand returns the source of random numbers of a test, and tells its seed if
// the test fails.
func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed was %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// randomRepos are the six repositories of section 9.1.
var randomRepos = func() (repos []github.Repo) {
	for _, user := range []string{"a", "b"} {
		for _, name := range []string{"a", "b", "c"} {
			repos = append(repos, github.Repo{User: user, Name: name})
		}
	}
	return repos
}()

func oneOf[V any](r *rand.Rand, values ...V) V { return values[r.IntN(len(values))] }

// pick is a random value of each sort of section 9.1.
type pick struct{ *rand.Rand }

func (p pick) commit(repo github.Repo) github.Commit {
	return github.Commit{Repo: repo, Hash: oneOf(p.Rand, "123", "456", "789", "0ab", "abc", "def")}
}

func (p pick) base() string  { return oneOf(p.Rand, "master", "test", "foo") }
func (p pick) owner() string { return oneOf(p.Rand, "jack", "joe", "julia", "amy") }
func (p pick) title() string { return fmt.Sprintf("title %d", p.IntN(1000)) }

func (p pick) comments() []github.Comment {
	return slices.Clone(oneOf(p.Rand, nil,
		[]github.Comment{{ID: 12, Author: "joe", Body: " a comment "}},
		[]github.Comment{{ID: 42, Author: "amy", Body: "\n"}, {ID: 18, Author: "jack", Body: "  another"}}))
}

func (p pick) pr(repo github.Repo, number int) github.PR {
	return github.PR{
		Head: p.commit(repo), Number: number, Title: p.title(), Base: p.base(), Owner: p.owner(),
		Comments: append([]github.Comment{{Author: p.owner(), Body: "the body "}}, p.comments()...),
	}
}

var (
	randomRefs     = []github.RefName{"heads/master", "tags/foo/bar", "heads/gh-pages"}
	randomContexts = []github.Context{"ci/datakit/test", "ci/datakit/build", "ci/circleci"}
	randomHashes   = []string{"123", "456", "789", "0ab", "abc", "def"}
)

func (p pick) status(c github.Commit, ctx github.Context) github.Status {
	return github.NewStatus(c, ctx, oneOf(p.Rand, github.Errored, github.Pending, github.Success, github.Failure),
		oneOf(p.Rand, "", "Testing..."), oneOf(p.Rand, "", "http://example.com/"))
}

// next makes the next random state of a repository from that before.
func (p pick) next(repo github.Repo, prs []github.PR) (elements []github.Element, gone []github.RefID) {
	for _, pr := range prs {
		switch p.IntN(5) {
		case 0:
			pr.State = 1 - pr.State
		case 1:
			pr.Head = p.commit(repo)
		case 2:
			pr.Title = p.title()
		case 3:
			pr.Base = p.base()
		case 4:
			pr.Owner = p.owner()
		}
		elements = append(elements, pr)
	}
	for range p.IntN(4) {
		elements = append(elements, p.pr(repo, len(elements)+1))
	}
	for _, name := range randomRefs {
		if p.IntN(3) == 0 {
			gone = append(gone, github.RefID{Repo: repo, Name: name})
		} else {
			elements = append(elements, github.Ref{Commit: p.commit(repo), Name: name})
		}
	}
	for _, hash := range randomHashes {
		for _, ctx := range randomContexts {
			if p.IntN(3) == 0 {
				elements = append(elements, p.status(github.Commit{Repo: repo, Hash: hash}, ctx))
			}
		}
	}
	return elements, gone
}

// nextOnGitHub makes the next random state of all repositories on GitHub.
func (e *env) nextOnGitHub(p pick) {
	for _, repo := range randomRepos {
		elements, gone := p.next(repo, e.world.Look(repo).PRs)
		for _, id := range gone {
			e.world.DropRef(repo, string(id.Name))
		}
		e.fill(elements...)
	}
}

// chooseMonitored monitors a random choice of the repositories and no others.
func (e *env) chooseMonitored(p pick) (chosen []github.Repo) {
	e.update(func(tx *datakit.Tx) error {
		for _, repo := range randomRepos {
			if p.IntN(2) == 0 {
				chosen = append(chosen, repo)
				if err := layout.Write(e.t.Context(), tx, repo); err != nil {
					return err
				}
			} else if err := layout.Remove(e.t.Context(), tx, repo); err != nil {
				return err
			}
		}
		return nil
	})
	return chosen
}

// onGitHub returns what of GitHub the branch is to say.
func (e *env) onGitHub(repos ...github.Repo) github.Snapshot {
	var s github.Snapshot
	for _, repo := range repos {
		now := e.world.Look(repo)
		s = s.Add(repo)
		for _, x := range now.PRs {
			s = s.Add(x)
		}
		for _, x := range now.Refs {
			s = s.Add(x)
		}
		for _, x := range now.Statuses {
			s = s.Add(x)
		}
	}
	return s.Prune(nil)
}

// wantInSync checks that GitHub and the branch say the same of the
// repositories, and that only these are monitored.
func (e *env) wantInSync(when string, repos ...github.Repo) {
	e.t.Helper()
	diff := github.Compute(e.onGitHub(repos...), e.content().Snapshot)
	if !diff.IsEmpty() {
		e.t.Fatalf("%s: the branch must still be told: %s", when, diff.Message())
	}
}

// rounds is how many rounds a test with random states makes.
func rounds(quick, full int) int {
	if testing.Short() {
		return quick
	}
	return full
}

func newRandomEnv(t *testing.T, caps string) (*env, pick) {
	e := newEnv(t, randomRepos...)
	e.can(caps)
	return e, pick{newRand(t, *seed)}
}

func TestGHT26_GHT27_GitHubIsRight(t *testing.T) {
	t.Parallel()
	e, p := newRandomEnv(t, "*:r")
	src := e.source(randomRepos...)
	e.nextOnGitHub(p)
	chosen := e.chooseMonitored(p)
	e.sync()
	e.wantInSync("first", chosen...)
	for n := range rounds(2, 10) {
		e.nextOnGitHub(p)
		chosen = e.chooseMonitored(p)
		e.sync()
		e.wantInSync(fmt.Sprintf("round %d", n), chosen...)
		if events, _ := src.Events(); len(events) > 0 {
			t.Errorf("round %d: %d events are left", n, len(events))
		}
	}
}

func TestGHT28_RestartsThenEvents(t *testing.T) {
	t.Parallel()
	e, p := newRandomEnv(t, "*:r")
	e.source(randomRepos...)
	for n := range rounds(2, 5) {
		e.nextOnGitHub(p)
		chosen := e.chooseMonitored(p)
		e.restart()
		e.sync()
		e.wantInSync(fmt.Sprintf("restart %d", n), chosen...)
	}
	for n := range rounds(2, 20) {
		e.nextOnGitHub(p)
		chosen := e.chooseMonitored(p)
		e.sync()
		e.wantInSync(fmt.Sprintf("round %d", n), chosen...)
	}
}

func TestGHT29_GH105_IgnoredByEvent(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.can("*:r")
	e.sync()
	e.write("test/test/keep", "this")
	e.source(testRepo).Queue(github.RepoEvent{Repo: testRepo})
	e.sync()
	if got := e.list("test/test"); got != "keep" {
		t.Errorf("test/test has %s", got)
	}
	e.sync()
	e.wantCalls("")
}

func TestGHT30_EmptyBothSides(t *testing.T) {
	t.Parallel()
	e, _ := newRandomEnv(t, "*:x")
	e.sync()
	e.write("a/README", "no repository")
	e.sync()
	e.wantCalls("")
}

// writeState removes all repositories from the branch, writes the elements,
// and then the marks, as a user would.
func (e *env) writeState(elements []github.Element) {
	ctx := e.t.Context()
	e.update(func(tx *datakit.Tx) error {
		for _, user := range []datakit.Path{"a", "b"} {
			if there, err := tx.Exists(ctx, user); err != nil {
				return err
			} else if there {
				if err := tx.Remove(ctx, user); err != nil {
					return err
				}
			}
		}
		for _, x := range elements {
			if err := layout.Write(ctx, tx, x); err != nil {
				return err
			}
		}
		return nil
	})
	for _, repo := range randomRepos {
		e.put(repo)
	}
}

func TestGHT31_GH121_BranchIsRight(t *testing.T) {
	t.Parallel()
	e, p := newRandomEnv(t, "*:x")
	prs := map[github.Repo][]github.PR{}
	for _, repo := range randomRepos {
		for n := range 3 {
			prs[repo] = append(prs[repo], p.pr(repo, n+1))
			e.fill(prs[repo][n])
		}
	}
	for n := range 1 + rounds(3, 30) {
		var state []github.Element
		for _, repo := range randomRepos {
			elements, _ := p.next(repo, nil)
			elements = slices.DeleteFunc(elements, func(x github.Element) bool { _, isPR := x.(github.PR); return isPR })
			for i, pr := range prs[repo] {
				pr.Title, pr.Base, pr.State = p.title(), p.base(), oneOf(p.Rand, github.Open, github.Closed)
				prs[repo][i] = pr
				elements = append(elements, pr)
			}
			state = append(state, elements...)
		}
		e.writeState(state)
		e.sync()
		e.wantOnGitHub(fmt.Sprintf("round %d", n), state)
	}
}

// wantOnGitHub checks that GitHub has the state: its PRs and statuses, and
// exactly its refs.
func (e *env) wantOnGitHub(when string, state []github.Element) {
	e.t.Helper()
	var now github.Snapshot
	for _, repo := range randomRepos {
		s := e.world.Look(repo)
		for _, x := range s.PRs {
			now = now.Add(x)
		}
		for _, x := range s.Statuses {
			now = now.Add(x)
		}
		for _, x := range s.Refs {
			now = now.Add(x)
		}
	}
	diff := github.Compute(github.NewSnapshot(state...), now)
	diff = diff.Filter(func(id github.ID) bool {
		switch id.(type) {
		case github.RefID:
			return true // exactly these
		case github.StatusID, github.PRID:
			_, wanted := github.NewSnapshot(state...).Find(id)
			return wanted
		}
		return false
	})
	if !diff.IsEmpty() {
		e.t.Fatalf("%s: GitHub must still be told: %s", when, diff.Message())
	}
}
