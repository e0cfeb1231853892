package odb

import (
	"cmp"
	"slices"

	"github.com/datakit/datakit"
)

// Small packs share one table in memory, so that looking into a hundred of
// them takes the time of looking into one.
const (
	tablePack = 4 << 10  // objects of a small pack, at most
	tableSize = 64 << 10 // objects in the table, at most
)

// A catalog finds objects in packs.
type catalog struct {
	table map[datakit.Hash]packed // the objects of small packs
	list  []*pack                 // the other packs, the largest first; replaced, never changed
}

func newCatalog() *catalog { return &catalog{table: make(map[datakit.Hash]packed)} }

// add makes the objects of a pack found.
func (c *catalog) add(p *pack) {
	if p.idx.n <= tablePack && len(c.table)+p.idx.n <= tableSize && c.tabulate(p) == nil {
		return
	}
	list := append(slices.Clip(c.list), p)
	slices.SortStableFunc(list, func(a, b *pack) int { return cmp.Compare(b.idx.n, a.idx.n) })
	c.list = list
}

// tabulate adds the objects of a pack to the table.
func (c *catalog) tabulate(p *pack) error {
	return p.idxMap.guard(func() error {
		for row := range p.idx.n {
			h := datakit.Hash(p.idx.name(row))
			c.table[h] = packed{p, p.idx.offset(row)}
		}
		return nil
	})
}
