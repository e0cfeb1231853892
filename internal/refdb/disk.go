package refdb

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/datakit/datakit/internal/flush"
)

// A disk carries out all that this package does to files.
type disk struct {
	noSync bool

	// before is called with each operation and its path before it is carried
	// out, unless it is nil; an error becomes the operation's. Tests make the
	// disk fail, or look at it, at any moment with it.
	before func(op, path string) error

	deaf bool // as if there were no notifications
}

func (d *disk) step(op, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(op, path)
}

// create makes a file that does not exist and opens it for writing.
func (d *disk) create(path string) (*os.File, error) {
	if err := d.step("create", path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// write writes content to f, flushes and closes it.
func (d *disk) write(f *os.File, content ...string) error {
	err := d.step("write", f.Name())
	for _, p := range content {
		if err == nil {
			_, err = f.WriteString(p)
		}
	}
	if err == nil && !d.noSync {
		flush.Begin(f)
		if err = d.step("sync", f.Name()); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}

func (d *disk) link(from, to string) error {
	if err := d.step("link", to); err != nil {
		return err
	}
	return os.Link(from, to)
}

func (d *disk) rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// remove removes a file. One that is gone is no error.
func (d *disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removeDir removes an empty directory. One that is gone is no error. It is
// not os.Remove, as that removes a branch that has come in its place.
func (d *disk) removeDir(path string) error {
	if err := d.step("rmdir", path); err != nil {
		return err
	}
	if err := syscall.Rmdir(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *disk) mkdir(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}

// syncDir makes the entries of a directory durable. One that is gone has
// none: another program has removed them.
func (d *disk) syncDir(path string) error {
	if d.noSync {
		return nil
	}
	if err := d.step("syncdir", path); err != nil {
		return err
	}
	if err := flush.Dir(path); !absent(err) {
		return err
	}
	return nil
}

func (d *disk) open(path string) (*os.File, error) {
	if err := d.step("open", path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

func (d *disk) readDir(path string) ([]fs.DirEntry, error) {
	if err := d.step("readdir", path); err != nil {
		return nil, err
	}
	return os.ReadDir(path)
}

func (d *disk) stat(path string) (fs.FileInfo, error) {
	if err := d.step("stat", path); err != nil {
		return nil, err
	}
	return os.Stat(path)
}

// absent reports whether err says that there is no file of the name asked for:
// there is nothing, or a file where a directory would have to be.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
