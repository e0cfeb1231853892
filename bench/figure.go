package main

import (
	"fmt"
	"slices"
	"time"
)

// A benchmark measures some figures that belong together.
type benchmark struct {
	name string
	what string
	run  func(e *env) ([]row, error)
}

// benchmarks are all there are, in the order of the table.
var benchmarks = []benchmark{
	{"inproc", "durable commits in process", inprocCommits},
	{"commit9p", "commits over 9P, one client", commits9P},
	{"clients9p", "commits over 9P, 64 clients", clients9P},
	{"files", "2,000 small files of a snapshot", smallFiles},
	{"tree", "a tree of 2,000 small files, through package p9db", wholeTree},
	{"stream", "a large file of a snapshot, in order", largeFile},
	{"fuse", "2,000 small files and a large one, in FUSE mounts", fuseMounts},
	{"list", "listings of 1,000 entries", listings},
	{"watch", "from a commit to those who watch", watchers},
	{"large", "a repository of a million objects", largeRepository},
	{"deep", "commits into a tree of a million files", largeTree},
	{"bigfile", "a file of 1 GiB, written and read back", bigFile},
	{"merge", "a merge in a tree of a million files", largeMerge},
	{"base", "a merge base 100,000 commits deep", mergeBase},
	{"githubFirst", "the first sync of a large repository of GitHub", githubFirst},
	{"githubLag", "from the branch to GitHub and back", githubLag},
	{"githubResync", "a resync without changes", githubResync},
}

// A row is one figure.
type row struct {
	name    string
	unit    string
	ours    float64
	alt     float64 // 0 if there is none
	altName string
	goal    goal
	note    string
}

// A goal is what a figure must reach. The zero goal is none.
type goal struct {
	text string
	met  func(ours, alt float64) bool
}

// times is the goal that ours is at least r times the alternative.
func times(r float64) goal {
	return goal{fmt.Sprintf("≥ %g×", r), func(ours, alt float64) bool { return ours >= r*alt }}
}

// within is the goal that ours takes at most r times what the alternative does.
func within(r float64) goal {
	return goal{fmt.Sprintf("≤ %g×", r), func(ours, alt float64) bool { return ours <= r*alt }}
}

// atMost is the goal that ours is v or less.
func atMost(v float64) goal {
	return goal{fmt.Sprintf("≤ %g", v), func(ours, _ float64) bool { return ours <= v }}
}

// below is the goal that ours is less than v.
func below(v float64) goal {
	return goal{fmt.Sprintf("< %g", v), func(ours, _ float64) bool { return ours < v }}
}

// median returns the middle of vs.
func median(vs []float64) float64 { return percentile(vs, 50) }

// percentile returns the value that p percent of vs do not exceed, or 0
// without any.
func percentile(vs []float64, p int) float64 {
	if len(vs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(vs))
	return s[min(len(s)*p/100, len(s)-1)]
}

// rate returns how often a second f can be called, one call after the other,
// for the time of a turn.
func rate(turn time.Duration, f func() error) (float64, error) {
	start, n := time.Now(), 0
	for time.Since(start) < turn {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// interleave lets the contenders take turns for a number of rounds and returns
// the median of each.
func interleave(e *env, contenders ...func() (float64, error)) ([]float64, error) {
	all := make([][]float64, len(contenders))
	for range e.size.rounds {
		for i, f := range contenders {
			if err := e.ctx.Err(); err != nil {
				return nil, err
			}
			v, err := f()
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], v)
		}
	}
	medians := make([]float64, len(all))
	for i, vs := range all {
		medians[i] = median(vs)
	}
	return medians, nil
}
