package localgit

import (
	"errors"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// maxTags is how many annotated tags may lead to one another (GH-22).
const maxTags = 10

// errNoCommit says that a tag leads to a tree or a blob, or too far.
var errNoCommit = errors.New("it leads to no commit")

// A peeler finds the commits that annotated tags lead to. It remembers them, as
// objects never change.
type peeler struct {
	dir   string // the Git directory
	known map[string]string
}

// peel returns the commit that the object called hash is or leads to. The error
// is errNoCommit if there is none.
func (p *peeler) peel(hash string) (string, error) {
	if commit, ok := p.known[hash]; ok {
		if commit == "" {
			return "", errNoCommit
		}
		return commit, nil
	}
	// Opened anew, as packs come and go.
	objects := filesystem.NewStorage(osfs.New(p.dir), cache.NewObjectLRU(cache.MiByte))
	defer objects.Close()
	commit, err := follow(objects, plumbing.NewHash(hash))
	if err == nil || errors.Is(err, errNoCommit) {
		p.known[hash] = commit
	}
	return commit, err
}

func follow(objects *filesystem.Storage, h plumbing.Hash) (commit string, err error) {
	for range maxTags + 1 {
		o, err := objects.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return "", err
		}
		switch o.Type() {
		case plumbing.CommitObject:
			return h.String(), nil
		case plumbing.TagObject:
			tag, err := object.DecodeTag(objects, o)
			if err != nil {
				return "", err
			}
			h = tag.Target
		default:
			return "", errNoCommit
		}
	}
	return "", errNoCommit
}
