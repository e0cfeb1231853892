package github_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/datakit/datakit/github"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	alpha = github.Repo{User: "a", Name: "x"}
	beta  = github.Repo{User: "a", Name: "y"}
	other = github.Repo{User: "b", Name: "x"}
)

func commit(r github.Repo, hash string) github.Commit { return github.Commit{Repo: r, Hash: hash} }

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func drawCommit(t *rapid.T) github.Commit {
	return commit(pick(t, "repo", alpha, beta, other), pick(t, "hash", "123", "456", "789", "0ab", "abc", "def"))
}

func drawPR(t *rapid.T) github.PR {
	return github.PR{
		Head:     drawCommit(t),
		Number:   rapid.IntRange(0, 5).Draw(t, "number"),
		State:    pick(t, "state", github.Open, github.Closed),
		Title:    pick(t, "title", "", "one", "two"),
		Base:     pick(t, "base", "master", "test", "foo"),
		Owner:    pick(t, "owner", "jack", "joe", "julia", "amy"),
		Comments: pick(t, "comments", nil, []github.Comment{{ID: 12, Author: "joe", Body: " a "}}, []github.Comment{{ID: 42, Author: "joe"}, {ID: 18, Author: "amy", Body: "b"}}),
	}
}

func drawStatus(t *rapid.T) github.Status {
	return github.NewStatus(drawCommit(t),
		pick(t, "context", github.Context("ci/datakit/test"), "ci/datakit/build", "ci/circleci", "ci"),
		pick(t, "state", github.Errored, github.Pending, github.Success, github.Failure),
		pick(t, "description", "", "Testing..."), pick(t, "url", "", "http://example.com/"))
}

func drawRef(t *rapid.T) github.Ref {
	return github.Ref{Commit: drawCommit(t), Name: pick(t, "name", github.RefName("heads/master"), "tags/foo/bar", "heads/gh-pages")}
}

// drawElements draws up to 2 repositories, 2 loose commits, 4 PRs, 3 refs and
// 5 statuses.
func drawElements(t *rapid.T) []github.Element {
	var es []github.Element
	for range rapid.IntRange(0, 2).Draw(t, "repos") {
		es = append(es, pick(t, "repo", alpha, beta, other))
	}
	for range rapid.IntRange(0, 2).Draw(t, "commits") {
		es = append(es, drawCommit(t))
	}
	for range rapid.IntRange(0, 4).Draw(t, "PRs") {
		es = append(es, drawPR(t))
	}
	for range rapid.IntRange(0, 3).Draw(t, "refs") {
		es = append(es, drawRef(t))
	}
	for range rapid.IntRange(0, 5).Draw(t, "statuses") {
		es = append(es, drawStatus(t))
	}
	return rapid.Permutation(es).Draw(t, "elements")
}

func drawSnapshot(t *rapid.T) github.Snapshot { return github.NewSnapshot(drawElements(t)...) }

// list returns the text of all elements, for failures and comparisons.
func list(s github.Snapshot) string { return fmt.Sprint(elements(s)) }

func elements(s github.Snapshot) (es []github.Element) {
	for e := range s.Elements() {
		es = append(es, e)
	}
	return es
}
