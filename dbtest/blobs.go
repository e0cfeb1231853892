package dbtest

import (
	"errors"
	"io"
	"sync"
	"testing/fstest"
	"testing/iotest"

	"github.com/datakit/datakit"
)

var blobChecks = []check{
	{"FST15_ReadAt", readAt},
	{"CL22_ReadAsStream", readAsStream},
	{"FS40_OpenBlobKeepsItsContent", openBlobKeepsContent},
	{"FS40_BlobOutlivesBranch", blobOutlivesBranch},
	{"CL5_BlobReadConcurrently", blobReadConcurrently},
}

var fsChecks = []check{
	{"CL19_AsFileSystem", asFileSystem},
}

// open opens the file at path until the check ends.
func (e *env) open(t *datakit.Tree, path datakit.Path) datakit.Blob {
	e.Helper()
	b, err := t.Open(e.ctx, path)
	e.ok(err)
	e.Cleanup(func() {
		if err := b.Close(); err != nil {
			e.Errorf("closing %s: %v", path, err)
		}
	})
	return b
}

// readBlob returns all of b, and reports a Size that is not its length.
func (e *env) readBlob(b datakit.Blob) string {
	e.Helper()
	data, err := io.ReadAll(datakit.NewReader(e.ctx, b))
	e.ok(err)
	if int64(len(data)) != b.Size() {
		e.Errorf("%d bytes are read of a blob of size %d", len(data), b.Size())
	}
	return string(data)
}

// readAt reads pieces within, across and behind the end.
func readAt(e *env) {
	e.put("master", files{"f": normal("AB1st"), "empty": normal("")})
	edited := e.begin("new")
	edited.put(files{"f": normal("AB1st"), "empty": normal("")})
	for _, t := range []*datakit.Tree{e.tree("master"), &edited.Tree} {
		f, empty := e.open(t, "f"), e.open(t, "empty")
		for _, tt := range []struct {
			b    datakit.Blob
			n    int
			off  int64
			want string
			err  error
		}{
			{f, 0, 2, "", nil}, {f, 2, 2, "1s", nil}, {f, 5, 0, "AB1st", nil},
			{f, 4, 2, "1st", io.EOF}, {f, 4, 5, "", io.EOF}, {f, 4, 500, "", io.EOF}, {empty, 1, 0, "", io.EOF},
		} {
			p := make([]byte, tt.n)
			n, err := tt.b.ReadAt(e.ctx, p, tt.off)
			// A read that ends at the end may say so at once, as for io.ReaderAt.
			if atEnd := tt.off+int64(n) == tt.b.Size() && n == tt.n; atEnd && err == io.EOF {
				err = nil
			}
			if string(p[:n]) != tt.want || err != tt.err {
				e.Errorf("ReadAt of %d bytes at %d: %q, %v, want %q, %v", tt.n, tt.off, p[:n], err, tt.want, tt.err)
			}
		}
	}
	_, err := e.tree("master").Open(e.ctx, "absent")
	e.fails("Open of a file that is not there", err, datakit.NotExist)
}

func readAsStream(e *env) {
	content := pseudorandom(1, 100_000)
	e.put("master", files{"f": normal(content)})
	edited := e.begin("new")
	edited.write("f", content)
	for _, t := range []*datakit.Tree{e.tree("master"), &edited.Tree} {
		if err := iotest.TestReader(datakit.NewReader(e.ctx, e.open(t, "f")), []byte(content)); err != nil {
			e.Error(err)
		}
	}
}

// openBlobKeepsContent: later changes do not show, also not those of a part.
func openBlobKeepsContent(e *env) {
	e.put("master", files{"f": normal("before"), "big": normal(pseudorandom(2, 300_000))})
	tx := e.begin("master")
	tx.write("new", "new one")
	big := pseudorandom(2, 300_000)
	for range 2 { // in the second round the transaction has changed the files already
		f, b, n := e.open(&tx.Tree, "f"), e.open(&tx.Tree, "big"), e.open(&tx.Tree, "new")
		before := e.content(&tx.Tree, "f")
		e.ok(tx.WriteAt(e.ctx, "big", []byte("changed"), 150_000))
		e.ok(tx.WriteAt(e.ctx, "new", []byte("NEW"), 0))
		e.ok(tx.Truncate(e.ctx, "new", 4))
		tx.write("f", before+"x")
		e.same("the open f", e.readBlob(f), before)
		e.same("the open new", e.readBlob(n), "new one")
		if e.readBlob(b) != big {
			e.Error("the open big has changed")
		}
		tx.remove("big")
		tx.write("big", big)
		tx.write("new", "new one")
	}
}

func blobOutlivesBranch(e *env) {
	e.put("master", files{"f": normal("content")})
	b := e.open(e.tree("master"), "f")
	e.put("master", files{"f": absent})
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.same("the open file", e.readBlob(b), "content")
}

func blobReadConcurrently(e *env) {
	content := pseudorandom(3, 200_000)
	e.put("master", files{"f": normal(content)})
	b := e.open(e.tree("master"), "f")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p := make([]byte, 20_000)
			off := i * 20_000
			if n, err := b.ReadAt(e.ctx, p, int64(off)); err != nil && !errors.Is(err, io.EOF) || string(p[:n]) != content[off:off+len(p)] {
				e.Errorf("ReadAt at %d: %d bytes, %v, not those of the file", off, n, err)
			}
		})
	}
	wg.Wait()
}

func asFileSystem(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		if err := fstest.TestFS(t.FS(e.ctx), "bin/run", "bin/to", "empty", "file", "lost", "src/a/b", "up"); err != nil {
			e.Error(err)
		}
	})
}
