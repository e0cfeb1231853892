// Package memstore keeps a database's objects and references in memory. It is
// what a server without a repository runs on, and what tests of the layers
// above run on.
package memstore
