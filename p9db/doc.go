// Package p9db keeps a database at a DataKit server, which is reached over 9P.
//
//	db, err := p9db.Dial(ctx, "tcp", "127.0.0.1:5640", nil)
//
// The result is the contract of package datakit, with all of its promises. It
// uses what the tree of files of every DataKit server has (specification of the
// filesystem), so that it works with servers of DataKit 1.0.0 too, as far as
// these keep the promises.
//
// # The connection
//
// A database is one connection. When that is lost all operations fail with
// datakit.IO, for good: transactions end with their connection, so nothing is
// connected again behind the caller's back. Long-running programs that can tell
// what to do then use [Reconnecting].
//
// # What is kept
//
// What has a hash never changes: commits, trees, and the files in them are kept
// within a bound, and used without asking the server. What is read in order,
// such as one file of a directory after the other, is asked for ahead.
package p9db
