package dbtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/datakit/datakit"
)

var concurrencyChecks = []check{
	{"FS215_CommitsToOneBranch", commitsToOneBranch},
	{"FS215_CommitsToOneDirectory", commitsToOneDirectory},
	{"FS98_CommitsToManyBranches", commitsToManyBranches},
	{"CL119_CountersDoNotLose", countersDoNotLose},
	{"FS32_HeadsAreLinear", headsAreLinear},
	{"CL5_ReadersBesideWriters", readersBesideWriters},
	{"CL5_OneTransactionByMany", oneTransactionByMany},
	{"CL5_SharedValues", sharedValues},
	{"FS142_WholeWrites", wholeWrites},
}

// atOnce runs f n times at the same time, and waits. The calls begin together.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// many is how many transactions are committed at once.
func (e *env) many() int { return e.sized(200, 32) }

// commitAll commits one new file each from many transactions that all began
// from the same head, and returns all files.
func commitAll(e *env, branch func(i int) string, path func(i int) datakit.Path) files {
	var txs []*txn
	fs := files{}
	for i := range e.many() {
		tx := e.begin(branch(i))
		tx.write(path(i), string(path(i)))
		txs = append(txs, tx)
		fs[path(i)] = normal(string(path(i)))
	}
	atOnce(len(txs), func(i int) {
		if err := txs[i].Commit(e.ctx, "m"); err != nil {
			e.Errorf("commit %d: %v", i, err)
		}
	})
	return fs
}

func commitsToOneBranch(e *env) {
	first := e.put("master", files{"f": normal("x")})
	fs := commitAll(e,
		func(int) string { return "master" },
		func(i int) datakit.Path { return datakit.Path(fmt.Sprintf("d%d/file", i)) })
	fs["f"] = normal("x")
	h := e.head("master")
	e.wantFiles("master", e.treeOf(h), fs)
	if got := e.commitOf(h).TreeID; got != treeHash(fs) {
		e.Errorf("the tree is %v, want %v", got, treeHash(fs))
	}
	if !e.isAncestor(first, h) {
		e.Error("the first head is not in the history of the last")
	}
}

func commitsToOneDirectory(e *env) {
	fs := commitAll(e,
		func(int) string { return "master" },
		func(i int) datakit.Path { return datakit.Path(fmt.Sprintf("d/e/file%d", i)) })
	e.wantFiles("master", e.tree("master"), fs)
}

func commitsToManyBranches(e *env) {
	name := func(i int) string { return fmt.Sprintf("group%d/branch%d", i%7, i) }
	path := func(i int) datakit.Path { return datakit.Path(fmt.Sprintf("file%d", i)) }
	commitAll(e, name, path)
	for i := range e.many() {
		e.wantFiles(name(i), e.tree(name(i)), files{path(i): normal(string(path(i)))})
	}
	names, err := e.db.Branches(e.ctx)
	e.ok(err)
	if len(names) != e.many() {
		e.Errorf("there are %d branches, want %d", len(names), e.many())
	}
}

// countersDoNotLose has writers append to one file. They conflict, try again,
// and each line is there once at the end.
func countersDoNotLose(e *env) {
	const writers, each = 4, 5
	b := e.db.Branch("master")
	e.put("master", files{"log": normal("")})
	atOnce(writers, func(i int) {
		for j := range each {
			line := fmt.Sprintf("%d.%d\n", i, j)
			err := error(datakit.Conflict)
			for datakit.KindOf(err) == datakit.Conflict && err != nil {
				err = b.Update(e.ctx, "log", func(tx *datakit.Tx) error {
					entry, err := tx.Stat(e.ctx, "log")
					if err != nil {
						return err
					}
					return tx.WriteAt(e.ctx, "log", []byte(line), entry.Size)
				})
			}
			if err != nil {
				e.Errorf("writer %d: %v", i, err)
			}
		}
	})
	data := e.content(e.tree("master"), "log")
	for i := range writers {
		for j := range each {
			wantOnce(e, data, fmt.Sprintf("%d.%d\n", i, j))
		}
	}
}

// headsAreLinear has readers ask for the head while it moves. What each sees
// is in the order of the reflog, and a writer sees its own commit.
func headsAreLinear(e *env) {
	const writers, readers, each = 4, 3, 10
	log := e.reflog("master")
	done := make(chan struct{})
	seen := make([][]datakit.Hash, readers)
	var reading sync.WaitGroup
	for i := range readers {
		reading.Go(func() { seen[i] = pollHeads(e, "master", done) })
	}
	atOnce(writers, func(i int) {
		for j := range each {
			path := datakit.Path(fmt.Sprintf("%d-%d", i, j))
			if err := e.addFile("master", path); err != nil {
				e.Errorf("commit of %s: %v", path, err)
				return
			}
			if err := e.checkVisible("master", path); err != nil {
				e.Errorf("after the commit of %s: %v", path, err)
			}
		}
	})
	close(done)
	reading.Wait()
	order := map[datakit.Hash]int{{}: 0}
	for last, n := e.head("master"), 1; order[last] == 0; n++ {
		h, err := log.Next(e.ctx)
		e.ok(err)
		order[h] = n
	}
	for _, heads := range seen {
		for i, h := range heads {
			if n, ok := order[h]; !ok || i > 0 && n <= order[heads[i-1]] {
				e.Fatalf("a reader sees head %v, which is number %d of the reflog, after number %d", h, n, order[heads[max(0, i-1)]])
			}
		}
	}
}

// pollHeads returns the heads that a reader sees until done, each once in a
// row.
func pollHeads(e *env, branch string, done <-chan struct{}) (heads []datakit.Hash) {
	for {
		h, err := e.db.Branch(branch).Head(e.ctx)
		if err != nil {
			e.Errorf("Head: %v", err)
			return heads
		}
		if len(heads) == 0 || heads[len(heads)-1] != h {
			heads = append(heads, h)
		}
		select {
		case <-done:
			return heads
		default:
		}
	}
}

// checkVisible fails if path is not there for a reader that begins now. It may
// be called from any goroutine.
func (e *env) checkVisible(branch string, path datakit.Path) error {
	t, err := e.db.Branch(branch).Tree(e.ctx)
	if err != nil {
		return err
	}
	_, err = t.Lookup(e.ctx, path)
	return err
}

// readersBesideWriters: each reader sees some commit as a whole.
func readersBesideWriters(e *env) {
	const rounds = 30
	all := []datakit.Path{"a", "b/c", "d/e/f"}
	write := func(n int) files {
		fs := files{}
		for _, path := range all {
			fs[path] = normal(fmt.Sprint(n))
		}
		return fs
	}
	e.put("master", write(0))
	done := make(chan struct{})
	var reading sync.WaitGroup
	for range 3 {
		reading.Go(func() {
			for {
				if err := checkWhole(e, all); err != nil {
					e.Errorf("a reader: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range rounds {
		e.put("master", write(n+1))
	}
	close(done)
	reading.Wait()
}

// checkWhole fails if the files of the head differ from each other.
func checkWhole(e *env, all []datakit.Path) error {
	t, err := e.db.Branch("master").Tree(e.ctx)
	if err != nil {
		return err
	}
	first, err := t.ReadFile(e.ctx, all[0])
	if err != nil {
		return err
	}
	for _, path := range all[1:] {
		data, err := t.ReadFile(e.ctx, path)
		if err != nil {
			return err
		}
		if string(data) != string(first) {
			return fmt.Errorf("%s has %q, but %s has %q", path, data, all[0], first)
		}
	}
	return nil
}

// oneTransactionByMany edits and reads one transaction from many goroutines.
func oneTransactionByMany(e *env) {
	tx := e.begin("master")
	const writers, each = 8, 20
	atOnce(writers, func(i int) {
		dir := datakit.Path(fmt.Sprintf("d%d", i))
		for j := range each {
			path := dir.Join(datakit.Path(fmt.Sprintf("f%d", j)))
			for _, err := range []error{
				tx.MkdirAll(e.ctx, dir),
				tx.WriteFile(e.ctx, path, []byte("before")),
				tx.WriteAt(e.ctx, path, []byte("AFTER"), 1),
				tx.Rename(e.ctx, path, path+".txt"),
				second(tx.Lookup(e.ctx, path+".txt")),
				second(tx.ReadDir(e.ctx, datakit.Root)),
				second(tx.Conflicts(e.ctx)),
				second(tx.Parents(e.ctx)),
			} {
				if err != nil {
					e.Errorf("%s: %v", path, err)
				}
			}
		}
	})
	want := files{}
	for i := range writers {
		for j := range each {
			want[datakit.Path(fmt.Sprintf("d%d/f%d.txt", i, j))] = normal("bAFTER")
		}
	}
	tx.wantFiles(want)
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), want)
}

// sharedValues uses the same commit, tree and transaction's merge from many
// goroutines.
func sharedValues(e *env) {
	h := e.put("master", sample)
	other := e.put("other", files{"more": normal("x")})
	c, t := e.commitOf(h), e.treeOf(h)
	tx := e.begin("master")
	m := tx.merge(other)
	atOnce(8, func(int) {
		for _, tree := range []*datakit.Tree{t, m.Ours, t.Sub("src"), m.Theirs, &tx.Tree} {
			if _, err := tree.ReadDir(e.ctx, datakit.Root); err != nil {
				e.Errorf("ReadDir: %v", err)
			}
		}
		again, err := e.db.Commit(e.ctx, h)
		if err != nil || again.TreeID != c.TreeID {
			e.Errorf("Commit: %+v, %v", again, err)
			return
		}
		if _, err := again.Diff(e.ctx, other); err != nil {
			e.Errorf("Diff: %v", err)
		}
		if data, err := t.ReadFile(e.ctx, "src/a/b"); string(data) != "deep" || err != nil {
			e.Errorf("ReadFile: %q, %v", data, err)
		}
	})
}

// wholeWrites: writes to one place of one file are not mixed.
func wholeWrites(e *env) {
	tx := e.begin("master")
	const size = 10_000
	tx.write("f", string(make([]byte, size)))
	atOnce(8, func(i int) {
		p := make([]byte, size)
		for j := range p {
			p[j] = 'a' + byte(i)
		}
		for range 10 {
			if err := tx.WriteAt(e.ctx, "f", p, 0); err != nil {
				e.Errorf("WriteAt: %v", err)
			}
		}
	})
	data := e.content(&tx.Tree, "f")
	for i := range data {
		if data[i] != data[0] {
			e.Fatalf("byte %d is %q, but the first %q", i, data[i], data[0])
		}
	}
}

// wantOnce reports a text that does not contain part exactly once.
func wantOnce(e *env, text, part string) {
	e.Helper()
	if n := strings.Count(text, part); n != 1 {
		e.Errorf("%q is there %d times, want once", part, n)
	}
}
