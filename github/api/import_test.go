package api_test

import (
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

// TestGH94_GH157_ImportCalls counts the requests of an import, and those of a
// resync without changes.
func TestGH94_GH157_ImportCalls(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	size := githubtest.Size{PRs: 150, Refs: 50, Statuses: 400}
	e.world.Fill(repo, size)
	want := map[string]int{
		github.OpListPRs:      2,   // of 100
		github.OpReadComments: 150, // one for each
		github.OpListRefs:     2,   // branches and tags
		github.OpReadStatuses: 200, // one for each commit
	}
	for _, status := range []int{200, 304} {
		e.server.ResetRequests()
		all, err := githubtest.ReadAll(t.Context(), e.Client, repo, api.DefaultJobs)
		if err != nil {
			t.Fatal(err)
		}
		check(t, all, size)
		got := e.server.Requests()
		for op, n := range want {
			if got[githubtest.Request{Op: op, Status: status}] != n {
				t.Errorf("requests %v, want %d %q with %d", got, n, op, status)
			}
		}
		if len(got) != len(want) {
			t.Errorf("requests %v, want only %v", got, want)
		}
	}
}

// TestReadAllOverWorld proves that the simulated GitHub says the same without
// HTTP.
func TestReadAllOverWorld(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.Fill(repo, githubtest.Size{PRs: 30, Refs: 20, Statuses: 100})
	over, err := githubtest.ReadAll(t.Context(), e.Client, repo, 4)
	if err != nil {
		t.Fatal(err)
	}
	e.world.SetLatency(func(string) time.Duration { return time.Millisecond })
	direct, err := githubtest.ReadAll(t.Context(), e.world, repo, 4)
	if err != nil || !direct.Equal(over) {
		t.Errorf("the two are different: %v", err)
	}
}
