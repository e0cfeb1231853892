// Package refdb keeps branches where Git keeps them: in the files below
// refs/heads, in packed-refs, and in symbolic references among the former. It
// is store.Refs over the Git directory of a repository that other programs use
// at the same time.
//
// # Terms
//
// A branch is loose when it has a file of its own and packed when it has a
// line in packed-refs; the file wins. Its head is the commit that it leads to,
// directly or as a symbolic reference, over no more references than Git
// follows. A branch whose file is damaged is not listed, and asking for its
// head is an error.
//
// # Changing
//
// Branches change by Git's protocol. NAME.lock is made, the present value is
// read and compared, the new value is written to NAME.lock and flushed, and
// NAME.lock is renamed to NAME. To delete a branch its line is taken out of
// packed-refs, under packed-refs.lock, and its file is removed, under
// NAME.lock. An update of a symbolic reference locks it and changes what it
// leads to, if that is a branch; a deletion removes the symbolic reference
// itself, as git branch -d does. Reflogs are not written; that of a deleted
// branch is deleted.
//
// Of several updates, those that set heads are made durable before the first
// deletion, so that a renamed branch exists under one of its names at least.
// A change of one branch is atomic: whenever the process or the machine stops,
// the branch has its old or its new head.
//
// # Locks of dead processes
//
// A lock file says nothing about who made it, and one that a killed server
// left behind must be told from one that a running git holds. So locks are
// made as hard links. Each DB that has changed anything owns the file
// datakit/locks/ID.owner, under a flock that the system drops when the process
// dies, and the directory datakit/locks/ID. A lock starts as a new file in that
// directory and becomes NAME.lock by link(2), which fails if NAME.lock exists
// just as an exclusive creation does. The file in the directory is removed
// some time after the lock is gone. Open looks for owner files whose flock it
// can get; a lock file that is the same file as one in the directory of such a
// dead owner is its lock, beyond doubt, and is removed. No other lock file ever
// is. This costs no flush, and the files are made ahead of their use. Where
// there are no hard links, or there is no flock, locks are made by exclusive
// creation and stay when the process is killed. A
// flock that only one of several machines sees, as some network file systems
// have it, must not be used by servers on several machines.
//
// # Reading and watching
//
// All branches are cached: packed-refs as the bytes of the file with an index,
// loose ones as a map. The cache follows the disk by file notifications, and
// by looking at the modification times of the directories and of packed-refs
// each Options.PollInterval, as there are file systems and limits with which
// notifications do not come. A time that is so recent that a later change may
// not alter it is not trusted, and what has it is read again. Until all
// branches have been read once, heads are read from disk one by one.
//
// # Concurrency
//
// DB.turn is held by whoever carries a state of the disk over into the cache:
// an update that is applied, the watcher, a preparation that reads the old
// values. So all changes of a branch have one order, and subscribers are told
// in it. DB.mu guards the cache itself and is held for memory accesses only;
// where both are held turn is taken first.
package refdb
