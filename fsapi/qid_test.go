package fsapi_test

import (
	"testing"
	"time"

	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

func TestFS174_FS175_FS176_FST4_Qids(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "1", map[string]string{"file": "x", "dir/file": "x"})
		path := c.begin("master", "t")
		c.put(path+"/rw/new", "x")
		places := []string{
			"", "branch", "branch/master", "branch/master/head", "branch/master/ro", "branch/master/ro/file",
			"branch/master/ro/dir", "branch/master/ro/dir/file", path, path + "/rw", path + "/rw/file",
			path + "/rw/new", path + "/rw/dir", path + "/rw/dir/file", path + "/msg", "snapshots", "trees",
			"branch/master/watch/file.node", "branch/master/watch/file.node/tree.live", "branch/master/watch/tree.live",
		}
		seen := make(map[uint64]string)
		for _, place := range places {
			q := c.stat(place).Qid
			if again := c.stat(place).Qid; again != q {
				t.Errorf("%s has qids %+v and %+v", place, q, again)
			}
			if other, ok := seen[q.Path]; ok {
				t.Errorf("%s and %s have the same qid path", place, other)
			}
			seen[q.Path] = place
		}

		for _, root := range []string{path + "/rw", "branch/master/ro"} {
			before := c.stat(root + "/file").Qid
			if root == path+"/rw" {
				c.put(root+"/file", "y")
			} else {
				c.commit("master", "2", map[string]string{"file": "y"})
			}
			after := c.stat(root + "/file").Qid
			if before.Path != after.Path || before.Version == after.Version {
				t.Errorf("%s/file has qids %+v and then %+v", root, before, after)
			}
		}
		if v := c.stat("branch/master/head").Qid.Version; v != 0 {
			t.Errorf("head has version %d", v)
		}
		if before, after := c.stat(path+"/rw").Qid, c.stat(path+"/rw/file").Qid; before.Path == after.Path {
			t.Error("rw and a file in it have the same qid")
		}
		want := vfs.KindFile
		if c.symlinks() {
			c.symlink(path+"/rw/l", "x")
			want = vfs.KindSymlink
			if got := c.find(path + "/rw/l").qid().Kind; got != want {
				t.Errorf("a link is of kind %d", got)
			}
		}
	})
}

// TestFS175_ListedQids compares the qids of listings with those of walks.
func TestFS175_ListedQids(t *testing.T) {
	t.Parallel()
	e := newEnv(t, transports[0], newTestDB(), nil)
	c := e.connect()
	h := c.commit("feature%2Fx", "1", map[string]string{"file": "x", "dir/file": "x"})
	path := c.begin("feature%2Fx", "t")
	c.put(path+"/rw/new", "x")
	c.echo(h, path+"/merge")
	c.mkdir("remotes/r")
	for _, dir := range []string{
		"", "branch", "branch/feature%2Fx", "branch/feature%2Fx/ro", "branch/feature%2Fx/ro/dir", "branch/feature%2Fx/transactions",
		path, path + "/rw", path + "/rw/dir", path + "/ours", "snapshots/" + h, "snapshots/" + h + "/ro",
		"branch/feature%2Fx/watch", "remotes", "remotes/r", "debug",
	} {
		n := c.find(dir).(*treeFid).n.(vfs.Dir)
		list, err := n.List(c.ctx)
		c.must("list", err)
		for _, entry := range list {
			f, err := c.find(dir).walk(c.ctx, entry.Name)
			c.must("walk", err)
			q := f.qid()
			if entry.Qid.Version == 0 {
				q.Version = 0 // of the root of a tree, which is no entry of it
			}
			if q != entry.Qid {
				t.Errorf("%s/%s: qid %+v, listed %+v", dir, entry.Name, q, entry.Qid)
			}
		}
	}
}

func TestFS167_ModTimes(t *testing.T) {
	t.Parallel()
	now := clock
	db := memdb.New(&memdb.Options{Now: func() (t time.Time) { return now }})
	start := clock.Add(-1000 * time.Second)
	c := newEnv(t, transports[0], db, &fsapi.Options{Start: start}).connect()
	h := c.commit("master", "1", map[string]string{"file": "x", "other": "x"})
	now = now.Add(100 * time.Second)
	path := c.begin("master", "t")
	c.echo(h, path+"/merge")
	c.put(path+"/rw/file", "y")
	now = now.Add(100 * time.Second)
	for name, want := range map[string]time.Time{
		"":                            start,
		"branch/master/head":          start,
		path + "/msg":                 start,
		"branch/master/ro/file":       clock,
		"branch/master/ro":            clock,
		"snapshots/" + h + "/ro/file": clock,
		path + "/theirs/file":         clock,
		path + "/base/file":           clock,
		path + "/rw/other":            clock,
		path + "/rw/file":             clock.Add(100 * time.Second),
	} {
		if got := c.stat(name).ModTime; !got.Equal(want) {
			t.Errorf("%s was changed at %v, want %v", name, got, want)
		}
	}
}

// TestFS40_FS175_VersionsAtServer: contents have different versions in a
// database that does not know their hashes, too.
func TestFS40_FS175_VersionsAtServer(t *testing.T) {
	t.Parallel()
	far := newEnv(t, transports[3], newTestDB(), nil)
	client, end := far.dial(t.Context())
	t.Cleanup(end)
	c := newEnv(t, transports[0], p9db.Over(client, nil), nil).connect()
	version := func(text string) uint32 {
		t.Helper()
		c.commit("master", text, map[string]string{"file": text})
		dir := c.find("branch/master/ro").(*treeFid).n.(vfs.StatDir)
		_, st, err := dir.LookupStat(c.ctx, "file")
		c.must("look up", err)
		if shown := c.stat("branch/master/ro/file").Qid.Version; shown != st.Qid.Version {
			t.Errorf("a file of version %d is shown as %d", st.Qid.Version, shown)
		}
		return st.Qid.Version
	}
	if a, b := version("a"), version("b"); a == b {
		t.Errorf("two contents have the version %d", a)
	}
}
