// Package packfile has the formats of Git's packs (gitformat-pack(5)): indexes,
// the headers of entries, and deltas. It works on bytes, knows no files, and
// trusts nothing that it reads.
package packfile
