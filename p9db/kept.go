package p9db

import (
	"errors"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/cache"
)

// kept is what is known of things that never change, by a text that names
// them. That something is missing in a tree is known as well; that a tree or a
// commit is missing is not, as it may come (specification of the client, CL-27
// and CL-28).
type kept struct {
	c *cache.Cache[string, any]
}

func newKept(bytes int) *kept { return &kept{cache.New[string, any](max(bytes, 0))} }

// A keptValue is something and what it costs.
type keptValue[T any] struct {
	v    T
	cost int
}

// keep returns what is known under a key, or else what f returns with its cost
// in bytes.
func keep[T any](k *kept, key string, f func() (T, int, error)) (T, error) {
	if v, ok := find[T](k, key); ok {
		return v, nil
	}
	v, cost, err := f()
	if err == nil {
		add(k, key, v, cost)
	}
	return v, err
}

func find[T any](k *kept, key string) (v T, ok bool) {
	x, ok := k.c.Get(key, func(x any) int { return x.(keptValue[T]).cost })
	if !ok {
		return v, false
	}
	return x.(keptValue[T]).v, true
}

func add[T any](k *kept, key string, v T, cost int) {
	cost += len(key) + 64
	k.c.Put(strings.Clone(key), keptValue[T]{v, cost}, cost)
}

// A found is an entry of a tree, or why there is none.
type found struct {
	e       datakit.Entry
	missing datakit.Kind // NotExist, NotDir, or 0
}

// lasting reports whether an error says something about a tree that stays so.
func lasting(err error) bool {
	return errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir)
}
