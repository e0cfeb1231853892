// Package fsapi shows a database as a tree of files, through which shell
// scripts and programs in any language use it: the filesystem's specification,
// sections 2 to 5 and 8.
//
// An [FS] serves one database. Each connection, or mount, has a [Session],
// which owns what is visible to that connection alone: transactions, branches
// without a head, and remotes. The session ends them when it is closed.
//
// The tree is built on the contract of package datakit and on nothing below
// it, so the database may itself be elsewhere.
//
// # Locks
//
// In the order in which they are taken: Session.names, then the turns of
// transactions, each of which may be held for as long as the database needs;
// then openEntry.mu, held while a piece is read. Session.mu, FS.mu, places.mu
// and remote.mu guard memory, are held for moments and never together; a
// headQueue is below its remote.
package fsapi
