package remote

import (
	"context"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// Unpack stores the objects of a pack one by one, with all of them in memory
// at a time: it is for stores that keep them there anyway.
func Unpack(ctx context.Context, objs store.Objects, pack io.Reader) error {
	mem := memory.NewStorage()
	if err := packfile.UpdateObjectStorage(mem, pack); err != nil {
		return err
	}
	var all []store.Object
	for _, o := range mem.Objects {
		data, err := content(o)
		if err != nil {
			return err
		}
		all = append(all, store.Object{
			Hash: datakit.Hash(o.Hash()),
			Type: object.Type(o.Type()),
			Data: data,
			Size: int64(len(data)),
		})
	}
	staged, err := objs.Stage(ctx, all)
	if err != nil {
		return err
	}
	if err := staged.Publish(); err != nil {
		return err
	}
	staged.Release()
	return nil
}

func content(o plumbing.EncodedObject) ([]byte, error) {
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, o.Size())
	_, err = io.ReadFull(r, data)
	return data, err
}
