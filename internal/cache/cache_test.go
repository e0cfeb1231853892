package cache

import (
	"sync"
	"testing"
)

func one(int) int { return 1 }

// TestFS211_Bounded adds far more than the bound and counts what is kept.
func TestFS211_Bounded(t *testing.T) {
	c := New[int, int](100)
	for i := range 10_000 {
		c.Put(i, i, 1)
		if n := len(c.young) + len(c.old); n > 100 {
			t.Fatalf("%d values of cost 1 are kept in a cache of 100", n)
		}
	}
	if _, ok := c.Get(9_999, one); !ok {
		t.Error("the newest value is gone")
	}
	if _, ok := c.Get(0, one); ok {
		t.Error("the oldest value is still there")
	}
}

// TestUsedStays uses one value while many others come and go.
func TestUsedStays(t *testing.T) {
	c := New[int, int](100)
	c.Put(-1, 7, 1)
	for i := range 10_000 {
		c.Put(i, i, 1)
		if v, ok := c.Get(-1, one); !ok || v != 7 {
			t.Fatalf("after %d others: %d, %v, want 7, true", i, v, ok)
		}
	}
}

func TestTooCostly(t *testing.T) {
	c := New[int, int](100)
	c.Put(1, 1, 51)
	if _, ok := c.Get(1, one); ok {
		t.Error("a value beyond half of the bound is kept")
	}
}

func TestConcurrent(t *testing.T) {
	c := New[int, int](50)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				c.Put(i*g%97, i*g%97, 1)
				if v, ok := c.Get(i%97, one); ok && v != i%97 {
					t.Errorf("Get(%d) = %d", i%97, v)
				}
			}
		})
	}
	wg.Wait()
}

func TestReplace(t *testing.T) {
	c := New[int, int](100)
	self := func(v int) int { return v }
	for _, v := range []int{10, 40, 51, 20} { // 51 is too much
		c.Replace(1, v, self)
		got, ok := c.Get(1, self)
		if ok != (v <= 50) || ok && got != v {
			t.Fatalf("after Replace(%d): %d, %v", v, got, ok)
		}
	}
	if c.cost != 20 {
		t.Errorf("the cost is %d, want 20", c.cost)
	}
	c.Put(2, 50, 50) // now 1 is old
	c.Replace(1, 30, self)
	if got, ok := c.Get(1, self); !ok || got != 30 {
		t.Errorf("an old value that was replaced is %d, %v", got, ok)
	}
}
