package fsapi_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/vfs"
)

// The tests of this file serve repositories on disk.

func openRepo(t *testing.T, dir string) *conn {
	t.Helper()
	db, err := gitdb.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newEnv(t, transports[0], db, nil).connect()
}

// files returns the sizes of all files below dir, but for those that the
// database makes for itself, when it has the time.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := make(map[string]int64)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "datakit":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := d.Info()
		if err == nil {
			sizes[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

func TestFS62_WatchingWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := openRepo(t, dir)
	h := c.commit("master", "1", map[string]string{"dir/f": "x"})
	before := files(t, dir)
	for _, path := range []string{"head.live", "watch/tree.live", "watch/dir.node/tree.live", "watch/dir.node/f.node/tree.live", "watch/none.node/tree.live"} {
		if _, err := c.follow("branch/master/" + path).next(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	c.wantCat("branch/master/diff/"+h, "")
	c.wantLs("branch/master/ro", "dir")
	if after := files(t, dir); !maps.Equal(before, after) {
		t.Errorf("files before watching %v, and then %v", before, after)
	}
}

// writeObject stores a loose object and returns its name.
func writeObject(t *testing.T, gitDir, kind, content string) string {
	t.Helper()
	raw := fmt.Appendf(nil, "%s %d\x00%s", kind, len(content), content)
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, err := w.Write(raw)
	name := fmt.Sprintf("%x", sha1.Sum(raw))
	path := filepath.Join(gitDir, "objects", name[:2], name[2:])
	err = errors.Join(err, w.Close(), os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, z.Bytes(), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// makeRepo makes an empty repository and returns its Git directory.
func makeRepo(t *testing.T, dir string) string {
	t.Helper()
	db, err := gitdb.Open(dir, nil)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, ".git")
}

const signature = "A <a@b> 1500000000 +0000"

func TestFS64_FS225_MissingParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gitDir := makeRepo(t, dir)
	writeObject(t, gitDir, "tree", "")
	h := writeObject(t, gitDir, "commit", fmt.Sprintf("tree %s\nparent %s\nauthor %s\ncommitter %s\n\nshallow\n", emptyTree, noCommit, signature, signature))
	if err := os.WriteFile(filepath.Join(gitDir, "shallow"), []byte(h+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := openRepo(t, dir)
	c.wantCat("snapshots/"+h+"/parents", noCommit+"\n")
	c.wantCat("snapshots/"+h+"/msg", "shallow\n\n")
	c.fails("walk to the parent", c.walkError("snapshots/"+noCommit), vfs.ErrNotExist)
}

func TestFS13_FS20_ForeignEntries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gitDir := makeRepo(t, dir)
	blob := writeObject(t, gitDir, "blob", "x")
	entry := func(mode, name, hash string) string {
		h, _ := datakit.ParseHash(hash)
		return mode + " " + name + "\x00" + string(h[:])
	}
	tree := writeObject(t, gitDir, "tree", entry("100644", ".git", blob)+entry("100644", "f", blob)+entry("160000", "sub", noCommit)+entry("100664", "w", blob))
	h := writeObject(t, gitDir, "commit", fmt.Sprintf("tree %s\nauthor %s\ncommitter %s\n\nforeign\n", tree, signature, signature))
	c := openRepo(t, dir)
	c.echo(h, c.forkPath("master"))
	for _, root := range []string{"branch/master/ro", "snapshots/" + h + "/ro", "trees/D-" + tree, c.begin("master", "t") + "/rw"} {
		c.wantLs(root, "f", "w")
		for _, name := range []string{".git", "sub"} {
			c.fails("walk to "+name, c.walkError(root+"/"+name), vfs.ErrNotExist)
		}
	}
	c.wantLs("branch/master/watch", "f.node", "tree.live", "w.node")
	c.follow("branch/master/watch/sub.node/tree.live").want("\n")
	path := "branch/master/transactions/t"
	c.put(path+"/rw/f", "y")
	after := c.publish("master", path, "m") // keeps what is not shown, or the diff would tell
	c.wantCat("snapshots/"+after+"/diff/"+h, "* f\n")
}
