// Command bench measures the figures that the project promises, each beside an
// alternative in the same run, and prints one table:
//
//	go run ./bench [-run REGEXP] [-short] [-rounds N] [-dir DIR]
//
// It measures on the file system of DIR, by default .bench in the working
// directory, which should be on a disk that really syncs: bench warns if the
// file system is in memory. What takes long to make, such as a repository of a
// million objects, is kept in DIR/cache for the next run.
//
// Ours and the alternatives take turns for some rounds, and the table shows
// the medians. The alternatives are the same disk doing append and fdatasync,
// the Git command line, and for reads the 9P servers diod and p9ufs, which all
// get the same requests from the same client (package wire).
//
// A figure that is missed does not fail the command: a time says nothing about
// whether the code is right. Nothing here is part of the tests, except one that
// runs every benchmark at a tiny size so that none breaks unnoticed.
package main
