package gitdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit"
)

// put makes files, with the directories above them.
func put(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	put(t, map[string]string{
		at("tree", ".git", "HEAD"):                             "ref: refs/heads/master",
		at("tree", "sub", "file"):                              "text",
		at("tree", ".git", "worktrees", "linked", "commondir"): "../..\n",
		at("linked", ".git"):                                   "gitdir: ../tree/.git/worktrees/linked\n",
		at("module", ".git"):                                   "gitdir: " + at("modules", "m") + "\r\n",
		at("modules", "m", "HEAD"):                             "ref: refs/heads/master",
		at("broken", ".git"):                                   "text",
		at("bare", "HEAD"):                                     "ref: refs/heads/master",
		at("bare", "objects", "x"):                             "",
		at("bare", "refs", "x"):                                "",
	})
	for path, want := range map[string]string{
		at("tree"):   at("tree", ".git"),
		at("linked"): at("tree", ".git"),
		at("module"): at("modules", "m"),
		at("bare"):   at("bare"),
	} {
		if got, err := Find(path); got != want || err != nil {
			t.Errorf("Find(%s) = %s, %v, want %s", path, got, err, want)
		}
	}
	for path, want := range map[string]string{at("tree", "sub"): "no Git repository", at("none"): "no Git repository", at("bare", "HEAD"): "this is a file", at("broken"): "does not say"} {
		if _, err := Find(path); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, datakit.NotExist) != strings.HasPrefix(want, "no ") {
			t.Errorf("Find(%s): %v, want that it says %q", path, err, want)
		}
	}
}

func TestCheckFormat(t *testing.T) {
	t.Parallel()
	for config, ok := range map[string]bool{
		"": true,
		"[core]\n\trepositoryformatversion = 1\n":                     true,
		"[core]\n\trepositoryformatversion = 2\n":                     false,
		"[extensions]\n\tobjectFormat = sha256\n":                     false,
		"[extensions]\n\trefStorage = reftable\n":                     false,
		"[extensions]\n\trefStorage = files\n\tworktreeConfig = true": true,
		"[core": false,
	} {
		dir := t.TempDir()
		put(t, map[string]string{filepath.Join(dir, "config"): config})
		if err := CheckFormat(dir); (err == nil) != ok {
			t.Errorf("CheckFormat of %q: %v", config, err)
		}
	}
	if err := CheckFormat(t.TempDir()); err != nil {
		t.Errorf("without a file config: %v", err)
	}
}
