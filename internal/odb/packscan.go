package odb

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// damaged returns the name of an index that cannot be read, or "".
func (d *packDir) damaged() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for name := range d.broken {
		return name
	}
	return ""
}

// rescan compares the list with the directory, if that has changed since, or
// always with force.
func (d *packDir) rescan(force bool) error {
	d.scanMu.Lock()
	defer d.scanMu.Unlock()
	stamp, err := stampOf(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // an alternate without packs
	}
	if err != nil || !force && stamp.same(d.stamp) {
		return err
	}
	listed := d.names()
	names, err := packNames(d.path)
	if err == nil && len(missing(listed, names)) > 0 {
		// What replaced them was there before they went, but a directory
		// that changes while it is read may show neither.
		names, err = packNames(d.path)
	}
	if err != nil {
		return err
	}
	d.stamp = stamp
	d.addNew(names)
	if gone := missing(listed, names); len(gone) > 0 {
		d.drop(gone)
	}
	return nil
}

// names returns the packs that are known, readable or not.
func (d *packDir) names() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.AppendSeq(slices.Collect(maps.Keys(d.packs)), maps.Keys(d.broken))
}

// missing returns those of listed that are not among names.
func missing(listed []string, names map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return names[name] })
}

// addNew lists the packs that are not listed yet.
func (d *packDir) addNew(names map[string]bool) {
	for name := range names {
		d.mu.RLock()
		known := d.packs[name] != nil
		d.mu.RUnlock()
		if known {
			continue
		}
		p, err := openPack(filepath.Join(d.path, name))
		if err == nil {
			d.add(p)
		}
		d.remember(name, err)
	}
}

// remember keeps in mind which indexes cannot be read. One that has gone is
// none of them.
func (d *packDir) remember(name string, err error) {
	d.mu.Lock()
	known := d.broken[name]
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		delete(d.broken, name)
	} else {
		d.broken[name] = true
	}
	d.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !known {
		d.log.Error("a pack cannot be read", "dir", d.path, "error", err)
	}
}

// packNames returns the names of packs with an index, without extensions.
func packNames(dir string) (map[string]bool, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for _, file := range files {
		if name, ok := strings.CutSuffix(file, ".idx"); ok && strings.HasPrefix(name, "pack-") {
			names[name] = true
		}
	}
	return names, nil
}
