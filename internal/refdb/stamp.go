package refdb

import (
	"io/fs"
	"time"
)

// settling is how old a modification time must be for a later change to be
// sure to alter it: the coarsest file systems count in steps of two seconds.
const settling = 2500 * time.Millisecond

// A stamp tells the states of a file or directory apart.
type stamp struct {
	mtime int64 // in nanoseconds
	inode uint64
}

func stampOf(info fs.FileInfo) stamp {
	return stamp{info.ModTime().UnixNano(), inode(info)}
}

func nowStamp() int64 { return time.Now().UnixNano() }

// settled returns s, or the zero stamp, which no file has, if at the time now
// another change could still have left the same stamp.
func (s stamp) settled(now int64) stamp {
	if now-s.mtime < int64(settling) {
		return stamp{}
	}
	return s
}
