package dbtest

import (
	"fmt"
	"testing"

	"github.com/datakit/datakit"
)

// TestModelFollowsRules holds the merge that property tests compare with
// against the examples that are written down by hand.
func TestModelFollowsRules(t *testing.T) {
	for _, r := range rules {
		for _, side := range [][2]any{{r.ours, r.theirs}, {r.theirs, r.ours}} {
			got, conflicts := modelMerge(nodeOf(in(side[0])), nodeOf(in(side[1])), nodeOf(in(r.base)))
			switch {
			case r.reason != "":
				want := []datakit.MergeConflict{{Path: "x", Reason: r.reason}}
				if fmt.Sprint(conflicts) != fmt.Sprint(want) {
					t.Errorf("rule %d with %v, %v, %v: conflicts %v, want %v", r.rule, r.base, side[0], side[1], conflicts, want)
				}
			case len(conflicts) > 0 || fmt.Sprint(got) != fmt.Sprint(in(r.want)):
				t.Errorf("rule %d with %v, %v, %v: %v with conflicts %v, want %v", r.rule, r.base, side[0], side[1], got, conflicts, r.want)
			}
		}
	}
}

// TestFS24_Hashes holds the suite's own object names against Git's.
func TestFS24_Hashes(t *testing.T) {
	fs := files{"src/Makefile": normal("all: build test")}
	if got, want := blobHash("all: build test").String(), "02323182d6fdeb51ed646896446ad36dc6d53d21"; got != want {
		t.Errorf("the blob is %s, want %s", got, want)
	}
	if got, want := treeHash(fs).String(), "1017090d30080a90882e8a973558e217acbed520"; got != want {
		t.Errorf("the tree is %s, want %s", got, want)
	}
	if got := treeHash(files{}); got != datakit.EmptyTree {
		t.Errorf("the empty tree is %v, want %v", got, datakit.EmptyTree)
	}
}

// TestChecksHaveNamesOfTheirOwn: go test would number the second of two.
func TestChecksHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, ck := range allChecks() {
		if seen[ck.name] {
			t.Errorf("two checks are called %s", ck.name)
		}
		seen[ck.name] = true
	}
	t.Logf("%d checks", len(seen))
}
