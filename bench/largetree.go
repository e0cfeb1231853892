package main

import (
	"fmt"
	"time"

	"github.com/datakit/datakit"
)

// largeTree measures a commit of one file to a large tree beside one to a tree
// of 100 files.
func largeTree(e *env) ([]row, error) {
	small, err := e.openTree(10, 10, 0)
	if err != nil {
		return nil, err
	}
	defer small.Close()
	large, err := e.openTree(e.size.dirs, e.size.perDir, e.size.branches)
	if err != nil {
		return nil, err
	}
	defer large.Close()
	m, err := interleave(e,
		func() (float64, error) { return e.commitTime(small, 10, 10) },
		func() (float64, error) { return e.commitTime(large, e.size.dirs, e.size.perDir) })
	if err != nil {
		return nil, err
	}
	perCommit := func(db *countingDB) float64 {
		return float64(db.staged.Load()) / float64(e.size.rounds*treeCommits)
	}
	return []row{
		{name: fmt.Sprintf("commit to a tree of %d files", e.size.dirs*e.size.perDir), unit: "ms", ours: m[1], alt: m[0],
			altName: "100 files", goal: within(10)},
		{name: "objects it writes", unit: "objects", ours: perCommit(large), alt: perCommit(small),
			altName: "100 files", goal: within(1)},
	}, nil
}

// treeCommits is how many commits a turn makes.
const treeCommits = 20

func (e *env) openTree(dirs, perDir, branches int) (*countingDB, error) {
	repo, err := e.largeRepo(dirs, perDir, branches)
	if err != nil {
		return nil, err
	}
	if repo, err = e.linked(repo); err != nil {
		return nil, err
	}
	return openCounting(repo)
}

// commitTime returns the median time of a commit in milliseconds.
func (e *env) commitTime(db *countingDB, dirs, perDir int) (float64, error) {
	var took []float64
	for i := range treeCommits {
		path := datakit.Path(treePath(i*7%dirs, i*3%perDir))
		start := time.Now()
		err := db.Branch("master").Update(e.ctx, "bench", func(tx *datakit.Tx) error {
			return tx.WriteFile(e.ctx, path, unique())
		})
		if err != nil {
			return 0, err
		}
		took = append(took, milliseconds(time.Since(start)))
	}
	return median(took), nil
}
