package bridge

import (
	"iter"

	"github.com/datakit/datakit/github"
)

// setG notes that GitHub has an element.
func (y *syncer) setG(e github.Element) {
	old, ok := y.s.g.Find(e.Identity())
	if !ok || github.CompareElements(old, e) != 0 {
		if ok {
			y.s.touch(old)
		}
		y.s.touch(e)
	}
	y.s.g = y.s.g.Add(e) // also if it is equal, for what is no part of the value
}

// setStatus is setG for a status, unless one that is known to be newer is there
// (GH-108).
func (y *syncer) setStatus(st github.Status) {
	if e, ok := y.s.g.Find(st.ID()); ok && olderStatus(st, e.(github.Status)) {
		return
	}
	y.setG(st)
}

// olderStatus reports whether GitHub gave st a lower number than known, as far
// as it gave them any.
func olderStatus(st, known github.Status) bool {
	return st.Serial != 0 && st.Serial < known.Serial
}

// dropG notes that GitHub does not have an element.
func (y *syncer) dropG(id github.ID) {
	if old, ok := y.s.g.Find(id); ok {
		y.s.touch(old)
		y.s.g = y.s.g.Remove(id)
	}
}

func touchAll[E github.Element](s *State, elements iter.Seq[E]) {
	for e := range elements {
		s.touch(e)
	}
}
