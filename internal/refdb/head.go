package refdb

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// InitHead makes HEAD of a Git directory a symbolic reference to a branch if
// there is no HEAD. One that exists is left alone.
func InitHead(gitDir, branch string) error {
	if err := initHead(gitDir, branch, &disk{}); err != nil {
		return ioError("create", "HEAD", err)
	}
	return nil
}

func initHead(gitDir, branch string, d *disk) error {
	head := filepath.Join(gitDir, "HEAD")
	if _, err := os.Lstat(head); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.create(filepath.Join(gitDir, "HEAD-"+rand.Text()[:12]))
	if err != nil {
		return err
	}
	defer d.remove(f.Name())
	if err := d.write(f, "ref: ", headsPrefix, branch, "\n"); err != nil {
		return err
	}
	if err := d.linkNew(f.Name(), head); err != nil {
		return err
	}
	return d.syncDir(gitDir)
}

// linkNew gives a file another name, unless there is a file of that name: then
// that is left alone.
func (d *disk) linkNew(from, to string) error {
	err := d.link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// There may be no hard links here. Between these two lines nobody but
	// another InitHead makes a HEAD.
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.rename(from, to)
}
