package dbtest

import "github.com/datakit/datakit"

// Names may have line ends in them, which text files of paths have as well.
var lineEndChecks = []check{
	{"FS68_LineEndsInNames", lineEndsInDiff},
	{"FS103_LineEndsInConflicts", lineEndsInConflicts},
	{"FS40_LineEndsInTree", lineEndsInTree},
}

func lineEndsInDiff(e *env) {
	from := files{
		"a": normal("1"), "b": normal("1"), "gone\n": normal("1"), "c\nd": normal("1"), "mode\n\nx": normal("1"),
		"same\n* a": normal("1"), "x\n- b": normal("1"), "d\n/e\nf": normal("11"),
	}
	to := files{
		"a": normal("1"), "b": normal("2"), "new\n": normal("1"), "c\nd": normal("2"), "mode\n\nx": executable("1"),
		"same\n* a": normal("1"), "y\n+ b": symlink("1"), "d\n/e\nf": normal("1"), "\nfirst": normal("1"),
	}
	h1, h2 := e.commitFiles(from), e.commitFiles(to)
	e.wantDiff(h1, h2, modelDiff(from, to))
	e.wantDiff(h2, h1, modelDiff(to, from))
}

func lineEndsInConflicts(e *env) {
	names := []datakit.Path{"\n", "a", "a\nb", "b", "d\n/e\n\nf", "z\n"}
	base, ours, theirs := files{}, files{}, files{}
	for _, name := range names {
		base[name], ours[name], theirs[name] = normal("0"), normal("1"), normal("2")
	}
	tx, m := e.merge3(base, ours, theirs)
	e.same("conflicts", m.Conflicts, names)
	tx.write("a\nb", "resolved")
	tx.wantConflicts("\n", "a", "b", "d\n/e\n\nf", "z\n")
	tx.remove("a")
	tx.wantConflicts("\n", "b", "d\n/e\n\nf", "z\n")
}

func lineEndsInTree(e *env) {
	fs := files{"\n": normal("1"), "a\nb/c\n": executable("2"), "l\n": symlink("to\nthere\n")}
	e.wantFiles("the commit", e.treeOf(e.put("master", fs)), fs)
}
