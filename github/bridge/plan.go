package bridge

import "github.com/datakit/datakit/github"

// A Plan is what a sync would do (GH-190).
type Plan struct {
	Writes  []Write // the calls that would change GitHub, in the order of sending
	Message string  // of the commit that would be made; "" for none
}

// A Write is a call that changes GitHub. It is one of SetPR, RemoveRef, SetRef
// and SetStatus, which are the calls of [github.API] of the same names.
type Write interface {
	// Subject returns what is changed, in the form of GH-27.
	Subject() string
	kind() writeKind
}

// SetPR sends the fields of the change that are set.
type SetPR struct {
	ID     github.PRID
	Change github.PRChange
}

// RemoveRef removes a reference.
type RemoveRef struct{ ID github.RefID }

// SetRef creates a reference or moves it.
type SetRef struct {
	Ref    github.Ref
	Create bool // as far as is known, GitHub has no such reference
	Force  bool // also if the move is not a fast-forward
}

// SetStatus sets a status.
type SetStatus struct{ Status github.Status }

// A writeKind orders the calls of a sync (GH-131).
type writeKind int

const (
	writePR writeKind = iota
	writeRemoveRef
	writeRef
	writeStatus
)

func (SetPR) kind() writeKind     { return writePR }
func (RemoveRef) kind() writeKind { return writeRemoveRef }
func (SetRef) kind() writeKind    { return writeRef }
func (SetStatus) kind() writeKind { return writeStatus }

// Subject returns the identity of the pull request.
func (w SetPR) Subject() string { return w.ID.String() }

// Subject returns the identity of the reference.
func (w RemoveRef) Subject() string { return w.ID.String() }

// Subject returns the reference.
func (w SetRef) Subject() string { return w.Ref.String() }

// Subject returns the status.
func (w SetStatus) Subject() string { return w.Status.String() }
