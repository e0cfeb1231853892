package treedb

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
)

// BenchmarkCommit commits one file of 20 bytes at depth 3, without a disk: what
// the database itself takes.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 64} {
		for _, shared := range []bool{true, false} {
			b.Run(fmt.Sprintf("writers=%d/shared=%v", writers, shared), func(b *testing.B) {
				db := datakit.New(New(memstore.NewObjects(), memstore.NewRefs(), Options{}))
				defer db.Close()
				var n atomic.Int64
				b.SetParallelism(max(1, writers/2))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					me := n.Add(1)
					branch := "master"
					if !shared {
						branch = fmt.Sprintf("branch%d", me)
					}
					for i := 0; pb.Next(); i++ {
						if err := commitOne(b, db.Branch(branch), me, i%100); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

func commitOne(tb testing.TB, branch *datakit.Branch, writer int64, file int) error {
	ctx := tb.Context()
	return branch.Update(ctx, "message", func(tx *datakit.Tx) error {
		dir := datakit.Path(fmt.Sprintf("dir%d/sub", writer))
		if err := tx.MkdirAll(ctx, dir); err != nil {
			return err
		}
		return tx.WriteFile(ctx, dir+datakit.Path(fmt.Sprintf("/file%d", file)), []byte("twenty bytes content"))
	})
}
