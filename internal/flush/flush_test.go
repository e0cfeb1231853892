package flush

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFS8_FlushBegin(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("content"); err != nil {
		t.Fatal(err)
	}
	Begin(f)
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "content" {
		t.Errorf("after Begin the file is %q, %v", got, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Error(err)
	}
	Begin(f) // has no effect on a file that is closed
}

func TestFS8_FlushDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Dir(dir); err != nil {
		t.Error(err)
	}
	if err := Dir(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("flush of a directory that is not there: %v", err)
	}
}
