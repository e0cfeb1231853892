package odb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// specialPacks returns the packs that git has plans for, by name: those with a
// file beside them that says so (kept, cruft, of a partial clone, with a
// bitmap), and those that a multi-pack index leads to.
func specialPacks(dir string) (map[string]bool, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	special := make(map[string]bool)
	for _, f := range files {
		name, ext, _ := strings.Cut(f.Name(), ".")
		switch ext {
		case "keep", "promisor", "bitmap", "mtimes":
			special[name] = true
		}
	}
	return special, addMultiPack(special, dir)
}

// addMultiPack adds the packs of the multi-pack index, or of the chain of
// them.
func addMultiPack(special map[string]bool, dir string) error {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), "multi-pack-index.d", "*.midx"))
	if err != nil {
		return err
	}
	for _, path := range append(paths, filepath.Join(dir, "multi-pack-index")) {
		names, err := multiPackNames(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(string(names), "\x00") {
			special[strings.TrimSuffix(name, ".idx")] = true
		}
	}
	return nil
}

func escapeGlob(path string) string {
	if os.PathSeparator == '\\' {
		return path // there is no escape, and nobody uses brackets
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

var errMultiPack = errors.New("malformed multi-pack index")

// multiPackNames returns the names of packs in a multi-pack index, each
// followed by NUL. The file begins with a header of 12 bytes, whose seventh is
// the number of chunks, and a table of them: an identifier of 4 bytes and an
// offset of 8 each, and at last one that tells the end.
func multiPackNames(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var header [12]byte
	if _, err := io.ReadFull(f, header[:]); err != nil || string(header[:4]) != "MIDX" {
		return nil, errMultiPack
	}
	table := make([]byte, 12*(int(header[6])+1))
	if _, err := io.ReadFull(f, table); err != nil {
		return nil, errMultiPack
	}
	for ; len(table) >= 24; table = table[12:] {
		if !bytes.HasPrefix(table, []byte("PNAM")) {
			continue
		}
		off, end := int64(binary.BigEndian.Uint64(table[4:])), int64(binary.BigEndian.Uint64(table[16:]))
		if off < 0 || end < off || end-off > 1<<24 {
			return nil, errMultiPack
		}
		names := make([]byte, end-off)
		_, err := f.ReadAt(names, off)
		return names, err
	}
	return nil, errMultiPack
}
