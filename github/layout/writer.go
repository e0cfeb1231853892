package layout

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// A writer writes elements to a transaction, several at a time if need be.
type writer struct {
	tx *datakit.Tx

	// mu guards dirs, the directories known to exist, and is held while one is
	// made: so that no file in the way of a directory is removed twice, the
	// second time with what another goroutine has put there instead.
	mu   sync.Mutex
	dirs map[datakit.Path]bool
}

func newWriter(tx *datakit.Tx) *writer {
	return &writer{tx: tx, dirs: map[datakit.Path]bool{datakit.Root: true}}
}

func (w *writer) write(ctx context.Context, e github.Element) error {
	switch e := e.(type) {
	case github.Repo:
		return w.monitor(ctx, e)
	case github.PR:
		return w.writePR(ctx, e)
	case github.Status:
		return w.writeStatus(ctx, e)
	case github.Ref:
		return w.put(ctx, Dir(e.ID()), headFile, e.Commit.Hash+"\n")
	}
	return nil // a commit shows only by its statuses (GH-45)
}

// monitor makes the mark of a monitored repository, and leaves one that is
// there as it is (GH-44).
func (w *writer) monitor(ctx context.Context, r github.Repo) error {
	mode, err := w.tx.Mode(ctx, Dir(r)+"/"+monitorFile)
	if err != nil || mode.IsFile() {
		return err
	}
	return w.put(ctx, Dir(r), monitorFile, "")
}

func (w *writer) writePR(ctx context.Context, pr github.PR) error {
	dir := Dir(pr.ID())
	if err := remove(ctx, w.tx, dir+"/"+commentsDir); err != nil {
		return err
	}
	err := w.putAll(ctx, dir, []file{
		{headFile, pr.Head.Hash + "\n"},
		{stateFile, pr.State.String() + "\n"},
		{titleFile, pr.Title + "\n"},
		{ownerFile, pr.Owner + "\n"},
		{baseFile, pr.Base + "\n"},
	})
	if err != nil {
		return err
	}
	for i, c := range pr.Comments {
		err := w.putAll(ctx, dir+"/"+commentsDir+"/"+datakit.Path(strconv.Itoa(i)), []file{
			{idFile, strconv.FormatInt(c.ID, 10) + "\n"},
			{userFile, c.Author + "\n"},
			{bodyFile, c.Body},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) writeStatus(ctx context.Context, s github.Status) error {
	dir := Dir(s.ID())
	if err := w.put(ctx, dir, stateFile, s.State.String()+"\n"); err != nil {
		return err
	}
	for _, f := range []file{{descriptionFile, s.Description}, {urlFile, s.URL}} {
		var err error
		if f.content == "" {
			err = remove(ctx, w.tx, dir+"/"+datakit.Path(f.name))
		} else {
			err = w.put(ctx, dir, f.name, f.content+"\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A file is a name in the directory of an element, with its content.
type file struct{ name, content string }

func (w *writer) putAll(ctx context.Context, dir datakit.Path, files []file) error {
	for _, f := range files {
		if err := w.put(ctx, dir, f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

// put makes a regular file that is not executable (GH-41), whatever is in its
// place or in that of a directory above it.
func (w *writer) put(ctx context.Context, dir datakit.Path, name, content string) error {
	if err := w.mkdir(ctx, dir); err != nil {
		return err
	}
	path := dir.Join(datakit.Path(name))
	err := w.tx.Create(ctx, path, datakit.Normal, []byte(content))
	if !errors.Is(err, datakit.IsDir) {
		return err
	}
	if err := w.tx.Remove(ctx, path); err != nil {
		return err
	}
	return w.tx.Create(ctx, path, datakit.Normal, []byte(content))
}

// mkdir makes a directory and those above it.
func (w *writer) mkdir(ctx context.Context, dir datakit.Path) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mkdirLocked(ctx, dir)
}

func (w *writer) mkdirLocked(ctx context.Context, dir datakit.Path) error {
	if w.dirs[dir] {
		return nil
	}
	mode, err := w.tx.Mode(ctx, dir)
	if err != nil {
		return err
	}
	if mode != datakit.Dir {
		if err := w.mkdirLocked(ctx, dir.Dir()); err != nil {
			return err
		}
		if mode != datakit.Absent {
			if err := w.tx.Remove(ctx, dir); err != nil {
				return err
			}
		}
		if err := w.tx.Mkdir(ctx, dir); err != nil {
			return err
		}
	}
	w.dirs[dir] = true
	return nil
}
