package layout

import (
	"cmp"
	"errors"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// A Malformed is something in the place of an element that cannot be
// understood (GH-65). It is in no snapshot, and the lack of its element there
// is no removal.
type Malformed struct {
	Path   datakit.Path // the file or directory at fault
	Reason string       // in one line

	// ID is the element that is malformed, or nil where the path can be no
	// element at all, such as pr/foo.
	ID github.ID
}

// Error names the path and the reason.
func (m *Malformed) Error() string { return string(m.Path) + ": " + m.Reason }

func compareMalformed(a, b Malformed) int {
	return cmp.Or(a.Path.Compare(b.Path), strings.Compare(a.Reason, b.Reason))
}

// unreadable reports whether an error says that an element does not exist or is
// malformed, as opposed to a failure of the database.
func unreadable(err error) bool {
	var m *Malformed
	return errors.As(err, &m) || errors.Is(err, datakit.NotExist)
}
