package p9

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"9fans.net/go/plan9"
	"9fans.net/go/plan9/client"
	hp9 "github.com/hugelgupf/p9/p9"
)

// TestInterop9fans uses the server with the client of Plan 9's own people.
func TestInterop9fans(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	for i := range 300 {
		tree.put(fmt.Sprintf("many/%03d", i), "")
	}
	conn, err := client.NewConn(connect(t, serveTree(tree)))
	check(t, err)
	defer conn.Close()
	fsys, err := conn.Attach(nil, "me", "")
	check(t, err)
	f, err := fsys.Create("file", plan9.ORDWR, 0o644)
	check(t, err)
	data := bytes.Repeat([]byte("0123456789"), 20_000)
	if n, err := f.WriteAt(data, 0); n != len(data) || err != nil {
		t.Errorf("WriteAt = %d, %v", n, err)
	}
	got := make([]byte, len(data))
	if n, err := io.ReadFull(io.NewSectionReader(f, 0, 1<<30), got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", n, err)
	}
	st, err := f.Stat()
	if err != nil || st.Name != "file" || st.Length != uint64(len(data)) || st.Uid != "root" {
		t.Errorf("Stat = %v, %v", st, err)
	}
	check(t, f.Close())
	many, err := fsys.Open("many", plan9.OREAD)
	check(t, err)
	list, err := many.Dirreadall()
	if err != nil || len(list) != 300 || list[299].Name != "299" {
		t.Errorf("Dirreadall = %d entries, %v", len(list), err)
	}
	check(t, many.Close())
	var d plan9.Dir
	d.Null()
	d.Name = "renamed"
	check(t, fsys.Wstat("file", &d))
	if _, err := fsys.Stat("file"); err == nil || err.Error() != "No such file or directory" {
		t.Errorf("Stat of the old name: %v", err)
	}
	check(t, fsys.Remove("renamed"))
}

// TestInteropHugelgupf uses the server with another client of 9P2000.L.
func TestInteropHugelgupf(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	tree.put("dir/old", "old")
	c, err := hp9.NewClient(connect(t, serveTree(tree)))
	check(t, err)
	defer c.Close()
	root, err := c.Attach("")
	check(t, err)
	defer root.Close()
	_, dir, err := root.Walk([]string{"dir"})
	check(t, err)
	defer dir.Close()

	_, clone, err := dir.Walk(nil)
	check(t, err)
	f, _, _, err := clone.Create("new", hp9.ReadWrite, 0o755, 0, 0)
	check(t, err)
	data := bytes.Repeat([]byte("0123456789"), 200_000)
	if n, err := f.WriteAt(data, 0); n != len(data) || err != nil {
		t.Errorf("WriteAt = %d, %v", n, err)
	}
	got := make([]byte, len(data))
	if n, err := f.ReadAt(got, 0); n != len(data) || err != nil || !bytes.Equal(got, data) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
	check(t, f.FSync())
	_, _, attr, err := f.GetAttr(hp9.AttrMaskAll)
	if err != nil || attr.Size != uint64(len(data)) || attr.Mode != 0o100775 {
		t.Errorf("GetAttr = %+v, %v", attr, err)
	}
	check(t, f.SetAttr(hp9.SetAttrMask{Size: true}, hp9.SetAttr{Size: 4}))
	check(t, f.Close())

	_, err = dir.Mkdir("sub", 0o755, 0, 0)
	check(t, err)
	_, err = dir.Symlink("target", "link", 0, 0)
	check(t, err)
	_, link, err := dir.Walk([]string{"link"})
	check(t, err)
	if target, err := link.Readlink(); target != "target" || err != nil {
		t.Errorf("Readlink = %q, %v", target, err)
	}
	check(t, link.Close())
	check(t, dir.RenameAt("new", root, "moved"))
	check(t, dir.UnlinkAt("old", 0))

	_, open, err := dir.Walk(nil)
	check(t, err)
	_, _, err = open.Open(hp9.ReadOnly)
	check(t, err)
	list, err := open.Readdir(0, 8192)
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	if strings.Join(names, " ") != ". .. link sub" || err != nil {
		t.Errorf("Readdir = %q, %v", names, err)
	}
	check(t, open.Close())
	if _, err := root.StatFS(); err != nil {
		t.Errorf("StatFS: %v", err)
	}
}

// TestInteropManyGoroutines has the other client send many requests at a time.
func TestInteropManyGoroutines(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	c, err := hp9.NewClient(connect(t, serveTree(tree)))
	check(t, err)
	defer c.Close()
	root, err := c.Attach("")
	check(t, err)
	defer root.Close()
	var wg sync.WaitGroup
	for i := range 20 {
		tree.put(fmt.Sprint("f", i), fmt.Sprint(i))
		wg.Go(func() {
			for range 50 {
				_, f, err := root.Walk([]string{fmt.Sprint("f", i)})
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := f.Open(hp9.ReadOnly); err != nil {
					t.Error(err)
				}
				p := make([]byte, 2)
				if n, _ := f.ReadAt(p, 0); string(p[:n]) != fmt.Sprint(i) {
					t.Errorf("read %q, want %d", p[:n], i)
				}
				f.Close()
			}
		})
	}
	wg.Wait()
}
