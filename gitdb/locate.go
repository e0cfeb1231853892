package gitdb

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/gitdir"
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
		dir, err = gitdir.Find(path)
	}
	if errors.Is(err, gitdir.ErrNone) && !opts.MustExist {
		err = create(dir, opts.WorkTree)
	}
	if err != nil {
		return "", err
	}
	return dir, prepare(dir, branch)
}

// givenDir returns the Git directory that somebody wants to be used.
func givenDir(dir string) (string, error) {
	if gitdir.Is(dir) {
		return gitdir.Common(dir)
	}
	return dir, gitdir.ErrNone
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

// prepare checks the format of a repository and adds what it lacks, if it may
// be written to.
func prepare(dir, branch string) error {
	if err := gitdir.CheckFormat(dir); err != nil {
		return err
	}
	if err := complete(dir, branch); !gitdir.Unwritable(err) {
		return err
	}
	return nil
}

func complete(dir, branch string) error {
	for _, sub := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	return refdb.InitHead(dir, branch)
}
