package treedb

import (
	"errors"
	"fmt"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// A commitInfo is what walks over the history need of a commit.
type commitInfo struct {
	tree    datakit.Hash
	parents []datakit.Hash
	date    int64 // of the committer, in seconds

	// seq grows with each commit made here and is 0 for one that was read. It
	// orders those of one second.
	seq uint64
}

func (c *commitInfo) cost() int { return 160 + 20*len(c.parents) }

func (c *commitInfo) newer(d *commitInfo) bool {
	if c.date != d.date {
		return c.date > d.date
	}
	return c.seq > d.seq
}

// objects reads trees and commits from a store, through caches.
type objects struct {
	store.Objects
	trees   *cache.Cache[datakit.Hash, *object.Tree]
	commits *cache.Cache[datakit.Hash, *commitInfo]
}

func newObjects(s store.Objects, treeBytes, commitBytes int) *objects {
	return &objects{
		Objects: s,
		trees:   cache.New[datakit.Hash, *object.Tree](treeBytes),
		commits: cache.New[datakit.Hash, *commitInfo](commitBytes),
	}
}

var emptyTree = new(object.Tree)

// tree returns a tree object.
func (o *objects) tree(h datakit.Hash) (*object.Tree, error) {
	if h == datakit.EmptyTree || h.IsZero() {
		return emptyTree, nil
	}
	if t, ok := o.trees.Get(h, (*object.Tree).Size); ok {
		return t, nil
	}
	raw, err := o.read(h, object.TreeType)
	if err != nil {
		return nil, err
	}
	t, err := object.ParseTree(raw)
	if err != nil {
		return nil, damaged(h, err)
	}
	o.trees.Put(h, t, t.Size())
	return t, nil
}

// commit returns what matters of a commit object.
func (o *objects) commit(h datakit.Hash) (*commitInfo, error) {
	if c, ok := o.commits.Get(h, (*commitInfo).cost); ok {
		return c, nil
	}
	full, err := o.fullCommit(h)
	if err != nil {
		return nil, err
	}
	c := &commitInfo{full.Tree, full.Parents, full.Committer.Time.Unix(), 0}
	o.commits.Put(h, c, c.cost())
	return c, nil
}

// fullCommit reads a commit object.
func (o *objects) fullCommit(h datakit.Hash) (*object.Commit, error) {
	raw, err := o.read(h, object.CommitType)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(raw)
	if err != nil {
		return nil, damaged(h, err)
	}
	return c, nil
}

// read returns the content of an object of a known type. One of another type
// is NotExist.
func (o *objects) read(h datakit.Hash, want object.Type) ([]byte, error) {
	t, _, err := o.Header(h)
	if err != nil {
		return nil, err
	}
	if t != want {
		return nil, &datakit.Error{Op: "read " + want.String(), Subject: h.String(), Kind: datakit.NotExist, Err: fmt.Errorf("it is a %v", t)}
	}
	_, raw, err := o.Read(h)
	return raw, err
}

func damaged(h datakit.Hash, err error) error {
	return &datakit.Error{Op: "read object", Subject: h.String(), Kind: datakit.Internal, Err: err}
}

// inside makes the absence of an object that another one refers to the damage
// that it is.
func inside(h datakit.Hash, err error) error {
	if errors.Is(err, datakit.NotExist) {
		return damaged(h, errors.New("the object is missing from the repository"))
	}
	return err
}

// A source reads trees and commits: those that are stored, and those that are
// about to be.
type source interface {
	tree(datakit.Hash) (*object.Tree, error)
	commit(datakit.Hash) (*commitInfo, error)
}

// A scratch is a source that objects can be added to without storing them. It
// is not safe for concurrent use.
type scratch struct {
	*objects
	fresh   []store.Object
	isFresh map[datakit.Hash]bool
	trees   map[datakit.Hash]*object.Tree
	commits map[datakit.Hash]*commitInfo
}

func newScratch(o *objects) *scratch {
	return &scratch{
		objects: o,
		isFresh: make(map[datakit.Hash]bool),
		trees:   make(map[datakit.Hash]*object.Tree),
		commits: make(map[datakit.Hash]*commitInfo),
	}
}

func (s *scratch) tree(h datakit.Hash) (*object.Tree, error) {
	if t, ok := s.trees[h]; ok {
		return t, nil
	}
	return s.objects.tree(h)
}

func (s *scratch) commit(h datakit.Hash) (*commitInfo, error) {
	if c, ok := s.commits[h]; ok {
		return c, nil
	}
	return s.objects.commit(h)
}

// add adds objects that are made already.
func (s *scratch) add(objs ...store.Object) error {
	for _, obj := range objs {
		if s.isFresh[obj.Hash] {
			continue
		}
		s.isFresh[obj.Hash] = true
		s.fresh = append(s.fresh, obj)
		if obj.Type == object.TreeType {
			t, err := object.ParseTree(obj.Data)
			if err != nil {
				return damaged(obj.Hash, err)
			}
			s.trees[obj.Hash] = t
		}
	}
	return nil
}

// addTree adds the tree that b has built and returns its name.
func (s *scratch) addTree(b *object.TreeBuilder) (datakit.Hash, error) {
	if b.Len() == 0 {
		return datakit.EmptyTree, nil
	}
	raw := b.Bytes()
	h := object.Name(object.TreeType, raw)
	return h, s.add(store.Object{Hash: h, Type: object.TreeType, Data: raw, Size: int64(len(raw))})
}

// addBlob adds a small blob and returns its name.
func (s *scratch) addBlob(data []byte) datakit.Hash {
	h := object.Name(object.BlobType, data)
	s.add(store.Object{Hash: h, Type: object.BlobType, Data: data, Size: int64(len(data))})
	return h
}

// addCommit adds a commit with its place in the history and returns its name.
func (s *scratch) addCommit(c *object.Commit, seq uint64) datakit.Hash {
	if c.Tree == datakit.EmptyTree {
		// Git knows it without having it, but misses it in a check.
		s.add(store.Object{Hash: c.Tree, Type: object.TreeType, Data: []byte{}})
	}
	raw := c.Bytes()
	h := object.Name(object.CommitType, raw)
	s.add(store.Object{Hash: h, Type: object.CommitType, Data: raw, Size: int64(len(raw))})
	s.know(h, c, seq)
	return h
}

// know makes the place of a commit in the history known.
func (s *scratch) know(h datakit.Hash, c *object.Commit, seq uint64) {
	if _, ok := s.commits[h]; !ok {
		s.commits[h] = &commitInfo{c.Tree, c.Parents, c.Committer.Time.Unix(), seq}
	}
}

// stored moves what was added to the caches, now that it is in the store.
func (s *scratch) stored() {
	for h, t := range s.trees {
		s.objects.trees.Put(h, t, t.Size())
	}
	for h, c := range s.commits {
		if s.isFresh[h] {
			s.objects.commits.Put(h, c, c.cost())
		}
	}
}
