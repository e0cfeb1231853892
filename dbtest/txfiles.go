package dbtest

import (
	"errors"
	"io"
	"strings"
	"testing/iotest"

	"github.com/datakit/datakit"
)

var txFileChecks = []check{
	{"FS106_Create", createFile},
	{"FS107_CreateReplaces", createReplaces},
	{"CL32_CreateOtherModes", createOtherModes},
	{"FS108_Symlink", makeSymlink},
	{"CLT8_WriteFile", writeFile},
	{"FS106_WriteKeepsMode", writeKeepsMode},
	{"CL33_Replace", replaceFile},
	{"CL22_ReadFrom", readFrom},
	{"CL22_ReadFromFailingReader", readFromFailing},
	{"FST10_Truncate", truncateTwice},
	{"CLT7_TruncateExecutable", truncateExecutable},
	{"FST14_TruncateAnyLength", truncateAnyLength},
	{"FST11_WriteAt", writeAt},
	{"FST12_Append", appendPieces},
	{"FST13_Gap", writeGap},
	{"FS162_WriteOfNothing", writeNothing},
	{"CL32_NegativeOffset", negativeOffset},
	{"FS111_SetMode", setMode},
	{"FS110_RemoveFile", removeFile},
	{"FS106_EditsOfStoredFile", editsOfStoredFile},
	{"CL32_FilesNotDirectories", filesNotDirectories},
}

func createFile(e *env) {
	tx := e.begin("master")
	fs := files{"n": normal("text"), "x": executable("#!"), "empty": normal(""), "bytes": normal("\x00\xff\r\n")}
	tx.put(fs)
	tx.wantFiles(fs)
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), fs)
}

// createReplaces: whatever file or link was there, nothing is left of it.
func createReplaces(e *env) {
	kinds := []file{normal("a longer old content"), executable("old"), symlink("old/target")}
	for _, old := range kinds {
		for _, new := range []file{normal("n"), executable("x"), symlink("l")} {
			stored := e.commitFiles(files{"f": old, "keep": normal("k")})
			for _, tx := range []*txn{e.begin(e.branchOf(stored)), e.begin(e.fresh())} {
				tx.put(files{"f": old, "keep": normal("k")})
				tx.put(files{"f": new})
				tx.wantFiles(files{"f": new, "keep": normal("k")})
				tx.Abort()
			}
		}
	}
}

// branchOf makes a branch with the given head, and returns its name.
func (e *env) branchOf(head datakit.Hash) string {
	e.Helper()
	branch := e.fresh()
	e.fork(branch, head)
	return branch
}

func createOtherModes(e *env) {
	tx := e.begin("master")
	tx.write("f", "x")
	for _, mode := range []datakit.Mode{datakit.Absent, datakit.Symlink, datakit.Dir, datakit.Submodule} {
		e.fails("Create as "+mode.String(), tx.Create(e.ctx, "new", mode, nil), datakit.Invalid)
		e.fails("SetMode to "+mode.String(), tx.SetMode(e.ctx, "f", mode), datakit.Invalid)
	}
	tx.wantFiles(files{"f": normal("x")})
}

func makeSymlink(e *env) {
	e.symlinks()
	tx := e.begin("master")
	fs := files{
		"a": symlink("target"), "b": symlink("/absolute/../path/"), "c": symlink("not a path\n\x00\xff"),
		"d": symlink("a"), "e": symlink(strings.Repeat("long", 5000)),
	}
	tx.put(fs)
	tx.wantFiles(fs)
	e.fails("Symlink without target", tx.Symlink(e.ctx, "f", ""), datakit.Invalid)
	e.fails("Symlink without target over another", tx.Symlink(e.ctx, "a", ""), datakit.Invalid)
	tx.wantFiles(fs)
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), fs)
}

func writeFile(e *env) {
	tx := e.begin("master")
	exists := func() bool {
		ok, err := tx.Exists(e.ctx, "README")
		e.ok(err)
		return ok
	}
	if exists() {
		e.Error("README exists in a new transaction")
	}
	e.ok(tx.WriteFile(e.ctx, "README", []byte("Data")))
	if !exists() {
		e.Error("README does not exist after WriteFile")
	}
	tx.wantFile("README", normal("Data"))
}

func writeKeepsMode(e *env) {
	for _, f := range []file{normal("1"), executable("22"), symlink("333")} {
		for _, tx := range []*txn{e.begin(e.branchOf(e.commitFiles(files{"f": f}))), e.begin(e.fresh())} {
			tx.put(files{"f": f})
			e.ok(tx.WriteFile(e.ctx, "f", []byte("written")))
			tx.wantFile("f", file{f.mode, "written"})
			e.ok(tx.Replace(e.ctx, "f", []byte("re")))
			tx.wantFile("f", file{f.mode, "re"})
			e.ok(tx.WriteAt(e.ctx, "f", []byte("at"), 1))
			tx.wantFile("f", file{f.mode, "rat"})
			e.ok(tx.Truncate(e.ctx, "f", 2))
			tx.wantFile("f", file{f.mode, "ra"})
			_, err := tx.ReadFrom(e.ctx, "f", strings.NewReader("from"))
			e.ok(err)
			tx.wantFile("f", file{f.mode, "from"})
			tx.commit("m")
		}
	}
}

func replaceFile(e *env) {
	tx := e.begin("master")
	e.fails("Replace of nothing", tx.Replace(e.ctx, "f", []byte("x")), datakit.NotExist)
	tx.wantFiles(files{})
	tx.write("f", strings.Repeat("long", 10_000))
	e.ok(tx.Replace(e.ctx, "f", []byte("short")))
	tx.wantFile("f", normal("short"))
	e.ok(tx.Replace(e.ctx, "f", nil))
	tx.wantFile("f", normal(""))
}

func readFrom(e *env) {
	content := pseudorandom(4, 300_000)
	e.put("master", files{"old": executable(strings.Repeat("x", 500_000))})
	tx := e.begin("master")
	for path, mode := range map[datakit.Path]datakit.Mode{"new": datakit.Normal, "old": datakit.Executable} {
		n, err := tx.ReadFrom(e.ctx, path, iotest.HalfReader(strings.NewReader(content)))
		e.ok(err)
		if n != int64(len(content)) {
			e.Errorf("ReadFrom returns %d, want %d", n, len(content))
		}
		tx.wantFile(path, file{mode, content})
	}
	n, err := tx.ReadFrom(e.ctx, "new", strings.NewReader(""))
	if n != 0 || err != nil {
		e.Errorf("ReadFrom of nothing: %d, %v", n, err)
	}
	tx.wantFile("new", normal(""))
}

func readFromFailing(e *env) {
	tx := e.begin("master")
	broken := errors.New("broken reader")
	_, err := tx.ReadFrom(e.ctx, "f", io.MultiReader(strings.NewReader("part"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		e.Errorf("ReadFrom of a failing reader: %v, want %v", err, broken)
	}
	e.fails("ReadFrom into a directory that is not there", second(tx.ReadFrom(e.ctx, "d/f", strings.NewReader("x"))), datakit.NotExist)
	tx.write("f", "whole")
	tx.wantFiles(files{"f": normal("whole")})
}

// second is the error of a call that returns a value too.
func second[T any](_ T, err error) error { return err }

func truncateTwice(e *env) {
	tx := e.begin("master")
	tx.write("file", "Hello")
	for range 2 {
		e.ok(tx.Truncate(e.ctx, "file", 4))
		tx.wantFile("file", normal("Hell"))
	}
}

func truncateExecutable(e *env) {
	e.put("master", files{"f": executable("Hello")})
	tx := e.begin("master")
	for _, step := range []struct {
		size int64
		want string
	}{{4, "Hell"}, {4, "Hell"}, {6, "Hell\x00\x00"}, {0, ""}} {
		e.ok(tx.Truncate(e.ctx, "f", step.size))
		tx.wantFile("f", executable(step.want))
	}
}

func truncateAnyLength(e *env) {
	for size, want := range map[int64]string{6: "AB1st\x00", 5: "AB1st", 3: "AB1", 0: ""} {
		tx := e.begin("master")
		tx.write("f", "AB1st")
		e.ok(tx.Truncate(e.ctx, "f", size))
		tx.wantFile("f", normal(want))
		entry, err := tx.Stat(e.ctx, "f")
		e.ok(err)
		if entry.Size != size {
			e.Errorf("after Truncate to %d the size is %d", size, entry.Size)
		}
		tx.Abort()
	}
}

func writeAt(e *env) {
	tx := e.begin("master")
	tx.write("f", "")
	for _, step := range []struct {
		data string
		off  int64
		want string
	}{{"hello", 0, "hello"}, {"hi", 0, "hillo"}, {"E", 1, "hEllo"}, {"!?", 4, "hEll!?"}, {"end", 6, "hEll!?end"}} {
		e.ok(tx.WriteAt(e.ctx, "f", []byte(step.data), step.off))
		tx.wantFile("f", normal(step.want))
	}
}

func appendPieces(e *env) {
	tx := e.begin("master")
	tx.write("f", "")
	random := pseudorandom(5, 100*9)
	var want string
	for i := range 100 {
		piece := random[i*9:][:i*7%10]
		e.ok(tx.WriteAt(e.ctx, "f", []byte(piece), int64(len(want))))
		want += piece
	}
	tx.wantFile("f", normal(want))
	tx.commit("m")
	e.wantFile(e.tree("master"), "f", normal(want))
}

func writeGap(e *env) {
	tx := e.begin("master")
	tx.write("f", "")
	e.ok(tx.WriteAt(e.ctx, "f", []byte("1st"), 2))
	tx.wantFile("f", normal("\x00\x001st"))
	e.ok(tx.WriteAt(e.ctx, "f", []byte("AB"), 0))
	tx.wantFile("f", normal("AB1st"))
	e.ok(tx.Truncate(e.ctx, "f", 1))
	e.ok(tx.WriteAt(e.ctx, "f", []byte("z"), 4))
	tx.wantFile("f", normal("A\x00\x00\x00z")) // nothing of the old content comes back
	e.ok(tx.Truncate(e.ctx, "f", 2))
	e.ok(tx.Truncate(e.ctx, "f", 6))
	tx.wantFile("f", normal("A\x00\x00\x00\x00\x00"))
}

func writeNothing(e *env) {
	tx := e.begin("master")
	tx.write("f", "abc")
	e.ok(tx.WriteAt(e.ctx, "f", nil, 0))
	e.ok(tx.WriteAt(e.ctx, "f", []byte{}, 3))
	tx.wantFile("f", normal("abc"))
	e.fails("WriteAt to a file that is not there", tx.WriteAt(e.ctx, "g", nil, 0), datakit.NotExist)
}

func negativeOffset(e *env) {
	tx := e.begin("master")
	tx.write("f", "abc")
	e.fails("WriteAt at -1", tx.WriteAt(e.ctx, "f", []byte("x"), -1), datakit.Invalid)
	e.fails("Truncate to -1", tx.Truncate(e.ctx, "f", -1), datakit.Invalid)
	tx.wantFile("f", normal("abc"))
}

func setMode(e *env) {
	fs := files{"n": normal("1"), "x": executable("2"), "l": symlink("3")}
	e.put("master", fs)
	for _, mode := range []datakit.Mode{datakit.Normal, datakit.Executable} {
		for _, tx := range []*txn{e.begin("master"), e.begin("new")} {
			tx.put(fs)
			for path, f := range fs {
				e.ok(tx.SetMode(e.ctx, path, mode))
				tx.wantFile(path, file{mode, f.data})
			}
			tx.Abort()
		}
	}
	tx := e.begin("master")
	e.ok(tx.SetMode(e.ctx, "l", datakit.Normal))
	e.ok(tx.SetMode(e.ctx, "n", datakit.Executable))
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"n": executable("1"), "x": executable("2"), "l": normal("3")})
}

func removeFile(e *env) {
	e.put("master", files{"a": normal("1"), "b": symlink("2"), "c": executable("3"), "d/e": normal("4")})
	tx := e.begin("master")
	tx.write("new", "5")
	for _, path := range []datakit.Path{"a", "b", "d/e", "new"} {
		tx.remove(path)
		e.fails("Remove again", tx.Remove(e.ctx, path), datakit.NotExist)
		e.fails("Lookup", second(tx.Lookup(e.ctx, path)), datakit.NotExist)
	}
	tx.wantFiles(files{"c": executable("3"), "d": directory})
	tx.write("a", "again")
	tx.wantFile("a", normal("again"))
}

// editsOfStoredFile: each edit works on what a commit stored, too.
func editsOfStoredFile(e *env) {
	content := pseudorandom(6, 100_000)
	e.put("master", files{"d/f": executable(content)})
	e.change("master", func(tx *txn) { e.ok(tx.WriteAt(e.ctx, "d/f", []byte("MIDDLE"), 50_000)) })
	content = content[:50_000] + "MIDDLE" + content[50_006:]
	e.wantFile(e.tree("master"), "d/f", executable(content))
	e.change("master", func(tx *txn) { e.ok(tx.Truncate(e.ctx, "d/f", 99_999)) })
	content = content[:99_999]
	e.wantFile(e.tree("master"), "d/f", executable(content))
	e.change("master", func(tx *txn) { e.ok(tx.WriteAt(e.ctx, "d/f", []byte("END"), 99_999)) })
	content += "END"
	e.wantFile(e.tree("master"), "d/f", executable(content))
	e.change("master", func(tx *txn) { e.ok(tx.SetMode(e.ctx, "d/f", datakit.Normal)) })
	e.wantFile(e.tree("master"), "d/f", normal(content))
}

func filesNotDirectories(e *env) {
	e.put("master", sample)
	tx := e.begin("master")
	tx.mkdir("made")
	for _, dir := range []datakit.Path{"src", "src/a", "made"} {
		for _, ed := range e.edits() {
			switch ed.name {
			case "Mkdir":
				e.fails("Mkdir over "+string(dir), ed.call(e, tx.Tx, dir), datakit.Exist)
			case "Remove", "Rename":
			default:
				e.fails(ed.name+" "+string(dir), ed.call(e, tx.Tx, dir), datakit.IsDir)
			}
		}
	}
	want := files{"made": directory}
	for path, f := range sample {
		want[path] = f
	}
	tx.wantFiles(want)
}
