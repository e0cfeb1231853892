// Package dbtest is the conformance suite of package datakit: every promise of
// the contract that a program can see, as a test that runs on any
// implementation.
//
// An implementation adds one test:
//
//	func TestConformance(t *testing.T) {
//		dbtest.Run(t, func(testing.TB) *datakit.DB { return memdb.New(nil) })
//	}
//
// Checks are named after the requirements of the specification that they
// prove, such as FS48 for requirement FS-48 and FST25 for case FST-25. Those
// that take long are left out under -short and for a Light database.
package dbtest

import (
	"slices"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"go.uber.org/goleak"
)

// A Config says what is tested. Open is required; every other field makes
// checks possible that are skipped where it is nil.
type Config struct {
	// Open returns an empty database of its own. It fails the test if it
	// cannot. The check closes what it returns.
	Open func(tb testing.TB) *datakit.DB

	// OpenAt is Open for a database that takes the dates of commits from now.
	OpenAt func(tb testing.TB, now func() time.Time) *datakit.DB

	// Reopen closes db, which Open returned, and opens the same data again.
	Reopen func(tb testing.TB, db *datakit.DB) *datakit.DB

	// Put adds a Git object to db as another program would, malformed or not.
	// kind is "blob", "tree" or "commit".
	Put func(tb testing.TB, db *datakit.DB, kind string, content []byte) datakit.Hash

	// Light makes smaller what is big, and tries some where else all cases are
	// tried: for a database that takes a message and its answer for each
	// operation. -short does so for all.
	Light bool

	// NoSymlinks is for a database that cannot make symlinks, as one at a
	// connection of plain 9P2000. Checks that make one are skipped.
	NoSymlinks bool

	// Without has the checks that do not count for the database, by name, and
	// why.
	Without map[string]string

	// Some leaves out all checks but one of so many, and is for a database that
	// takes long to open. 0 means all.
	Some int
}

// Run runs every check that needs no more than open on a database of its own.
// See [Config.Run].
func Run(t *testing.T, open func(testing.TB) *datakit.DB) { Config{Open: open}.Run(t) }

// Run runs every check on a database of its own, many at a time. At the end it
// fails t if a goroutine is left that was not there before, so t must not be
// parallel with other tests.
func (c Config) Run(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	for i, ck := range allChecks() {
		if c.Some > 0 && i%c.Some != 0 {
			continue
		}
		t.Run(ck.name, func(t *testing.T) {
			t.Parallel()
			if why := c.Without[ck.name]; why != "" {
				t.Skip(why)
			}
			ck.fn(newEnv(t, &c))
		})
	}
}

// A check is one promise and its test.
type check struct {
	name string
	fn   func(e *env)
}

func allChecks() []check {
	return slices.Concat(
		branchChecks, branchNameChecks, fastForwardChecks,
		commitChecks, parentChecks, publishChecks, durableChecks,
		treeChecks, treeIDChecks, blobChecks, fsChecks,
		txChecks, txFileChecks, txReadChecks, txDirChecks, renameChecks, txEndChecks,
		mergeChecks, mergeTableChecks, mergeBaseChecks, conflictChecks,
		watchChecks, watchPathChecks, reflogChecks, branchWatcherChecks,
		diffChecks, lineEndChecks, errorChecks, updateChecks,
		concurrencyChecks, raceChecks, cancelChecks, closeChecks,
		bigChecks, foreignChecks, fetchChecks,
		propertyChecks,
	)
}
