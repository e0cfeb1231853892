// Package npmfile lets tests read published files, such as GitHub's examples of
// webhooks, out of packages of the npm registry. It needs the program npm; what
// it has fetched once is kept below the user's cache folder.
package npmfile

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	fetchTime = 60 * time.Second // to fetch a package
	maxFile   = 64 << 20         // the largest file that is read, in bytes
)

// Read returns a file of a version of a package, such as "package.json" of
// "@octokit/openapi" "23.0.2". It skips the test, with the reason, if the file
// cannot be had.
func Read(t testing.TB, pkg, version, file string) []byte {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no folder to keep %s of %s in: %v", file, pkg, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), fetchTime)
	defer cancel()
	data, err := read(ctx, filepath.Join(cache, "datakit", "npm"), pkg, version, file)
	if err != nil {
		t.Skipf("needs %s of the npm package %s@%s: %v", file, pkg, version, err)
	}
	return data
}

// read returns the file from the folder of kept files, where it is put first if
// it is not there.
func read(ctx context.Context, cache, pkg, version, file string) ([]byte, error) {
	if !filepath.IsLocal(file) || !filepath.IsLocal(pkg) || version == "" || strings.ContainsAny(version, `/\`) {
		return nil, fmt.Errorf("%s@%s: %s: not the name of a file in a package", pkg, version, file)
	}
	kept := filepath.Join(cache, filepath.FromSlash(pkg)+"@"+version, filepath.FromSlash(file))
	data, err := os.ReadFile(kept)
	if !errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	archive, clean, err := pack(ctx, pkg+"@"+version)
	if err != nil {
		return nil, err
	}
	defer clean()
	if data, err = extract(archive, file); err != nil {
		return nil, err
	}
	return data, keep(kept, data)
}

// pack fetches the archive of a package into a folder of its own, which clean
// removes.
func pack(ctx context.Context, spec string) (archive string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "npmfile-")
	if err != nil {
		return "", nil, err
	}
	clean = func() { os.RemoveAll(dir) }
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", "--", spec)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("npm pack: %w: %.200s", err, strings.TrimSpace(string(out)))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		clean()
		return "", nil, fmt.Errorf("npm pack has left %d archives", len(found))
	}
	return found[0], clean, nil
}

// extract returns a file of a package from its archive, in which all paths
// start with "package/".
func extract(archive, file string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("the package has no file %s", file)
		}
		if err != nil {
			return nil, err
		}
		if h.Name != path.Join("package", file) || h.Typeflag != tar.TypeReg {
			continue
		}
		if h.Size > maxFile {
			return nil, fmt.Errorf("%s has %d bytes, more than %d", file, h.Size, maxFile)
		}
		return io.ReadAll(tr)
	}
}

// keep writes a file in one step, since other tests may do the same now.
func keep(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // without effect once renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
