package dbtest

import (
	"fmt"
	"io"

	"github.com/datakit/datakit"
)

var txReadChecks = []check{
	{"CL22_ReadAtInTransaction", readAtInTransaction},
	{"CL22_ReadAtSeesEdits", readAtSeesEdits},
	{"CL22_ReadAtOfManyFiles", readAtOfManyFiles},
	{"CL22_ReadAtRefuses", readAtRefuses},
}

// wantAt reports a read of n bytes at off that returns anything but want. The
// error at the end of the file may come with the last bytes or after them.
func (tx *txn) wantAt(path datakit.Path, n int, off int64, want string) {
	tx.e.Helper()
	p := make([]byte, n)
	got, err := tx.ReadAt(tx.e.ctx, path, p, off)
	if short := len(want) < n; string(p[:got]) != want || err != nil && err != io.EOF || short && err == nil {
		tx.e.Errorf("ReadAt of %d bytes of %s at %d: %q, %v, want %q", n, path, off, p[:got], err, want)
	}
}

// readAtInTransaction reads pieces within, across and behind the end.
func readAtInTransaction(e *env) {
	fs := files{"f": normal("AB1st"), "x": executable("AB1st"), "l": symlink("AB1st"), "empty": normal("")}
	e.put("master", fs)
	edited := e.begin("new")
	edited.put(fs)
	for _, tx := range []*txn{e.begin("master"), edited} {
		for _, path := range []datakit.Path{"f", "x", "l"} {
			tx.wantAt(path, 0, 2, "")
			tx.wantAt(path, 2, 2, "1s")
			tx.wantAt(path, 5, 0, "AB1st")
			tx.wantAt(path, 4, 2, "1st")
			tx.wantAt(path, 4, 5, "")
			tx.wantAt(path, 4, 500, "")
		}
		tx.wantAt("empty", 1, 0, "")
		tx.wantAt("empty", 1, 1, "")
	}
}

// readAtSeesEdits: each read shows what is there now, whatever has become of
// the file since the last.
func readAtSeesEdits(e *env) {
	e.put("master", files{"f": normal("stored"), "d/g": executable("other")})
	tx := e.begin("master")
	read := func(want string) {
		e.Helper()
		tx.wantAt("f", 100, 0, want)
	}
	read("stored")
	e.ok(tx.WriteAt(e.ctx, "f", []byte("OR"), 2))
	read("stORed")
	e.ok(tx.Truncate(e.ctx, "f", 2))
	read("st")
	e.ok(tx.Truncate(e.ctx, "f", 3))
	read("st\x00")
	tx.write("f", "written")
	read("written")
	e.ok(tx.SetMode(e.ctx, "f", datakit.Executable))
	read("written")
	if !e.cfg.NoSymlinks {
		e.ok(tx.Symlink(e.ctx, "f", "target"))
		read("target")
	}
	tx.wantAt("d/g", 100, 0, "other")
	tx.rename("d/g", "f")
	read("other")
	e.fails("ReadAt of what was moved", second(tx.ReadAt(e.ctx, "d/g", make([]byte, 1), 0)), datakit.NotExist)
	tx.remove("f")
	e.fails("ReadAt of what was removed", second(tx.ReadAt(e.ctx, "f", make([]byte, 1), 0)), datakit.NotExist)
	tx.write("f", "again")
	read("again")
	other := e.put("other", files{"f": normal("theirs"), "d/g": normal("merged")})
	tx.merge(other)
	tx.wantAt("d/g", 100, 0, "merged")
	e.ok(tx.Retarget(e.ctx, "master"))
	tx.wantAt("d/g", 3, 3, "ged")
}

// readAtOfManyFiles reads files side by side, as programs that compare them do.
func readAtOfManyFiles(e *env) {
	const count, size, piece = 20, 10_000, 1000
	content := func(i int) string { return pseudorandom(byte(100+i), size) }
	tx := e.begin("master")
	for i := range count {
		tx.write(datakit.Path(fmt.Sprintf("d/%d", i)), content(i))
	}
	for off := 0; off < size; off += piece {
		for i := range count {
			tx.wantAt(datakit.Path(fmt.Sprintf("d/%d", i)), piece, int64(off), content(i)[off:off+piece])
		}
	}
}

func readAtRefuses(e *env) {
	e.put("master", files{"d/f": normal("x")})
	tx := e.begin("master")
	tx.mkdir("made")
	p := make([]byte, 10)
	for path, kind := range map[datakit.Path]datakit.Kind{
		datakit.Root: datakit.IsDir, "d": datakit.IsDir, "made": datakit.IsDir,
		"absent": datakit.NotExist, "absent/f": datakit.NotExist, "d/f/g": datakit.NotDir, "d//f": datakit.Invalid,
	} {
		e.fails("ReadAt of "+string(path), second(tx.ReadAt(e.ctx, path, p, 0)), kind)
	}
	e.fails("ReadAt at -1", second(tx.ReadAt(e.ctx, "d/f", p, -1)), datakit.Invalid)
}
