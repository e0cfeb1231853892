package main

import (
	"fmt"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

// mergeBase measures how long a merge takes whose base is far back in the
// history of one side. The trees are tiny, so that this is the search.
func mergeBase(e *env) ([]row, error) {
	repo, err := e.deepRepo(e.size.depth)
	if err != nil {
		return nil, err
	}
	if repo, err = e.linked(repo); err != nil {
		return nil, err
	}
	var cold []float64
	warm := func() (float64, error) {
		first, second, err := e.baseTimes(repo)
		cold = append(cold, first)
		return second, err
	}
	m, err := interleave(e, warm, func() (float64, error) {
		begin := time.Now()
		_, err := e.git(repo, "merge-base", "master", "side")
		return milliseconds(time.Since(begin)), err
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("merge base %d commits deep", e.size.depth)
	return []row{
		{name: what + ", warm", unit: "ms", ours: m[0], alt: m[1], altName: "git merge-base", goal: below(100)},
		{name: what + ", first", unit: "ms", ours: median(cold), alt: m[1], altName: "git merge-base"},
	}, nil
}

// baseTimes opens the repository anew and merges twice.
func (e *env) baseTimes(repo string) (first, second float64, err error) {
	db, err := gitdb.Open(repo, nil)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	if first, err = e.mergeSide(db); err != nil {
		return 0, 0, err
	}
	second, err = e.mergeSide(db)
	return first, second, err
}

// mergeSide merges side into a transaction on master.
func (e *env) mergeSide(db *datakit.DB) (float64, error) {
	side, err := db.Branch("side").Head(e.ctx)
	if err != nil {
		return 0, err
	}
	tx, err := db.Branch("master").Begin(e.ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Abort()
	begin := time.Now()
	_, err = tx.Merge(e.ctx, side)
	return milliseconds(time.Since(begin)), err
}
