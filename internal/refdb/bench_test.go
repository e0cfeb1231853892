package refdb

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

const many = 100_000

func manyName(i int) string { return fmt.Sprintf("team-%02d/feature-%06d", i%50, i) }

// writePacked writes a packed-refs file with n branches.
func writePacked(t testing.TB, dir string, n int) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for team := range 50 {
		for i := team; i < n; i += 50 {
			fmt.Fprintf(&b, "%040x %s%s\n", i+1, headsPrefix, manyName(i))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "packed-refs"), b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// emptyRepo makes what Open takes for a Git directory.
func emptyRepo(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "refs", "heads"), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFS220_ManyBranches opens, lists and changes 100,000 packed branches.
func TestFS220_ManyBranches(t *testing.T) {
	dir := emptyRepo(t)
	writePacked(t, dir, many)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	db := openDB(t, dir)
	all, err := db.Branches(t.Context())
	if err != nil || len(all) != many {
		t.Fatalf("%d branches, %v, want %d", len(all), err, many)
	}
	if got := head(t, db, manyName(77_777)); got.String() != fmt.Sprintf("%040x", 77_778) {
		t.Errorf("head is %s", got)
	}
	all = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := after.HeapAlloc - before.HeapAlloc; used > 20<<20 {
		t.Errorf("%d branches take %d bytes of memory", many, used)
	} else {
		t.Logf("%d branches take %.1f MB of memory", many, float64(used)/1e6)
	}
	u := up(manyName(5), head(t, db, manyName(5)), zero)
	mustApply(t, db, u)
	if all, err := db.Branches(t.Context()); err != nil || len(all) != many-1 {
		t.Errorf("%d branches, %v, want %d", len(all), err, many-1)
	}
}

func BenchmarkOpenManyPacked(b *testing.B) {
	dir := emptyRepo(b)
	writePacked(b, dir, many)
	for b.Loop() {
		db, err := Open(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		<-db.loaded
		db.Close()
	}
}

func BenchmarkOpenManyLoose(b *testing.B) {
	dir := emptyRepo(b)
	makeLoose(b, dir, many)
	b.ResetTimer()
	for b.Loop() {
		db, err := Open(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		<-db.loaded
		db.Close()
	}
}

func makeLoose(t testing.TB, dir string, n int) {
	t.Helper()
	for i := range n {
		path := filepath.Join(dir, "refs", "heads", manyName(i))
		if i < 50 {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "%040x\n", i+1), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkBranches(b *testing.B) {
	for _, kind := range []string{"packed", "loose"} {
		b.Run(kind, func(b *testing.B) {
			dir := emptyRepo(b)
			if kind == "packed" {
				writePacked(b, dir, many)
			} else {
				makeLoose(b, dir, many)
			}
			db := openDB(b, dir)
			<-db.loaded
			for b.Loop() {
				if all, err := db.Branches(b.Context()); err != nil || len(all) != many {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}

func BenchmarkHead(b *testing.B) {
	dir := emptyRepo(b)
	writePacked(b, dir, many)
	db := openDB(b, dir)
	mustApplyB(b, db, []store.Update{up("loose", zero, datakit.Hash{1})})
	if _, err := db.Branches(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"loose", manyName(77_777), "none"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Head(b.Context(), name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("any packed", func(b *testing.B) {
		var list []string
		for i := range 1 << 14 {
			list = append(list, manyName(i*7919%many))
		}
		i := 0
		for b.Loop() {
			i++
			db.Head(b.Context(), list[i%len(list)])
		}
	})
}

func mustApplyB(b *testing.B, db *DB, updates []store.Update) {
	b.Helper()
	for _, err := range db.Prepare(b.Context(), updates).Apply() {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate moves branches in groups, and compares with git.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := openDB(b, emptyRepo(b))
			updates := make([]store.Update, n)
			for i := range updates {
				updates[i] = up(fmt.Sprintf("b%d", i), zero, datakit.Hash{1})
			}
			mustApplyB(b, db, updates)
			var prepare time.Duration
			for b.Loop() {
				for i := range updates {
					updates[i].Old = updates[i].New
					updates[i].New[5]++
				}
				start := time.Now()
				p := db.Prepare(b.Context(), updates)
				prepare += time.Since(start)
				for _, err := range p.Apply() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(prepare.Microseconds())/float64(b.N), "µs-prepare/op")
		})
	}
}

// BenchmarkGitUpdate lets one git process move a branch as BenchmarkUpdate
// does, with the same flushes.
func BenchmarkGitUpdate(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir, c := newRepo(b)
			cmd := exec.Command("git", "-c", "core.fsync=reference", "update-ref", "--stdin")
			cmd.Dir = dir
			in, err := cmd.StdinPipe()
			if err != nil {
				b.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				b.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			replies := bufio.NewReader(out)
			i := 0
			for b.Loop() {
				i++
				fmt.Fprintln(in, "start")
				for k := range n {
					fmt.Fprintf(in, "update refs/heads/b%d %s\n", k, c[i%2])
				}
				fmt.Fprintln(in, "commit")
				for range 2 {
					if _, err := replies.ReadString('\n'); err != nil {
						b.Fatal(err)
					}
				}
			}
			in.Close()
			cmd.Wait()
		})
	}
}
