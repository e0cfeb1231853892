//go:build linux || darwin

package fuse_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// begin opens a transaction and returns the path of its rw.
func (m *mount) begin() string {
	m.t.Helper()
	m.sh("mkdir -p branch/b && mkdir branch/b/transactions/t")
	return filepath.Join(m.dir, "branch/b/transactions/t/rw")
}

// must fails the test if there is an error.
func (m *mount) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func TestFS113_FS114_OpenFilesFollowTheirEntries(t *testing.T) {
	t.Parallel()
	m := start(t)
	rw := m.begin()
	m.sh("cd branch/b/transactions/t/rw && mkdir d && echo one >d/f && echo two >g")
	f, err := os.OpenFile(filepath.Join(rw, "d/f"), os.O_RDWR, 0)
	m.must(err)
	defer f.Close()
	m.must(os.Rename(filepath.Join(rw, "d"), filepath.Join(rw, "e")))
	m.must(os.Rename(filepath.Join(rw, "e/f"), filepath.Join(rw, "h")))
	_, err = f.WriteAt([]byte("ONE"), 0)
	m.must(err)
	m.is("cd branch/b/transactions/t/rw && cat h && ls", "ONE\ne\ng\nh")
	info, err := f.Stat()
	m.must(err)
	if byName, err := os.Stat(filepath.Join(rw, "h")); err != nil || !os.SameFile(info, byName) {
		t.Errorf("the renamed file is another one (%v)", err)
	}
	m.must(os.Rename(filepath.Join(rw, "g"), filepath.Join(rw, "h"))) // replaces it
	m.is("cat branch/b/transactions/t/rw/h", "two")
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("write to a replaced file: %v", err)
	}
	m.is("cat branch/b/transactions/t/rw/h", "two")
}

func TestFS112_RenameRefused(t *testing.T) {
	t.Parallel()
	m := start(t)
	rw := m.begin()
	m.sh("cd branch/b/transactions/t/rw && mkdir d full && echo x >f && echo x >full/x")
	for _, tt := range []struct {
		from, to string
		want     error
	}{
		{"f", "full", syscall.EISDIR},
		{"d", "full", syscall.EISDIR},
		{"none", "x", syscall.ENOENT},
		{"f", "../msg", syscall.EXDEV},
		{"f", ".git", syscall.EINVAL},
		{"full", "full/x/y", syscall.ENOTDIR},
	} {
		err := syscall.Rename(filepath.Join(rw, tt.from), filepath.Join(rw, tt.to))
		if !errors.Is(err, tt.want) {
			t.Errorf("rename %s to %s: %v, want %v", tt.from, tt.to, err, tt.want)
		}
	}
	m.is("cd branch/b/transactions/t/rw && mv -n f full/x; ls; cat full/x", "d\nf\nfull\nx")
}

func TestFS157_Append(t *testing.T) {
	t.Parallel()
	m := start(t)
	rw := m.begin()
	for _, name := range []string{"../msg", "f"} {
		path := filepath.Join(rw, name)
		a, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		m.must(err)
		defer a.Close()
		b, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		m.must(err)
		defer b.Close()
		for range 3 {
			for _, f := range []*os.File{a, b} {
				_, err := f.WriteString(map[*os.File]string{a: "a", b: "bb"}[f])
				m.must(err)
			}
		}
		if got, err := os.ReadFile(path); string(got) != "abbabbabb" || err != nil {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
	}
}

func TestFS217_Errnos(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f text")
	rw := m.begin()
	m.must(os.Mkdir(filepath.Join(rw, "d"), 0o755))
	m.must(os.WriteFile(filepath.Join(rw, "d/x"), nil, 0o644))
	at := func(name string) string { return filepath.Join(m.dir, name) }
	write := func(name, text string) error {
		f, err := os.OpenFile(at(name), os.O_WRONLY, 0) // never refused
		m.must(err)
		defer f.Close()
		_, err = f.WriteString(text)
		return err
	}
	const tx = "branch/b/transactions/t/"
	for what, tt := range map[string]struct{ got, want error }{
		"mkdir in the root":     {os.Mkdir(at("x"), 0o755), syscall.EROFS},
		"a branch's name":       {os.Mkdir(at("branch/bad..name"), 0o755), syscall.EINVAL},
		"a file as a branch":    {os.WriteFile(at("branch/x"), nil, 0o644), syscall.EPERM},
		"write to ro":           {write("branch/b/ro/f", "x"), syscall.EROFS},
		"write to a stream":     {write("branch/b/head.live", "x"), syscall.EROFS},
		"remove from ro":        {os.Remove(at("branch/b/ro/f")), syscall.EROFS},
		"truncate ro":           {os.Truncate(at("branch/b/ro/f"), 0), syscall.EROFS},
		"chmod of a command":    {os.Chmod(at(tx+"ctl"), 0o755), syscall.EPERM},
		"length of a command":   {os.Truncate(at(tx+"ctl"), 5), syscall.EINVAL},
		"an unknown command":    {write(tx+"ctl", "bogus"), syscall.EINVAL},
		"a transaction again":   {os.Mkdir(at(tx), 0o755), syscall.EEXIST},
		"rmdir of what is full": {syscall.Rmdir(at(tx + "rw/d")), syscall.ENOTEMPTY},
		"a name too long":       {os.Mkdir(at(tx+"rw/"+strings.Repeat("x", 256)), 0o755), syscall.ENAMETOOLONG},
		"a hard link":           {os.Link(at(tx+"rw/d/x"), at(tx+"rw/y")), syscall.EPERM},
		"a pipe":                {syscall.Mkfifo(at(tx+"rw/p"), 0o644), syscall.EPERM},
		"a length beyond all":   {os.Truncate(at(tx+"rw/d/x"), 1<<40), syscall.EFBIG},
		"exclusive": {func() error {
			_, err := os.OpenFile(at(tx+"rw/d/x"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
			return err
		}(), syscall.EEXIST},
		"a malformed hash":    {func() error { _, err := os.Stat(at("snapshots/x")); return err }(), syscall.ENOENT},
		"extended attributes": {func() error { _, err := unix.Getxattr(at(tx+"msg"), "user.x", nil); return err }(), syscall.EOPNOTSUPP},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", what, tt.got, tt.want)
		}
	}
}

// TestFS111_Executable: access(2) tells what chmod has made of a file.
func TestFS111_Executable(t *testing.T) {
	t.Parallel()
	m := start(t)
	path := filepath.Join(m.begin(), "f")
	m.must(os.WriteFile(path, []byte("#!/bin/sh\necho ran\n"), 0o644))
	const executable = 1 // X_OK
	if err := syscall.Access(path, executable); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a normal file: %v", err)
	}
	m.must(os.Chmod(path, 0o755))
	m.must(syscall.Access(path, executable))
	m.is("branch/b/transactions/t/rw/f", "ran")
}

// TestFS106_Mapped changes a file through memory that is mapped.
func TestFS106_Mapped(t *testing.T) {
	t.Parallel()
	m := start(t)
	path := filepath.Join(m.begin(), "f")
	m.must(os.WriteFile(path, []byte("hello, world"), 0o644))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	m.must(err)
	defer f.Close()
	p, err := syscall.Mmap(int(f.Fd()), 0, 12, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if errors.Is(err, syscall.ENODEV) {
		t.Skip("this kernel does not map files that it does not cache")
	}
	m.must(err)
	copy(p, "HELLO")
	m.must(syscall.Munmap(p))
	m.must(f.Sync())
	m.is("cat branch/b/transactions/t/rw/f", "HELLO, world")
}

func TestFS164_LargeFile(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.begin()
	m.sh(`cd branch/b/transactions/t && head -c 5000000 /dev/urandom >"$0.data" && cp "$0.data" rw/f &&
		cmp "$0.data" rw/f && echo commit >ctl && cd "$0" && cmp "$0.data" branch/b/ro/f &&
		cmp "$0.data" snapshots/$(cat branch/b/head)/ro/f && cmp "$0.data" snapshots/$(cat branch/b/head)/ro/f; s=$?; rm "$0.data"; exit $s`)
}
