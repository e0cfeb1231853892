package refdb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// names conflict with each other in many ways.
var names = []string{"a", "a/b", "a/b/c", "a/d", "e", "e/f", "g", "h", "i/j/k", "i/j", "l", "m/n"}

// TestFS7_TogetherWithGit has git and two servers change branches at random at
// the same time, and compares what all of them see.
func TestFS7_TogetherWithGit(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbs := []*DB{openDB(t, dir), openWatching(t, dir, true)}
	var recorders []*recorder
	for _, db := range dbs {
		recorders = append(recorders, record(t, db))
	}
	var wg sync.WaitGroup
	for i, db := range dbs {
		wg.Go(func() { beServer(t, db, rand.New(rand.NewPCG(seed, uint64(i))), c) })
	}
	wg.Go(func() { beGit(t, dir, rand.New(rand.NewPCG(seed, 99)), c) })
	wg.Wait()

	want := gitHeads(t, dir)
	for i, db := range dbs {
		told := make(map[string]datakit.Hash)
		defer func() {
			if t.Failed() {
				t.Logf("server %d sees %v and has told of %v", i, heads(t, db), told)
			}
		}()
		eventually(t, fmt.Sprintf("server %d sees and has told of %v", i, want), func() bool {
			for _, m := range recorders[i].take() {
				told[m.branch] = m.head
				if m.head.IsZero() {
					delete(told, m.branch)
				}
			}
			return reflect.DeepEqual(heads(t, db), want) && reflect.DeepEqual(told, want)
		})
	}
	git(t, dir, "fsck", "--strict")
	for _, db := range dbs {
		db.Close()
	}
	noLocks(t, dir)
}

// beServer makes updates in groups.
func beServer(t *testing.T, db *DB, r *rand.Rand, c []datakit.Hash) {
	for range 200 {
		var updates []store.Update
		for _, i := range r.Perm(len(names))[:1+r.IntN(3)] {
			old, err := db.Head(t.Context(), names[i])
			if err != nil {
				t.Error(err)
				return
			}
			u := up(names[i], old, c[r.IntN(len(c))])
			if r.IntN(3) == 0 {
				u.New = zero
			}
			updates = append(updates, u)
		}
		p := db.Prepare(t.Context(), updates)
		if r.IntN(10) == 0 {
			p.Abort()
			continue
		}
		for i, err := range p.Apply() {
			var moved *store.MovedError
			if err != nil && !errors.Is(err, datakit.Locked) && !errors.Is(err, datakit.Exist) && !errors.As(err, &moved) {
				t.Errorf("update %v: %v", updates[i], err)
			}
		}
	}
}

// beGit runs git commands; many fail, as names conflict and locks are held.
func beGit(t *testing.T, dir string, r *rand.Rand, c []datakit.Hash) {
	for range 120 {
		name := names[r.IntN(len(names))]
		var args []string
		switch r.IntN(6) {
		case 0:
			args = []string{"pack-refs", "--all"}
		case 1:
			args = []string{"update-ref", "-d", headsPrefix + name}
		case 2:
			args = []string{"branch", "-f", "-m", name, names[r.IntN(len(names))]}
		default:
			args = []string{"update-ref", headsPrefix + name, c[r.IntN(len(c))].String()}
		}
		if out, err := tryGit(t, dir, "", args...); err != nil && strings.Contains(out, "broken") {
			t.Errorf("git %v: %s", args, out)
		}
	}
}
