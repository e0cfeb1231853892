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
// then openEntry.mu, held while a piece is read; then Session.mu, FS.mu, remote.mu and transaction.mu, which guard memory and
// are held for moments, never together.
package fsapi
