package main

import (
	"fmt"
	"time"

	"github.com/datakit/datakit"
)

// largeMerge measures a merge of two branches that differ in a few files of a
// large tree, and counts the trees that it reads.
func largeMerge(e *env) ([]row, error) {
	repo, err := e.largeRepo(e.size.dirs, e.size.perDir, e.size.branches)
	if err != nil {
		return nil, err
	}
	if repo, err = e.linked(repo); err != nil {
		return nil, err
	}
	if err := e.forkBranches(repo); err != nil {
		return nil, err
	}
	var trees []float64
	ours := func() (float64, error) {
		took, n, err := e.mergeOnce(repo)
		trees = append(trees, float64(n))
		return took, err
	}
	m, err := interleave(e, ours, func() (float64, error) {
		begin := time.Now()
		_, err := e.git(repo, "merge-tree", "--write-tree", "left", "right")
		return milliseconds(time.Since(begin)), err
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("merge, %d+%[1]d of %d files differ", e.size.changed, e.size.dirs*e.size.perDir)
	// Each side and the base have their root, and each directory that one
	// side has changed.
	differing := 3 + 3*2*e.size.changed
	return []row{
		{name: what, unit: "ms", ours: m[0], alt: m[1], altName: "git merge-tree", note: "with empty caches"},
		{name: what + ": trees read", unit: "trees", ours: median(trees), goal: atMost(float64(differing))},
	}, nil
}

// forkBranches makes two branches from master that change different files.
func (e *env) forkBranches(repo string) error {
	db, err := openCounting(repo)
	if err != nil {
		return err
	}
	defer db.Close()
	head, err := db.Branch("master").Head(e.ctx)
	if err != nil {
		return err
	}
	for side, name := range []string{"left", "right"} {
		b := db.Branch(name)
		if err := b.FastForward(e.ctx, head); err != nil {
			return err
		}
		err := b.Update(e.ctx, name, func(tx *datakit.Tx) error {
			for i := range e.size.changed {
				path := treePath((2*i+side)*e.size.dirs/(2*e.size.changed), 1)
				if err := tx.WriteFile(e.ctx, datakit.Path(path), unique()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mergeOnce opens the repository anew and returns the milliseconds that the
// merge takes and the number of trees that it reads.
func (e *env) mergeOnce(repo string) (took float64, trees int64, err error) {
	db, err := openCounting(repo)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	right, err := db.Branch("right").Head(e.ctx)
	if err != nil {
		return 0, 0, err
	}
	tx, err := db.Branch("left").Begin(e.ctx)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Abort()
	before, begin := db.trees.Load(), time.Now()
	m, err := tx.Merge(e.ctx, right)
	if err == nil && len(m.Conflicts) > 0 {
		err = fmt.Errorf("%d conflicts", len(m.Conflicts))
	}
	return milliseconds(time.Since(begin)), db.trees.Load() - before, err
}
