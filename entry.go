package datakit

import "time"

// A Mode is the kind of an entry of a tree, as Git tells them apart.
type Mode uint8

// The modes, with their numbers in a Git tree.
const (
	Absent     Mode = iota // no entry; only watches speak of it
	Normal                 // 100644
	Executable             // 100755
	Symlink                // 120000
	Dir                    // 40000
	Submodule              // 160000; kept and merged, but never shown
)

// IsFile reports whether m is Normal or Executable.
func (m Mode) IsFile() bool { return m == Normal || m == Executable }

// letters are the first bytes of the text of a TreeID.
const letters = "-FXLD-"

// String returns the name of the mode, such as "executable".
func (m Mode) String() string {
	return [...]string{"absent", "normal", "executable", "symlink", "directory", "submodule"}[m]
}

// An Entry is what a tree has under one name.
type Entry struct {
	Name string // the last step of the path; empty for the root
	Mode Mode

	// Hash names the content: a blob, or for a Dir a tree. It is zero where
	// the database cannot tell it without reading the content, as for what
	// was changed in an open transaction.
	Hash Hash

	// Size is the length of the content in bytes and 0 for a Dir. Only Stat
	// fills it in.
	Size int64

	// Rev differs between two states of one path within one transaction
	// whenever the content differs. It is 0 elsewhere, and where the Hash
	// serves.
	Rev uint64

	// Changed is when the entry was last changed within an open transaction,
	// and zero if it was not.
	Changed time.Time
}

// ID returns the name under which the content of e can be found again. It is
// only meaningful if e has a Hash.
func (e Entry) ID() TreeID { return TreeID{e.Mode, e.Hash} }

// A TreeID names an immutable tree, or a single file or link, by its content.
type TreeID struct {
	Mode Mode // Dir, Normal, Executable or Symlink
	Hash Hash
}

// ParseTreeID reads "D-HASH" for a directory, "F-HASH", "X-HASH" and "L-HASH"
// for a normal file, an executable one and a symlink, and a bare HASH for a
// directory. The error is Invalid for anything else.
func ParseTreeID(s string) (TreeID, error) {
	mode, digits := Dir, s
	if len(s) > 2 && s[1] == '-' {
		digits = s[2:]
		switch s[0] {
		case 'D':
			mode = Dir
		case 'F':
			mode = Normal
		case 'X':
			mode = Executable
		case 'L':
			mode = Symlink
		default:
			return TreeID{}, badHash(s)
		}
	}
	h, err := ParseHash(digits)
	return TreeID{mode, h}, err
}

// String returns the form with a letter, or "" if id names nothing.
func (id TreeID) String() string {
	if id.Mode == Absent {
		return ""
	}
	return letters[id.Mode:id.Mode+1] + "-" + id.Hash.String()
}

// A Change is one file that differs between two trees. Directories are not
// listed, only the files and links in them.
type Change struct {
	Path Path
	Op   ChangeOp
}

// A ChangeOp says how a file differs. Its value is the letter of diff files.
type ChangeOp byte

// What can happen to a file on the way from one tree to another.
const (
	Added   ChangeOp = '+'
	Removed ChangeOp = '-'
	Updated ChangeOp = '*' // another content or another Mode
)
