package refdb

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// openWatching opens a repository that is watched by notifications alone, or
// by polling alone, until the test ends.
func openWatching(t testing.TB, dir string, polling bool) *DB {
	t.Helper()
	opts := &Options{PollInterval: time.Hour}
	if polling {
		opts.PollInterval = 20 * time.Millisecond
	}
	db, err := open(dir, opts, &disk{deaf: polling})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// bothWays runs a test with notifications and with polling.
func bothWays(t *testing.T, test func(t *testing.T, polling bool)) {
	t.Parallel()
	t.Run("notified", func(t *testing.T) { t.Parallel(); test(t, false) })
	t.Run("polling", func(t *testing.T) { t.Parallel(); test(t, true) })
}

// TestFS10_ChangesByGitAreTold changes branches in all the ways git has.
func TestFS10_ChangesByGitAreTold(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		git(t, dir, "update-ref", "refs/heads/old", c[0].String())
		git(t, dir, "update-ref", "refs/heads/p/q", c[0].String())
		git(t, dir, "pack-refs", "--all")
		db := openWatching(t, dir, polling)
		r := record(t, db)
		h := func(i int) string { return c[i].String() }
		for _, s := range []struct {
			git  []string
			want []move
		}{
			{[]string{"update-ref", "refs/heads/a", h(0)}, []move{{"a", c[0]}}},
			{[]string{"update-ref", "refs/heads/a", h(1)}, []move{{"a", c[1]}}},
			{[]string{"update-ref", "refs/heads/n/e/w", h(2)}, []move{{"n/e/w", c[2]}}},
			{[]string{"update-ref", "refs/heads/n/e/w", h(3)}, []move{{"n/e/w", c[3]}}},
			{[]string{"update-ref", "refs/heads/old", h(4)}, []move{{"old", c[4]}}},
			{[]string{"branch", "-D", "p/q"}, []move{{"p/q", zero}}},
			{[]string{"branch", "-D", "old"}, []move{{"old", zero}}},
			{[]string{"branch", "-m", "n/e/w", "n/f"}, []move{{"n/e/w", zero}, {"n/f", c[3]}}},
			{[]string{"branch", "-m", "n/f", "n"}, []move{{"n/f", zero}, {"n", c[3]}}},
			{[]string{"branch", "-m", "n", "n/e/w"}, []move{{"n", zero}, {"n/e/w", c[3]}}},
			{[]string{"symbolic-ref", "refs/heads/s", "refs/heads/a"}, []move{{"s", c[1]}}},
			{[]string{"update-ref", "refs/heads/a", h(5)}, []move{{"a", c[5]}, {"s", c[5]}}},
			{[]string{"push", "-q", ".", "+" + h(6) + ":refs/heads/pushed/by/git"}, []move{{"pushed/by/git", c[6]}}},
		} {
			git(t, dir, s.git...)
			var got []move
			eventually(t, "told of "+s.git[0], func() bool {
				got = append(got, r.take()...)
				return len(got) >= len(s.want)
			})
			if !sameMoves(got, s.want) {
				t.Errorf("after git %v told of %v, want %v", s.git, got, s.want)
			}
			if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
				t.Errorf("after git %v branches are %v, git has %v", s.git, got, want)
			}
		}
	})
}

// sameMoves compares moves of different branches, which have no order.
func sameMoves(a, b []move) bool {
	by := func(x, y move) int { return slices.Compare([]string{x.branch}, []string{y.branch}) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), by), slices.SortedFunc(slices.Values(b), by))
}

// TestFS2_PackingTellsNothing packs references, which moves no branch.
func TestFS2_PackingTellsNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		db := openWatching(t, dir, polling)
		r := record(t, db)
		mustApply(t, db, up("a", zero, c[0]), up("b/c", zero, c[1]))
		r.take()
		for i := range 4 {
			git(t, dir, "pack-refs", "--all")
			want := gitHeads(t, dir)
			if got := heads(t, db); !reflect.DeepEqual(got, want) {
				t.Errorf("branches are %v, git has %v", got, want)
			}
			git(t, dir, "update-ref", "refs/heads/b/c", c[i+2].String())
			got := r.waitFor(t, "b/c", c[i+2])
			if want := []move{{"b/c", c[i+2]}}; !reflect.DeepEqual(got, want) {
				t.Errorf("told of %v, want %v", got, want)
			}
		}
	})
}

// TestFS222_PackedChanges rewrites packed-refs alone.
func TestFS222_PackedChanges(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		db := openWatching(t, dir, polling)
		r := record(t, db)
		write := func(lines ...string) {
			text := "# pack-refs with: peeled fully-peeled sorted \n"
			for _, l := range lines {
				text += l + "\n"
			}
			tmp := filepath.Join(dir, "packed-refs.new")
			if err := os.WriteFile(tmp, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(tmp, filepath.Join(dir, "packed-refs")); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 6 {
			write(c[i].String()+" refs/heads/a", c[7].String()+" refs/heads/b")
			r.waitFor(t, "a", c[i])
		}
		write(c[0].String() + " refs/heads/0")
		r.waitFor(t, "b", zero)
		if got, want := heads(t, db), (map[string]datakit.Hash{"0": c[0]}); !reflect.DeepEqual(got, want) {
			t.Errorf("branches are %v, want %v", got, want)
		}
	})
}

// TestFS10_OwnChangesAreToldOnce makes changes here while looking for those by
// others.
func TestFS10_OwnChangesAreToldOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		db := openWatching(t, dir, polling)
		r := record(t, db)
		old := zero
		for _, new := range []datakit.Hash{c[0], c[1], zero, c[1], c[2], c[0], c[3]} {
			mustApply(t, db, up("a/b", old, new))
			if got, want := r.take(), []move{{"a/b", new}}; !reflect.DeepEqual(got, want) {
				t.Errorf("when Apply returns told of %v, want %v", got, want)
			}
			old = new
		}
		git(t, dir, "update-ref", "refs/heads/end", c[0].String())
		if got, want := r.waitFor(t, "end", c[0]), []move{{"end", c[0]}}; !reflect.DeepEqual(got, want) {
			t.Errorf("told of %v, want %v", got, want)
		}
	})
}

// TestFS10_ChangesInBetweenAreTold has git change a branch between two changes
// made here, which tells it without waiting.
func TestFS10_ChangesInBetweenAreTold(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openWatching(t, dir, true)
	r := record(t, db)
	mustApply(t, db, up("a", zero, c[0]))
	r.take()
	var want []move
	for i := 1; i < 7; i += 2 {
		git(t, dir, "update-ref", "refs/heads/a", c[i].String())
		mustApply(t, db, up("a", c[i], c[i+1]))
		want = append(want, move{"a", c[i]}, move{"a", c[i+1]})
	}
	git(t, dir, "update-ref", "refs/heads/a", c[7].String())
	want = append(want, move{"a", c[7]})
	if got := r.waitFor(t, "a", c[7]); !reflect.DeepEqual(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
}

// TestFS222_DirectoriesComeAndGo removes directories and makes them again,
// with and without git.
func TestFS222_DirectoriesComeAndGo(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		db := openWatching(t, dir, polling)
		r := record(t, db)
		refs := filepath.Join(dir, "refs", "heads")
		for i := range 4 {
			git(t, dir, "update-ref", "refs/heads/x/y/z", c[i].String())
			r.waitFor(t, "x/y/z", c[i])
			if i%2 == 0 {
				git(t, dir, "update-ref", "-d", "refs/heads/x/y/z")
			} else if err := os.RemoveAll(filepath.Join(refs, "x")); err != nil {
				t.Fatal(err)
			}
			r.waitFor(t, "x/y/z", zero)
		}
		outside := filepath.Join(dir, "moved-in")
		if err := os.MkdirAll(filepath.Join(outside, "d"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(outside, "d", "e"), []byte(c[0].String()+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(outside, filepath.Join(refs, "m")); err != nil {
			t.Fatal(err)
		}
		r.waitFor(t, "m/d/e", c[0])
		if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
			t.Errorf("branches are %v, git has %v", got, want)
		}
	})
}

// TestFS10_TwoServers changes branches from two sides at once by the protocol.
func TestFS10_TwoServers(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	a, b := openWatching(t, dir, false), openWatching(t, dir, false)
	mustApply(t, a, up("n", zero, c[0]))
	done := make(chan int)
	count := func(db *DB) {
		n := 0
		for n < 50 {
			old, err := db.Head(t.Context(), "n")
			if err != nil {
				t.Error(err)
				break
			}
			next := c[0]
			if i := slices.Index(c, old); i >= 0 {
				next = c[(i+1)%len(c)]
			}
			errs := db.Prepare(t.Context(), []store.Update{up("n", old, next)}).Apply()
			if errs[0] == nil {
				n++
			}
		}
		done <- n
	}
	go count(a)
	go count(b)
	total := <-done + <-done
	if want := c[total%len(c)]; head(t, a, "n") != want && gitHeads(t, dir)["n"] != want {
		t.Errorf("after %d steps the branch is at %s, want %s", total, gitHeads(t, dir)["n"], want)
	}
}

// TestSubscribeEnds ends subscriptions.
func TestSubscribeEnds(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	n := 0
	cancel := db.Subscribe(func(string, datakit.Hash) { n++ })
	r := record(t, db)
	mustApply(t, db, up("a", zero, c[0]))
	cancel()
	cancel()
	mustApply(t, db, up("a", c[0], c[1]))
	if got := len(r.take()); n != 1 || got != 2 {
		t.Errorf("told %d and %d times, want 1 and 2", n, got)
	}
}

// TestFS222_IdleIsCheap counts what is done while nothing changes: a look at
// each directory and at packed-refs, and no reading.
func TestFS222_IdleIsCheap(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	for _, name := range []string{"a", "b/c", "b/d/e"} {
		git(t, dir, "update-ref", headsPrefix+name, c[0].String())
	}
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "update-ref", "refs/heads/a", c[1].String())
	git(t, dir, "update-ref", "refs/heads/b/c", c[1].String())
	old := time.Now().Add(-time.Hour)
	for _, path := range []string{"a", "b/c", "b", ""} {
		if err := os.Chtimes(filepath.Join(dir, "refs", "heads", path), old, old); err != nil {
			t.Fatal(err)
		}
	}
	var looks, others atomic.Int64
	var counting atomic.Bool
	db, err := open(dir, &Options{PollInterval: time.Millisecond}, &disk{before: func(op, path string) error {
		switch {
		case !counting.Load():
		case op == "stat":
			looks.Add(1)
		default:
			others.Add(1)
			t.Logf("%s %s", op, path)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	heads(t, db)
	counting.Store(true)
	eventually(t, "polled often", func() bool { return looks.Load() > 100 })
	if n := others.Load(); n != 0 {
		t.Errorf("%d operations while nothing changes", n)
	}
}
