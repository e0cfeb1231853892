package p9db

import (
	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// Over opens the database of the server that c is connected to, for those who
// use the connection for something else as well. The connection belongs to the
// database from then on. Of the options only what concerns the database counts.
func Over(c *p9.Client, opts *Options) *datakit.DB {
	return datakit.New(newDriver(c, optionsOf(opts)))
}

// BranchStep returns the step that leads to a branch in the tree of a server.
func BranchStep(branch string) string { return wireName(branch) }

// WithKind gives an error of a p9.Client its kind, as the errors of a database
// have. Where the server sends a number alone, EBUSY means the kind busy. Errors
// of a context, and nil, stay what they are.
func WithKind(err error, busy datakit.Kind) error { return new(driver).failAs(err, busy) }
