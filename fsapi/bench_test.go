package fsapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// walkNodes is what a server does for a walk: each name, and its qid.
func walkNodes(b *testing.B, root vfs.Node, names []string) vfs.Node {
	n := root
	for _, name := range names {
		var err error
		if n, err = n.(vfs.Dir).Lookup(b.Context(), name); err != nil {
			b.Fatal(err)
		}
		if _, err := n.Qid(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

// BenchmarkReadFile walks to a small file, and opens, reads and closes it, as
// the flow of a read over 9P does.
func BenchmarkReadFile(b *testing.B) {
	c := newEnv(b, transports[0], newTestDB(), nil).connect()
	h := c.commit("master", "1", map[string]string{"src/dir/file": strings.Repeat("x", 1000)})
	path := c.begin("master", "t")
	root := c.root.(*treeFid).n
	for name, path := range map[string]string{
		"snapshot": "snapshots/" + h + "/ro/src/dir/file",
		"branch":   "branch/master/ro/src/dir/file",
		"rw":       path + "/rw/src/dir/file",
		"head":     "branch/master/head",
	} {
		names := strings.Split(path, "/")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			p := make([]byte, 4096)
			for b.Loop() {
				n := walkNodes(b, root, names)
				f, err := n.Open(b.Context(), vfs.OpenFlags{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.ReadAt(b.Context(), p, 0); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
		b.Run(name+"/walk", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				walkNodes(b, root, names)
			}
		})
		b.Run(name+"/stat", func(b *testing.B) {
			b.ReportAllocs()
			n := walkNodes(b, root, names)
			for b.Loop() {
				if _, err := n.Stat(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDeepWalk walks down directories in directories. What a step costs
// must not grow with their depth by much.
func BenchmarkDeepWalk(b *testing.B) {
	for _, depth := range []int{10, 100, 400} {
		c := newEnv(b, transports[0], newTestDB(), nil).connect()
		names := strings.Split(strings.Repeat("directory/", depth)+"file", "/")
		h := c.commit("master", "1", map[string]string{strings.Join(names, "/"): "x"})
		rw := strings.Split(c.begin("master", "t")+"/rw", "/")
		ro := []string{"snapshots", h, "ro"}
		for name, at := range map[string][]string{"rw": rw, "ro": ro} {
			b.Run(fmt.Sprintf("%s/%d", name, depth), func(b *testing.B) {
				root := walkNodes(b, c.root.(*treeFid).n, at)
				for b.Loop() {
					walkNodes(b, root, names)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(names)), "ns/step")
			})
		}
	}
}
