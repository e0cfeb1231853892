// Package cache has a cache that is bounded in bytes.
package cache

import "sync"

// A Cache keeps values by key, within a bound on their cost. It is made of two
// generations: what is added or found goes to the young one; when that has
// half of the bound it becomes the old one, whose former content is dropped.
// So what is used stays, and a use costs no more than a look-up. All methods
// may be called concurrently.
type Cache[K comparable, V any] struct {
	half int // the bound of a generation

	mu         sync.RWMutex // guards what follows
	young, old map[K]V
	cost       int // of young
}

// New returns a cache for values of a total cost of at most bound, which is
// usually in bytes.
func New[K comparable, V any](bound int) *Cache[K, V] {
	return &Cache[K, V]{half: bound / 2, young: make(map[K]V)}
}

// Get returns the value of key, if it is there. cost is the value's, and
// matters when it has to be kept longer.
func (c *Cache[K, V]) Get(key K, cost func(V) int) (V, bool) {
	c.mu.RLock()
	v, ok := c.young[key]
	if ok {
		c.mu.RUnlock()
		return v, true
	}
	v, ok = c.old[key]
	c.mu.RUnlock()
	if ok {
		c.Put(key, v, cost(v))
	}
	return v, ok
}

// Put adds a value. One that costs more than half of the bound is not kept.
func (c *Cache[K, V]) Put(key K, v V, cost int) {
	if cost > c.half {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[key]; ok {
		return
	}
	if c.cost+cost > c.half {
		c.old, c.young, c.cost = c.young, make(map[K]V), 0
	}
	c.young[key] = v
	c.cost += cost
}

// Replace is Put for keys whose values change: it takes the place of what is
// there. cost tells what a value costs, the old one and the new one.
func (c *Cache[K, V]) Replace(key K, v V, cost func(V) int) {
	c.mu.Lock()
	if old, ok := c.young[key]; ok {
		c.cost -= cost(old)
		delete(c.young, key)
	}
	delete(c.old, key)
	c.mu.Unlock()
	c.Put(key, v, cost(v))
}
