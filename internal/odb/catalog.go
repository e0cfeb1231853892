package odb

import (
	"cmp"
	"maps"
	"slices"

	"github.com/datakit/datakit"
)

// Small packs share one table in memory, so that looking into a hundred of
// them takes the time of looking into one.
const (
	tablePack = 4 << 10  // objects of a small pack, at most
	tableSize = 64 << 10 // objects in the table, at most
)

// A catalog finds objects in packs. It is guarded by the lock of its packDir.
type catalog struct {
	table map[datakit.Hash]packed // the objects of small packs
	small []*pack                 // those
	list  []*pack                 // the other packs, the largest first; replaced, never changed
}

func newCatalog() *catalog { return &catalog{table: make(map[datakit.Hash]packed)} }

// add makes the objects of a pack found.
func (c *catalog) add(p *pack) {
	if p.idx.N <= tablePack && len(c.table)+p.idx.N <= tableSize && c.tabulate(p, func(datakit.Hash) bool { return true }) {
		c.small = append(c.small, p)
		return
	}
	list := append(slices.Clip(c.list), p)
	slices.SortStableFunc(list, func(a, b *pack) int { return cmp.Compare(b.idx.N, a.idx.N) })
	c.list = list
}

// tabulate adds the objects of a pack to the table, in the place of those of
// other packs.
func (c *catalog) tabulate(p *pack, wanted func(datakit.Hash) bool) (ok bool) {
	return nil == p.eachName(func(row int, h datakit.Hash) {
		if wanted(h) {
			c.table[h] = packed{p, p.idx.Offset(row)}
		}
	})
}

func (p *pack) eachName(f func(row int, h datakit.Hash)) error {
	return p.idxMap.guard(func() error {
		for row := range p.idx.N {
			f(row, datakit.Hash(p.idx.Name(row)))
		}
		return nil
	})
}

// drop makes the objects of packs no longer found there.
func (c *catalog) drop(gone map[*pack]bool) {
	isGone := func(p *pack) bool { return gone[p] }
	c.list = slices.DeleteFunc(slices.Clone(c.list), isGone)
	orphans := make(map[datakit.Hash]bool)
	for _, p := range c.small {
		if !gone[p] {
			continue
		}
		err := p.eachName(func(_ int, h datakit.Hash) {
			if c.table[h].p == p {
				delete(c.table, h)
				orphans[h] = true
			}
		})
		if err != nil { // the index was cut short, so look at all that is there
			maps.DeleteFunc(c.table, func(_ datakit.Hash, at packed) bool { return at.p == p })
		}
	}
	c.small = slices.DeleteFunc(c.small, isGone)
	if len(orphans) == 0 {
		return
	}
	for _, p := range c.small {
		c.tabulate(p, func(h datakit.Hash) bool { return orphans[h] })
	}
}
