package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/datakit/datakit/internal/flush"
)

// A bare is what a file system is asked for by a commit, and nothing else: a
// pack, its index and a reference become durable under temporary names, and
// then are moved into place so that the reference comes last. What takes less
// is no ordinary repository.
type bare struct {
	dir string
	n   int
}

func newBare(e *env) (*bare, error) {
	dir, err := e.temp("bare")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"new", "pack", "heads"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			return nil, err
		}
	}
	return &bare{dir: dir}, nil
}

// rate returns how many commits a second it could be at most, one after the
// other.
func (b *bare) rate(turn time.Duration) (float64, error) { return rate(turn, b.commit) }

func (b *bare) commit() error {
	b.n++
	pack, index, ref := b.temp("pack"), b.temp("idx"), b.temp("ref")
	if err := writeAll(map[string]int{pack: 512, index: 1200, ref: 41}); err != nil {
		return err
	}
	base := filepath.Join(b.dir, "pack", strconv.Itoa(b.n))
	err := errors.Join(
		os.Rename(pack, base+".pack"),
		os.Rename(index, base+".idx"),
		flush.Dir(filepath.Join(b.dir, "pack")))
	if err != nil {
		return err
	}
	heads := filepath.Join(b.dir, "heads")
	return errors.Join(os.Rename(ref, filepath.Join(heads, "one")), flush.Dir(heads))
}

func (b *bare) temp(ext string) string {
	return filepath.Join(b.dir, "new", strconv.Itoa(b.n)+"."+ext)
}

// writeAll makes files of the given sizes, and has all under way to the disk
// before it waits for one.
func writeAll(sizes map[string]int) (err error) {
	var files []*os.File
	for name, size := range sizes {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Write(make([]byte, size)); err != nil {
			return err
		}
		flush.Begin(f)
		files = append(files, f)
	}
	for _, f := range files {
		err = errors.Join(err, f.Sync())
	}
	return err
}
