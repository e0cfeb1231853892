package npmfile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// fakeNPM puts a program npm first in the path, which answers "npm pack" with
// an archive that holds one file.
func fakeNPM(t *testing.T, name, content string) {
	t.Helper()
	dir := t.TempDir()
	var archive bytes.Buffer
	zw := gzip.NewWriter(&archive)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	tw.Write([]byte(content))
	tw.Close()
	zw.Close()
	if err := os.WriteFile(filepath.Join(dir, "a"), archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n[ \"$1 $5\" = 'pack p@1' ] && exec cp '" + dir + "/a' p-1.tgz\necho no such package >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestRead(t *testing.T) {
	fakeNPM(t, "package/a/b.json", "{}")
	cache := t.TempDir()
	for range 2 { // from the registry, then from the cache
		got, err := read(t.Context(), cache, "p", "1", "a/b.json")
		if err != nil || string(got) != "{}" {
			t.Fatalf("read = %q, %v", got, err)
		}
		t.Setenv("PATH", "/bin:/usr/bin-without-npm")
	}
	left, _ := filepath.Glob(filepath.Join(cache, "p@1", "a", ".*"))
	if len(left) != 0 {
		t.Errorf("files left over: %q", left)
	}
}

func TestReadFails(t *testing.T) {
	fakeNPM(t, "package/a", "x")
	for _, tt := range []struct{ pkg, version, file string }{
		{"p", "2", "a"},
		{"p", "1", "b"},
		{"../p", "1", "a"},
		{"p", "../1", "a"},
		{"p", "1", "../a"},
	} {
		if got, err := read(t.Context(), t.TempDir(), tt.pkg, tt.version, tt.file); err == nil {
			t.Errorf("read %v = %q, want an error", tt, got)
		}
	}
}

func TestRegistry(t *testing.T) {
	if got := Read(t, "@octokit/webhooks-examples", "7.6.1", "package.json"); !bytes.Contains(got, []byte("webhooks-examples")) {
		t.Errorf("package.json is %.200q", got)
	}
}
