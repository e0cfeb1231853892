package dbtest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
)

// A treeModel is the contents of a transaction, with all its directories, and
// the rules of edits written down once more. Each edit returns the kinds of
// errors that are right, if it must fail, and else makes the change.
type treeModel struct{ files }

// modelOf returns a model with these contents.
func modelOf(fs files) treeModel { return treeModel{fs.withDirs()} }

// above tells why path cannot have an entry: what is missing on the way.
func (m treeModel) above(path datakit.Path) []datakit.Kind {
	at := datakit.Root
	for step := range path.Dir().Steps() {
		at = at.Join(datakit.Path(step))
		switch m.files[at].mode {
		case datakit.Absent:
			return []datakit.Kind{datakit.NotExist}
		case datakit.Dir:
		default:
			return []datakit.Kind{datakit.NotDir}
		}
	}
	return nil
}

// at tells why path has no entry.
func (m treeModel) at(path datakit.Path) []datakit.Kind {
	if kinds := m.above(path); kinds != nil {
		return kinds
	}
	if m.files[path].mode == datakit.Absent {
		return []datakit.Kind{datakit.NotExist}
	}
	return nil
}

// fileAt tells why path is no file or symlink.
func (m treeModel) fileAt(path datakit.Path) []datakit.Kind {
	if kinds := m.at(path); kinds != nil {
		return kinds
	}
	if m.files[path].mode == datakit.Dir {
		return []datakit.Kind{datakit.IsDir}
	}
	return nil
}

// create makes or replaces a file.
func (m treeModel) create(path datakit.Path, f file) []datakit.Kind {
	if kinds := m.above(path); kinds != nil {
		return kinds
	}
	if m.files[path].mode == datakit.Dir {
		return []datakit.Kind{datakit.IsDir}
	}
	m.files[path] = f
	return nil
}

// change makes something else of a file.
func (m treeModel) change(path datakit.Path, f func(*file)) []datakit.Kind {
	if kinds := m.fileAt(path); kinds != nil {
		return kinds
	}
	now := m.files[path]
	f(&now)
	m.files[path] = now
	return nil
}

func (m treeModel) write(path datakit.Path, data string) []datakit.Kind {
	mode := m.files[path].mode
	if mode == datakit.Absent {
		mode = datakit.Normal
	}
	return m.create(path, file{mode, data})
}

func (f *file) writeAt(data string, off int) {
	if data == "" {
		return
	}
	f.truncate(max(len(f.data), off+len(data)))
	f.data = f.data[:off] + data + f.data[off+len(data):]
}

func (f *file) truncate(size int) {
	f.data = (f.data + string(make([]byte, size)))[:size]
}

func (m treeModel) mkdir(path datakit.Path) []datakit.Kind {
	if kinds := m.above(path); kinds != nil {
		return kinds
	}
	if m.files[path].mode != datakit.Absent {
		return []datakit.Kind{datakit.Exist}
	}
	m.files[path] = directory
	return nil
}

func (m treeModel) mkdirAll(path datakit.Path) []datakit.Kind {
	if kinds := m.above(path + "/x"); slices.Contains(kinds, datakit.NotDir) {
		return kinds
	}
	for at := path; at != datakit.Root; at = at.Dir() {
		m.files[at] = directory
	}
	return nil
}

func (m treeModel) remove(path datakit.Path) []datakit.Kind {
	if kinds := m.at(path); kinds != nil {
		return kinds
	}
	for other := range m.files {
		if other.Within(path) {
			delete(m.files, other)
		}
	}
	return nil
}

func (m treeModel) rename(from, to datakit.Path) []datakit.Kind {
	kinds := append(m.at(from), m.above(to)...)
	fromDir := m.files[from].mode == datakit.Dir
	if fromDir && from != to && to.Within(from) {
		kinds = append(kinds, datakit.Invalid)
	}
	if m.files[to].mode == datakit.Dir && from != to && !(fromDir && len(m.files.below(to)) == 0) {
		kinds = append(kinds, datakit.IsDir)
	}
	if len(kinds) > 0 || from == to {
		return kinds
	}
	for path, f := range m.files {
		if path.Within(from) {
			delete(m.files, path)
			m.files[to+path[len(from):]] = f
		}
	}
	return nil
}

// An action is an edit, with what it does to a transaction and to a model.
type action struct {
	name    string
	real    func(e *env, tx *txn) error
	inModel func(m treeModel) []datakit.Kind
}

func (a action) String() string { return a.name }

// genAction draws an edit at a path that is often of use.
var genAction = rapid.Custom(func(t *rapid.T) action {
	path := genPath.Draw(t, "path")
	data := rapid.SampledFrom([]string{"", "1", "22", "333"}).Draw(t, "data")
	n := rapid.IntRange(0, 5).Draw(t, "number")
	return rapid.SampledFrom([]func(datakit.Path, string, int) action{
		createAction, symlinkAction, writeAction, replaceAction, writeAtAction, truncateAction,
		setModeAction, mkdirAction, mkdirAllAction, removeAction,
		func(path datakit.Path, _ string, _ int) action { return renameAction(path, genPath.Draw(t, "to")) },
	}).Draw(t, "edit")(path, data, n)
})

// modeOf makes a file's mode of a number.
func modeOf(n int) datakit.Mode { return []datakit.Mode{datakit.Normal, datakit.Executable}[n%2] }

func createAction(path datakit.Path, data string, n int) action {
	return action{fmt.Sprintf("Create %s %v %q", path, modeOf(n), data),
		func(e *env, tx *txn) error { return tx.Create(e.ctx, path, modeOf(n), []byte(data)) },
		func(m treeModel) []datakit.Kind { return m.create(path, file{modeOf(n), data}) }}
}

func symlinkAction(path datakit.Path, data string, _ int) action {
	return action{fmt.Sprintf("Symlink %s t%s", path, data),
		func(e *env, tx *txn) error { return tx.Symlink(e.ctx, path, "t"+data) },
		func(m treeModel) []datakit.Kind { return m.create(path, symlink("t"+data)) }}
}

func writeAction(path datakit.Path, data string, _ int) action {
	return action{fmt.Sprintf("WriteFile %s %q", path, data),
		func(e *env, tx *txn) error { return tx.WriteFile(e.ctx, path, []byte(data)) },
		func(m treeModel) []datakit.Kind { return m.write(path, data) }}
}

func replaceAction(path datakit.Path, data string, _ int) action {
	return action{fmt.Sprintf("Replace %s %q", path, data),
		func(e *env, tx *txn) error { return tx.Replace(e.ctx, path, []byte(data)) },
		func(m treeModel) []datakit.Kind { return m.change(path, func(f *file) { f.data = data }) }}
}

func writeAtAction(path datakit.Path, data string, n int) action {
	return action{fmt.Sprintf("WriteAt %s %q at %d", path, data, n),
		func(e *env, tx *txn) error { return tx.WriteAt(e.ctx, path, []byte(data), int64(n)) },
		func(m treeModel) []datakit.Kind { return m.change(path, func(f *file) { f.writeAt(data, n) }) }}
}

func truncateAction(path datakit.Path, _ string, n int) action {
	return action{fmt.Sprintf("Truncate %s to %d", path, n),
		func(e *env, tx *txn) error { return tx.Truncate(e.ctx, path, int64(n)) },
		func(m treeModel) []datakit.Kind { return m.change(path, func(f *file) { f.truncate(n) }) }}
}

func setModeAction(path datakit.Path, _ string, n int) action {
	return action{fmt.Sprintf("SetMode %s %v", path, modeOf(n)),
		func(e *env, tx *txn) error { return tx.SetMode(e.ctx, path, modeOf(n)) },
		func(m treeModel) []datakit.Kind { return m.change(path, func(f *file) { f.mode = modeOf(n) }) }}
}

func mkdirAction(path datakit.Path, _ string, _ int) action {
	return action{fmt.Sprintf("Mkdir %s", path),
		func(e *env, tx *txn) error { return tx.Mkdir(e.ctx, path) },
		func(m treeModel) []datakit.Kind { return m.mkdir(path) }}
}

func mkdirAllAction(path datakit.Path, _ string, _ int) action {
	return action{fmt.Sprintf("MkdirAll %s", path),
		func(e *env, tx *txn) error { return tx.MkdirAll(e.ctx, path) },
		func(m treeModel) []datakit.Kind { return m.mkdirAll(path) }}
}

func removeAction(path datakit.Path, _ string, _ int) action {
	return action{fmt.Sprintf("Remove %s", path),
		func(e *env, tx *txn) error { return tx.Remove(e.ctx, path) },
		func(m treeModel) []datakit.Kind { return m.remove(path) }}
}

func renameAction(from, to datakit.Path) action {
	return action{fmt.Sprintf("Rename %s to %s", from, to),
		func(e *env, tx *txn) error { return tx.Rename(e.ctx, from, to) },
		func(m treeModel) []datakit.Kind { return m.rename(from, to) }}
}

// transactionIsLikeModel makes edits of a commit's contents, one after the
// other, and compares all of the transaction with the model after each.
func transactionIsLikeModel(e *env, rt *rapid.T) {
	start := genFiles.Draw(rt, "start")
	m := modelOf(start)
	before := e.commitFiles(start)
	branch := e.branchOf(before)
	tx := e.begin(branch)
	for _, a := range rapid.SliceOfN(genAction, 1, 20).Draw(rt, "edits") {
		kinds := m.do(a)
		err := a.real(e, tx)
		if len(kinds) == 0 && err != nil || len(kinds) > 0 && (err == nil || !slices.Contains(kinds, datakit.KindOf(err))) {
			e.Fatalf("%s: error %v, want one of %v", a, err, kinds)
		}
		tx.wantFiles(m.compact())
		if e.Failed() {
			e.Fatalf("that was after %s", a)
		}
	}
	changes, err := tx.Diff(e.ctx, before)
	e.ok(err)
	e.same("Diff", changes, modelDiff(start, m.files))
	tx.commit("m")
	h := e.head(branch)
	e.wantFiles("the commit", e.treeOf(h), m.stored())
	if got, want := e.commitOf(h).TreeID, treeHash(m.files); got != want {
		e.Errorf("the tree is %v, want %v", got, want)
	}
}

func (m treeModel) do(a action) []datakit.Kind { return a.inModel(m) }
