package main

import "time"

// A size says how much is measured.
type size struct {
	rounds   int           // how often ours and the alternatives take turns
	turn     time.Duration // how long a turn lasts where that is free
	clients  int           // how many commit at the same time
	files    int           // of 1 KiB in the snapshot that is read
	entries  int           // in the directory that is listed
	stream   int64         // length of the file that is read in order
	watchers int
	dirs     int   // in the large tree
	perDir   int   // files in each of them
	branches int   // in the large repository
	reads    int   // of random files of it
	changed  int   // files by each side of the merge
	depth    int   // commits above the merge base
	bigFile  int64 // length of the file written and read over 9P

	prs, refs, statuses int           // of the repository that is mirrored first
	latency             time.Duration // of each call of GitHub's API
	mirrored            []int         // how many repositories are
	samples             int           // statuses and events of each of these
	resynced            int           // repositories
}

// full is what is promised.
var full = size{
	rounds: 5, turn: 2 * time.Second, clients: 64,
	files: 2000, entries: 1000, stream: 64 << 20, watchers: 1000,
	dirs: 1000, perDir: 1000, branches: 100_000, reads: 1000, changed: 10,
	depth: 100_000, bigFile: 1 << 30,
	prs: 5000, refs: 3000, statuses: 20_000, latency: 50 * time.Millisecond,
	mirrored: []int{1, 100, 1000}, samples: 40, resynced: 100,
}

// brief has the same scale with fewer and shorter turns.
var brief = size{
	rounds: 2, turn: 500 * time.Millisecond, clients: 64,
	files: 2000, entries: 1000, stream: 64 << 20, watchers: 1000,
	dirs: 1000, perDir: 1000, branches: 100_000, reads: 1000, changed: 10,
	depth: 100_000, bigFile: 256 << 20,
	prs: 1000, refs: 600, statuses: 4000, latency: 50 * time.Millisecond,
	mirrored: []int{1, 100, 1000}, samples: 10, resynced: 100,
}

// tiny only shows that the benchmarks run.
var tiny = size{
	rounds: 1, turn: 10 * time.Millisecond, clients: 4,
	files: 20, entries: 20, stream: 1 << 20, watchers: 8,
	dirs: 10, perDir: 10, branches: 20, reads: 10, changed: 2,
	depth: 50, bigFile: 2 << 20,
	prs: 20, refs: 10, statuses: 40, latency: time.Millisecond,
	mirrored: []int{1, 3}, samples: 2, resynced: 2,
}
