package dbtest

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/datakit/datakit"
)

var bigChecks = []check{
	{"CLT5_Mebibyte", mebibyte},
	{"CL22_LargeFileAsStream", largeFileAsStream},
	{"FS116_AppendInPieces", appendInPieces},
	{"FS117_TooLarge", tooLarge},
	{"FS117_SparseFile", sparseFile},
	{"FS164_EditsOfLargeFile", editsOfLargeFile},
}

func mebibyte(e *env) {
	zeros := strings.Repeat("\x00", 1<<20)
	h := e.put("master", files{"f": normal(zeros)})
	if got := e.content(e.treeOf(h), "f"); got != zeros {
		e.Errorf("%d bytes are read, not the %d zero bytes", len(got), len(zeros))
	}
}

// largeFileAsStream writes and reads a file in pieces, and holds its hash
// against that of the bytes.
func largeFileAsStream(e *env) {
	size := int64(e.sized(64<<20, 3<<20))
	tx := e.begin("master")
	want := sha1.New()
	fmt.Fprintf(want, "blob %d\x00", size)
	n, err := tx.ReadFrom(e.ctx, "f", io.TeeReader(io.LimitReader(source(9), size), want))
	e.ok(err)
	if n != size {
		e.Errorf("ReadFrom returns %d, want %d", n, size)
	}
	id := datakit.Hash(want.Sum(nil))
	e.wantBlob("the transaction", e.open(&tx.Tree, "f"), size, id)
	tx.commit("large")
	e.wantBlob("the commit", e.open(e.tree("master"), "f"), size, id)
	t, err := e.db.Tree(e.ctx, datakit.TreeID{Mode: datakit.Normal, Hash: id})
	e.ok(err)
	e.wantBlob("the single file", e.open(t, datakit.Root), size, id)
}

// wantBlob reports a blob with another length or hash.
func (e *env) wantBlob(what string, b datakit.Blob, size int64, id datakit.Hash) {
	e.Helper()
	got := sha1.New()
	fmt.Fprintf(got, "blob %d\x00", b.Size())
	n, err := io.Copy(got, datakit.NewReader(e.ctx, b))
	e.ok(err)
	if h := datakit.Hash(got.Sum(nil)); n != size || b.Size() != size || h != id {
		e.Errorf("%s has %d bytes, size %d, and hash %v; want %d and %v", what, n, b.Size(), h, size, id)
	}
}

func appendInPieces(e *env) {
	piece, pieces := 100, e.sized(20_000, 4000)
	content := pseudorandom(10, piece*pieces)
	tx := e.begin("master")
	tx.write("f", "")
	for i := range pieces {
		e.ok(tx.WriteAt(e.ctx, "f", []byte(content[i*piece:][:piece]), int64(i*piece)))
	}
	if e.content(&tx.Tree, "f") != content {
		e.Error("the file is not what was written")
	}
	tx.commit("m")
	if e.content(e.tree("master"), "f") != content {
		e.Error("the committed file is not what was written")
	}
}

func tooLarge(e *env) {
	tx := e.begin("master")
	tx.write("f", "content")
	for _, size := range []int64{1 << 40, 1 << 62, 1<<63 - 1} {
		e.fails("WriteAt", tx.WriteAt(e.ctx, "f", []byte("x"), size), datakit.TooLarge)
		e.fails("Truncate", tx.Truncate(e.ctx, "f", size), datakit.TooLarge)
		tx.wantFile("f", normal("content"))
	}
}

// sparseFile: zero bytes that nobody wrote need no room.
func sparseFile(e *env) {
	size := int64(e.sized(1<<30, 1<<23))
	tx := e.begin("master")
	tx.write("f", "start")
	e.ok(tx.WriteAt(e.ctx, "f", []byte("end"), size-3))
	entry, err := tx.Stat(e.ctx, "f")
	e.ok(err)
	if entry.Size != size {
		e.Errorf("the size is %d, want %d", entry.Size, size)
	}
	b := e.open(&tx.Tree, "f")
	for _, tt := range []struct {
		off  int64
		want string
	}{{0, "start\x00\x00\x00"}, {size / 2, "\x00\x00\x00\x00"}, {size - 6, "\x00\x00\x00end"}} {
		p := make([]byte, len(tt.want))
		if _, err := b.ReadAt(e.ctx, p, tt.off); err != nil && !errors.Is(err, io.EOF) || string(p) != tt.want {
			e.Errorf("at %d there is %q, %v, want %q", tt.off, p, err, tt.want)
		}
	}
	e.ok(tx.Truncate(e.ctx, "f", 10))
	tx.wantFile("f", normal("start\x00\x00\x00\x00\x00"))
}

// editsOfLargeFile: one byte changes in the middle of a stored file.
func editsOfLargeFile(e *env) {
	content := []byte(pseudorandom(11, e.sized(5<<20, 3<<19)))
	e.put("master", files{"f": normal(string(content))})
	for _, off := range []int{0, 1 << 20, len(content) / 2, len(content) - 1} {
		content[off]++
		e.change("master", func(tx *txn) { e.ok(tx.WriteAt(e.ctx, "f", content[off:off+1], int64(off))) })
		if e.content(e.tree("master"), "f") != string(content) {
			e.Fatalf("after a change at %d the file is not what it should be", off)
		}
	}
}
