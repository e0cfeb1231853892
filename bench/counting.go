package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb"
	"github.com/datakit/datakit/internal/refdb"
	"github.com/datakit/datakit/internal/store"
	"github.com/datakit/datakit/internal/treedb"
)

// A countingDB is a database on disk as gitdb opens it, that counts what it
// asks of the objects.
type countingDB struct {
	*datakit.DB
	trees  *atomic.Int64 // that were read
	staged *atomic.Int64 // objects that were written
}

func openCounting(path string) (*countingDB, error) {
	dir, err := gitdb.Locate(path)
	if err != nil {
		return nil, err
	}
	objs, err := odb.Open(dir, &odb.Options{})
	if err != nil {
		return nil, err
	}
	refs, err := refdb.Open(dir, &refdb.Options{})
	if err != nil {
		return nil, errors.Join(err, objs.Close())
	}
	c := &countingObjects{Objects: objs}
	db := treedb.New(c, refs, treedb.Options{TempDir: objs.TempDir})
	return &countingDB{datakit.New(db), &c.trees, &c.staged}, nil
}

type countingObjects struct {
	store.Objects
	trees, staged atomic.Int64
}

// Read counts the trees.
func (c *countingObjects) Read(h datakit.Hash) (object.Type, []byte, error) {
	typ, data, err := c.Objects.Read(h)
	if typ == object.TreeType {
		c.trees.Add(1)
	}
	return typ, data, err
}

// Stage counts the objects.
func (c *countingObjects) Stage(ctx context.Context, objs []store.Object) (store.Staged, error) {
	c.staged.Add(int64(len(objs)))
	return c.Objects.Stage(ctx, objs)
}
