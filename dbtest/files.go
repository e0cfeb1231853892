package dbtest

import (
	"strings"

	"github.com/datakit/datakit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A file is what a tree has at one path: a file, a symlink with its target as
// data, or a directory. The zero file is nothing.
type file struct {
	mode datakit.Mode
	data string
}

func normal(data string) file     { return file{datakit.Normal, data} }
func executable(data string) file { return file{datakit.Executable, data} }
func symlink(target string) file  { return file{datakit.Symlink, target} }

var (
	absent    = file{}
	directory = file{datakit.Dir, ""}
)

// files are the contents of a tree, by path. Directories appear only where
// they are empty.
type files map[datakit.Path]file

// withDirs returns fs with all directories in it, the Root left out.
func (fs files) withDirs() files {
	all := files{}
	for path, f := range fs {
		all[path] = f
		for d := path.Dir(); d != datakit.Root; d = d.Dir() {
			all[d] = directory
		}
	}
	return all
}

// compact is the reverse of withDirs: it returns fs without the directories
// that have something in them.
func (fs files) compact() files {
	filled := map[datakit.Path]bool{}
	for path := range fs {
		filled[path.Dir()] = true
	}
	some := files{}
	for path, f := range fs {
		if f.mode != datakit.Dir || !filled[path] {
			some[path] = f
		}
	}
	return some
}

// stored returns fs as a commit stores it: without empty directories.
func (fs files) stored() files {
	some := files{}
	for path, f := range fs {
		if f.mode != datakit.Dir {
			some[path] = f
		}
	}
	return some
}

// below returns what fs has below dir, with paths from there.
func (fs files) below(dir datakit.Path) files {
	some := files{}
	for path, f := range fs {
		if path != dir && path.Within(dir) {
			some[datakit.Path(strings.TrimPrefix(string(path[len(dir):]), "/"))] = f
		}
	}
	return some
}

// files returns the contents of tree.
func (e *env) files(tree *datakit.Tree) files {
	e.Helper()
	fs := files{}
	e.collect(tree, datakit.Root, fs)
	return fs.compact()
}

func (e *env) collect(tree *datakit.Tree, dir datakit.Path, into files) {
	e.Helper()
	entries, err := tree.ReadDir(e.ctx, dir)
	e.ok(err)
	for _, entry := range entries {
		path := dir.Join(datakit.Path(entry.Name))
		if entry.Mode == datakit.Dir {
			into[path] = directory
			e.collect(tree, path, into)
		} else {
			into[path] = file{entry.Mode, e.content(tree, path)}
		}
	}
}

// content returns the content of the file or symlink at path.
func (e *env) content(tree *datakit.Tree, path datakit.Path) string {
	e.Helper()
	b, err := tree.Open(e.ctx, path)
	e.ok(err)
	defer b.Close()
	return e.readBlob(b)
}

// wantFiles reports contents of tree, named what, other than want.
func (e *env) wantFiles(what string, tree *datakit.Tree, want files) {
	e.Helper()
	e.same("contents of "+what, e.files(tree), want)
}

// wantFile reports anything but want at path.
func (e *env) wantFile(tree *datakit.Tree, path datakit.Path, want file) {
	e.Helper()
	mode, err := tree.Mode(e.ctx, path)
	e.ok(err)
	got := file{mode: mode}
	if mode != datakit.Absent && mode != datakit.Dir {
		got.data = e.content(tree, path)
	}
	if got != want {
		e.Errorf("%s is %v %q, want %v %q", path, got.mode, got.data, want.mode, want.data)
	}
}

// same reports a difference between got and want. Nil and empty are the same.
func (e *env) same(what string, got, want any) {
	e.Helper()
	opts := cmp.Options{cmp.AllowUnexported(file{}), cmpopts.EquateEmpty()}
	if d := cmp.Diff(want, got, opts); d != "" {
		e.Errorf("%s differ (-want +got):\n%s", what, d)
	}
}
