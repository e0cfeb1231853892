// Package gitdir finds the Git directories of repositories. It writes nothing.
package gitdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/datakit/datakit"
)

// ErrNone is returned with the place where a repository would be that does not
// exist. It is of kind NotExist.
var ErrNone error = &datakit.Error{Kind: datakit.NotExist, Err: errors.New("there is no Git repository")}

// Find returns the Git directory of the repository at path: path/.git if that
// exists, or what it refers to if it is a file; else path itself if it is a Git
// directory; else path/.git with ErrNone. For a linked work tree it is the
// directory that all work trees share.
func Find(path string) (string, error) {
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		return "", errors.New("this is a file: give the directory of a repository")
	}
	dotGit := filepath.Join(path, ".git")
	switch fi, err := os.Stat(dotGit); {
	case err == nil && fi.IsDir():
		return Common(dotGit)
	case err == nil:
		return linked(dotGit)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if Is(path) {
		return Common(path)
	}
	return dotGit, ErrNone
}

// linked reads a file .git, as work trees and submodules have it.
func linked(dotGit string) (string, error) {
	text, err := os.ReadFile(dotGit)
	if err != nil {
		return "", err
	}
	dir, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("the file %s does not say where the Git directory is", dotGit)
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(dotGit), dir)
	}
	return Common(dir)
}

// Common returns the directory with the objects and branches of a Git
// directory, which is another one for a linked work tree
// (gitrepository-layout(5), commondir).
func Common(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "commondir"))
	if errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	if err != nil {
		return "", err
	}
	common := strings.TrimSpace(string(text))
	if !filepath.IsAbs(common) {
		common = filepath.Join(dir, common)
	}
	return common, nil
}

// Is reports whether there is a Git directory at path.
func Is(path string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return false
		}
	}
	return true
}

// Unwritable reports whether err says that files may only be read: they are
// those of another user, or the file system is read-only.
func Unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// CheckFormat refuses a Git directory that must not be used without knowing
// more than this project does (gitrepository-layout(5), "Git Repository Format
// Versions").
func CheckFormat(dir string) error {
	path := filepath.Join(dir, "config")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	c := config.New()
	if err := config.NewDecoder(f).Decode(c); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	version := c.Section("core").Option("repositoryformatversion")
	if version != "" && version != "0" && version != "1" {
		return fmt.Errorf("the repository has format version %s, of which only 0 and 1 are known", version)
	}
	for _, o := range c.Section("extensions").Options {
		if err := checkExtension(strings.ToLower(o.Key), strings.ToLower(o.Value)); err != nil {
			return err
		}
	}
	return nil
}

func checkExtension(key, value string) error {
	switch {
	case key == "objectformat" && value == "sha1", key == "refstorage" && value == "files":
	case key == "worktreeconfig", key == "noop", key == "preciousobjects", key == "partialclone", key == "relativeworktrees":
	default:
		return fmt.Errorf("the repository uses the extension %s = %s, which is not supported; convert it to SHA-1 names and plain files of references", key, value)
	}
	return nil
}
