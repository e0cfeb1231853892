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
		took, n, err := e.mergeOnce(repo, fmt.Sprintf("merged-%d", len(trees)))
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
	// Each side and the base have their root, and each directory that both
	// sides have changed. The commit may look at what it replaces.
	differing := 2 * (3 + 3*e.size.changed)
	return []row{
		{name: what, unit: "ms", ours: m[0], alt: m[1], altName: "git merge-tree", note: "with the commit, from empty caches"},
		{name: what + ": trees read", unit: "trees", ours: median(trees), goal: atMost(float64(differing))},
	}, nil
}

// forkBranches makes two branches from master that change different files of
// the same directories.
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
				path := treePath(i*e.size.dirs/e.size.changed, side)
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

// mergeOnce opens the repository anew and merges right into a new branch that
// begins where left is. It returns the milliseconds that this takes and the
// number of trees that it reads.
func (e *env) mergeOnce(repo, branch string) (took float64, trees int64, err error) {
	db, err := openCounting(repo)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	right, err := db.Branch("right").Head(e.ctx)
	if err != nil {
		return 0, 0, err
	}
	left, err := db.Branch("left").Head(e.ctx)
	if err != nil {
		return 0, 0, err
	}
	b := db.Branch(branch)
	if err := b.FastForward(e.ctx, left); err != nil {
		return 0, 0, err
	}
	before, begin := db.trees.Load(), time.Now()
	err = b.Update(e.ctx, "merge", func(tx *datakit.Tx) error {
		m, err := tx.Merge(e.ctx, right)
		if err == nil && len(m.Conflicts) > 0 {
			err = fmt.Errorf("%d conflicts", len(m.Conflicts))
		}
		return err
	})
	return milliseconds(time.Since(begin)), db.trees.Load() - before, err
}
