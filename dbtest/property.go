package dbtest

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
)

var propertyChecks = []check{
	{"PropertyTransactionIsLikeModel", property(transactionIsLikeModel)},
	{"PropertyMergeIsLikeModel", property(mergeIsLikeModel)},
	{"PropertyCrissCrossIsLikeModel", property(crissCrossIsLikeModel)},
	{"PropertyDiffIsLikeModel", property(diffIsLikeModel)},
	{"PropertyFastForwardFollowsHistory", property(fastForwardFollowsHistory)},
	{"PropertyBranchesAreLikeModel", property(branchesAreLikeModel)},
}

// lightTries is how often a property is tried if the tests shall be short.
const lightTries = 8

// property makes a check of what must hold for all that rapid draws. All tries
// use one database, on branches of their own.
func property(f func(e *env, rt *rapid.T)) func(*env) {
	return func(e *env) {
		e.symlinks() // which are drawn
		tries, failed := 0, false
		rapid.Check(e.t, func(rt *rapid.T) {
			if tries++; tries > lightTries && e.light() && !failed {
				return
			}
			defer func() { failed = failed || rt.Failed() }() // and is tried again with less
			f(e.try(rt), rt)
		})
	}
}

var (
	genName = rapid.SampledFrom([]string{"a", "b", "c"})
	genData = rapid.SampledFrom([]string{"1", "2", "3"})
	genMode = rapid.SampledFrom([]datakit.Mode{datakit.Normal, datakit.Executable, datakit.Symlink})
	genFile = rapid.Custom(func(t *rapid.T) file { return file{genMode.Draw(t, "mode"), genData.Draw(t, "data")} })

	// genPath draws from few paths, so that they meet.
	genPath = rapid.Custom(func(t *rapid.T) datakit.Path {
		path, err := datakit.NewPath(rapid.SliceOfN(genName, 1, 3).Draw(t, "steps")...)
		if err != nil {
			t.Fatal(err)
		}
		return path
	})

	// genFiles draws the contents of a tree.
	genFiles = rapid.Custom(func(t *rapid.T) files {
		fs := files{}
		drawn := rapid.MapOfN(genPath, genFile, 0, 8).Draw(t, "files")
		for _, path := range slices.Sorted(maps.Keys(drawn)) {
			if fs.fits(path) {
				fs[path] = drawn[path]
			}
		}
		return fs
	})
)

// fits reports whether path can be added to fs: no file is above it, and
// nothing at or below it.
func (fs files) fits(path datakit.Path) bool {
	for other := range fs {
		if other.Within(path) || path.Within(other) {
			return false
		}
	}
	return true
}

// edited draws what somebody makes of fs: some files changed, new or removed.
func edited(rt *rapid.T, fs files, label string) files {
	result := maps.Clone(fs)
	for _, path := range rapid.SliceOfN(genPath, 0, 4).Draw(rt, label+" paths") {
		maps.DeleteFunc(result, func(other datakit.Path, _ file) bool { return other.Within(path) || path.Within(other) })
		if rapid.Bool().Draw(rt, label+" keeps") {
			result[path] = genFile.Draw(rt, label+" file")
		}
	}
	return result
}

// mergeIsLikeModel merges in both directions, and by a commit, and compares
// with the rules written down once more.
func mergeIsLikeModel(e *env, rt *rapid.T) {
	base := genFiles.Draw(rt, "base")
	ours, theirs := edited(rt, base, "our"), edited(rt, base, "their")
	want, conflicts := modelMerge(nodeOf(ours), nodeOf(theirs), nodeOf(base))
	_, o, t := e.fork3(base, ours, theirs)
	for _, side := range [][2]datakit.Hash{{o, t}, {t, o}} {
		tx, m := e.mergeCommits(side[0], side[1])
		e.same("conflicts", m.Conflicts, pathsOf(conflicts))
		tx.wantFiles(want)
		tx.Abort()
	}
	tx, branch, head := e.commitBeside(base, ours, theirs)
	if len(conflicts) > 0 {
		e.wantConflict(tx.Commit(e.ctx, "m"), conflicts...)
		e.wantHead(branch, head)
		return
	}
	tx.commit("m")
	e.wantFiles(branch, e.tree(branch), want)
}

// crissCrossIsLikeModel merges two commits with two best common ancestors.
func crissCrossIsLikeModel(e *env, rt *rapid.T) {
	root := genFiles.Draw(rt, "root")
	first, second := edited(rt, root, "first"), edited(rt, root, "second")
	ours, theirs := edited(rt, first, "our"), edited(rt, second, "their")
	r := e.commitFiles(root)
	a, b := e.commitFiles(first, r), e.commitFiles(second, r)
	o, t := e.commitFiles(ours, a, b), e.commitFiles(theirs, b, a)
	want, conflicts := modelMerge(nodeOf(ours), nodeOf(theirs), modelBase(nodeOf(first), nodeOf(second), nodeOf(root)))
	for _, side := range [][2]datakit.Hash{{o, t}, {t, o}} {
		tx, m := e.mergeCommits(side[0], side[1])
		e.same("conflicts", m.Conflicts, pathsOf(conflicts))
		tx.wantFiles(want)
		tx.Abort()
	}
}

func diffIsLikeModel(e *env, rt *rapid.T) {
	from := genFiles.Draw(rt, "from")
	to := edited(rt, from, "to")
	h := e.commitFiles(from)
	e.wantDiff(h, e.commitFiles(to), modelDiff(from, to))
	tx := e.begin(e.branchOf(h))
	tx.replaceAll(to)
	got, err := tx.Diff(e.ctx, h)
	e.ok(err)
	e.same("Tx.Diff", got, modelDiff(from, to))
	tx.Abort()
}

// fastForwardFollowsHistory draws a history and asks, for all pairs of its
// commits, which is in the history of which.
func fastForwardFollowsHistory(e *env, rt *rapid.T) {
	var commits []datakit.Hash
	var above []map[int]bool // the ancestors of each commit, with itself
	for i := range rapid.IntRange(2, 7).Draw(rt, "commits") {
		ancestors := map[int]bool{i: true}
		var parents []datakit.Hash
		for j := range i {
			if rapid.Bool().Draw(rt, "is parent") {
				parents = append(parents, commits[j])
				maps.Copy(ancestors, above[j])
			}
		}
		commits = append(commits, e.commitFiles(files{"f": normal(string(rune('0' + i)))}, parents...))
		above = append(above, ancestors)
	}
	for i, from := range commits {
		for j, to := range commits {
			branch := e.branchOf(from)
			err := e.db.Branch(branch).FastForward(e.ctx, to)
			if above[j][i] {
				e.ok(err)
				e.wantHead(branch, to)
			} else {
				e.fails("FastForward", err, datakit.NotFastForward)
				e.wantHead(branch, from)
			}
		}
	}
}
