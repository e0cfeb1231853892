// Package fsx does random operations on the files of a transaction, and
// compares what comes out with a model, as the program fsx does for file
// systems.
package fsx

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A tree is what operations are done on: the directory rw of a transaction.
// Files are named by paths of one or two steps.
type tree interface {
	// create makes an empty file, or replaces one.
	create(name string) error

	read(name string, off int64, n int) ([]byte, error)
	write(name string, off int64, data []byte) error
	append(name string, data []byte) error
	truncate(name string, size int64) error
	rename(from, to string) error
	remove(name string) error
	size(name string) (int64, error)
	list() ([]string, error)

	// renew commits the transaction and goes on in another one.
	renew() error
}

// What files can be called, and how long they can become.
var names = []string{"a", "b", "c", "dir/a", "dir/b", "dir/c", "e", "f"} // sorted

const (
	maxSize  = 60_000
	maxPiece = 8_000
)

// An fsx does random operations.
type fsx struct {
	tree  tree
	rng   *rand.Rand
	model map[string][]byte
	log   []string // the last operations
}

// operations are what an fsx does, each as often as its weight says.
var operations = []struct {
	weight int
	do     func(*fsx) error
}{
	{30, (*fsx).read},
	{25, (*fsx).write},
	{12, (*fsx).append},
	{10, (*fsx).truncate},
	{8, (*fsx).rename},
	{6, (*fsx).create},
	{3, (*fsx).remove},
	{5, (*fsx).size},
}

// checkEvery and renewEvery say after how many operations everything is
// compared, and the transaction committed.
const (
	checkEvery = 500
	renewEvery = 2_000
)

// run does n operations.
func run(t tree, seed uint64, n int) error {
	f := &fsx{tree: t, rng: rand.New(rand.NewPCG(seed, 1)), model: make(map[string][]byte)}
	for i := range n {
		if err := f.step(i); err != nil {
			return fmt.Errorf("operation %d, seed %d: %w, after\n%s", i, seed, err, strings.Join(f.log, "\n"))
		}
	}
	return f.check()
}

func (f *fsx) step(i int) error {
	if i%checkEvery == checkEvery-1 {
		if err := f.check(); err != nil {
			return err
		}
	}
	if i%renewEvery == renewEvery-1 {
		f.note("renew")
		return f.tree.renew()
	}
	at := f.rng.IntN(100)
	for _, op := range operations {
		if at -= op.weight; at < 0 {
			return op.do(f)
		}
	}
	return f.read()
}

// note remembers an operation, for the message of a failure.
func (f *fsx) note(format string, args ...any) {
	const kept = 30
	f.log = append(f.log, fmt.Sprintf(format, args...))
	f.log = f.log[max(0, len(f.log)-kept):]
}

// name returns the name of a file, which exists if there is any.
func (f *fsx) name() (string, bool) {
	have := f.names()
	if len(have) == 0 {
		return "", false
	}
	return have[f.rng.IntN(len(have))], true
}

// names returns the names of all files.
func (f *fsx) names() []string {
	var have []string
	for _, name := range names {
		if _, ok := f.model[name]; ok {
			have = append(have, name)
		}
	}
	return have
}

// piece returns some data, mostly little.
func (f *fsx) piece() []byte {
	n := f.rng.IntN(200)
	if f.rng.IntN(4) == 0 {
		n = f.rng.IntN(maxPiece)
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = byte('a' + f.rng.IntN(26))
	}
	return p
}

func (f *fsx) read() error {
	name, ok := f.name()
	if !ok {
		return f.create()
	}
	content := f.model[name]
	off, n := int64(f.rng.IntN(len(content)+1)), f.rng.IntN(maxPiece)
	f.note("read %s at %d, %d bytes", name, off, n)
	got, err := f.tree.read(name, off, n)
	if err != nil {
		return err
	}
	return differ(name, off, got, content[off:min(off+int64(n), int64(len(content)))])
}

func (f *fsx) write() error {
	name, ok := f.name()
	if !ok {
		return f.create()
	}
	content, p := f.model[name], f.piece()
	off := f.rng.IntN(min(len(content)+1000, maxSize)) // also beyond the end
	f.note("write %s at %d, %d bytes", name, off, len(p))
	if len(p) > 0 {
		f.model[name] = splice(content, off, p)
	}
	return f.tree.write(name, int64(off), p)
}

// splice returns content with p at off.
func splice(content []byte, off int, p []byte) []byte {
	if need := off + len(p); need > len(content) {
		content = append(content, make([]byte, need-len(content))...)
	}
	copy(content[off:], p)
	return content
}

func (f *fsx) append() error {
	name, ok := f.name()
	if !ok || len(f.model[name]) > maxSize {
		return f.create()
	}
	p := f.piece()
	f.note("append to %s, %d bytes", name, len(p))
	f.model[name] = append(f.model[name], p...)
	return f.tree.append(name, p)
}

func (f *fsx) truncate() error {
	name, ok := f.name()
	if !ok {
		return f.create()
	}
	content := f.model[name]
	size := f.rng.IntN(len(content) + 1)
	if f.rng.IntN(3) == 0 {
		size = min(len(content)+f.rng.IntN(maxPiece), maxSize)
	}
	f.note("truncate %s to %d", name, size)
	if size <= len(content) {
		f.model[name] = content[:size:size]
	} else {
		f.model[name] = append(content, make([]byte, size-len(content))...)
	}
	return f.tree.truncate(name, int64(size))
}

func (f *fsx) rename() error {
	from, ok := f.name()
	to := names[f.rng.IntN(len(names))]
	if !ok || from == to {
		return f.create()
	}
	f.note("rename %s to %s", from, to)
	f.model[to] = f.model[from]
	delete(f.model, from)
	return f.tree.rename(from, to)
}

func (f *fsx) create() error {
	name := names[f.rng.IntN(len(names))]
	f.note("create %s", name)
	f.model[name] = nil
	return f.tree.create(name)
}

func (f *fsx) remove() error {
	name, ok := f.name()
	if !ok {
		return f.create()
	}
	f.note("remove %s", name)
	delete(f.model, name)
	return f.tree.remove(name)
}

func (f *fsx) size() error {
	name, ok := f.name()
	if !ok {
		return f.create()
	}
	f.note("size of %s", name)
	got, err := f.tree.size(name)
	if err == nil && got != int64(len(f.model[name])) {
		err = fmt.Errorf("%s has %d bytes, want %d", name, got, len(f.model[name]))
	}
	return err
}

// check compares everything.
func (f *fsx) check() error {
	list, err := f.tree.list()
	if err != nil {
		return err
	}
	slices.Sort(list)
	if want := f.names(); !slices.Equal(list, want) {
		return fmt.Errorf("there are the files %q, want %q", list, want)
	}
	for _, name := range list {
		got, err := f.tree.read(name, 0, 2*maxSize)
		if err != nil {
			return err
		}
		if err := differ(name, 0, got, f.model[name]); err != nil {
			return err
		}
	}
	return nil
}

// differ says what is wrong with what was read at off.
func differ(name string, off int64, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	if len(got) != len(want) {
		return fmt.Errorf("read %d bytes of %s at %d, want %d", len(got), name, off, len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("%s has %q at %d, want %q", name, got[i], off+int64(i), want[i])
		}
	}
	return errors.New("impossible")
}
