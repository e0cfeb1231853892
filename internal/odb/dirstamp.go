package odb

import (
	"os"
	"time"
)

// A dirStamp says when a directory was changed last, as seen at a moment.
type dirStamp struct {
	mtime time.Time
	racy  bool // a later change may have the same mtime
}

// stampOf returns the present stamp. It is to be taken before the directory
// is read.
func stampOf(dir string) (dirStamp, error) {
	now := time.Now()
	st, err := os.Stat(dir)
	if err != nil {
		return dirStamp{}, err
	}
	mtime := st.ModTime()
	return dirStamp{mtime, now.Sub(mtime) < granularity(mtime)}, nil
}

// granularity is a bound for the time that a file system's clock stands still:
// a tick of the kernel, or 2 seconds where it does not know of less.
func granularity(mtime time.Time) time.Duration {
	if mtime.Nanosecond()%1e6 == 0 {
		return 2100 * time.Millisecond
	}
	return 100 * time.Millisecond
}

// same reports whether the directory is known not to have changed between an
// old stamp and s.
func (s dirStamp) same(old dirStamp) bool { return !old.racy && s.mtime.Equal(old.mtime) }
