package fsapi_test

import (
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

const (
	vectorCommit = "3949d3927d46db289735fecdc1e6ce8aad7ced88"
	vectorTree   = "1017090d30080a90882e8a973558e217acbed520"
	vectorBlob   = "02323182d6fdeb51ed646896446ad36dc6d53d21"
	emptyTree    = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	noCommit     = "a3827c5d1a2ba8c6a40eded5598dba8d3835fb35"
)

// commitVector makes the commit of FS-24.
func commitVector(c *conn) {
	c.t.Helper()
	if got := c.commit("master", "My commit", map[string]string{"src/Makefile": "all: build test"}); got != vectorCommit {
		c.t.Fatalf("the test vector has hash %s, want %s", got, vectorCommit)
	}
}

func TestFS24_FS67_CommitFile(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		commitVector(c)
		c.wantLs("commits")
		c.wantCat("commits/"+vectorCommit, `{"hash":"`+vectorCommit+`","value":{"node":"`+vectorTree+
			`","parents":[],"info":{"date":1500000000,"author":"datakit","message":"My commit"}}}`)
		c.wantCat("commits/"+strings.ToUpper(vectorCommit), c.cat("commits/"+vectorCommit))
		c.fails("no such commit", c.walkError("commits/"+noCommit), vfs.ErrNotExist)
		c.fails("a tree", c.walkError("commits/"+vectorTree), vfs.ErrNotExist)

		h := c.commit("master", "a \"quote\", <b>, ü and \xff\n", map[string]string{"f": "x"})
		c.wantCat("commits/"+h, `{"hash":"`+h+`","value":{"node":"`+c.treeOf(h)+`","parents":["`+vectorCommit+
			`"],"info":{"date":1500000000,"author":"datakit","message":"a \"quote\", <b>, ü and `+"\ufffd"+`\n"}}}`)
	})
}

// treeOf returns the tree of a commit.
func (c *conn) treeOf(h string) string {
	hash, err := datakit.ParseHash(h)
	c.must("parse", err)
	commit, err := c.db.Commit(c.ctx, hash)
	c.must("commit", err)
	return commit.TreeID.String()
}

func TestFS25_FS152_CommitNames(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		commitVector(c)
		for _, dir := range []string{"snapshots/", "commits/", "branch/master/diff/", "snapshots/" + vectorCommit + "/diff/"} {
			c.must("walk in capitals", c.walkError(dir+strings.ToUpper(vectorCommit)))
			for _, bad := range []string{"master", "HEAD", vectorCommit[:10], vectorCommit + "0", "g" + vectorCommit[1:], vectorCommit + "^"} {
				c.fails("walk to "+dir+bad, c.walkError(dir+bad), vfs.Errorf(vfs.ENOENT, `invalid-hash "%s"`, bad))
			}
			c.fails("walk to "+dir+noCommit, c.walkError(dir+noCommit), vfs.ErrNotExist)
			c.fails("walk to a tree in "+dir, c.walkError(dir+vectorTree), vfs.ErrNotExist)
		}
	})
}

func TestFS63_Snapshots(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		commitVector(c)
		h := c.commit("master", "second\n", map[string]string{"f": "x"})
		c.wantLs("snapshots")
		dir := "snapshots/" + h
		c.wantLs(dir, "diff", "hash", "msg", "parents", "ro")
		c.wantCat(dir+"/hash", h)
		c.wantCat(dir+"/msg", "second\n\n")
		c.wantCat(dir+"/parents", vectorCommit+"\n")
		c.wantLs(dir+"/ro", "f", "src")
		c.wantCat(dir+"/ro/src/Makefile", "all: build test")
		c.wantLs(dir + "/diff")
		c.wantCat(dir+"/diff/"+vectorCommit, "+ f\n")
		c.wantCat("snapshots/"+vectorCommit+"/diff/"+h, "- f\n")
		c.wantCat("snapshots/"+vectorCommit+"/parents", "")
		if st := c.stat("snapshots/" + strings.ToUpper(h)); c.names() && st.Name != h {
			t.Errorf("a snapshot walked to in capitals has name %q", st.Name)
		}

		c.remove("branch/master") // a snapshot needs no branch
		c.wantLs(dir+"/ro", "f", "src")
	})
}

func TestFS65_FS66_Trees(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		commitVector(c)
		path := c.begin("master", "t")
		c.must("create", c.createError(path+"/rw/x", "run", 0o755))
		if c.symlinks() {
			c.symlink(path+"/rw/l", "src/Makefile")
		}
		c.publish("master", path, "m")

		c.wantLs("trees")
		c.wantLs("trees/D-"+vectorTree, "src")
		c.wantCat("trees/D-"+vectorTree+"/src/Makefile", "all: build test")
		c.wantCat("trees/F-"+vectorBlob, "all: build test")
		c.wantLs("trees/D-" + emptyTree)
		for name, want := range map[string]vfs.Stat{
			"D-" + vectorTree: {Perm: 0o775},
			"F-" + vectorBlob: {Perm: 0o664, Size: 15},
			"X-" + vectorBlob: {Perm: 0o775, Size: 15},
		} {
			st := c.stat("trees/" + name)
			if c.names() && st.Name != name || st.Perm != want.Perm || st.Size != want.Size {
				t.Errorf("stat of %s: %+v", name, st)
			}
		}
		if c.symlinks() {
			st := c.stat("trees/L-" + vectorBlob)
			if st.Qid.Kind != vfs.KindSymlink || st.Target != "all: build test" {
				t.Errorf("stat of a symlink: %+v", st)
			}
		}
		c.wantCat("trees/L-"+vectorBlob, "all: build test")
		for _, name := range []string{
			"D-" + vectorBlob, "F-" + vectorTree, "D-" + vectorCommit, "D-" + noCommit, "F-" + noCommit,
			vectorTree, "Q-" + vectorTree, "D-" + vectorTree[1:], "D-", "", "x", "D_" + vectorTree,
		} {
			if name != "" {
				c.fails("walk to "+name, c.walkError("trees/"+name), vfs.ErrNotExist)
			}
		}
	})
}

func TestFS69_DiffOfFileAndDirectory(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		file := c.commit("master", "1", map[string]string{"p": "x", "p.txt": "y"})
		c.commit("master", "2", map[string]string{"p": "-"})
		dir := c.commit("master", "3", map[string]string{"p/b": "x", "p/a/c": "x"})
		c.wantCat("snapshots/"+dir+"/diff/"+file, "- p\n+ p/a/c\n+ p/b\n")
		c.wantCat("snapshots/"+file+"/diff/"+dir, "+ p\n- p/a/c\n- p/b\n")
	})
}

func TestFS68_DiffOfKinds(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "x"})
		path := c.begin("master", "t")
		c.must("chmod", c.with(path+"/rw/f", func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: 0o755}) }))
		c.wantCat(path+"/diff/"+first, "* f\n")
		c.publish("master", path, "m")
		c.wantCat("branch/master/diff/"+first, "* f\n")
	})
}

func TestFS167_FS36_FS12_StatOfEntries(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "hello")
		c.mkdir(path + "/rw/dir")
		c.must("create", c.createError(path+"/rw/dir/x", "run", 0o755))
		if c.symlinks() {
			c.symlink(path+"/rw/dir/l", "../f")
		}
		h := c.publish("master", path, "m")
		for _, root := range []string{"branch/master/ro", "snapshots/" + h + "/ro"} {
			for name, want := range map[string]vfs.Stat{
				"":      {Name: "ro", Perm: 0o775},
				"f":     {Name: "f", Perm: 0o664, Size: 5},
				"dir":   {Name: "dir", Perm: 0o775},
				"dir/x": {Name: "x", Perm: 0o775, Size: 3},
			} {
				st := c.stat(strings.TrimSuffix(root+"/"+name, "/"))
				if c.names() && st.Name != want.Name || st.Perm != want.Perm || st.Size != want.Size || !st.ModTime.Equal(clock) {
					t.Errorf("stat of %s in %s: %+v", name, root, st)
				}
			}
			if c.symlinks() {
				st := c.stat(root + "/dir/l")
				if st.Perm != 0o775 || st.Size != 4 || st.Target != "../f" || st.Qid.Kind != vfs.KindSymlink {
					t.Errorf("stat of a symlink in %s: %+v", root, st)
				}
				c.wantCat(root+"/dir/l", "../f")
			}
		}
		st := c.stat("branch/master/head")
		if st.Perm != 0o664 || st.Size != 41 {
			t.Errorf("stat of head: %+v", st)
		}
	})
}
