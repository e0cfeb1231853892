package github

// An Event says what happened in one repository (spec/github.md, section 1.7).
// It is one of RepoEvent, PREvent, StatusEvent, RefEvent, RefRemoved,
// EventsLost and OtherEvent.
type Event interface {
	// Repository returns the repository that the event belongs to (GH-24).
	Repository() Repo
	// String returns a line for the log.
	String() string
}

// A RepoEvent tells that a repository is to be mirrored, or no longer.
type RepoEvent struct {
	Repo      Repo
	Monitored bool
}

// A PREvent brings a new value of a pull request.
type PREvent struct {
	PR PR

	// Unread says that the source knew less than the whole value and that the
	// rest is to be read from GitHub: of the PR its comments, or all of it
	// (GH-171).
	Unread Unread
}

// Unread says what of a pull request an event did not bring.
type Unread uint8

// What an event did not bring.
const (
	Nothing  Unread = iota // it is complete
	Comments               // the comments after the body are to be read
	All                    // only its identity is known (its repository and number): it is to be read anew
)

// A StatusEvent brings a new value of a status.
type StatusEvent struct{ Status Status }

// A RefEvent brings a new value of a reference. Created and updated have the
// same effect.
type RefEvent struct {
	Ref     Ref
	Created bool

	// Before is the hash that the reference had, by which a late event is
	// known (GH-108); "" where the source does not say.
	Before string
}

// RefRemoved tells that a reference is gone. Before is as in RefEvent.
type RefRemoved struct {
	Ref    RefID
	Before string
}

// EventsLost stands for events that the source could not keep: the repository
// is to be read as a whole. It has no effect on a snapshot.
type EventsLost struct{ Repo Repo }

// An OtherEvent has no effect. Label names it in the log.
type OtherEvent struct {
	Repo  Repo
	Label string
}

// Repository implements Event.
func (e RepoEvent) Repository() Repo { return e.Repo }

// Repository implements Event.
func (e PREvent) Repository() Repo { return e.PR.Head.Repo }

// Repository implements Event.
func (e StatusEvent) Repository() Repo { return e.Status.Commit.Repo }

// Repository implements Event.
func (e RefEvent) Repository() Repo { return e.Ref.Commit.Repo }

// Repository implements Event.
func (e RefRemoved) Repository() Repo { return e.Ref.Repo }

// Repository implements Event.
func (e EventsLost) Repository() Repo { return e.Repo }

// Repository implements Event.
func (e OtherEvent) Repository() Repo { return e.Repo }
