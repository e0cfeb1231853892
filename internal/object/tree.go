package object

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/datakit/datakit"
)

// A Tree is the content of a tree object. It keeps the bytes as they are and
// an index of where entries begin, in Git's order: by name, where that of a
// directory counts as if it ended in "/". A Tree never changes.
type Tree struct {
	raw    []byte
	starts []uint32
}

// A TreeEntry is an entry of a tree object.
type TreeEntry struct {
	Name []byte // a part of the tree; not to be changed
	Mode datakit.Mode
	Hash datakit.Hash
}

// Equal reports whether two entries have the same mode and content, whatever
// their names.
func (e TreeEntry) Equal(o TreeEntry) bool { return e.Mode == o.Mode && e.Hash == o.Hash }

var errTree = errors.New("malformed tree object")

// ParseTree reads the content of a tree object, which it keeps. Whatever order
// the entries are in, those of the Tree are in Git's.
func ParseTree(raw []byte) (*Tree, error) {
	t := &Tree{raw: raw}
	sorted := true
	for at := 0; at < len(raw); {
		size, err := entrySize(raw[at:])
		if err != nil {
			return nil, err
		}
		t.starts = append(t.starts, uint32(at))
		if n := len(t.starts); n > 1 && sorted {
			sorted = compareEntries(t.Entry(n-2), t.Entry(n-1)) < 0
		}
		at += size
	}
	if !sorted {
		slices.SortStableFunc(t.starts, func(a, b uint32) int {
			return compareEntries(t.entryAt(a), t.entryAt(b))
		})
	}
	return t, nil
}

// entrySize returns the length of the entry that b starts with, after checking
// that it is one.
func entrySize(b []byte) (int, error) {
	space := bytes.IndexByte(b, ' ')
	if space < 1 || space > 7 {
		return 0, errTree
	}
	if _, ok := parseMode(b[:space]); !ok {
		return 0, errTree
	}
	name := bytes.IndexByte(b[space:], 0)
	if name < 2 {
		return 0, errTree
	}
	size := space + name + 1 + len(datakit.Hash{})
	if size > len(b) {
		return 0, errTree
	}
	return size, nil
}

// parseMode reads the octal digits of a mode. Any permissions are accepted, as
// old versions of Git wrote several.
func parseMode(digits []byte) (datakit.Mode, bool) {
	var n uint32
	for _, c := range digits {
		if c < '0' || c > '7' {
			return datakit.Absent, false
		}
		n = n<<3 | uint32(c-'0')
	}
	switch n & 0o170000 {
	case 0o100000:
		if n&0o100 != 0 {
			return datakit.Executable, true
		}
		return datakit.Normal, true
	case 0o120000:
		return datakit.Symlink, true
	case 0o040000:
		return datakit.Dir, true
	case 0o160000:
		return datakit.Submodule, true
	}
	return datakit.Absent, false
}

// Len returns the number of entries.
func (t *Tree) Len() int { return len(t.starts) }

// Size returns roughly how much memory the tree takes, in bytes.
func (t *Tree) Size() int { return len(t.raw) + 4*len(t.starts) + 64 }

// Entry returns entry i in Git's order.
func (t *Tree) Entry(i int) TreeEntry { return t.entryAt(t.starts[i]) }

func (t *Tree) entryAt(start uint32) (e TreeEntry) {
	b := t.raw[start:]
	space := bytes.IndexByte(b, ' ')
	e.Mode, _ = parseMode(b[:space])
	b = b[space+1:]
	end := bytes.IndexByte(b, 0)
	e.Name = b[:end:end]
	copy(e.Hash[:], b[end+1:])
	return e
}

// Find returns the entry with the given name. Its Mode is Absent if there is
// none.
func (t *Tree) Find(name string) TreeEntry {
	for _, isDir := range [...]bool{false, true} {
		order := func(start uint32, name string) int {
			e := t.entryAt(start)
			return compareNames(e.Name, e.Mode == datakit.Dir, name, isDir)
		}
		// Malformed trees have names such as "a/", which is where "a" belongs.
		i, _ := slices.BinarySearchFunc(t.starts, name, order)
		for ; i < len(t.starts) && order(t.starts[i], name) == 0; i++ {
			if e := t.Entry(i); string(e.Name) == name {
				return e
			}
		}
	}
	return TreeEntry{}
}

func compareEntries(a, b TreeEntry) int {
	return compareNames(a.Name, a.Mode == datakit.Dir, b.Name, b.Mode == datakit.Dir)
}

// compareNames orders names as Git does within a tree: byte by byte, where the
// name of a directory goes on with "/".
func compareNames[B []byte | string](a []byte, aDir bool, b B, bDir bool) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(nameByte(a, aDir, n), nameByte(b, bDir, n))
}

// nameByte returns what decides the order after n equal bytes.
func nameByte[B []byte | string](name B, isDir bool, n int) int {
	switch {
	case n < len(name):
		return int(name[n])
	case isDir:
		return '/'
	}
	return -1
}

// Compare orders two entries as Git does within a tree.
func (e TreeEntry) Compare(o TreeEntry) int { return compareEntries(e, o) }

// A TreeBuilder makes the content of a tree object from its entries, in any
// order, each name once. The zero TreeBuilder is ready to use.
type TreeBuilder struct {
	entries []TreeEntry
}

// Add adds an entry. Absent ones, and empty directories, which a tree never
// holds, are left out.
func (b *TreeBuilder) Add(e TreeEntry) {
	if e.Mode == datakit.Absent || e.Mode == datakit.Dir && e.Hash == datakit.EmptyTree {
		return
	}
	b.entries = append(b.entries, e)
}

// Len returns the number of entries so far.
func (b *TreeBuilder) Len() int { return len(b.entries) }

var modeDigits = [...]string{
	datakit.Normal:     "100644",
	datakit.Executable: "100755",
	datakit.Symlink:    "120000",
	datakit.Dir:        "40000",
	datakit.Submodule:  "160000",
}

// Bytes returns the content of the tree object, in Git's canonical form.
func (b *TreeBuilder) Bytes() []byte {
	if !slices.IsSortedFunc(b.entries, compareEntries) {
		slices.SortFunc(b.entries, compareEntries)
	}
	size := 0
	for _, e := range b.entries {
		size += len("100644 ") + len(e.Name) + 1 + len(e.Hash)
	}
	raw := make([]byte, 0, size)
	for _, e := range b.entries {
		raw = append(raw, modeDigits[e.Mode]...)
		raw = append(raw, ' ')
		raw = append(raw, e.Name...)
		raw = append(raw, 0)
		raw = append(raw, e.Hash[:]...)
	}
	return raw
}
