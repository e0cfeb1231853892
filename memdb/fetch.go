package memdb

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
)

func fetch(ctx context.Context, objs *memstore.Objects, refs *memstore.Refs, url, branch string) (datakit.Hash, error) {
	return datakit.Hash{}, errors.New("not yet")
}
