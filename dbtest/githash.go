package dbtest

import (
	"cmp"
	"crypto/sha1"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

// The names of Git objects, computed here from Git's documentation alone, so
// that what an implementation stores is held against something else than
// itself.

func objectHash(kind, content string) datakit.Hash {
	return sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(content), content))
}

func blobHash(content string) datakit.Hash { return objectHash("blob", content) }

var gitModes = map[datakit.Mode]string{
	datakit.Normal:     "100644",
	datakit.Executable: "100755",
	datakit.Symlink:    "120000",
	datakit.Dir:        "40000",
}

// treeHash returns the name of the tree that a commit of fs has.
func treeHash(fs files) datakit.Hash {
	children := map[string]file{}
	for path := range fs.stored() {
		name, _, isDir := strings.Cut(string(path), "/")
		if isDir {
			children[name] = directory
		} else {
			children[name] = fs[path]
		}
	}
	var content strings.Builder
	for _, name := range slices.SortedFunc(maps.Keys(children), gitOrder(children)) {
		f := children[name]
		h := blobHash(f.data)
		if f.mode == datakit.Dir {
			h = treeHash(fs.below(datakit.Path(name)))
		}
		fmt.Fprintf(&content, "%s %s\x00%s", gitModes[f.mode], name, h[:])
	}
	return objectHash("tree", content.String())
}

// gitOrder compares names as Git does, for which directories end in a slash.
func gitOrder(children map[string]file) func(a, b string) int {
	key := func(name string) string {
		if children[name].mode == datakit.Dir {
			return name + "/"
		}
		return name
	}
	return func(a, b string) int { return cmp.Compare(key(a), key(b)) }
}

// idOf returns the name of a file or, for a directory, of the tree with all of
// fs below path.
func idOf(fs files, path datakit.Path) datakit.TreeID {
	if f, ok := fs[path]; ok && f.mode != datakit.Dir {
		return datakit.TreeID{Mode: f.mode, Hash: blobHash(f.data)}
	}
	return datakit.TreeID{Mode: datakit.Dir, Hash: treeHash(fs.below(path))}
}

// unknown is the name of no object of any test.
var unknown = datakit.Hash{0xa3, 0x82, 0x7c, 0x5d, 0x1a, 0x2b, 0xa8, 0xc6, 0xa4, 0x0e, 0xde, 0xd5, 0x59, 0x8d, 0xba, 0x8d, 0x38, 0x35, 0xfb, 0x35}
