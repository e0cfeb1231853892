package gitdb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
