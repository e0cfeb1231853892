// Package p9 serves a tree of package vfs over 9P2000, 9P2000.u and 9P2000.L,
// and is a client for servers of these three dialects.
//
// A [Server] answers each connection on one goroutine: requests are read into
// one buffer, replies are collected in another, and that one is written when no
// further request is there. Only when a call announces with vfs.MayWait that it
// takes longer does another goroutine take over the reading. So a quick
// request costs no hand-over, and a slow one delays nobody.
//
// A [Client] is used by any number of goroutines at once. What it reads and
// writes are [Fid]s; its own methods take paths and are built on those.
package p9
