package refdb

import (
	"errors"
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

// A cache is what is known of the branches.
type cache struct {
	packed *packed
	loose  map[string]map[string]loose // by directory, then by last step of the name
	links  map[string]datakit.Hash     // heads of the branches that are symbolic references

	// incomplete is why not all of the disk has been read, or nil.
	incomplete error

	// unpackable is why packed-refs cannot be read, or nil. packed is older.
	unpackable error
}

// A found is what the disk has in the place of a branch's file.
type found struct {
	branch string
	loose  loose
}

// A move is a branch with its new head, zero if it is gone.
type move struct {
	branch string
	head   datakit.Hash
}

var errLoading = errors.New("the branches have not been read yet")

func newCache() cache {
	return cache{
		packed:     &packed{},
		loose:      make(map[string]map[string]loose),
		links:      make(map[string]datakit.Hash),
		incomplete: errLoading,
	}
}

// split returns the directory and the last step of a branch name.
func split(branch string) (dir, base string) {
	i := strings.LastIndexByte(branch, '/')
	if i < 0 {
		return "", branch
	}
	return branch[:i], branch[i+1:]
}

// join is the inverse of split.
func join(dir, base string) string {
	if dir == "" {
		return base
	}
	return dir + "/" + base
}

// at returns what the file of a branch holds.
func (c *cache) at(branch string) loose {
	dir, base := split(branch)
	return c.loose[dir][base]
}

// isLoose reports whether a branch has a file, as far as is known.
func (db *DB) isLoose(branch string) bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.cache.at(branch).kind != none
}

// head returns the head of a branch, or zero if it has none.
func (c *cache) head(branch string) (datakit.Hash, error) {
	switch c.at(branch).kind {
	case broken:
		return datakit.Hash{}, damaged("read", branch, "the file of the branch is damaged")
	case none:
		if c.unpackable != nil {
			return datakit.Hash{}, c.unpackable
		}
	}
	return c.told(branch), nil
}

// told returns the head of a branch that subscribers know of: while it cannot
// be read that is the last one.
func (c *cache) told(branch string) datakit.Hash {
	switch l := c.at(branch); l.kind {
	case direct, broken:
		return l.head
	case symbolic, foreign:
		return c.links[branch]
	}
	return c.packed.head(branch)
}

// resolve returns the commit that a symbolic reference leads to, or zero.
func (c *cache) resolve(branch string) datakit.Hash {
	for range maxReads {
		switch l := c.at(branch); l.kind {
		case symbolic:
			branch = l.target
		case none:
			return c.packed.head(branch)
		case broken:
			return datakit.Hash{}
		default:
			return l.head
		}
	}
	return datakit.Hash{}
}

// update takes over what was found on disk, and the present state of
// packed-refs unless it is nil. It returns the branches whose heads are other
// ones now.
func (c *cache) update(found []found, p *packed) (moves []move) {
	if p != nil {
		if c.incomplete == nil {
			moves = c.repacked(p)
		}
		c.packed = p
	}
	for _, f := range found {
		before := c.told(f.branch)
		c.set(f.branch, f.loose)
		if _, link := c.links[f.branch]; link {
			continue // relink compares it
		}
		if after := c.told(f.branch); after != before {
			moves = append(moves, move{f.branch, after})
		}
	}
	return append(moves, c.relink()...)
}

// set sets what the file of a branch holds.
func (c *cache) set(branch string, l loose) {
	before := c.told(branch)
	delete(c.links, branch)
	switch l.kind {
	case none:
		c.unset(branch)
		return
	case symbolic, foreign:
		c.links[branch] = before
	case broken:
		l.head = before
	}
	dir, base := split(branch)
	if c.loose[dir] == nil {
		c.loose[dir] = make(map[string]loose)
	}
	c.loose[dir][base] = l
}

func (c *cache) unset(branch string) {
	dir, base := split(branch)
	delete(c.loose[dir], base)
	if len(c.loose[dir]) == 0 {
		delete(c.loose, dir)
	}
}

// relink finds out where the symbolic references lead to now, and returns
// those whose heads are other ones.
func (c *cache) relink() (moves []move) {
	for branch, before := range c.links {
		if now := c.resolve(branch); now != before {
			c.links[branch] = now
			moves = append(moves, move{branch, now})
		}
	}
	return moves
}

// repacked returns the branches whose heads are other ones when p takes the
// place of the present state of packed-refs.
func (c *cache) repacked(p *packed) (moves []move) {
	tell := func(branch string, head datakit.Hash) {
		if c.at(branch).kind == none {
			moves = append(moves, move{strings.Clone(branch), head})
		}
	}
	old := c.packed
	i, j := old.lo, p.lo
	for i < old.hi || j < p.hi {
		switch order(old, i, p, j) {
		case -1:
			tell(old.branch(i), datakit.Hash{})
			i++
		case 1:
			tell(p.branch(j), p.hash(j))
			j++
		default:
			if h := p.hash(j); h != old.hash(i) {
				tell(p.branch(j), h)
			}
			i, j = i+1, j+1
		}
	}
	return moves
}

// order compares branch i of a with branch j of b. The end is after all.
func order(a *packed, i int, b *packed, j int) int {
	switch {
	case j == b.hi:
		return -1
	case i == a.hi:
		return 1
	}
	return strings.Compare(a.branch(i), b.branch(j))
}

// A listing is what the names of all branches are made from. It does not
// change when the cache does.
type listing struct {
	loose  []string
	unborn map[string]bool // those of loose that have no head
	packed *packed
}

// list returns what to make the names of all branches from.
func (c *cache) list() (listing, error) {
	switch {
	case c.incomplete != nil:
		return listing{}, ioError("list", "branches", c.incomplete)
	case c.unpackable != nil:
		return listing{}, c.unpackable
	}
	l := listing{unborn: make(map[string]bool), packed: c.packed}
	for dir, files := range c.loose {
		for base, file := range files {
			name := join(dir, base)
			l.loose = append(l.loose, name)
			if file.kind == broken || file.kind != direct && c.links[name].IsZero() {
				l.unborn[name] = true
			}
		}
	}
	return l, nil
}

// names returns the names of all branches that have a head, sorted.
func (l listing) names() []string {
	slices.Sort(l.loose)
	p := l.packed
	all := make([]string, 0, len(l.loose)+p.hi-p.lo)
	i := p.lo
	for _, name := range l.loose {
		for ; i < p.hi && p.branch(i) < name; i++ {
			all = append(all, p.branch(i))
		}
		if i < p.hi && p.branch(i) == name {
			i++
		}
		if !l.unborn[name] {
			all = append(all, name)
		}
	}
	for ; i < p.hi; i++ {
		all = append(all, p.branch(i))
	}
	return all
}
