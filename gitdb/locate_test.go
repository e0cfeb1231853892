package gitdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

// TestFS1_PathOfFile: the error says what is wrong, not what was looked for.
func TestFS1_PathOfFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	db, err := gitdb.Open(path, nil)
	if err == nil {
		db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), path+": this is a file") {
		t.Errorf("error %v, want one that names the file", err)
	}
}

// TestFS3_MustExist: who only wants to look makes no repository by a typing
// error.
func TestFS3_MustExist(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := &gitdb.Options{MustExist: true}
	if _, err := gitdb.Open(dir, opts); !errors.Is(err, datakit.NotExist) {
		t.Errorf("error %v, want one of kind %v", err, datakit.NotExist)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("made %v, error %v", entries, err)
	}
	for _, o := range []*gitdb.Options{nil, opts} {
		db, err := gitdb.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
}
