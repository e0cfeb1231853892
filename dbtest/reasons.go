package dbtest

// The reasons of conflicts, in the words of the specification's table 5.2.
const (
	changedOnBoth = "Changed on both branches"
	fileVsDir     = "File vs dir"
	addDel        = "option: add/del"
	addAdd        = "default: add/add and no common ancestor"
)

// marker is the file that a merge leaves at a conflict.
func marker(reason string) file { return normal("** Conflict **\n" + reason + "\n") }
