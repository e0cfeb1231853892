//go:build linux || darwin

package fuse

import (
	"sync"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// inodes are the nodes that the kernel knows, by the numbers it knows them by.
// A number is never given twice.
type inodes struct {
	mu   sync.Mutex // guards the fields of all inodes, too
	byID map[uint64]*inode
	last uint64
}

// An inode is a node that the kernel knows.
type inode struct {
	id    uint64
	kind  vfs.Kind
	node  vfs.Node          // as it was found last
	kept  *vfs.Stat         // of a vfs.Versioned, the one version of which this is; else nil
	known uint64            // how often the kernel was told of it, less what it forgot
	up    *inode            // the directory it has a name in; nil for the root, and without a name
	name  string            // in up
	below map[string]*inode // what has a name in it
}

func newInodes(root vfs.Dir) *inodes {
	n := &inode{id: gofuse.FUSE_ROOT_ID, kind: vfs.KindDir, node: root, known: 1}
	return &inodes{byID: map[uint64]*inode{n.id: n}, last: n.id}
}

// node returns the node with a number.
func (ns *inodes) node(id uint64) (vfs.Node, error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	n := ns.byID[id]
	if n == nil {
		return nil, vfs.ErrNotExist
	}
	return n.node, nil
}

// dir is node for a directory.
func (ns *inodes) dir(id uint64) (vfs.Dir, error) {
	node, err := ns.node(id)
	if err != nil {
		return nil, err
	}
	dir, ok := node.(vfs.Dir)
	if !ok {
		return nil, vfs.ErrNotDir
	}
	return dir, nil
}

// enter returns the number of node, which is to be told to the kernel once. It
// was found under a name in the directory with the number up, and st describes
// it. If something of its kind, and its version if it has versions, was found
// there before, it is the same.
func (ns *inodes) enter(up uint64, name string, node vfs.Node, st *vfs.Stat) uint64 {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	dir := ns.byID[up]
	var n *inode
	if dir != nil {
		n = dir.below[name]
	}
	if n == nil || !n.shows(st) {
		ns.last++
		n = &inode{id: ns.last, kind: st.Qid.Kind}
		ns.byID[n.id] = n
		n.moveTo(dir, name)
	}
	n.node = node
	n.known++
	if v, ok := node.(vfs.Versioned); ok && v.Versioned() {
		n.kept = st
	}
	return n.id
}

// shows reports whether n is what st describes.
func (n *inode) shows(st *vfs.Stat) bool {
	return n.kind == st.Qid.Kind && (n.kept == nil || n.kept.Qid.Version == st.Qid.Version)
}

// version returns the description of the version that an inode stands for, or
// nil if it stands for all.
func (ns *inodes) version(id uint64) *vfs.Stat {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if n := ns.byID[id]; n != nil {
		return n.kept
	}
	return nil
}

// moveTo gives n a name, which what had it before loses.
func (n *inode) moveTo(dir *inode, name string) {
	n.leave()
	if dir == nil {
		return
	}
	if old := dir.below[name]; old != nil {
		old.leave()
	}
	if dir.below == nil {
		dir.below = make(map[string]*inode)
	}
	dir.below[name] = n
	n.up, n.name = dir, name
}

// leave takes n's name away.
func (n *inode) leave() {
	if n.up != nil {
		delete(n.up.below, n.name)
		n.up = nil
	}
}

// forget notes that the kernel forgot what it was told count times.
func (ns *inodes) forget(id, count uint64) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	n := ns.byID[id]
	if n == nil || id == gofuse.FUSE_ROOT_ID {
		return
	}
	n.known -= min(count, n.known)
	if n.known == 0 {
		n.leave()
		delete(ns.byID, id)
	}
}

// removed notes that a name is gone.
func (ns *inodes) removed(up uint64, name string) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if n := ns.byID[up].child(name); n != nil {
		n.leave()
	}
}

// renamed notes that what had a name has another one.
func (ns *inodes) renamed(up uint64, name string, newUp uint64, newName string) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	dir := ns.byID[newUp]
	if n := ns.byID[up].child(name); n != nil {
		n.moveTo(dir, newName)
	} else if old := dir.child(newName); old != nil {
		old.leave()
	}
}

// child returns what has a name in n, if the kernel knows it.
func (n *inode) child(name string) *inode {
	if n == nil {
		return nil
	}
	return n.below[name]
}
