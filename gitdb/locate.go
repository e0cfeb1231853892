package gitdb

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/refdb"
)

// Locate returns the Git directory of the repository at path: path/.git if
// that exists, or what it refers to if it is a file; path itself if it is a
// Git directory; else path/.git, where it creates a bare repository, making
// path as well if it is missing (specification, FS-3). For a linked work tree
// it is the directory that all work trees share. A repository whose format
// this package does not know is refused.
func Locate(path string) (string, error) { return locate(path, new(Options)) }

func locate(path string, opts *Options) (dir string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open repository %s: %w", path, err)
		}
	}()
	branch := cmp.Or(opts.Head, "master")
	if err := datakit.CheckBranch(branch); err != nil {
		return "", err
	}
	if opts.GitDir != "" {
		dir, err = givenDir(opts.GitDir)
	} else {
		dir, err = gitDir(path)
	}
	if errors.Is(err, errNone) && !opts.MustExist {
		err = create(dir, opts.WorkTree)
	}
	if err != nil {
		return "", err
	}
	return dir, prepare(dir, branch)
}

// errNone is returned with the place of a repository that does not exist.
var errNone error = &datakit.Error{Kind: datakit.NotExist, Err: errors.New("there is no Git repository")}

// givenDir returns the Git directory that somebody wants to be used.
func givenDir(dir string) (string, error) {
	if isGitDir(dir) {
		return commonDir(dir)
	}
	return dir, errNone
}

// gitDir returns the Git directory of the repository at path.
func gitDir(path string) (string, error) {
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		return "", errors.New("this is a file: give the directory of a repository, or one to make it in")
	}
	dotGit := filepath.Join(path, ".git")
	switch fi, err := os.Stat(dotGit); {
	case err == nil && fi.IsDir():
		return commonDir(dotGit)
	case err == nil:
		return linked(dotGit)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if isGitDir(path) {
		return commonDir(path)
	}
	return dotGit, errNone
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
	return commonDir(dir)
}

// commonDir returns the directory with the objects and branches of a Git
// directory, which is another one for a linked work tree
// (gitrepository-layout(5), commondir).
func commonDir(dir string) (string, error) {
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

func isGitDir(path string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return false
		}
	}
	return true
}

const newConfig = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = %t
`

// create makes a repository, which is bare unless it is to have a work tree.
func create(dir string, workTree bool) error {
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "config"), fmt.Appendf(nil, newConfig, !workTree), 0o666)
}

// prepare checks the format of a repository and adds what it lacks.
func prepare(dir, branch string) error {
	if err := checkFormat(filepath.Join(dir, "config")); err != nil {
		return err
	}
	for _, sub := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	return refdb.InitHead(dir, branch)
}

// checkFormat refuses repositories that must not be written to without knowing
// more than this package does (gitrepository-layout(5), "Git Repository Format
// Versions").
func checkFormat(path string) error {
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
