// Package datakit is the contract of a Git-like database: versioned trees of
// files with branches, atomic transactions, three-way merges and live watches.
//
// A [DB] holds branches. A [Branch] names a head, which is a [Commit]; a
// Commit has a [Tree]. A [Tx] starts from a branch's head, is edited in
// private, and is published by Tx.Commit in one step: if the head has moved
// meanwhile the two changes are merged, and only a change that does not merge
// is refused. A [Watch] follows a head or a path.
//
// The types of this package are the same whatever keeps the data. What differs
// is the [Driver] below them: package gitdb keeps a database in a Git
// repository, package memdb in memory, and a client reaches one elsewhere.
// Package dbtest holds every promise made here as a test.
//
// # Promises
//
// Concurrency: every method of every type may be called from any number of
// goroutines at once, unless its comment says otherwise. Calls on one Tx are
// carried out one after the other.
//
// Contexts: a method that takes a context may wait for a disk, a network or an
// event. When the context is done the method returns its error soon and has no
// effect, with one exception that is in the nature of things: a Tx.Commit, or
// another change of a branch, that is already being made durable may still
// take effect.
//
// Errors: a failure is one of the kinds of [Kind], found by
// errors.Is(err, datakit.NotExist), or the error of the context. The text
// names the operation and what it was done to.
//
// Ownership: what a method returns belongs to the caller, and what a caller
// passes belongs to the caller again when the method returns.
package datakit
