package localgit

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/gitdir"
)

// A mirror is what is known of one repository.
type mirror struct {
	Repository
	log  *slog.Logger
	tags bool

	dir    string                    // the Git directory, as last found
	refs   map[github.RefName]string // as last read; "" for one that cannot be understood
	synced map[github.RefName]string // as last mirrored; nil before that
	err    error                     // why it cannot be read at present
	stamps map[string]stamp          // of what was read, to see whether it has changed
	peeler peeler
	own    github.RefName  // the branch that is filled, if the database is in this repository
	told   map[string]bool // references that are left out or stay, of which the log was told
	shared bool            // another bridge seems to mirror it, too, which was reported in the log
}

func newMirror(r Repository, opts Options) *mirror {
	return &mirror{
		Repository: r,
		log:        opts.Log.With("repository", r.Name.String()),
		tags:       opts.Tags,
		told:       map[string]bool{},
	}
}

// scan reads the references. It calls watch with each directory before it is
// read. If it fails, err says so and refs stays as it was.
func (m *mirror) scan(watch func(dir string)) {
	before := m.err
	refs, err := m.read(watch)
	m.err = err
	switch {
	case err == nil:
		m.refs = refs
		if before != nil {
			m.log.Info("the repository can be read again")
		}
	case before == nil:
		m.log.Warn("the repository cannot be read: its references stay as they are", "error", err)
	}
}

func (m *mirror) read(watch func(dir string)) (map[github.RefName]string, error) {
	m.stamps = map[string]stamp{}
	now := time.Now()
	note := func(path string) { m.stamps[path] = stampOf(path).settled(now) }
	dir, err := gitdir.Find(m.Path)
	note(dir)
	if err != nil {
		return nil, err
	}
	note(filepath.Join(dir, "packed-refs"))
	if m.dir != dir {
		m.dir, m.peeler = dir, peeler{dir, map[string]string{}}
	}
	prefixes := []string{headsPrefix}
	if m.tags {
		prefixes = append(prefixes, tagsPrefix)
	}
	raw, err := readRefs(dir, prefixes, func(dir string) {
		watch(dir)
		note(dir)
	})
	if err != nil {
		return nil, err
	}
	refs := make(map[github.RefName]string, len(raw))
	for name, ref := range raw {
		m.add(refs, name, ref)
	}
	return refs, nil
}

// add adds a reference as the branch is to have it, or tells the log once why
// it is left out, or stays in the branch as it is there.
func (m *mirror) add(refs map[github.RefName]string, whole string, ref rawRef) {
	name, err := github.ParseRefName(strings.TrimPrefix(whole, "refs/"))
	if err != nil {
		m.leaveOut(whole, err)
		return
	}
	if name == m.own {
		return
	}
	if ref.hash == "" {
		refs[name] = ""
		m.tell(whole, "the reference cannot be understood and stays as it is in the branch", "path", filepath.Join(m.dir, filepath.FromSlash(whole)))
		return
	}
	hash := ref.hash
	if strings.HasPrefix(whole, tagsPrefix) && ref.peeled == "" {
		hash, err = m.peeler.peel(hash)
	} else if ref.peeled != "" {
		hash = ref.peeled
	}
	if errors.Is(err, errNoCommit) {
		m.leaveOut(whole, err)
		return
	}
	if err != nil {
		m.log.Warn("the tag cannot be followed", "ref", whole, "error", err)
		hash = ""
	}
	refs[name] = hash
}

// leaveOwn leaves out the branch that is filled from now on if this repository,
// or one that it is copied to, is the database: each commit of the bridge would
// be a change that leads to the next.
func (m *mirror) leaveOwn(branch string, head datakit.Hash) {
	name := github.RefName("heads/" + branch)
	if head.IsZero() || m.refs[name] != head.String() {
		return
	}
	m.own = name
	delete(m.refs, name)
	m.leaveOut("refs/"+string(name), errOwn)
}

var errOwn = errors.New("it is the branch to which the references are written")

func (m *mirror) leaveOut(whole string, err error) {
	m.tell(whole, "the reference is left out", "ref", whole, "error", err)
}

// tell logs something about a reference, once for each.
func (m *mirror) tell(whole, msg string, args ...any) {
	if !m.told[whole] {
		m.told[whole] = true
		m.log.Warn(msg, args...)
	}
}

// changed reports whether anything that was read may have changed since.
func (m *mirror) changed() bool {
	for path, s := range m.stamps {
		if now := stampOf(path); now != s {
			return true
		}
	}
	return false
}

// due reports whether the references differ from those last mirrored.
func (m *mirror) due() bool {
	return m.err == nil && (m.synced == nil || !maps.Equal(m.refs, m.synced))
}

// share looks whether another bridge mirrors the repository, too, and warns of
// it when that becomes so.
func (m *mirror) share(ctx context.Context, tree *datakit.Tree) error {
	before := m.shared
	var err error
	if m.shared, err = layout.Monitored(ctx, tree, m.Name); m.shared && !before {
		m.log.Warn("another bridge mirrors this repository into the same branch, for it has a file .monitor there: "+
			"the references that it writes are removed if this repository does not have them, and a bridge to GitHub then removes them on GitHub; "+
			"stop one of the two, and give the repository another name here", "path", m.Path)
	}
	return err
}

// settling is how old a modification time must be for a later change to be
// sure to alter it: the coarsest file systems count in steps of two seconds.
const settling = 2500 * time.Millisecond

// A stamp tells the states of a file or directory apart. The zero stamp is that
// of what does not exist.
type stamp struct {
	mtime   int64 // in nanoseconds
	size    int64
	unknown bool // another change may still leave the same stamp
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}
	}
	if err != nil {
		return stamp{unknown: true}
	}
	return stamp{mtime: info.ModTime().UnixNano(), size: info.Size()}
}

// settled returns s, marked if at the time now another change could still have
// left the same stamp.
func (s stamp) settled(now time.Time) stamp {
	s.unknown = s.unknown || s != stamp{} && now.UnixNano()-s.mtime < int64(settling)
	return s
}
