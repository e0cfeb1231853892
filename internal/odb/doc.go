// Package odb keeps the objects of a database in the objects directory of a
// Git repository, as git itself does (gitformat-pack(5),
// gitrepository-layout(5)): it is store.Objects on disk.
//
// Reading knows everything that git may have put there: packs with their
// indexes, deltas of both kinds, loose objects and alternates. Packs are mapped
// into memory, and decoded objects are kept in a cache bounded in bytes. What
// other programs add, replace and delete is noticed when an object is looked
// for in vain. Every object that is read whole is compared with its name, so
// that damage shows as an error of kind Internal and never as other content;
// of a large blob that is read in pieces, at the end.
//
// The formats are those of package packfile below this one.
//
// Writing makes one pack with its index for each call of Stage, whose files are
// flushed together, and Publish renames them into place and flushes the
// directory. Many small packs are merged in the background.
//
// # Files
//
// Beside Git's own, a Store makes these below the Git directory:
//
//	datakit/ID/            what one open Store has for itself; ID is random
//	datakit/ID/lock        locked as long as that Store is open
//	datakit/ID/keep        what .keep files are links to
//	datakit/ID/spill/      TempDir
//	datakit/ID/new-*       packs and indexes on the way into objects/pack
//	datakit/merge.lock     locked by the Store that merges packs
//	objects/pack/*.keep    of packs no reference leads to yet: "datakit ID"
//
// All but the empty merge.lock are removed by Close or, if the program was
// killed, by the next Open of any Store of the repository. Reading needs none of
// them: where a Store may not make its directory, it has temporary files where
// the system has them, and tries again with each Stage.
package odb
