// Package vfs says what a served file tree is made of, and has the kinds of
// files that such trees need: static ones, ones computed when opened, live
// streams, command files and text.
//
// A tree is made of [Node]s; those that are a [Dir] lead to others. A
// transport, such as package p9, finds nodes by walking, opens them as [File]s
// and reads and writes these. A tree belongs to one connection, or to one
// mount: a server makes one for each.
//
// Concurrency: all methods may be called from several goroutines at once.
// Nodes are small and hold nothing that needs to be released; a File must be
// closed.
//
// Contexts: a method whose context is done returns its error soon. A method
// that is about to wait, or to do what takes longer than a memory or cached
// disk access, first calls [MayWait], so that a transport can go on with other
// requests meanwhile; one that does not call it must be quick.
//
// Errors: a failure is an [*Error], which has the text and the number that
// reach the client. Any other error is a fault of the tree, of which a client
// is told no more than [ErrInternal].
package vfs
