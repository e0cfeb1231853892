package odb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// spareFiles is how many files are made ahead of their use. On some file
// systems it takes longer to make one than to flush it: ext4 without a
// journal, for one, searches past all that were removed of late. There, a
// commit takes 0.75 ms with spare files and 0.92 ms without.
const spareFiles = 4

// newFile returns an empty file of the session, to be written once.
func (s *Store) newFile() (*os.File, error) {
	own, err := s.session()
	if sys := (*fs.PathError)(nil); errors.As(err, &sys) {
		err = fmt.Errorf("the repository cannot be written to: %s: %w", s.sessions(), sys.Err)
	}
	if err != nil {
		return nil, err
	}
	return own.newFile(&s.files)
}

// newFile returns an empty file of the session, to be written once.
func (own *session) newFile(files *fileOps) (*os.File, error) {
	select {
	case f := <-own.spare:
		return f, nil
	default:
		return files.create(own.newPath())
	}
}

func (own *session) newPath() string {
	return filepath.Join(own.dir, "new-"+strconv.FormatUint(own.files.Add(1), 10))
}

// makeSpares makes files ahead until ctx is done. They go with the session.
func (own *session) makeSpares(ctx context.Context, files *fileOps) {
	defer func() {
		for len(own.spare) > 0 {
			(<-own.spare).Close()
		}
	}()
	for {
		f, err := files.create(own.newPath())
		if err != nil { // whoever needs one tries, and says why not
			select {
			case <-time.After(time.Second):
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case own.spare <- f:
		case <-ctx.Done():
			f.Close()
			return
		}
	}
}
