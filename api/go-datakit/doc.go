// Package datakit is the client for programs that were written for the Go
// bindings of DataKit 1.0.0: these change their import path, take the modes of
// [Client.Open] from here, and run.
//
// Everything is a file of the served tree, reached by the steps to it:
//
//	client, err := datakit.Dial(ctx, "tcp", "127.0.0.1:5640")
//	…
//	defer client.Close(ctx)
//	t, err := datakit.NewTransaction(ctx, client, "master")
//	…
//	defer t.Abort(ctx)
//	err = t.Write(ctx, []string{"a", "file"}, "content")
//	…
//	err = t.Commit(ctx, "Write a file")
//
// New programs are better served by the contract, package
// github.com/datakit/datakit, and by package record, on which this is built.
//
// A [Client] and what is made of it may be used by any number of goroutines at
// once; a slow operation delays no other. When a context is done, the operation
// ends with its error, and the connection stays usable. Readers, writers and
// watches keep a position, and are for one goroutine at a time.
//
// The package logs nothing unless it is given a logger, and never ends the
// process. Errors have a kind, for which errors.Is asks: one of the constants
// [NotExist] and so on, of which some are os.ErrNotExist and os.ErrExist too.
package datakit
